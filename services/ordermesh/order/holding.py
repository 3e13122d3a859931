"""Holds: what keeps an order from going on to its next step, and how it goes on again. PURE.

A hold changes nothing of what was asked before: its answer is taken, and the order then waits where it would have asked
the next service. So while an order is held no payment is asked for and nothing is sent; what is reserved or authorised
stays so, and what is missing may be promised meanwhile. Where shipping was asked for all that is left, it is asked to
stop first, as for any change: the first of dispatch and stop in its log wins; the release asks for another shipment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oms.common.v1.request_record_pb2 import RequestRecord
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import PendingChange
from oms.order.v1.order_pb2 import Hold
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors, limits
from ordermesh.core.decider import Context, Decision, Key, Outgoing, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import cancelling, changing, gating, model, pieces, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.fulfilment import cancel_rest, pause_until_us
from ordermesh.order.gating import next_hold_id
from ordermesh.order.timer import set_timer
from ordermesh.order.undoing import not_found

_HOLDABLE: Final = (
    stored.ORDER_STEP_RESERVE, stored.ORDER_STEP_AUTHORIZE, stored.ORDER_STEP_SCHEDULE, stored.ORDER_STEP_BACKORDER,
    stored.ORDER_STEP_CHANGE_STOCK, stored.ORDER_STEP_CHANGE_PAYMENT, *model.STEPS_BY_HAND,
)  # fmt: skip
_SENDING: Final = (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_CAPTURE)
_States = Mapping[Key, State]


def _refused(
    state: StoredOrder | None, command: commands.PlaceHold | commands.ReleaseHold, record: RequestRecord | None,
    context: Context,
) -> Decision | None:  # fmt: skip
    """What both refuse, or have done before; None where they may go on."""
    if state is None:
        return not_found(context)
    return seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)


def place_hold(policy: model.OrderPolicy, states: _States, command: commands.PlaceHold, context: Context) -> Decision:
    """Holds an order of which something is still to be sent; several holds may be there, also of one reason."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    record = record_of(command.request_id, command)
    refused = _refused(state, command, record, context)
    if refused is not None or state is None:
        return refused or Decision()
    if len(state.order.holds) >= limits.HOLDS_PER_ORDER_MAX:
        message = f"Order {context.key} has {len(state.order.holds)} holds; release one first."
        return errors.refuse(errors.HOLD_LIMIT_REACHED, message, order_id=context.key, limit=limits.HOLDS_PER_ORDER_MAX)
    if _is_holdable(state):
        return _hold(policy, state, command, record, key, context)
    if state.step == stored.ORDER_STEP_STOP_FOR_CHANGE:
        return changing.in_progress(state)
    if state.step == stored.ORDER_STEP_SHIP:
        hold = Hold(reason=command.reason, detail=command.detail, actor=context.actor)
        return cancelling.request_change(policy, state, PendingChange(hold=hold), record, key, context)
    metadata = model.states_of(state.order)
    message = f"Order {context.key} is {metadata['order_state']} and past what a hold could keep back."
    return errors.refuse(errors.ORDER_NOT_HOLDABLE, message, **metadata)


def _hold(
    policy: model.OrderPolicy,
    state: StoredOrder,
    command: commands.PlaceHold,
    record: RequestRecord | None,
    key: Key,
    context: Context,
) -> Decision:
    """It is held from now on; where holds have an end, its timer looks no later than that."""
    draft = Draft(state, key, context)
    draft.happen(
        events.OrderHeld(
            hold_id=next_hold_id(state), reason=command.reason, detail=command.detail, actor=context.actor,
            request=record,
        )
    )  # fmt: skip
    if gating.hold_expires_us(policy, draft.state):
        draft.wait_until(pause_until_us(policy, draft.state, context.now_us + policy.ask_again_us))
    return draft.decision


def _is_holdable(state: StoredOrder) -> bool:
    """Whether there is a next step that a hold can keep back: of an order in parts, after the shipment under way."""
    if state.step not in _SENDING or not state.HasField("fulfillment"):
        return state.step in _HOLDABLE
    return pieces.left(state.order) != list(state.fulfillment.shipping)


def release_hold(
    policy: model.OrderPolicy, states: _States, command: commands.ReleaseHold, context: Context
) -> Decision:
    """Ends one hold, or all of a reason; after the last one the order asks what it was kept from asking."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    record = record_of(command.request_id, command)
    refused = _refused(state, command, record, context)
    if refused is not None or state is None:
        return refused or Decision()
    wanted = command.hold_id or command.reason
    ended = [hold.hold_id for hold in state.order.holds if wanted == (hold.hold_id if command.hold_id else hold.reason)]
    if not ended:
        message = f"Order {context.key} has no hold {wanted}; it may have been released before."
        return errors.refuse(errors.HOLD_NOT_FOUND, message, order_id=context.key, hold=wanted)
    decision = Decision([(key, events.OrderReleased(hold_ids=ended, detail=command.detail, request=record))])
    if len(ended) < len(state.order.holds):
        return decision
    if state.step in model.HELD_STEPS:
        decision.messages.append(_kept_back(state, context))
        decision.timers.append(set_timer(key, context.now_us + policy.ask_again_us))
        return decision
    draft = Draft(state, key, context)
    draft.join(decision)
    return changing.go_on_released(policy, draft)


def expire(policy: model.OrderPolicy, state: StoredOrder, key: Key, context: Context) -> Decision | None:
    """The order's timer: what nobody released in time is cancelled, as far as it is not sent. None where something else
    is to be looked at; one that is sent as a whole waits for its release alone."""
    ends_us = gating.hold_expires_us(policy, state)
    if ends_us and context.now_us >= ends_us:
        draft = Draft(state, key, context)
        if pieces.any_shipped(state.order):
            return cancel_rest(policy, draft, model.HOLD_EXPIRED)
        detail = "nobody released it in time"
        draft.join(undoing.undo_asked(state, key, context, reason=model.HOLD_EXPIRED, detail=detail))
        draft.wait_until(context.now_us + policy.ask_again_us)
        return draft.decision
    if state.step in model.HELD_STEPS:
        return Decision(timers=[set_timer(key, ends_us)] if ends_us else [])
    return None


def _kept_back(state: StoredOrder, context: Context) -> Outgoing:
    """The question that the order was kept from asking."""
    if state.step == stored.ORDER_STEP_HELD_BEFORE_PAYMENT:
        return questions.authorize(state, context, first=state.payment_attempt == 0)
    return questions.ship(state.order, context, first=True)
