"""People who look after orders: they hold and release, pay by other tokens, take goods back step by step, exchange.

Their chance is their own, so that the seeds without them keep their worlds.
"""

from __future__ import annotations

import random

from google.protobuf.message import Message

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2, order_state_pb2
from oms.order.v1.order_service_pb2 import InspectedLine, LineQuantity
from ordermesh.core.decider import Key
from ordermesh.core.money import nanos_of
from ordermesh.order.model import STEPS_BY_HAND
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.check import ENDED
from ordermesh.testing.simulation.client import Client, order_key
from ordermesh.testing.simulation.clock import BEGINNING_US
from ordermesh.testing.simulation.shop import WATCHED
from ordermesh.testing.simulation.world import World

TOKENS = ("tok_ok", "tok_decline", "tok_flaky", "tok_fraud_review")
REASONS = ("ADDRESS_CHECK", "VIP")
LOOKS_MAX = 2_000
"""How often an order is looked at before it is left to the check that everything ends."""


class Care:
    """Those people, in one run."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._random = random.Random(f"care {world.seed}")
        self._requests = 0

    def wants(self) -> bool:
        """Whether the next order is looked after."""
        share = self._world.profile.care_share
        return share > 0 and self._random.random() < share

    def prepare(self, order: order_pb2.Order) -> None:
        """Makes an order one that gives them something to do."""
        order.labels[WATCHED] = "yes"
        order.payment_token = self._random.choice((order.payment_token, *TOKENS))
        order.payment_retry_seconds = self._random.choice((0, 1, 20))
        charge = self._random.choice((0, 0, 3_333_333_333))
        if charge:
            order.shipping_charge.CopyFrom(goods.money(charge))
            order.total.CopyFrom(goods.money(nanos_of(order.total) + charge))

    async def look_after(self, key: Key, order: order_pb2.Order) -> None:
        """One order, until it has ended, and what comes back of it then."""
        for _ in range(self._random.choice((0, 1, 1, 2))):
            await self._pause(2.0)
            hold = order_commands_pb2.PlaceHold(reason=self._random.choice(REASONS), request_id=self._request())
            await self._client.send("order", key, hold, attempts_max=4)
        for _ in range(LOOKS_MAX):
            await self._pause(4.0)
            state = await self._client.read("order", key, consistency_pb2.READ_CONSISTENCY_LINEARIZABLE)
            if state is None:
                continue
            if state.order.order_state in ENDED:
                break
            await self._let_go(key, state)
        else:
            return
        if state.order.order_state == order_pb2.ORDER_STATE_COMPLETED:
            await self._afterwards(key, order)

    async def _let_go(self, key: Key, state: order_state_pb2.StoredOrder) -> None:
        """Releases, cancels, or pays otherwise; or leaves it for the next look."""
        luck = self._random.random()
        command: Message | None = None
        if luck < 0.05 and state.step in STEPS_BY_HAND:
            command = order_commands_pb2.Cancel(reason="looked at", request_id=self._request())
        elif state.order.holds and luck < 0.5:
            hold_id = self._random.choice(list(state.order.holds)).hold_id
            command = order_commands_pb2.ReleaseHold(hold_id=hold_id, request_id=self._request())
        elif state.order.holds and luck < 0.7:
            command = order_commands_pb2.ReleaseHold(reason=state.order.holds[0].reason, request_id=self._request())
        elif state.step == order_state_pb2.ORDER_STEP_PAYMENT_RETRY and luck < 0.8:
            command = order_commands_pb2.RenewPayment(
                payment_token=self._random.choice(TOKENS), request_id=self._request()
            )
        if command is not None:
            await self._client.send("order", key, command)

    async def _afterwards(self, key: Key, order: order_pb2.Order) -> None:
        """What comes back. Little is asked for that is refused: such calls may come true later, and a history with many
        of them takes too long to be judged."""
        line = self._random.choice(list(order.lines))
        some = [LineQuantity(line_id=line.line_id, quantity=self._random.randint(1, line.quantity))]
        luck = self._random.random()
        if luck < 0.4:
            await self._exchange(key, order, line)
        elif luck < 0.8:
            permit = order_commands_pb2.AuthorizeReturn(lines=some, reason="too small", request_id=self._request())
            await self._client.send("order", key, permit)
            if self._random.random() < 0.3:
                once_more = order_commands_pb2.AuthorizeReturn(lines=some, request_id=self._request())
                await self._client.send("order", key, once_more)
            await self._take_in(key, some[0])
        elif luck < 0.95:
            refund = order_commands_pb2.Refund(lines=some, request_id=self._request(), include_shipping=True)
            await self._client.send("order", key, refund)

    async def _take_in(self, key: Key, goods_back: LineQuantity) -> None:
        """Pieces come in parts, and are looked at in parts; some may never come."""
        left, line_id = goods_back.quantity, goods_back.line_id
        while left and self._random.random() < 0.8:
            await self._pause(3.0)
            quantity = self._random.randint(1, left)
            left -= quantity
            came = order_commands_pb2.ReceiveReturn(
                return_id="1", lines=[LineQuantity(line_id=line_id, quantity=quantity)], request_id=self._request()
            )
            await self._client.send("order", key, came)
            sound = self._random.randint(0, quantity)
            inspected = InspectedLine(line_id=line_id, restock_quantity=sound, write_off_quantity=quantity - sound)
            judged = order_commands_pb2.InspectReturn(
                return_id="1", lines=[inspected], include_shipping=self._random.random() < 0.5,
                request_id=self._request(),
            )  # fmt: skip
            await self._client.send("order", key, judged)
        if left:
            end = order_commands_pb2.CancelReturn(return_id="1", request_id=self._request())
            await self._client.send("order", key, end)

    async def _exchange(self, key: Key, order: order_pb2.Order, line: order_pb2.OrderLine) -> None:
        """One piece for another order; sometimes under an id that is taken."""
        now_ms = (BEGINNING_US + int(self._world.loop.time() * 1e6)) // 1000
        other = goods.new_order_id(now_ms, self._random) if self._random.random() < 0.8 else order.order_id
        replacement = goods.make_order(other, order.customer_id, self._world.profile.skus, self._random)
        command = order_commands_pb2.Exchange(
            lines=[LineQuantity(line_id=line.line_id, quantity=1)], replacement=replacement, request_id=self._request()
        )
        await self._client.send("order", key, command)
        if other != order.order_id and self._random.random() < 0.5:
            await self._client.read("order", order_key(replacement))

    def _request(self) -> str:
        self._requests += 1
        return f"care-{self._requests}"

    async def _pause(self, longest_s: float) -> None:
        await self._world.patience.pause(self._random.random() * longest_s)
