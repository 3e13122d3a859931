"""I9: what the world was told of orders, on the stream and by webhooks, against what happened to them. PURE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ordermesh.testing.chaos.evidence import Arrived, Evidence, Published

MILESTONES = {
    "OrderPlaced": "placed",
    "OrderConfirmed": "confirmed",
    "OrderAmended": "amended",
    "LinesCancelled": "lines_cancelled",
    "OrderCompleted": "completed",
    "UndoStarted": "cancelling",
    "OrderCancelled": "cancelled",
    "OrderRejected": "rejected",
    "PaymentRefused": "payment_refused",
    "OrderHeld": "held",
    "OrderReleased": "released",
    "ReturnAuthorized": "return_authorized",
    "ReturnReceived": "return_received",
    "ReturnInspected": "return_inspected",
    "ReturnCancelled": "return_cancelled",
    "OrderExchanged": "exchanged",
    "OrderReturned": "returned",
    "RefundRequested": "refund_requested",
    "OrderRefunded": "refunded",
    "OrderRefundDeclined": "refund_declined",
}
"""The integration event that each entry of a timeline is told as; all others are not told."""


Found = Iterator[str | int]
"""What is wrong, in words, and between it how many things were compared."""


def check_events(evidence: Evidence) -> Found:
    """I9: each milestone is told, in order per order, and nothing that did not happen."""
    told: dict[str, list[Published]] = defaultdict(list)
    for event in dict.fromkeys(evidence.events):
        if event.service == "order":
            told[event.key].append(event)
    for order in evidence.found():
        wanted = [(MILESTONES[e.event], e.version) for e in order.timeline if e.event in MILESTONES]
        yield len(wanted)
        had = [(event.name, event.version) for event in told.pop(order.order_id, [])]
        if missing := set(wanted) - set(had):
            yield f"order {order.order_id}: {sorted(missing)} never told"
        if invented := set(had) - set(wanted):
            yield f"order {order.order_id}: {sorted(invented)} told, and did not happen"
        versions = [version for _name, version in had]
        if versions != sorted(versions):
            yield f"order {order.order_id}: told in the order {had}"
    for key in told:
        yield f"events of {key}, which is no order"


def check_shipments(evidence: Evidence) -> Found:
    """I9: each shipment that left is told to have left, and of an order that is not completed there is none."""
    left: dict[str, set[str]] = defaultdict(set)
    for event in evidence.events:
        if (event.service, event.name) == ("shipping", "dispatched"):
            left[event.key].add(event.part)
    for order in evidence.found():
        yield 1
        shipped, told = order.count("OrderShipped"), len(left[order.order_id])
        if shipped != told or (order.state == "COMPLETED") != bool(shipped):
            yield f"order {order.order_id} is {order.state}, {shipped} shipments of it left and {told} were told"


def check_webhooks(evidence: Evidence) -> Found:
    """I9: every event of an order was taken by the receiver, was signed, and arrived first in the stream's order."""
    published: dict[str, list[Published]] = defaultdict(list)
    for event in dict.fromkeys(evidence.events):
        if event.service in ("order", "shipping"):
            published[event.key].append(event)
    arrived: dict[str, list[Arrived]] = defaultdict(list)
    for one in evidence.arrived:
        yield 1
        arrived[one.event.key].append(one)
        if not one.is_signed:
            yield f"webhook {one.message_id} of {one.event} is not signed by its secret"
    for key, events in published.items():
        yield from _check_arrivals(key, events, arrived.get(key, []))
    names: dict[str, set[Published]] = defaultdict(set)
    for one in evidence.arrived:
        names[one.message_id].add(one.event)
    for message_id, meant in names.items():
        if len(meant) > 1:
            yield f"webhook-id {message_id} was used for {sorted(meant)}"


def _check_arrivals(key: str, events: Sequence[Published], arrived: Sequence[Arrived]) -> Found:
    if missing := set(events) - {one.event for one in arrived if one.is_taken}:
        yield f"{key}: {sorted(missing)} never taken by the receiver"
    if invented := {one.event for one in arrived} - set(events):
        yield f"{key}: {sorted(invented)} arrived, and not published"
    places = [events.index(event) for event in dict.fromkeys(one.event for one in arrived) if event in events]
    if places != sorted(places):
        yield f"{key}: arrived in the order {[events[place] for place in places]}"
