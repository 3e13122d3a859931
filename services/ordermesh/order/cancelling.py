"""What a cancellation means: the whole order, some of its pieces, or what is left of one that was sent in part. PURE.

A piece that is not in a shipment is cancelled at once. Of one that is in the shipment under way shipping decides, as of
the whole order: the first of dispatch and cancellation in its log wins; if it stops, the rest goes as another shipment.
"""

from __future__ import annotations

from collections.abc import Mapping

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestRecord
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import PendingChange
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import changing, model, pieces, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.fulfilment import cancel_pieces, proceed
from ordermesh.order.model import OrderPolicy
from ordermesh.order.timer import set_timer

_OVER = (words.ORDER_STATE_COMPLETED, words.ORDER_STATE_REJECTED)
_AT_ONCE = (stored.ORDER_STEP_BACKORDER, *model.STEPS_BY_HAND)


def cancel(policy: OrderPolicy, states: Mapping[Key, State], command: commands.Cancel, context: Context) -> Decision:
    """Ends the order, or the pieces that are named, as far as they are not sent."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None or not (command.lines or pieces.any_shipped(state.order)):
        return undoing.cancel(states, command, context)
    record = record_of(command.request_id, command)
    known = seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)
    if known is not None:
        return known
    left = pieces.left(state.order)
    wanted = _wanted(state, command)
    if state.order.order_state in undoing.ENDING:
        return undoing.is_ending(state, record, key)
    refused = _judge(state, wanted)
    if refused is not None:
        return refused
    if wanted == left and not pieces.any_shipped(state.order):
        return undoing.cancel(states, command, context)
    if state.HasField("change"):
        return changing.in_progress(state)
    return _cancel_pieces(policy, state, wanted, command.reason, record, key, context)


def _wanted(state: StoredOrder, command: commands.Cancel) -> list[LineQuantity]:
    """The pieces that are named, in the order of the lines, then lines that there are not; all that is left if none."""
    if not command.lines:
        return pieces.left(state.order)
    named = pieces.by_line(command.lines)
    ids = [line.line_id for line in state.order.lines if line.line_id in named]
    return [LineQuantity(line_id=line_id, quantity=named[line_id]) for line_id in dict.fromkeys([*ids, *named])]


def _judge(state: StoredOrder, wanted: list[LineQuantity]) -> Decision | None:
    """Why the pieces cannot be cancelled; None where they may."""
    order = state.order
    sent_whole = state.step == stored.ORDER_STEP_CAPTURE and not state.HasField("fulfillment")
    if order.order_state in _OVER or sent_whole or not pieces.left(order):
        return undoing.not_cancellable(state)
    left = {line.line_id: pieces.left_of(line) for line in order.lines}
    for each in wanted:
        line_id, number = each.line_id, each.quantity
        if line_id not in left:
            message = f"Order {order.order_id} has no line {line_id}."
            return errors.refuse(
                errors.LINE_NOT_FOUND, message, order_id=order.order_id, line_id=line_id, field="lines.line_id"
            )
        if number > left[line_id]:
            message = f"Of line {line_id} only {left[line_id]} are still to be sent."
            return errors.refuse(
                errors.CANCEL_EXCEEDS_LEFT, message, order_id=order.order_id, line_id=line_id, left=left[line_id]
            )
    return None


def _cancel_pieces(
    policy: OrderPolicy,
    state: StoredOrder,
    wanted: list[LineQuantity],
    detail: str,
    record: RequestRecord | None,
    key: Key,
    context: Context,
) -> Decision:
    """At once where nothing is under way for these pieces; else when the order's step ends."""
    reason = model.CANCEL_REQUESTED
    if state.step == stored.ORDER_STEP_SCHEDULE:
        event = events.LinesCancelled(lines=wanted, reason=reason, detail=detail, request=record)
        return Decision([(key, event)])
    if state.step in _AT_ONCE or (state.step == stored.ORDER_STEP_SHIP and _apart(state, wanted)):
        draft = Draft(state, key, context)
        cancel_pieces(draft, wanted, reason, detail=detail, request=record)
        return proceed(policy, draft) if draft.state.step == stored.ORDER_STEP_BACKORDER else draft.decision
    return request_change(policy, state, PendingChange(cancelled=wanted, detail=detail), record, key, context)


def _apart(state: StoredOrder, wanted: list[LineQuantity]) -> bool:
    """Whether none of these pieces need be in the shipment under way."""
    if not state.HasField("fulfillment"):
        return False
    under_way = pieces.by_line(state.fulfillment.shipping)
    left = {line.line_id: pieces.left_of(line) - under_way.get(line.line_id, 0) for line in state.order.lines}
    return all(each.quantity <= left[each.line_id] for each in wanted)


def request_change(
    policy: OrderPolicy,
    state: StoredOrder,
    change: PendingChange,
    record: RequestRecord | None,
    key: Key,
    context: Context,
) -> Decision:
    """Notes a change that is decided when shipping has stopped, or when the order's step ends."""
    if record is not None:
        record.outcome = REQUEST_OUTCOME_PENDING
    if state.step != stored.ORDER_STEP_SHIP:
        return Decision([(key, events.ChangeRequested(change=change, request=record))])
    return Decision(
        [(key, events.ChangeRequested(change=change, request=record, stop_shipping=True))],
        [questions.stop_shipping(state, context)],
        [set_timer(key, context.now_us + policy.ask_again_us)],
    )
