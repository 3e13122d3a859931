"""People who compare payments with the provider: it is asked what became of what is under way, and what is held twice
is let go of.

Their chance is their own, so that the seeds without them keep their worlds.
"""

from __future__ import annotations

import random

from oms.common.v1 import consistency_pb2
from oms.payment.v1 import payment_commands_pb2 as commands
from ordermesh.core.decider import Key
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.check import ENDED
from ordermesh.testing.simulation.client import Client
from ordermesh.testing.simulation.history import ACCEPTED
from ordermesh.testing.simulation.world import World

LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE
TRIES_MAX = 2_000
"""How often the release of a hold is asked for before that counts as never."""
STRAY_NANOS = 7_770_000_000
"""What is held twice."""


class Bookkeepers:
    """Those people, in one run."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._random = random.Random(f"bookkeepers {world.seed}")

    def wants(self) -> bool:
        """Whether the next order's payment is compared."""
        share = self._world.profile.bookkeepers_share
        return share > 0 and self._random.random() < share

    async def compare(self, order: Key) -> None:
        """One payment, some times."""
        key = Key("payment", order.tenant, order.key)
        for _ in range(self._random.choice((0, 1, 1, 2, 4))):
            await self._pause(4.0)
            await self._client.send("payment", key, commands.Check(), attempts_max=3)
        if self._random.random() < 0.3:
            await self._pause(10.0)
            await self._let_go(order, key)

    async def _let_go(self, order: Key, key: Key) -> None:
        """The provider holds money twice; which hold is the payment's own, the payment knows once it has an answer."""
        reference = self._world.provider.hold_again(order.key, STRAY_NANOS)
        release = commands.ReleaseHold(reference=reference, amount=goods.money(STRAY_NANOS))
        for _ in range(TRIES_MAX):
            await self._pause(3.0)
            if not await self._may_ask(order, key):
                continue
            answer = await self._client.send("payment", key, release)
            if answer is not None and answer.persistence > ACCEPTED and answer.refusal is None:
                return
        self._world.findings.report("I5", f"nobody lets go of {reference} of {order}")

    async def _may_ask(self, order: Key, key: Key) -> bool:
        """As the comparison does it: never before the payment is known of an order that may still get one. Sometimes
        its own hold is asked for too, which it keeps as long as it needs it."""
        payment = await self._client.read("payment", key, LINEARIZABLE)
        if payment is None:
            found = await self._client.read("order", order, LINEARIZABLE)
            return found is not None and found.order.order_state in ENDED
        own = payment.payment.reference
        if own and self._random.random() < 0.2:
            wrong = commands.ReleaseHold(reference=own, amount=payment.payment.authorized)
            await self._client.send("payment", key, wrong, attempts_max=2)
        return True

    async def _pause(self, longest_s: float) -> None:
        await self._world.patience.pause(self._random.random() * longest_s)
