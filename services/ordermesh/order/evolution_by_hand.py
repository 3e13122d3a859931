"""How holds, their release, and another payment token change an order. PURE.

An order in parts that is held waits at the step where it waits for stock, with its timer: what is missing of it may
come or expire meanwhile. One that is sent as a whole has steps of its own for that, without a timer.
"""

from __future__ import annotations

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Stamp
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time
from ordermesh.order import model
from ordermesh.order.evolving import EventChanges, drop_change, enter


def _held(state: StoredOrder, event: events.OrderHeld, stamp: Stamp) -> str:
    state.hold_count += 1
    hold = state.order.holds.add(
        hold_id=event.hold_id, reason=event.reason, detail=event.detail, rule=event.rule, actor=event.actor
    )
    write_time(hold.create_time, stamp.time_us)
    if event.HasField("request"):
        remember(state.requests, event.request)
    if state.change.HasField("hold"):
        drop_change(state, REQUEST_OUTCOME_DONE)
    by = f", by the rule {event.rule}" if event.rule else ""
    return f"hold {event.hold_id}, {event.reason}{by}" + (f": {event.detail}" if event.detail else "")


def _released(state: StoredOrder, event: events.OrderReleased, stamp: Stamp) -> str:
    """After the last hold an order that is sent as a whole waits for what it asks now."""
    holds = state.order.holds
    for number in reversed(range(len(holds))):
        if holds[number].hold_id in event.hold_ids:
            del holds[number]
    if event.HasField("request"):
        remember(state.requests, event.request)
    if not holds and state.step == stored.ORDER_STEP_HELD_BEFORE_PAYMENT:
        state.order.payment_state = words.PAYMENT_STATE_AUTHORIZING
        enter(state, stored.ORDER_STEP_AUTHORIZE, stamp)
    elif not holds and state.step == stored.ORDER_STEP_HELD_BEFORE_SHIPPING:
        enter(state, stored.ORDER_STEP_SHIP, stamp)
    told = "hold " + ", ".join(event.hold_ids) + (f": {event.detail}" if event.detail else "")
    return f"{told}; {len(holds)} more" if holds else told


def _payment_refused(state: StoredOrder, event: events.PaymentRefused, stamp: Stamp) -> str:
    state.order.payment_state = words.PAYMENT_STATE_RETRY
    state.order.state_reason = model.PAYMENT_DECLINED
    state.payment_retry_until_us = event.retry_until_us
    write_time(state.order.payment_retry_time, event.retry_until_us)
    enter(state, stored.ORDER_STEP_PAYMENT_RETRY, stamp)
    return f"{event.code}, waits for another payment token"


def _payment_renewed(state: StoredOrder, event: events.PaymentRenewed, stamp: Stamp) -> str:
    """The order's own token stays as it was placed with: it is part of what was asked for."""
    state.order.state_reason = ""
    state.order.ClearField("payment_retry_time")
    state.payment_token = event.payment_token
    state.payment_attempt = event.attempt
    if event.HasField("request"):
        remember(state.requests, event.request)
    in_parts = state.HasField("fulfillment")
    if event.held:
        state.order.payment_state = words.PAYMENT_STATE_NONE
        waits_at = stored.ORDER_STEP_BACKORDER if in_parts else stored.ORDER_STEP_HELD_BEFORE_PAYMENT
        enter(state, waits_at, stamp)
        return "held before payment"
    if in_parts:
        state.fulfillment.authorized.CopyFrom(model.due_of(state.order))
    state.order.payment_state = words.PAYMENT_STATE_AUTHORIZING
    enter(state, stored.ORDER_STEP_AUTHORIZE, stamp)
    return "waits for payment"


CHANGES: EventChanges = {
    events.OrderHeld: _held,
    events.OrderReleased: _released,
    events.PaymentRefused: _payment_refused,
    events.PaymentRenewed: _payment_renewed,
}
"""How each of them changes the order, and what its timeline says."""
