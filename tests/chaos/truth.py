"""Evidence of a small run in which everything went well: tests plant what went wrong.

One order was held, amended to twice as many pieces, and sent in two parts.
"""

from __future__ import annotations

from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.testing.chaos.evidence import Arrived, Entry, Evidence, FinalOrder, FinalStock, Line, Published
from ordermesh.testing.chaos.journal import Told
from ordermesh.testing.chaos.webhooks import SETTINGS

COMPLETED, CANCELLED, PARTS, REJECTED, LOST = "order-2", "order-3", "order-4", "order-5", "order-7"
"""Of an order whose create never got anywhere nothing is found. Even ids are restocked when they come back."""
PRICE = 5_000_000_000
OPTIONS = tuple(
    part
    for name, value in SETTINGS.items()
    for part in ((f"--{name.replace('_', '-')}",) if value is True else (f"--{name.replace('_', '-')}", str(value)))
)
"""Flags of an engine whose webhooks may go to this machine."""
_TIMELINES = {
    COMPLETED: ("OrderPlaced", "StockAllocated", "OrderConfirmed", "OrderShipped", "OrderCompleted", "OrderReturned",
                "OrderRefunded"),
    CANCELLED: ("OrderPlaced", "StockAllocated", "UndoStarted", "AllocationReleased", "AuthorizationEnded",
                "OrderCancelled"),
    PARTS: ("OrderPlaced", "OrderHeld", "StockAllocated", "OrderReleased", "OrderConfirmed", "OrderAmended",
            "ShipmentRequested", "OrderShipped", "ShipmentPaid", "ShipmentRequested", "OrderShipped", "ShipmentPaid",
            "OrderCompleted"),
    REJECTED: ("OrderPlaced", "OrderRejected"),
}  # fmt: skip
_STATES = {COMPLETED: "COMPLETED", CANCELLED: "CANCELLED", PARTS: "COMPLETED", REJECTED: "REJECTED"}
_PIECES = {PARTS: 4}
"""Of each order that was amended; of any other there are two."""
_NAMES = {
    "OrderPlaced": "placed",
    "OrderConfirmed": "confirmed",
    "OrderHeld": "held",
    "OrderReleased": "released",
    "OrderAmended": "amended",
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
    returned, pieces = int(order_id == COMPLETED), _PIECES.get(order_id, 2)
    sent = pieces if _STATES[order_id] == "COMPLETED" else 0
    return FinalOrder(
        order_id=order_id,
        placed=content(order_id),
        content=content(order_id, quantity=pieces),
        state=_STATES[order_id],
        due_nanos=pieces * PRICE,
        refunded_nanos=returned * PRICE,
        version=len(timeline),
        timeline=timeline,
        lines=[Line(f"CUP-{order_id}", pieces, returned, PRICE, sent)],
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
            for key in (COMPLETED, CANCELLED, PARTS, REJECTED)
        ),
        told("hold", PARTS, "hold", 2.0, persistence="LOGGED", version=2, event="OrderHeld"),
        told("release", PARTS, "release", 3.0, persistence="LOGGED", version=4, event="OrderReleased"),
        told("release", PARTS, "another", 4.0, outcome="NOT_FOUND", reason="HOLD_NOT_FOUND"),
        told("amend", PARTS, "amend", 4.0, persistence="STORED", version=6, event="OrderAmended",
             content=content(PARTS, quantity=4)),
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


def ledger_entry(order_id: str, operation: str, nanos: int, key: str, name: str = "") -> LedgerEntry:
    """Something that took effect at the provider."""
    return LedgerEntry("2026-01-01T00:00:00Z", order_id, operation, "GBP", nanos // 10**9, nanos % 10**9, key, name)


def dispatched(*shipments: tuple[str, int]) -> list[Published]:
    """That these shipments left: each has versions of its own."""
    return [Published("shipping", "dispatched", key, 1, f"{key}-{number}") for key, number in shipments]


def evidence() -> Evidence:
    """All of it, sound."""
    events = [
        Published("order", _NAMES[entry.event], order_id, entry.version)
        for order_id in _TIMELINES
        for entry in order(order_id).timeline
        if entry.event in _NAMES
    ]
    published = [*events, *dispatched((COMPLETED, 1), (PARTS, 1), (PARTS, 2))]
    return Evidence(
        journal=journal(),
        orders={LOST: None, **{order_id: order(order_id) for order_id in _TIMELINES}},
        stocks={f"CUP-{COMPLETED}": FinalStock(received=10, on_hand=9, reserved=0, available=9, committed=1)},
        ledger=[
            ledger_entry(COMPLETED, "authorize", 2 * PRICE, "a"),
            ledger_entry(COMPLETED, "capture", 2 * PRICE, "b"),
            ledger_entry(COMPLETED, "refund", PRICE, "c"),
            ledger_entry(CANCELLED, "authorize", 2 * PRICE, "d"),
            ledger_entry(PARTS, "authorize", 2 * PRICE, "f"),
            ledger_entry(PARTS, "adjust", 2 * PRICE, "g", "6"),
            ledger_entry(PARTS, "capture", PRICE, "h", "1"),
            ledger_entry(PARTS, "capture", 3 * PRICE, "i", "2"),
            ledger_entry(CANCELLED, "void", 2 * PRICE, "e"),
        ],
        events=published,
        arrived=[
            Arrived(f"msg_{number}", event, is_signed=True, is_taken=is_taken)
            for number, event in enumerate(published)
            for is_taken in ((False, True) if number % 3 == 0 else (True,))
        ],
    )
