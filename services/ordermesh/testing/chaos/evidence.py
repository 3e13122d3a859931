"""Everything that was seen from outside, once a run has come to rest: what the checks judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2
from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.core.money import nanos_of
from ordermesh.testing.chaos.journal import Told


class Entry(NamedTuple):
    """One thing that happened to an order, of its timeline."""

    version: int
    event: str


class Line(NamedTuple):
    """A line of an order; quantities in pieces."""

    sku: str
    quantity: int
    returned: int
    price_nanos: int


@dataclass(frozen=True, slots=True)
class FinalOrder:
    """An order as it was told in the end, by a linearizable read."""

    order_id: str
    content: str
    state: str
    total_nanos: int
    refunded_nanos: int
    version: int
    timeline: Sequence[Entry]
    lines: Sequence[Line]


class FinalStock(NamedTuple):
    """The stock of a SKU in the end."""

    received: int
    on_hand: int
    reserved: int
    available: int
    committed: int


class Published(NamedTuple):
    """An integration event of the stream, in its order there."""

    service: str
    name: str
    key: str
    version: int


@dataclass(slots=True)
class Evidence:
    """`orders` has every id that was ever used; None stands for NOT_FOUND."""

    journal: Sequence[Told]
    orders: Mapping[str, FinalOrder | None]
    stocks: Mapping[str, FinalStock]
    ledger: Sequence[LedgerEntry]
    events: Sequence[Published]
    audit: Sequence[str] = ()
    """What the engine's own audit calls violated."""
    unanswered: Sequence[str] = ()
    """Calls that got no answer though everything was healed."""


def restocks(order_id: str) -> bool:
    """Whether what comes back of this order can be sold again: the customers return half of the orders so."""
    return order_id[-1] in "02468ace"


def content_of(order: order_pb2.Order) -> str:
    """What was ordered, by whom, in one text: equal for equal orders."""
    lines = ",".join(f"{line.sku}x{line.quantity}@{nanos_of(line.unit_price)}" for line in order.lines)
    return f"{order.customer_id}:{lines}"


def final_order(order: order_pb2.Order) -> FinalOrder:
    """An answered order, as evidence."""
    return FinalOrder(
        order_id=order.order_id,
        content=content_of(order),
        state=state_name(order),
        total_nanos=nanos_of(order.total),
        refunded_nanos=_nanos(order.refunded),
        version=order.version,
        timeline=[Entry(entry.version, entry.event) for entry in order.timeline],
        lines=[Line(x.sku, x.quantity, x.returned_quantity, nanos_of(x.unit_price)) for x in order.lines],
    )


def state_name(order: order_pb2.Order) -> str:
    """The order's state, without the enum's name."""
    return order_pb2.OrderState.Name(order.order_state).removeprefix("ORDER_STATE_")


def _nanos(amount: Money) -> int:
    return nanos_of(amount) if amount.currency_code else 0
