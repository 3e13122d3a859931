"""One scenario's shop: its goods, customers and orders have names of its own, so that scenarios share an engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.order.v1.order_explanation_pb2 import OrderExplanation
from oms.shipping.v1 import shipping_pb2, shipping_service_pb2
from ordermesh.cli.amounts import decimal_text, money, nanos_of, parse_nanos
from ordermesh.cli.orders import states
from tests.e2e.api.client import ENDED, Failure, new_id
from tests.e2e.engine import Engine
from tests.scenarios.client import Client, Refused

PARTITIONS = 2
"""Of each group of the scenarios' engine, so that SKUs and orders do not always share one."""
WAIT_S = 60.0
"""Until something that has to happen is given up; a quiet machine needs a fraction of a second."""
PAUSE_S = 0.03
"""Between two looks."""
CURRENCY = "GBP"
PRICE = "5.00"
"""Of one piece, where a scenario does not say it."""
QUORUM = consistency_pb2.READ_CONSISTENCY_QUORUM
LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE


def amount_of(text: str) -> Money:
    """`4.99` as an amount."""
    return money(parse_nanos(text), CURRENCY)


def text_of(amount: Money) -> str:
    """An amount as the scenarios say it."""
    return decimal_text(nanos_of(amount)).replace(",", "")


def until(look: Callable[[], Any], what: str | Callable[[], str], timeout_s: float = WAIT_S) -> Any:
    """What a look gives, once it is something true. Else fails with `what`, which may say what was seen last."""
    end = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what if isinstance(what, str) else what()}")
        time.sleep(PAUSE_S)
    return found


