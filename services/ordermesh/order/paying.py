"""A payment that is declined: the order ends, or waits for another token for a time, with its stock. PURE.

Each token is an attempt of its own, with an own key at the provider: so an attempt that was declined cannot charge
anything late, and the answer of an earlier attempt says nothing about the one under way. The time is counted from the
first decline and is not begun anew by another token: otherwise an order could keep its stock for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors, limits
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import changing, model, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.gating import gate
from ordermesh.order.timer import set_timer

_US_PER_SECOND = 1_000_000


def payment_declined(
    policy: model.OrderPolicy, state: StoredOrder, answer: commands.PaymentDeclined, key: Key, context: Context
) -> Decision:
    """No money by this attempt: the order waits for another token, or is undone. Where a void was asked for, this is
    its answer. An attempt before the one under way is over."""
    if answer.attempt != state.payment_attempt:
        return Decision()
    if state.step != stored.ORDER_STEP_AUTHORIZE:
        return undoing.payment_ended(state, key, declined=True)
    until_us = _retry_until_us(policy, state, context)
    if context.now_us >= until_us or state.payment_attempt + 1 >= limits.PAYMENT_ATTEMPTS_MAX:
        return undoing.undo(state, key, context, model.PAYMENT_DECLINED, detail=answer.code, payment_declined=True)
    draft = Draft(state, key, context)
    draft.happen(events.PaymentRefused(code=answer.code, retry_until_us=until_us))
    draft.wait_until(until_us)
    return changing.on_decline(policy, draft, answer.code)


def _retry_until_us(policy: model.OrderPolicy, state: StoredOrder, context: Context) -> int:
    """Until when other tokens are taken: as was said at the first decline, or now by the order or the policy."""
    if state.payment_retry_until_us:
        return state.payment_retry_until_us
    return context.now_us + (state.order.payment_retry_seconds * _US_PER_SECOND or policy.payment_retry_us)


def renew(
    policy: model.OrderPolicy, states: Mapping[Key, State], command: commands.RenewPayment, context: Context
) -> Decision:
    """Another token: the provider is asked anew, by an attempt of its own, as soon as nothing holds the order."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None:
        return undoing.not_found(context)
    record = record_of(command.request_id, command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)
    if refused is not None:
        return refused
    if state.step != stored.ORDER_STEP_PAYMENT_RETRY or context.now_us >= state.payment_retry_until_us:
        metadata = model.states_of(state.order)
        message = f"Order {context.key} does not wait for another payment token; its payment is "
        return errors.refuse(errors.PAYMENT_NOT_UPDATABLE, f"{message}{metadata['payment_state']}.", **metadata)
    attempt = state.payment_attempt + 1
    event = events.PaymentRenewed(payment_token=command.payment_token, attempt=attempt, request=record)
    asked = questions.authorize_by(state.order, command.payment_token, attempt, context)
    decision = gate(policy, state, key, event, [asked], context)
    if not event.held or state.HasField("fulfillment"):
        decision.timers = [set_timer(key, context.now_us + policy.ask_again_us)]
    return decision


def expire(state: StoredOrder, key: Key, context: Context) -> Decision:
    """The time for another token is over: the order is undone. Looked at before that, it is looked at again then."""
    if context.now_us < state.payment_retry_until_us:
        return Decision(timers=[set_timer(key, state.payment_retry_until_us)])
    detail = "no other payment token came in time"
    return undoing.undo(state, key, context, model.PAYMENT_EXPIRED, detail=detail, payment_declined=True)
