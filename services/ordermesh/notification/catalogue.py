"""Which internal events are milestones, and what the world is told of each.

An internal event that is not here stays inside. The table in `protos/oms/notification/v1/README.md` is the same for
people; `tests/unit/test_catalogue.py` compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_events_pb2 as inventory
from oms.log.v1 import log_pb2
from oms.notification.v1 import integration_events_pb2 as told
from oms.order.v1 import order_events_pb2 as order
from oms.shipping.v1 import shipping_events_pb2 as shipping


class Milestone(NamedTuple):
    """An internal event that the world is told of: `tell(event, payload)` makes the integration event's data."""

    service: str
    name: str
    payload: type[Message]
    data: type[Message]
    tell: Callable[[log_pb2.Event, Any], Message]


def _order_placed(event: log_pb2.Event, payload: order.OrderPlaced) -> Message:
    placed = payload.order
    data = told.OrderPlaced(order_id=event.key, version=event.version, customer_id=placed.customer_id)
    for line in placed.lines:
        data.lines.add(line_id=line.line_id, sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)
    data.total.CopyFrom(placed.total)
    if placed.labels:
        data.labels.update(placed.labels)
    return data


def _order_confirmed(event: log_pb2.Event, _payload: order.OrderConfirmed) -> Message:
    return told.OrderConfirmed(order_id=event.key, version=event.version)


def _order_completed(event: log_pb2.Event, _payload: order.OrderCompleted) -> Message:
    return told.OrderCompleted(order_id=event.key, version=event.version)


def _order_cancelling(event: log_pb2.Event, payload: order.UndoStarted) -> Message:
    return told.OrderCancelling(order_id=event.key, version=event.version, reason=payload.reason, detail=payload.detail)


def _order_cancelled(event: log_pb2.Event, _payload: order.OrderCancelled) -> Message:
    return told.OrderCancelled(order_id=event.key, version=event.version)


def _order_rejected(event: log_pb2.Event, payload: order.OrderRejected) -> Message:
    return told.OrderRejected(order_id=event.key, version=event.version, reason=payload.reason, detail=payload.detail)


def _order_returned(event: log_pb2.Event, payload: order.OrderReturned) -> Message:
    return told.OrderReturned(
        order_id=event.key,
        version=event.version,
        lines=[told.LineCount(line_id=line.line_id, quantity=line.quantity) for line in payload.lines],
        restock=payload.restock,
        refund_id=payload.refund_id,
        amount=payload.amount if payload.HasField("amount") else None,
    )


def _refund_requested(event: log_pb2.Event, payload: order.RefundRequested) -> Message:
    return told.RefundRequested(
        order_id=event.key, version=event.version, refund_id=payload.refund_id, amount=payload.amount
    )


def _order_refunded(event: log_pb2.Event, payload: order.OrderRefunded) -> Message:
    return told.OrderRefunded(order_id=event.key, version=event.version, refund_id=payload.refund_id)


def _refund_declined(event: log_pb2.Event, payload: order.OrderRefundDeclined) -> Message:
    return told.OrderRefundDeclined(
        order_id=event.key, version=event.version, refund_id=payload.refund_id, code=payload.code
    )


def _shipment_id(event: log_pb2.Event) -> str:
    return f"{event.key}-{event.sub_key}"


def _shipment_dispatched(event: log_pb2.Event, payload: shipping.ShipmentDispatched) -> Message:
    return told.ShipmentDispatched(
        order_id=event.key, version=event.version, shipment_id=_shipment_id(event), tracking=payload.tracking
    )


def _shipment_delivered(event: log_pb2.Event, _payload: shipping.ShipmentDelivered) -> Message:
    return told.ShipmentDelivered(order_id=event.key, version=event.version, shipment_id=_shipment_id(event))


def _stock_received(event: log_pb2.Event, payload: inventory.StockReceived) -> Message:
    return told.StockReceived(sku=event.key, version=event.version, quantity=payload.quantity)


def _stock_adjusted(event: log_pb2.Event, payload: inventory.StockAdjusted) -> Message:
    return told.StockAdjusted(sku=event.key, version=event.version, change=payload.change, reason=payload.reason)


MILESTONES = (
    Milestone("order", "placed", order.OrderPlaced, told.OrderPlaced, _order_placed),
    Milestone("order", "confirmed", order.OrderConfirmed, told.OrderConfirmed, _order_confirmed),
    Milestone("order", "completed", order.OrderCompleted, told.OrderCompleted, _order_completed),
    Milestone("order", "cancelling", order.UndoStarted, told.OrderCancelling, _order_cancelling),
    Milestone("order", "cancelled", order.OrderCancelled, told.OrderCancelled, _order_cancelled),
    Milestone("order", "rejected", order.OrderRejected, told.OrderRejected, _order_rejected),
    Milestone("order", "returned", order.OrderReturned, told.OrderReturned, _order_returned),
    Milestone("order", "refund_requested", order.RefundRequested, told.RefundRequested, _refund_requested),
    Milestone("order", "refunded", order.OrderRefunded, told.OrderRefunded, _order_refunded),
    Milestone("order", "refund_declined", order.OrderRefundDeclined, told.OrderRefundDeclined, _refund_declined),
    Milestone("shipping", "dispatched", shipping.ShipmentDispatched, told.ShipmentDispatched, _shipment_dispatched),
    Milestone("shipping", "delivered", shipping.ShipmentDelivered, told.ShipmentDelivered, _shipment_delivered),
    Milestone("inventory", "received", inventory.StockReceived, told.StockReceived, _stock_received),
    Milestone("inventory", "adjusted", inventory.StockAdjusted, told.StockAdjusted, _stock_adjusted),
)
"""All of them."""

BY_TYPE: Mapping[str, Milestone] = {milestone.payload.DESCRIPTOR.full_name: milestone for milestone in MILESTONES}
"""The milestone of an internal event's full protobuf name."""