class Shop:
    """What a scenario speaks of, by the names that it uses; and what its last call was answered."""

    def __init__(self, engine: Engine, client: Client) -> None:
        self.engine = engine
        self.client = client
        self.mark = uuid.uuid4().hex[:8]
        self.orders: dict[str, str] = {}
        """Order ids by the names of a scenario; `the order` is the newest."""
        self.created: dict[str, order_pb2.Order] = {}
        """What was sent to create them, by id."""
        self.crowd: list[str] = []
        """Ids of orders without names."""
        self.refusals: list[Failure] = []
        """What calls of a crowd were refused with."""
        self.answer: Any = None
        self.failure: Failure | None = None
        self.last: tuple[Any, Message] | None = None
        """The method and request of the last call."""
        self._skus: dict[str, str] = {}
        self._failure_was_seen = True

    def sku(self, name: str) -> str:
        """The SKU that a scenario calls so."""
        return self._skus.setdefault(name, f"{name}-{self.mark}")

    def choose_sku(self, name: str, fits: Callable[[str], bool]) -> None:
        """Gives a name to a SKU that fits."""
        candidates = (f"{name}-{self.mark}-{number}" for number in range(1000))
        self._skus[name] = next(sku for sku in candidates if fits(sku))

    def customer(self, name: str) -> str:
        """The customer whom a scenario calls so."""
        return f"{name}-{self.mark}"

    def order_id(self, name: str) -> str:
        """The id of an order by its name."""
        assert name in self.orders, f"the scenario has no {name}; it has {', '.join(self.orders) or 'none'}"
        return self.orders[name]

    def try_to(self, method: Any, request: Message) -> None:
        """Makes a call whose answer or failure the next step may look at."""
        self.expect_no_failure()
        self.last = (method, request)
        self.answer, self.failure = None, None
        try:
            self.answer = self.client.call(method, request)
        except Refused as refused:
            self.failure, self._failure_was_seen = refused.failure, False

    def look_at_failure(self) -> Failure:
        """The failure of the last call; it must have failed."""
        assert self.failure is not None, f"the call was not refused, but answered: {self.answer}"
        self._failure_was_seen = True
        return self.failure

    def expect_no_failure(self) -> None:
        """No call failed that nobody looked at."""
        assert self._failure_was_seen, f"the call was refused, and the scenario did not expect it: {self.failure}"

    def new_order(self, customer: str, goods: Iterable[tuple[str, int]], price: str, token: str) -> order_pb2.Order:
        """An order with an id of its own, not sent yet."""
        unit_price = amount_of(price)
        return order_pb2.Order(
            order_id=new_id(),
            customer_id=self.customer(customer),
            payment_token=token,
            lines=[
                order_pb2.OrderLine(sku=self.sku(name), quantity=quantity, unit_price=unit_price)
                for name, quantity in goods
            ],
        )

    def create(self, order: order_pb2.Order, name: str | None) -> None:
        """Sends a new order; it is `the order` from now on, and has that name too."""
        self.created[order.order_id] = order
        self.orders["the order"] = order.order_id
        if name is not None:
            self.orders[name] = order.order_id
        self.try_to(self.client.orders.CreateOrder, order_service_pb2.CreateOrderRequest(order=order))

    def get(self, order_id: str, consistency: int = QUORUM) -> order_pb2.Order:
        """An order as it is now."""
        request = order_service_pb2.GetOrderRequest(
            order_id=order_id,
            read_consistency=consistency,  # type: ignore[arg-type]  # an enum's number
        )
        order: order_pb2.Order = self.client.call(self.client.orders.GetOrder, request).order
        return order

    def wait_for(self, order_id: str, is_so: Callable[[order_pb2.Order], bool], what: str) -> order_pb2.Order:
        """The order once it is so."""

        def look() -> order_pb2.Order | None:
            order = self.get(order_id)
            return order if is_so(order) else None

        order: order_pb2.Order = until(look, what)
        return order

    def ended(self, order_id: str) -> order_pb2.Order:
        """The order once it has ended."""
        return self.wait_for(order_id, lambda order: order.order_state in ENDED, f"order {order_id} ends")

    def is_waiting_for_dispatch(self, order_id: str) -> order_pb2.Order:
        """The order once it is confirmed and its shipment is there."""

        confirmed = order_pb2.ORDER_STATE_CONFIRMED
        order = self.wait_for(order_id, lambda order: order.order_state == confirmed, f"order {order_id} is confirmed")
        until(lambda: self.shipments(order_id), f"order {order_id} has a shipment")
        return order

    def shipments(self, order_id: str) -> Sequence[shipping_pb2.Shipment]:
        """The shipments of an order, by number, as they are stored."""
        request = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)
        found: Sequence[shipping_pb2.Shipment] = self.client.call(self.client.shipping.ListShipments, request).shipments
        return found

    def dispatch(self, order_id: str, tracking: str = "") -> shipping_service_pb2.DispatchShipmentRequest:
        """The request that says that the order's shipment left."""
        return shipping_service_pb2.DispatchShipmentRequest(
            shipment_id=f"{order_id}-1", tracking=tracking, request_id=uuid.uuid4().hex
        )

    def ledger(self, order_ids: Sequence[str]) -> list[tuple[str, str]]:
        """What took effect at the provider for these orders: operations and amounts, in their order."""
        return [(line["operation"], plain(line["amount"])) for line in self.ledger_lines(order_ids)]

    def ledger_lines(self, order_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """The same as the ledger has it."""
        wanted = set(order_ids)
        return [line for line in self.engine.ledger() if line["order_id"] in wanted]

    def held(self, order_id: str) -> Decimal:
        """What the provider holds for an order, by its ledger."""
        signs = {"authorize": 1, "adjust": 1, "capture": -1, "void": -1}
        return sum((signs.get(operation, 0) * Decimal(each) for operation, each in self.ledger([order_id])), Decimal())

    def explain(self, order_id: str) -> OrderExplanation:
        """What an order waits for."""
        request = order_service_pb2.ExplainOrderRequest(order_id=order_id)
        explanation: OrderExplanation = self.client.call(self.client.orders.ExplainOrder, request).explanation
        return explanation

    def told(self) -> str:
        """The timelines of the scenario's orders, for a person who wonders why it failed."""
        return "\n\n".join(self._story(name, order_id) for name, order_id in self.orders.items())

    def _story(self, name: str, order_id: str) -> str:
        try:
            order = self.get(order_id, LINEARIZABLE)
        except Refused as refused:
            return f"{name} ({order_id}): {refused}"
        first = f"{name} ({order_id}): {', '.join(states(order))} {order.state_reason}".rstrip()
        waits = f"      {self.explain(order_id).text}"
        entries = [
            f"  {entry.version:>3} {entry.time.ToJsonString()} {entry.event} {entry.detail}".rstrip()
            for entry in order.timeline
        ]
        ledger = [f"      provider: {operation} {amount}" for operation, amount in self.ledger([order_id])]
        return "\n".join([first, waits, *entries, *ledger])


def plain(amount: Mapping[str, Any]) -> str:
    """A ledger's amount as the scenarios say it."""
    nanos = int(amount["units"]) * 1_000_000_000 + int(amount["nanos"])
    return f"{Decimal(nanos) / 1_000_000_000:.2f}"
