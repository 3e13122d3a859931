"""How each event changes an order. PURE.

An order's timeline gets one entry for each event: what happened, and what the order waits for now.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import (
    REQUEST_OUTCOME_DONE,
    REQUEST_OUTCOME_REFUSED,
)
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Stamp
from ordermesh.core.errors import ORDER_NOT_CANCELLABLE, REFUND_DECLINED
from ordermesh.core.money import nanos_of, text_of
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time
from ordermesh.order import evolution_by_hand, exchanging, model, refunds, return_process
from ordermesh.order import evolution_in_parts as parts
from ordermesh.order.evolving import Change
from ordermesh.order.evolving import enter as _enter
from ordermesh.order.evolving import settle_requests as _settle_requests
from ordermesh.order.evolving import wait_no_longer_for as _wait_no_longer_for


def _placed(state: StoredOrder, event: events.OrderPlaced, stamp: Stamp) -> str:
    order = state.order
    order.CopyFrom(event.order)
    order.order_state = words.ORDER_STATE_PLACED
    order.payment_state = words.PAYMENT_STATE_NONE
    order.fulfillment_state = words.FULFILLMENT_STATE_UNALLOCATED
    write_time(order.create_time, stamp.time_us)
    if event.scheduled:
        order.order_state = words.ORDER_STATE_SCHEDULED
        _enter(state, stored.ORDER_STEP_SCHEDULE, stamp)
        return "waits for its time"
    state.waiting_skus.extend(model.skus_of(order))
    _enter(state, stored.ORDER_STEP_RESERVE, stamp)
    return "waits for stock"


def _allocated(state: StoredOrder, event: events.StockAllocated, stamp: Stamp) -> str:
    _wait_no_longer_for(state, event.skus)
    if event.grants:
        parts.note_grants(state, event.grants)
    if state.waiting_skus:
        return "waits for more stock"
    if state.HasField("fulfillment") and not parts.allocated(state, stamp, held=event.held):
        return "held before payment" if event.held else "waits for stock that is not there yet"
    state.order.fulfillment_state = words.FULFILLMENT_STATE_ALLOCATED
    if event.held:
        _enter(state, stored.ORDER_STEP_HELD_BEFORE_PAYMENT, stamp)
        return "held before payment"
    state.order.payment_state = words.PAYMENT_STATE_AUTHORIZING
    _enter(state, stored.ORDER_STEP_AUTHORIZE, stamp)
    return "waits for payment"


def _confirmed(state: StoredOrder, event: events.OrderConfirmed, stamp: Stamp) -> str:
    state.order.order_state = words.ORDER_STATE_CONFIRMED
    state.order.payment_state = words.PAYMENT_STATE_AUTHORIZED
    if state.HasField("fulfillment"):
        _enter(state, stored.ORDER_STEP_BACKORDER, stamp)
        return ""
    if event.held:
        _enter(state, stored.ORDER_STEP_HELD_BEFORE_SHIPPING, stamp)
        return "held before shipping"
    _enter(state, stored.ORDER_STEP_SHIP, stamp)
    return "waits for dispatch"


def _shipped(state: StoredOrder, event: events.OrderShipped, stamp: Stamp) -> str:
    if event.lines:
        parts.shipped(state, event)
    else:
        state.order.fulfillment_state = words.FULFILLMENT_STATE_SHIPPED
    _enter(state, stored.ORDER_STEP_CAPTURE, stamp)
    if event.cancel_refused:
        _go_on(state)
    return f"{event.tracking}, waits for capture"


def _go_on(state: StoredOrder) -> None:
    """The cancellation came too late."""
    state.order.order_state = words.ORDER_STATE_CONFIRMED
    state.order.state_reason = ""
    _settle_requests(state, REQUEST_OUTCOME_REFUSED, ORDER_NOT_CANCELLABLE)


def _completed(state: StoredOrder, _event: events.OrderCompleted, stamp: Stamp) -> str:
    state.order.order_state = words.ORDER_STATE_COMPLETED
    state.order.payment_state = words.PAYMENT_STATE_CAPTURED
    del state.order.holds[:]
    if state.order.state_reason == model.CAPTURE_DECLINED:
        state.order.state_reason = ""
    _enter(state, stored.ORDER_STEP_NONE, stamp)
    return ""


def _delivered(state: StoredOrder, event: events.OrderDelivered, _stamp: Stamp) -> str:
    if event.number:
        return parts.delivered(state, event.number)
    state.order.fulfillment_state = words.FULFILLMENT_STATE_DELIVERED
    return ""


def _cancel_requested(state: StoredOrder, event: events.CancelRequested, stamp: Stamp) -> str:
    state.order.order_state = words.ORDER_STATE_CANCELLING
    state.order.state_reason = model.CANCEL_REQUESTED
    parts.yield_to_cancellation(state)
    if event.HasField("request"):
        remember(state.requests, event.request)
    _enter(state, stored.ORDER_STEP_STOP_SHIPPING, stamp)
    return event.detail or "waits for shipping"


def _cancel_refused(state: StoredOrder, _event: events.CancelRefused, stamp: Stamp) -> str:
    _go_on(state)
    _enter(state, stored.ORDER_STEP_SHIP, stamp)
    return "it was dispatched before"


def _undo_started(state: StoredOrder, event: events.UndoStarted, stamp: Stamp) -> str:
    order = state.order
    order.order_state = words.ORDER_STATE_CANCELLING
    order.state_reason = event.reason
    del order.holds[:]
    order.ClearField("payment_retry_time")
    if event.payment_declined:
        order.payment_state = words.PAYMENT_STATE_DECLINED
    parts.yield_to_cancellation(state)
    _settle_requests(state, REQUEST_OUTCOME_DONE)
    if event.HasField("request"):
        remember(state.requests, event.request)
    del state.waiting_skus[:]
    state.waiting_skus.extend(event.skus)
    state.waiting_void = event.void_payment
    state.ending = event.ending
    _enter(state, stored.ORDER_STEP_UNDO, stamp)
    return f"{event.reason}: {event.detail}" if event.detail else event.reason


def _released(state: StoredOrder, event: events.AllocationReleased, _stamp: Stamp) -> str:
    _wait_no_longer_for(state, event.skus)
    if state.waiting_skus:
        return "waits for more releases"
    state.order.fulfillment_state = words.FULFILLMENT_STATE_UNALLOCATED
    return ""


def _authorization_ended(state: StoredOrder, event: events.AuthorizationEnded, _stamp: Stamp) -> str:
    declined = event.declined
    state.order.payment_state = words.PAYMENT_STATE_DECLINED if declined else words.PAYMENT_STATE_VOIDED
    state.waiting_void = False
    return "declined" if declined else "voided"


def _end(state: StoredOrder, ending: words.OrderState, stamp: Stamp) -> None:
    state.order.order_state = ending
    state.order.fulfillment_state = words.FULFILLMENT_STATE_UNALLOCATED
    del state.order.holds[:]
    del state.waiting_skus[:]
    _enter(state, stored.ORDER_STEP_NONE, stamp)


def _cancelled(state: StoredOrder, _event: events.OrderCancelled, stamp: Stamp) -> str:
    _end(state, words.ORDER_STATE_CANCELLED, stamp)
    return ""


def _rejected(state: StoredOrder, event: events.OrderRejected, stamp: Stamp) -> str:
    if state.HasField("change"):
        parts.yield_to_cancellation(state)
        _settle_requests(state, REQUEST_OUTCOME_DONE)
    _end(state, words.ORDER_STATE_REJECTED, stamp)
    if event.reason:
        state.order.state_reason = event.reason
    return f"{event.reason}: {event.detail}" if event.detail else event.reason


def _capture_declined(state: StoredOrder, event: events.CaptureDeclined, _stamp: Stamp) -> str:
    state.order.state_reason = model.CAPTURE_DECLINED
    return event.code


def _returned(state: StoredOrder, event: events.OrderReturned, stamp: Stamp) -> str:
    refunds.count_returned(state, {line.line_id: line.quantity for line in event.lines})
    refunds.open_refund(state, event, stamp)
    goods = ", ".join(f"{line.quantity} of line {line.line_id}" for line in event.lines[:5])
    more = f" and {len(event.lines) - 5} more" if len(event.lines) > 5 else ""
    money = f"; refund {event.refund_id} of {text_of(event.amount)}" if event.refund_id else ""
    return f"{goods}{more}{', restocked' if event.restock else ''}{money}"


def _refund_requested(state: StoredOrder, event: events.RefundRequested, stamp: Stamp) -> str:
    refunds.open_refund(state, event, stamp)
    why = ", goodwill" if event.reason == words.REFUND_REASON_GOODWILL else ""
    return f"refund {event.refund_id} of {text_of(event.amount)}{why}"


def _refunded(state: StoredOrder, event: events.OrderRefunded, _stamp: Stamp) -> str:
    order = state.order
    pending = refunds.close_refund(state, event.refund_id, REQUEST_OUTCOME_DONE)
    refunds.add(order.refunded, pending.amount, 1)
    whole = nanos_of(order.refunded) == nanos_of(model.due_of(order))
    order.payment_state = words.PAYMENT_STATE_REFUNDED if whole else words.PAYMENT_STATE_PARTIALLY_REFUNDED
    return f"refund {event.refund_id} of {text_of(pending.amount)}"


def _refund_declined(state: StoredOrder, event: events.OrderRefundDeclined, _stamp: Stamp) -> str:
    pending = refunds.close_refund(state, event.refund_id, REQUEST_OUTCOME_REFUSED, REFUND_DECLINED)
    refunds.commit(state, pending, pending.lines, -1)
    return f"refund {event.refund_id}: {event.code}"


_CHANGES: dict[type[Message], Change] = {
    events.OrderPlaced: _placed,
    events.StockAllocated: _allocated,
    events.OrderConfirmed: _confirmed,
    events.OrderShipped: _shipped,
    events.OrderCompleted: _completed,
    events.OrderDelivered: _delivered,
    events.CancelRequested: _cancel_requested,
    events.CancelRefused: _cancel_refused,
    events.UndoStarted: _undo_started,
    events.AllocationReleased: _released,
    events.AuthorizationEnded: _authorization_ended,
    events.OrderCancelled: _cancelled,
    events.OrderRejected: _rejected,
    events.CaptureDeclined: _capture_declined,
    events.OrderReturned: _returned,
    events.RefundRequested: _refund_requested,
    events.OrderRefunded: _refunded,
    events.OrderRefundDeclined: _refund_declined,
    **parts.CHANGES,
    **evolution_by_hand.CHANGES,
    **return_process.CHANGES,
    **exchanging.CHANGES,
}

EVENTS: tuple[type[Message], ...] = tuple(_CHANGES)
"""What can happen to an order."""

_NAMES = {event: event.DESCRIPTOR.name for event in EVENTS}


def evolve(state: StoredOrder, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to an order, and adds it to the timeline."""
    kind = type(event)
    detail = _CHANGES[kind](state, event, stamp)
    order = state.order
    entry = order.timeline.add(version=stamp.version, event=_NAMES[kind], detail=detail)
    write_time(entry.time, stamp.time_us)
    write_time(order.update_time, stamp.time_us)
    order.version = stamp.version
    order.etag = str(stamp.version)
