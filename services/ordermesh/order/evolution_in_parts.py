"""How events change an order that is scheduled, short of stock, sent in parts, or changed. PURE.

After each of them, unless it says otherwise, such an order is at the step where it waits for stock: what can be done
next is decided on the order as it is then, and begins with another event of the same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import (
    REQUEST_OUTCOME_DONE,
    REQUEST_OUTCOME_PENDING,
    REQUEST_OUTCOME_REFUSED,
)
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import Fulfillment, PendingChange, StockGrant
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Stamp
from ordermesh.core.errors import ORDER_NOT_AMENDABLE, ORDER_NOT_CANCELLABLE, ORDER_NOT_HOLDABLE
from ordermesh.core.money import money_of, text_of
from ordermesh.core.requests import content_hash, remember
from ordermesh.core.stamps import write_time
from ordermesh.order import model, pieces
from ordermesh.order.evolving import drop_change, enter, wait_for, wait_no_longer_for

_LINES_TOLD_MAX: Final = 5


def in_parts(state: StoredOrder) -> Fulfillment:
    """How the order is sent; of one that was to be sent as a whole, what that means so far."""
    found = state.fulfillment
    if state.HasField("fulfillment"):
        return found
    found.SetInParent()
    if state.order.payment_state not in (words.PAYMENT_STATE_NONE, words.PAYMENT_STATE_RETRY):
        found.authorized.CopyFrom(model.due_of(state.order))
    if state.step == stored.ORDER_STEP_SHIP:
        found.shipment = 1
        found.shipping.extend(pieces.left(state.order))
    return found


def wait_in_parts(state: StoredOrder, stamp: Stamp) -> None:
    """An order that was to be sent as a whole and is held is from now on one in parts, which waits at another step."""
    if state.step in model.HELD_STEPS:
        in_parts(state)
        enter(state, stored.ORDER_STEP_BACKORDER, stamp)


def told(lines: Iterable[LineQuantity]) -> str:
    """A few numbers of pieces for a person."""
    texts = [f"{each.quantity} of line {each.line_id}" for each in lines]
    more = f" and {len(texts) - _LINES_TOLD_MAX} more" if len(texts) > _LINES_TOLD_MAX else ""
    return ", ".join(texts[:_LINES_TOLD_MAX]) + more


def _refresh(state: StoredOrder) -> None:
    """Forgets grants that leave nothing missing, and says anew where the goods are."""
    order, lacks = state.order, pieces.missing(state)
    _keep_grants(state, [each for each in state.fulfillment.grants if each.sku in lacks])
    order.ClearField("promised_by")
    promised_by_us = max((each.promised_by_us for each in state.fulfillment.grants), default=0)
    if promised_by_us:
        write_time(order.promised_by, promised_by_us)
    if pieces.any_shipped(order):
        order.fulfillment_state = _of_shipped(state)
    elif lacks:
        order.fulfillment_state = words.FULFILLMENT_STATE_BACKORDERED
    else:
        order.fulfillment_state = words.FULFILLMENT_STATE_ALLOCATED


def _keep_grants(state: StoredOrder, grants: Sequence[StockGrant]) -> None:
    """These grants, of those that are there, and no others."""
    if len(grants) < len(state.fulfillment.grants):
        kept = [StockGrant(sku=x.sku, quantity=x.quantity, promised_by_us=x.promised_by_us) for x in grants]
        del state.fulfillment.grants[:]
        state.fulfillment.grants.extend(kept)


def _of_shipped(state: StoredOrder) -> words.FulfillmentState:
    if pieces.left(state.order):
        return words.FULFILLMENT_STATE_PARTIALLY_SHIPPED
    arrived = set(state.fulfillment.shipped) <= set(state.fulfillment.delivered)
    return words.FULFILLMENT_STATE_DELIVERED if arrived else words.FULFILLMENT_STATE_SHIPPED


def note_grants(state: StoredOrder, grants: Iterable[StockGrant]) -> None:
    """Inventory promises less than is wanted of these SKUs, or more than it did."""
    found = in_parts(state)
    for grant in grants:
        known = next((each for each in found.grants if each.sku == grant.sku), None)
        if known is None:
            found.grants.append(grant)
        else:
            known.quantity = max(known.quantity, grant.quantity)
            known.promised_by_us = known.promised_by_us or grant.promised_by_us


def allocated(state: StoredOrder, stamp: Stamp, *, held: bool) -> bool:
    """All of inventory has answered; whether the payment is asked for next: nothing is missing, nothing holds it."""
    _refresh(state)
    if held or pieces.missing(state):
        enter(state, stored.ORDER_STEP_BACKORDER, stamp)
        return False
    state.fulfillment.authorized.CopyFrom(model.due_of(state.order))
    return True


def _granted(state: StoredOrder, event: events.BackorderGranted, _stamp: Stamp) -> str:
    note_grants(state, [event.grant])
    if not state.waiting_skus:
        _refresh(state)
    return f"{event.grant.quantity} of {event.grant.sku} in all"


def _started(state: StoredOrder, _event: events.OrderStarted, stamp: Stamp) -> str:
    state.order.order_state = words.ORDER_STATE_PLACED
    wait_for(state, [sku for sku, number in pieces.wanted(state.order).items() if number])
    enter(state, stored.ORDER_STEP_RESERVE, stamp)
    return "waits for stock"


def _authorization_asked(state: StoredOrder, event: events.AuthorizationAsked, stamp: Stamp) -> str:
    in_parts(state).authorized.CopyFrom(event.amount)
    state.order.payment_state = words.PAYMENT_STATE_AUTHORIZING
    enter(state, stored.ORDER_STEP_AUTHORIZE, stamp)
    return f"{text_of(event.amount)}, waits for payment"


def _shipment_requested(state: StoredOrder, event: events.ShipmentRequested, stamp: Stamp) -> str:
    found = in_parts(state)
    found.shipment = event.number
    del found.shipping[:]
    found.shipping.extend(event.lines)
    enter(state, stored.ORDER_STEP_SHIP, stamp)
    return f"shipment {event.number}: {told(event.lines)}, waits for dispatch"


def shipped(state: StoredOrder, event: events.OrderShipped) -> None:
    """One shipment left with these lines."""
    found = in_parts(state)
    quantities = pieces.by_line(event.lines)
    for line in state.order.lines:
        line.shipped_quantity += quantities.get(line.line_id, 0)
    found.shipped.append(event.number)
    del found.shipping[:]
    _refresh(state)


def delivered(state: StoredOrder, number: int) -> str:
    """One shipment arrived."""
    state.fulfillment.delivered.append(number)
    if state.order.fulfillment_state != words.FULFILLMENT_STATE_RETURNED:
        _refresh(state)
    return f"shipment {number}"


def _shipment_paid(state: StoredOrder, event: events.ShipmentPaid, stamp: Stamp) -> str:
    order = state.order
    captured = money_of(order.total.currency_code, pieces.shipped_nanos(order))
    state.fulfillment.captured.CopyFrom(captured)
    if order.state_reason == model.CAPTURE_DECLINED:
        order.state_reason = ""
    enter(state, stored.ORDER_STEP_BACKORDER, stamp)
    return f"shipment {event.number}; {text_of(captured)} in all"


def _settlement_started(state: StoredOrder, event: events.SettlementStarted, stamp: Stamp) -> str:
    enter(state, stored.ORDER_STEP_SETTLE, stamp)
    return f"what is held beyond {text_of(event.amount)} is let go"


def _lines_cancelled(state: StoredOrder, event: events.LinesCancelled, stamp: Stamp) -> str:
    order = state.order
    is_scheduled = state.step == stored.ORDER_STEP_SCHEDULE
    wait_in_parts(state, stamp)
    if not is_scheduled:
        in_parts(state).revision = event.revision or state.fulfillment.revision
    quantities = pieces.by_line(event.lines)
    for line in order.lines:
        line.cancelled_quantity += quantities.get(line.line_id, 0)
    order.due.CopyFrom(money_of(order.total.currency_code, pieces.due_nanos(order)))
    if event.reason != model.CANCEL_REQUESTED:
        order.state_reason = event.reason
    elif event.HasField("request"):
        remember(state.requests, event.request)
    else:
        drop_change(state, REQUEST_OUTCOME_DONE)
    if not is_scheduled:
        _refresh(state)
    why = f"{event.reason}: {event.detail}" if event.detail else event.reason
    return f"{why}; {told(event.lines)}; due {text_of(order.due)}"


def _kind_of(change: PendingChange) -> str:
    """What is to change, for a person."""
    if change.HasField("hold"):
        return f"a hold, {change.hold.reason}"
    return "an amendment" if change.HasField("amended") else told(change.cancelled)


def too_late_for(change: PendingChange) -> str:
    """Why a change is refused whose goods left, or whose order is to end as a whole."""
    if change.HasField("hold"):
        return ORDER_NOT_HOLDABLE
    return ORDER_NOT_AMENDABLE if change.HasField("amended") else ORDER_NOT_CANCELLABLE


def _change_requested(state: StoredOrder, event: events.ChangeRequested, stamp: Stamp) -> str:
    in_parts(state)
    state.change.CopyFrom(event.change)
    if event.HasField("request"):
        state.change.request_hash = event.request.request_hash
        remember(state.requests, event.request)
    kind = _kind_of(event.change)
    if event.stop_shipping:
        enter(state, stored.ORDER_STEP_STOP_FOR_CHANGE, stamp)
        return f"{kind}, waits for shipping"
    return f"{kind}, waits for the step to end"


def _shipment_stopped(state: StoredOrder, _event: events.ShipmentStopped, stamp: Stamp) -> str:
    del state.fulfillment.shipping[:]
    enter(state, stored.ORDER_STEP_BACKORDER, stamp)
    return f"shipment {state.fulfillment.shipment}"


def _change_reserving(state: StoredOrder, event: events.ChangeReserving, stamp: Stamp) -> str:
    state.fulfillment.revision = state.change.revision = event.revision
    del state.change.raised_skus[:]
    state.change.raised_skus.extend(event.skus)
    wait_for(state, event.skus)
    enter(state, stored.ORDER_STEP_CHANGE_STOCK, stamp)
    return "waits for more stock"


def _change_reserved(state: StoredOrder, event: events.ChangeReserved, _stamp: Stamp) -> str:
    wait_no_longer_for(state, event.skus)
    return "waits for more stock" if state.waiting_skus else ""


def _change_authorizing(state: StoredOrder, event: events.ChangeAuthorizing, stamp: Stamp) -> str:
    state.change.adjustment_id = str(stamp.version)
    state.change.authorize.CopyFrom(event.amount)
    enter(state, stored.ORDER_STEP_CHANGE_PAYMENT, stamp)
    return f"{text_of(event.amount)} in all, waits for payment"


def _amended(state: StoredOrder, event: events.OrderAmended, stamp: Stamp) -> str:
    order = state.order
    if event.HasField("request"):
        remember(state.requests, event.request)
    state.placed_hash = state.placed_hash or content_hash(model.content_of(order))
    replace(order, event.amended)
    if state.step in (stored.ORDER_STEP_SCHEDULE, stored.ORDER_STEP_PAYMENT_RETRY):
        drop_change(state, REQUEST_OUTCOME_DONE)
        return f"total {text_of(order.total)}"
    found = in_parts(state)
    found.revision = event.revision or found.revision
    if state.change.HasField("authorize"):
        found.authorized.CopyFrom(state.change.authorize)
    _forget_grants(state, state.change.raised_skus)
    drop_change(state, REQUEST_OUTCOME_DONE)
    wait_for(state, ())
    _refresh(state)
    enter(state, stored.ORDER_STEP_BACKORDER, stamp)
    return f"total {text_of(order.total)}"


def _forget_grants(state: StoredOrder, skus: Iterable[str]) -> None:
    """Of these SKUs all that is wanted is promised: what was granted before, or on its way then, says less."""
    promised = set(skus)
    _keep_grants(state, [each for each in state.fulfillment.grants if each.sku not in promised])


def _request_noted(state: StoredOrder, event: events.RequestNoted, _stamp: Stamp) -> str:
    remember(state.requests, event.request)
    return "it is asked for already" if event.request.outcome == REQUEST_OUTCOME_PENDING else "it is so already"


def replace(order: Order, amended: Order) -> None:
    """Lines, charge, address and total are what they were amended to; nothing of it is cancelled."""
    for name in ("shipping_charge", "ship_to", "due", "total"):
        order.ClearField(name)
    del order.lines[:]
    order.MergeFrom(amended)


def _change_refused(state: StoredOrder, event: events.ChangeRefused, stamp: Stamp) -> str:
    was_amendment = state.change.HasField("amended")
    found = in_parts(state)
    found.revision = event.revision or found.revision
    found.may_hold_more = found.may_hold_more or event.may_hold_more
    drop_change(state, REQUEST_OUTCOME_REFUSED, event.outcome)
    wait_for(state, ())
    _refresh(state)
    if state.step == stored.ORDER_STEP_STOP_FOR_CHANGE:
        enter(state, stored.ORDER_STEP_SHIP, stamp)
    elif state.step != stored.ORDER_STEP_PAYMENT_RETRY:
        enter(state, stored.ORDER_STEP_BACKORDER, stamp)
    why = f"{event.reason}: {event.detail}" if event.detail else event.reason
    return f"AMENDMENT_REFUSED: {why}" if was_amendment else f"{event.outcome}: {why}"


def yield_to_cancellation(state: StoredOrder) -> None:
    """The whole order is to end: an amendment or a hold is refused; pieces that were to be cancelled end with the
    others."""
    if not state.HasField("change"):
        return
    if state.change.cancelled:
        state.ClearField("change")
    else:
        drop_change(state, REQUEST_OUTCOME_REFUSED, too_late_for(state.change))


CHANGES: dict[type[Message], Callable[[StoredOrder, Any, Stamp], str]] = {
    events.OrderStarted: _started,
    events.BackorderGranted: _granted,
    events.AuthorizationAsked: _authorization_asked,
    events.ShipmentRequested: _shipment_requested,
    events.ShipmentPaid: _shipment_paid,
    events.SettlementStarted: _settlement_started,
    events.LinesCancelled: _lines_cancelled,
    events.ChangeRequested: _change_requested,
    events.ShipmentStopped: _shipment_stopped,
    events.ChangeReserving: _change_reserving,
    events.ChangeReserved: _change_reserved,
    events.ChangeAuthorizing: _change_authorizing,
    events.OrderAmended: _amended,
    events.ChangeRefused: _change_refused,
    events.RequestNoted: _request_noted,
}
"""How each of them changes the order, and what its timeline says."""
