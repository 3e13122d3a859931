"""Everything that was seen from outside, once a run has come to rest: what the checks judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2
from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.core.money import nanos_of
from ordermesh.order.balance import asked_while_held
from ordermesh.testing.chaos.journal import Told


class Entry(NamedTuple):
    """One thing that happened to an order, of its timeline."""

    version: int
    event: str


class Line(NamedTuple):
    """A line of an order, in pieces: `quantity` without what was cancelled, `sent` what left."""

    sku: str
    quantity: int
    returned: int
    price_nanos: int
    sent: int


@dataclass(frozen=True, slots=True)
class FinalOrder:
    """An order as it was told in the end, by a linearizable read. `placed` is what its customer wrote on it when it was
    placed, `content` what it is now; `due_nanos` is what all that is not cancelled costs."""

    order_id: str
    placed: str
    content: str
    state: str
    due_nanos: int
    refunded_nanos: int
    version: int
    timeline: Sequence[Entry]
    lines: Sequence[Line]
    holds: int = 0
    """That were not released."""
    asked_while_held: Sequence[str] = ()
    """What it asked for that a hold should have kept back."""

    def count(self, *events: str) -> int:
        """How often one of these happened."""
        return sum(entry.event in events for entry in self.timeline)


class FinalStock(NamedTuple):
    """The stock of a SKU in the end."""

    received: int
    on_hand: int
    reserved: int
    available: int
    committed: int
    backordered: int = 0


class Published(NamedTuple):
    """An integration event of the stream, in its order there. `part` is the shipment of an order that it is about."""

    service: str
    name: str
    key: str
    version: int
    part: str = ""


class Arrived(NamedTuple):
    """A webhook that came to the receiver. `is_taken`: it was answered so; else it had to come again."""

    message_id: str
    event: Published
    is_signed: bool
    is_taken: bool


@dataclass(slots=True)
class Evidence:
    """`orders` has every id that was ever used; None stands for NOT_FOUND."""

    journal: Sequence[Told]
    orders: Mapping[str, FinalOrder | None]
    stocks: Mapping[str, FinalStock]
    ledger: Sequence[LedgerEntry]
    events: Sequence[Published]
    arrived: Sequence[Arrived] = ()
    """In the order of their arrival."""
    audit: Sequence[str] = ()
    """What the engine's own audit calls violated."""
    unanswered: Sequence[str] = ()
    """Calls that got no answer though everything was healed."""

    def found(self) -> list[FinalOrder]:
        """The orders that there are."""
        return [order for order in self.orders.values() if order is not None]


def restocks(order_id: str) -> bool:
    """Whether what comes back of this order can be sold again: the customers return half of the orders so."""
    return order_id[-1] in "02468ace"


PLACED = "placed"
"""The label on which a customer notes the content that an order is placed with: no amendment changes a label."""


def content_of(order: order_pb2.Order) -> str:
    """What was ordered, by whom, in one text: equal for equal orders."""
    lines = ",".join(f"{line.sku}x{line.quantity}@{nanos_of(line.unit_price)}" for line in order.lines)
    return f"{order.customer_id}:{lines}"


def final_order(order: order_pb2.Order) -> FinalOrder:
    """An answered order, as evidence."""
    content = content_of(order)
    return FinalOrder(
        order_id=order.order_id,
        placed=order.labels.get(PLACED, content),
        content=content,
        state=state_name(order),
        due_nanos=nanos_of(order.due if order.HasField("due") else order.total),
        refunded_nanos=_nanos(order.refunded),
        version=order.version,
        timeline=[Entry(entry.version, entry.event) for entry in order.timeline],
        lines=_lines(order),
        holds=len(order.holds),
        asked_while_held=[f"{entry.event} as version {entry.version}" for entry in asked_while_held(order)],
    )


def _lines(order: order_pb2.Order) -> list[Line]:
    """The lines. `shipped_quantity` tells of orders that were changed or sent in parts; any other is sent whole."""
    in_parts = any(line.shipped_quantity for line in order.lines)
    whole = not in_parts and order.order_state == order_pb2.ORDER_STATE_COMPLETED
    found = []
    for line in order.lines:
        kept = line.quantity - line.cancelled_quantity
        sent = kept if whole else line.shipped_quantity
        found.append(Line(line.sku, kept, line.returned_quantity, nanos_of(line.unit_price), sent))
    return found


def state_name(order: order_pb2.Order) -> str:
    """The order's state, without the enum's name."""
    return order_pb2.OrderState.Name(order.order_state).removeprefix("ORDER_STATE_")


def _nanos(amount: Money) -> int:
    return nanos_of(amount) if amount.currency_code else 0
