"""How an order goes on that is short of stock, is sent in parts, or was changed: send what is promised, wait for the
rest, let go of what is not needed. PURE.

One shipment is under way at a time: what is promised meanwhile goes with the next. So an order waits for one thing at a
time here too, and money is taken for each shipment before the next is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from oms.common.v1.request_record_pb2 import RequestRecord
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Context, Decision, Key
from ordermesh.core.money import money_of, nanos_of
from ordermesh.order import gating, model, pieces, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.model import OrderPolicy
from ordermesh.order.timer import set_timer


def time_us(time: Timestamp) -> int:
    """Microseconds since 1970."""
    return time.seconds * 1_000_000 + time.nanos // 1_000


def is_ahead(order: Order, now_us: int) -> bool:
    """Whether the order's time is still to come."""
    return order.HasField("not_before") and time_us(order.not_before) > now_us


def expires_us(policy: OrderPolicy, order: Order) -> int:
    """When what is still missing is cancelled."""
    if order.HasField("backorder_expire_time"):
        return time_us(order.backorder_expire_time)
    return max(time_us(order.create_time), time_us(order.not_before)) + policy.backorder_us


def start(policy: OrderPolicy, state: StoredOrder, key: Key, context: Context) -> Decision:
    """The order's timer: once its time has come, its stock is asked for."""
    if is_ahead(state.order, context.now_us):
        return Decision(timers=[set_timer(key, time_us(state.order.not_before))])
    draft = Draft(state, key, context)
    draft.happen(events.OrderStarted())
    draft.ask(*questions.reserve(draft.state.order, context, first=False))
    draft.wait_until(context.now_us + policy.ask_again_us)
    return draft.decision


def proceed(policy: OrderPolicy, draft: Draft) -> Decision:
    """Takes an order as far as it gets now, and its holds let it. Nothing of it is under way, and not all of it is
    cancelled unsent."""
    state, order, context = draft.state, draft.state.order, draft.context
    if not pieces.left(order):
        return _settle(policy, draft)
    ready = pieces.shippable(state)
    if gating.is_held(state) or not ready:
        return wait_for_stock(policy, draft)
    if order.payment_state == words.PAYMENT_STATE_NONE:
        amount = money_of(order.total.currency_code, pieces.due_nanos(order))
        draft.happen(events.AuthorizationAsked(amount=amount))
        draft.ask(questions.authorize(draft.state, context, first=False))
        draft.wait_until(context.now_us + policy.ask_again_us)
    else:
        draft.happen(events.ShipmentRequested(number=state.fulfillment.shipment + 1, lines=ready))
        draft.ask(questions.ship_part(draft.state, context, first=False))
        draft.wait_until(context.now_us + policy.ask_again_us)
    return draft.decision


def wait_for_stock(policy: OrderPolicy, draft: Draft) -> Decision:
    """Looks again later, in time for the end of what is missing; what is promised meanwhile is heard before."""
    due_us = draft.context.now_us + policy.ask_again_us
    draft.wait_until(pause_until_us(policy, draft.state, due_us))
    return draft.decision


def pause_until_us(policy: OrderPolicy, state: StoredOrder, due_us: int) -> int:
    """When the timer looks again; no later than what is waited for expires, or what holds the order does."""
    waits = state.step == stored.ORDER_STEP_BACKORDER and bool(pieces.missing(state))
    until_us = min(due_us, expires_us(policy, state.order)) if waits else due_us
    return min(until_us, gating.hold_expires_us(policy, state) or until_us)


def _settle(policy: OrderPolicy, draft: Draft) -> Decision:
    """All that is not cancelled is sent and paid: what is held beyond that is let go, and the order is complete."""
    found = draft.state.fulfillment
    if nanos_of(found.authorized) == nanos_of(found.captured) and not found.may_hold_more:
        draft.happen(events.OrderCompleted())
        draft.wait_no_more()
        return draft.decision
    draft.happen(events.SettlementStarted(amount=found.captured))
    draft.ask(questions.adjust(questions.SETTLEMENT, found.captured, draft.context))
    draft.wait_until(draft.context.now_us + policy.ask_again_us)
    return draft.decision


def cancel_pieces(
    draft: Draft,
    lines: Iterable[LineQuantity],
    reason: str,
    *,
    detail: str = "",
    request: RequestRecord | None = None,
) -> None:
    """These pieces are cancelled, and what is reserved for them is given back."""
    wanted = list(lines)
    revision = draft.state.fulfillment.revision + 1
    event = events.LinesCancelled(lines=wanted, reason=reason, detail=detail, request=request, revision=revision)
    draft.happen(event)
    give_back(draft, revision, pieces.skus_in(draft.state.order, wanted), pieces.wanted(draft.state.order))


def give_back(draft: Draft, revision: int, skus: Iterable[str], wanted: Mapping[str, int]) -> None:
    """Has inventory keep no more of these SKUs than is wanted."""
    quantities = {sku: wanted.get(sku, 0) for sku in skus}
    order_id = draft.state.order.order_id
    draft.ask(*questions.revise(order_id, revision, quantities, draft.context, more=False))


def expire(policy: OrderPolicy, draft: Draft) -> Decision:
    """What is missing for too long is cancelled, and what was promised of an order that may be split is sent; of an
    order that is not split, nothing was sent yet, and all of it ends."""
    state, context = draft.state, draft.context
    if pieces.any_shipped(state.order) or (state.order.allow_split_shipments and pieces.promised_left(state)):
        cancel_pieces(draft, pieces.missing_left(state), model.BACKORDER_EXPIRED)
        return proceed(policy, draft)
    draft.join(undoing.undo_asked(state, draft.key, context, reason=model.BACKORDER_EXPIRED))
    draft.wait_until(context.now_us + policy.ask_again_us)
    return draft.decision


def cancel_rest(policy: OrderPolicy, draft: Draft, reason: str) -> Decision:
    """What is not sent of an order of which a part was sent is cancelled."""
    cancel_pieces(draft, pieces.left(draft.state.order), reason)
    return proceed(policy, draft)
