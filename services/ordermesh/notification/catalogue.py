"""Which internal events are milestones, and what the world is told of each.

An internal event that is not here stays inside. The table in `protos/oms/notification/v1/README.md` is the same for
people; `tests/unit/test_catalogue.py` compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_events_pb2 as inventory
from oms.inventory.v1.inventory_pb2 import StockReason
from oms.log.v1 import log_pb2
from oms.notification.v1 import integration_events_pb2 as told
from oms.notification.v1 import webhook_events_pb2 as webhook
from oms.notification.v1.webhook_pb2 import EndpointStateReason
from oms.order.v1 import order_events_pb2 as order
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.shipping.v1 import shipping_events_pb2 as shipping
from ordermesh.core.stamps import write_time


def _hashed(event: log_pb2.Event) -> str:
    return event.key


def _endpoint_id(event: log_pb2.Event) -> str:
    return event.sub_key


class Milestone(NamedTuple):
    """An internal event that the world is told of: `tell(event, payload)` makes the integration event's data, and
    `key(event)` says what it is about and kept in order for, in a word `keyed_by`."""

    service: str
    name: str
    payload: type[Message]
    data: type[Message]
    tell: Callable[[log_pb2.Event, Any], Message]
    keyed_by: str = "order id"
    key: Callable[[log_pb2.Event], str] = _hashed

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"oms.{self.service}.{self.name}.v1"


def _lines(order: Order) -> list[told.PlacedLine]:
    return [
        told.PlacedLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)
        for line in order.lines
    ]


def _order_placed(event: log_pb2.Event, payload: order.OrderPlaced) -> Message:
    placed = payload.order
    data = told.OrderPlaced(order_id=event.key, version=event.version, customer_id=placed.customer_id)
    data.lines.extend(_lines(placed))
    data.total.CopyFrom(placed.total)
    if placed.labels:
        data.labels.update(placed.labels)
    return data


def _order_confirmed(event: log_pb2.Event, _payload: order.OrderConfirmed) -> Message:
    return told.OrderConfirmed(order_id=event.key, version=event.version)


def _order_amended(event: log_pb2.Event, payload: order.OrderAmended) -> Message:
    amended = payload.amended
    return told.OrderAmended(order_id=event.key, version=event.version, lines=_lines(amended), total=amended.total)


def _lines_cancelled(event: log_pb2.Event, payload: order.LinesCancelled) -> Message:
    return told.LinesCancelled(
        order_id=event.key,
        version=event.version,
        lines=[told.LineCount(line_id=line.line_id, quantity=line.quantity) for line in payload.lines],
        reason=payload.reason,
        detail=payload.detail,
    )


def _order_completed(event: log_pb2.Event, _payload: order.OrderCompleted) -> Message:
    return told.OrderCompleted(order_id=event.key, version=event.version)


def _order_cancelling(event: log_pb2.Event, payload: order.UndoStarted) -> Message:
    return told.OrderCancelling(order_id=event.key, version=event.version, reason=payload.reason, detail=payload.detail)


def _order_cancelled(event: log_pb2.Event, _payload: order.OrderCancelled) -> Message:
    return told.OrderCancelled(order_id=event.key, version=event.version)


def _order_rejected(event: log_pb2.Event, payload: order.OrderRejected) -> Message:
    return told.OrderRejected(order_id=event.key, version=event.version, reason=payload.reason, detail=payload.detail)


def _payment_refused(event: log_pb2.Event, payload: order.PaymentRefused) -> Message:
    data = told.PaymentRefused(order_id=event.key, version=event.version, code=payload.code)
    write_time(data.retry_time, payload.retry_until_us)
    return data


def _order_held(event: log_pb2.Event, payload: order.OrderHeld) -> Message:
    return told.OrderHeld(
        order_id=event.key, version=event.version, hold_id=payload.hold_id, reason=payload.reason,
        detail=payload.detail, rule=payload.rule,
    )  # fmt: skip


def _order_released(event: log_pb2.Event, payload: order.OrderReleased) -> Message:
    return told.OrderReleased(
        order_id=event.key, version=event.version, hold_ids=payload.hold_ids, detail=payload.detail
    )


def _order_returned(event: log_pb2.Event, payload: order.OrderReturned) -> Message:
    return told.OrderReturned(
        order_id=event.key,
        version=event.version,
        lines=_counts(payload.lines),
        restock=payload.restock,
        refund_id=payload.refund_id,
        amount=payload.amount if payload.HasField("amount") else None,
    )


def _counts(lines: Iterable[LineQuantity]) -> list[told.LineCount]:
    return [told.LineCount(line_id=line.line_id, quantity=line.quantity) for line in lines]


def _return_authorized(event: log_pb2.Event, payload: order.ReturnAuthorized) -> Message:
    return told.ReturnAuthorized(
        order_id=event.key, version=event.version, return_id=payload.return_id, lines=_counts(payload.lines),
        reason=payload.reason, exchange_order_id=payload.exchange_order_id,
    )  # fmt: skip


def _return_received(event: log_pb2.Event, payload: order.ReturnReceived) -> Message:
    return told.ReturnReceived(
        order_id=event.key, version=event.version, return_id=payload.return_id, lines=_counts(payload.lines)
    )


def _return_inspected(event: log_pb2.Event, payload: order.ReturnInspected) -> Message:
    data = told.ReturnInspected(
        order_id=event.key, version=event.version, return_id=payload.return_id, refund_id=payload.refund_id,
        amount=payload.amount if payload.HasField("amount") else None,
    )  # fmt: skip
    for line in payload.lines:
        if line.restock_quantity:
            data.restocked.add(line_id=line.line_id, quantity=line.restock_quantity)
        if line.write_off_quantity:
            data.written_off.add(line_id=line.line_id, quantity=line.write_off_quantity)
    return data


def _return_cancelled(event: log_pb2.Event, payload: order.ReturnCancelled) -> Message:
    return told.ReturnCancelled(order_id=event.key, version=event.version, return_id=payload.return_id)


def _order_exchanged(event: log_pb2.Event, payload: order.OrderExchanged) -> Message:
    return told.OrderExchanged(order_id=event.key, version=event.version, exchange_order_id=payload.order_id)


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
    return told.StockAdjusted(
        sku=event.key,
        version=event.version,
        change=payload.change,
        reason=payload.reason,
        reason_code=_reason(payload.reason_code),
    )


def _reason(code: StockReason) -> str:
    """The name of a reason without its prefix; empty where none was said, or a newer build knows it."""
    return StockReason.Name(code).removeprefix("STOCK_REASON_") if code and code in StockReason.values() else ""


def _stock_counted(event: log_pb2.Event, payload: inventory.StockCounted) -> Message:
    return told.StockCounted(
        sku=event.key,
        version=event.version,
        counted=payload.counted,
        reason=payload.reason,
        reason_code=_reason(payload.reason_code),
    )


def _stock_low(event: log_pb2.Event, payload: inventory.StockLow) -> Message:
    return told.StockLow(sku=event.key, version=event.version, available=payload.available, threshold=payload.threshold)


def _stock_replenished(event: log_pb2.Event, payload: inventory.StockReplenished) -> Message:
    return told.StockReplenished(
        sku=event.key, version=event.version, available=payload.available, threshold=payload.threshold
    )


def _webhook_test(event: log_pb2.Event, _payload: webhook.TestEventRequested) -> Message:
    return told.WebhookTest(endpoint_id=event.sub_key, version=event.version)


def _endpoint_disabled(event: log_pb2.Event, payload: webhook.EndpointDisabled) -> Message:
    reason = EndpointStateReason.Name(payload.reason).removeprefix("ENDPOINT_STATE_REASON_")
    return told.WebhookEndpointDisabled(
        endpoint_id=event.sub_key, version=event.version, reason=reason, detail=payload.detail
    )


MILESTONES = (
    Milestone("order", "placed", order.OrderPlaced, told.OrderPlaced, _order_placed),
    Milestone("order", "confirmed", order.OrderConfirmed, told.OrderConfirmed, _order_confirmed),
    Milestone("order", "amended", order.OrderAmended, told.OrderAmended, _order_amended),
    Milestone("order", "lines_cancelled", order.LinesCancelled, told.LinesCancelled, _lines_cancelled),
    Milestone("order", "completed", order.OrderCompleted, told.OrderCompleted, _order_completed),
    Milestone("order", "cancelling", order.UndoStarted, told.OrderCancelling, _order_cancelling),
    Milestone("order", "cancelled", order.OrderCancelled, told.OrderCancelled, _order_cancelled),
    Milestone("order", "rejected", order.OrderRejected, told.OrderRejected, _order_rejected),
    Milestone("order", "payment_refused", order.PaymentRefused, told.PaymentRefused, _payment_refused),
    Milestone("order", "held", order.OrderHeld, told.OrderHeld, _order_held),
    Milestone("order", "released", order.OrderReleased, told.OrderReleased, _order_released),
    Milestone("order", "returned", order.OrderReturned, told.OrderReturned, _order_returned),
    Milestone("order", "return_authorized", order.ReturnAuthorized, told.ReturnAuthorized, _return_authorized),
    Milestone("order", "return_received", order.ReturnReceived, told.ReturnReceived, _return_received),
    Milestone("order", "return_inspected", order.ReturnInspected, told.ReturnInspected, _return_inspected),
    Milestone("order", "return_cancelled", order.ReturnCancelled, told.ReturnCancelled, _return_cancelled),
    Milestone("order", "exchanged", order.OrderExchanged, told.OrderExchanged, _order_exchanged),
    Milestone("order", "refund_requested", order.RefundRequested, told.RefundRequested, _refund_requested),
    Milestone("order", "refunded", order.OrderRefunded, told.OrderRefunded, _order_refunded),
    Milestone("order", "refund_declined", order.OrderRefundDeclined, told.OrderRefundDeclined, _refund_declined),
    Milestone("shipping", "dispatched", shipping.ShipmentDispatched, told.ShipmentDispatched, _shipment_dispatched),
    Milestone("shipping", "delivered", shipping.ShipmentDelivered, told.ShipmentDelivered, _shipment_delivered),
    Milestone("inventory", "received", inventory.StockReceived, told.StockReceived, _stock_received, "SKU"),
    Milestone("inventory", "adjusted", inventory.StockAdjusted, told.StockAdjusted, _stock_adjusted, "SKU"),
    Milestone("inventory", "counted", inventory.StockCounted, told.StockCounted, _stock_counted, "SKU"),
    Milestone("inventory", "low", inventory.StockLow, told.StockLow, _stock_low, "SKU"),
    Milestone("inventory", "replenished", inventory.StockReplenished, told.StockReplenished, _stock_replenished, "SKU"),
    Milestone(
        "notification", "test", webhook.TestEventRequested, told.WebhookTest, _webhook_test, "endpoint id", _endpoint_id
    ),
    Milestone(
        "notification",
        "endpoint_disabled",
        webhook.EndpointDisabled,
        told.WebhookEndpointDisabled,
        _endpoint_disabled,
        "endpoint id",
        _endpoint_id,
    ),
)
"""All of them."""

BY_TYPE: Mapping[str, Milestone] = {milestone.payload.DESCRIPTOR.full_name: milestone for milestone in MILESTONES}
"""The milestone of an internal event's full protobuf name."""

BY_CLOUD_TYPE: Mapping[str, Milestone] = {milestone.type: milestone for milestone in MILESTONES}
"""The milestone of a CloudEvents type."""

TEST_TYPE = "oms.notification.test.v1"
"""The type of the event that goes to one endpoint only, whatever that asked for."""
