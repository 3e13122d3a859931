"""Evidence of a small run in which everything went well: tests plant what went wrong."""

from __future__ import annotations

from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.testing.chaos.evidence import Entry, Evidence, FinalOrder, FinalStock, Line, Published
from ordermesh.testing.chaos.journal import Told

COMPLETED, CANCELLED, REJECTED, LOST = "order-2", "order-3", "order-5", "order-7"
"""Of an order whose create never got anywhere nothing is found. Even ids are restocked when they come back."""
PRICE = 5_000_000_000
_TIMELINES = {
    COMPLETED: ("OrderPlaced", "StockAllocated", "OrderConfirmed", "OrderShipped", "OrderCompleted", "OrderReturned",
                "OrderRefunded"),
    CANCELLED: ("OrderPlaced", "StockAllocated", "UndoStarted", "AllocationReleased", "AuthorizationEnded",
                "OrderCancelled"),
    REJECTED: ("OrderPlaced", "OrderRejected"),
}  # fmt: skip
_NAMES = {
    "OrderPlaced": "placed",
    "OrderConfirmed": "confirmed",
    "OrderCompleted": "completed",
    "OrderReturned": "returned",
    "OrderRefunded": "refunded",
    "UndoStarted": "cancelling",
    "OrderCancelled": "cancelled",
    "OrderRejected": "rejected",
}


def content(order_id: str, customer: str = "ada", quantity: int = 2) -> str:
    """What was ordered under that id."""
    return f"{customer}:CUP-{order_id}x{quantity}@{PRICE}"


def order(order_id: str) -> FinalOrder:
    """One of the orders that were found."""
    timeline = [Entry(number, event) for number, event in enumerate(_TIMELINES[order_id], 1)]
    returned = int(order_id == COMPLETED)
    return FinalOrder(
        order_id=order_id,
        content=content(order_id),
        state=timeline[-1].event.removeprefix("Order").upper() if order_id != COMPLETED else "COMPLETED",
        total_nanos=2 * PRICE,
        refunded_nanos=returned * PRICE,
        version=len(timeline),
        timeline=timeline,
        lines=[Line(f"CUP-{order_id}", 2, returned, PRICE)],
    )


def told(call: str, key: str, request: str, begin: float, **values: object) -> Told:
    """A call that took half a second; answered, unless told otherwise."""
    return Told(call=call, key=key, request=request, begin=begin, end=begin + 0.5, **{"outcome": "OK", **values})  # type: ignore[arg-type]  # a test's values


def journal() -> list[Told]:
    """What the customers were told of these orders."""
    return [
        told("receive", f"CUP-{COMPLETED}", "lot", 0.0, quantity=10, persistence="STORED"),
        *(
            told("create", key, "create", 1.0, persistence="STORED", version=1, event="OrderPlaced",
                 content=content(key))
            for key in (COMPLETED, CANCELLED, REJECTED)
        ),
        told("create", LOST, "create", 1.0, outcome="UNAVAILABLE", content=content(LOST)),
        told("create", COMPLETED, "again", 2.0, persistence="LOGGED", version=2, event="StockAllocated",
             content=content(COMPLETED)),
        told("create", COMPLETED, "rival", 2.0, outcome="ALREADY_EXISTS", reason="ORDER_ALREADY_EXISTS",
             content=content(COMPLETED, quantity=3)),
        told("create", COMPLETED, "thief", 2.0, outcome="NOT_FOUND", reason="ORDER_NOT_FOUND",
             content=content(COMPLETED, customer="eve")),
        told("cancel", CANCELLED, "cancel", 3.0, persistence="LOGGED", version=3, event="UndoStarted"),
        told("get", COMPLETED, "get-1", 4.0, asked="LINEARIZABLE", given="LINEARIZABLE", version=5,
             event="OrderCompleted", content=content(COMPLETED)),
        told("get", COMPLETED, "get-2", 4.0, asked="QUORUM", given="EVENTUAL", version=1, event="OrderPlaced",
             content=content(COMPLETED)),
        told("get", COMPLETED, "get-3", 5.0, asked="AT_LEAST", given="AT_LEAST", version=5, event="OrderCompleted",
             version_min=5, content=content(COMPLETED)),
        told("return", COMPLETED, "back", 6.0, persistence="STORED", version=6, event="OrderReturned"),
    ]  # fmt: skip


def ledger_entry(order_id: str, operation: str, nanos: int, key: str) -> LedgerEntry:
    """Something that took effect at the provider."""
    return LedgerEntry("2026-01-01T00:00:00Z", order_id, operation, "GBP", nanos // 10**9, nanos % 10**9, key)


def evidence() -> Evidence:
    """All of it, sound."""
    events = [
        Published("order", _NAMES[entry.event], order_id, entry.version)
        for order_id in _TIMELINES
        for entry in order(order_id).timeline
        if entry.event in _NAMES
    ]
    return Evidence(
        journal=journal(),
        orders={LOST: None, **{order_id: order(order_id) for order_id in _TIMELINES}},
        stocks={f"CUP-{COMPLETED}": FinalStock(received=10, on_hand=9, reserved=0, available=9, committed=1)},
        ledger=[
            ledger_entry(COMPLETED, "authorize", 2 * PRICE, "a"),
            ledger_entry(COMPLETED, "capture", 2 * PRICE, "b"),
            ledger_entry(COMPLETED, "refund", PRICE, "c"),
            ledger_entry(CANCELLED, "authorize", 2 * PRICE, "d"),
            ledger_entry(CANCELLED, "void", 2 * PRICE, "e"),
        ],
        events=[*events, Published("shipping", "dispatched", COMPLETED, 1)],
    )
