"""The ledger of a SKU: a row for each movement of its stock, written once. PURE.

Rows lie in blocks of versions, so that no partition of the table grows without end, and the newest is found from the
stock's own version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import StockMovement, StockMovementKind, StockReason
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from ordermesh.core.decider import Key, Row, Stamp, Table
from ordermesh.core.ids import order_id_from
from ordermesh.core.stamps import write_time as write_timestamp

BLOCK_VERSIONS: Final = 5_000
"""Versions in a block: a partition of the table of about a megabyte."""

STOCK_MOVEMENTS = Table(
    name="stock_movements",
    columns=(
        ("tenant", "text"),
        ("sku", "text"),
        ("block", "bigint"),
        ("version", "bigint"),
        ("time_us", "bigint"),
        ("kind", "text"),
        ("quantity", "bigint"),
        ("on_hand", "bigint"),
        ("reserved", "bigint"),
        ("order_id", "text"),
        ("reason_code", "text"),
        ("reason", "text"),
    ),
    partition=("tenant", "sku", "block"),
    clustering=("version",),
    newest_first=True,
)
"""What happened to the stock of every SKU, by blocks of its versions."""

LOST: Final = "LOST"
"""The kind of a row whose movement was lost with the tail of a log, before the stock was stored that it led to."""

_KINDS: Final[Mapping[type[Message], str]] = {
    events.StockReceived: "RECEIVED",
    events.StockAdjusted: "ADJUSTED",
    events.StockCounted: "COUNTED",
    events.StockReserved: "RESERVED",
    events.BackorderServed: "RESERVED",
    events.StockReleased: "RELEASED",
    events.StockCommitted: "COMMITTED",
    events.StockRestocked: "RESTOCKED",
    events.StockRecounted: "RECOUNTED",
}
_REASONS: Final = {number: name.removeprefix("STOCK_REASON_") for name, number in StockReason.items()}
_ORDERS: Final = frozenset({"RESERVED", "RELEASED", "COMMITTED", "RESTOCKED"})


def block_of(version: int) -> int:
    """The block of a version."""
    return version // BLOCK_VERSIONS


def movement_rows(key: Key, event: Any, state: StoredStock, stamp: Stamp, write_time: int) -> Sequence[Row]:
    """The row that an event leaves; `state` is after it. What is no movement leaves none."""
    kind = _KINDS.get(type(event))
    if kind is None:
        return ()
    stock = state.stock
    order_id = _order_of(event) if kind in _ORDERS else ""
    reason_code, reason = "", ""
    if kind in {"ADJUSTED", "COUNTED"}:
        reason_code, reason = _REASONS.get(event.reason_code, "") if event.reason_code else "", event.reason
    values = (
        key.tenant, key.key, block_of(stamp.version), stamp.version, stamp.time_us, kind, _quantity(kind, event),
        stock.on_hand, stock.reserved, order_id, reason_code, reason,
    )  # fmt: skip
    return (Row(STOCK_MOVEMENTS.name, values, write_time),)


def _order_of(event: Any) -> str:
    """The order that it was for."""
    return event.order_id if isinstance(event, events.BackorderServed) else order_id_from(event.order)


def _quantity(kind: str, event: Any) -> int:
    """How many pieces it was about."""
    if kind == "ADJUSTED":
        return int(event.change)
    if kind == "COUNTED":
        return int(event.counted)
    return int(event.reserved if kind == "RECOUNTED" else event.quantity)


def voided(row: Mapping[str, Any], write_time: int) -> Row:
    """The same row as one that counts for nothing."""
    values = tuple(LOST if name == "kind" else row[name] for name, _ in STOCK_MOVEMENTS.columns)
    return Row(STOCK_MOVEMENTS.name, values, write_time)


def movement_of_row(row: Mapping[str, Any]) -> StockMovement:
    """The movement that a row tells; a kind or reason of a newer build is left out."""
    kind, reason_code = f"STOCK_MOVEMENT_KIND_{row['kind']}", f"STOCK_REASON_{row['reason_code']}"
    movement = StockMovement(
        sku=row["sku"],
        version=row["version"],
        kind=kind if kind in StockMovementKind.keys() else None,  # noqa: SIM118 # an enum of protobuf is no mapping
        quantity=row["quantity"],
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        order_id=row["order_id"],
        reason_code=reason_code if reason_code in StockReason.keys() else None,  # noqa: SIM118 # as above
        reason=row["reason"],
    )
    write_timestamp(movement.time, row["time_us"])
    return movement
