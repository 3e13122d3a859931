"""What is decided about a payment: authorise, capture, void, refund, and what the provider answered. PURE.

The provider is asked by effects alone, each driven to a definite answer; an unknown outcome never gets here. Everything
may be asked again: what is under way is not asked twice, and what is done is answered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_events_pb2 as events
from oms.payment.v1.payment_pb2 import (
    OPERATION_STATUS_DONE,
    OPERATION_STATUS_PENDING,
    PAYMENT_STATUS_AUTHORIZED,
    PAYMENT_STATUS_AUTHORIZING,
    PAYMENT_STATUS_CAPTURED,
    PAYMENT_STATUS_DECLINED,
    PAYMENT_STATUS_VOIDED,
    PAYMENT_STATUS_VOIDING,
    Payment,
)
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, State
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.payment import reconciling
from ordermesh.payment.adjusting import adjust, adjust_result, is_adjusting
from ordermesh.payment.model import attempt_name, find_operation, payment_key, pending_nanos
from ordermesh.payment.telling import again as _again
from ordermesh.payment.telling import ask as _ask
from ordermesh.payment.telling import happens as _happens
from ordermesh.payment.telling import start_void as _start_void

_States = Mapping[Key, State]


def _keys(_command: Message, context: Context) -> Sequence[Key]:
    return (payment_key(context.tenant, context.key),)


def _found(states: _States, context: Context) -> StoredPayment | None:
    return states.get(payment_key(context.tenant, context.key))


def authorize(states: _States, command: commands.Authorize, context: Context) -> Decision:
    """Asks the provider to hold money, again only by a later attempt after one that was declined; a payment that was
    closed before is not revived."""
    state = _found(states, context)
    if state is None or _is_later(state, command):
        started = events.AuthorizationStarted(
            order_id=context.key, amount=command.amount, payment_token=command.payment_token, attempt=command.attempt
        )
        operation, name = commands.PROVIDER_OPERATION_AUTHORIZE, attempt_name(command.attempt)
        return _ask(context, started, operation, command.amount, command.payment_token, operation_id=name)
    answer = _standing(state)
    return Decision() if answer is None else _again(context, answer)


def _is_later(state: StoredPayment, command: commands.Authorize | commands.Void) -> bool:
    """Whether it is about an attempt after the one that was declined."""
    return state.payment.status == PAYMENT_STATUS_DECLINED and command.attempt > state.attempt


def _standing(state: StoredPayment) -> Message | None:
    """What an order that asks about the authorisation is told; None while the provider is being asked."""
    payment = state.payment
    if payment.status in (PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_CAPTURED):
        return answers.PaymentAuthorized(attempt=state.attempt)
    if payment.status == PAYMENT_STATUS_DECLINED:
        return answers.PaymentDeclined(code=payment.decline_code, attempt=state.attempt)
    if payment.status == PAYMENT_STATUS_VOIDED:
        return answers.PaymentVoided()
    return None


def void(states: _States, command: commands.Void, context: Context) -> Decision:
    """Lets go of what is held, as soon as it is known whether anything is; closes the payment for what is late."""
    state = _found(states, context)
    unknown = state is None or _is_later(state, command)
    if unknown and context.is_doubtful and command.HasField("amount"):
        return _authorize_to_void(command, context)
    if state is None or unknown:
        closed = events.PaymentClosed(order_id=context.key, attempt=command.attempt)
        return _happens(context, closed, answers.PaymentVoided())
    payment = state.payment
    if payment.status == PAYMENT_STATUS_AUTHORIZING:
        return Decision() if state.void_requested else _happens(context, events.VoidRequested())
    if payment.status == PAYMENT_STATUS_VOIDING:
        return Decision()
    if is_adjusting(payment):
        return Decision() if state.void_requested else _happens(context, events.VoidRequested())
    if payment.status == PAYMENT_STATUS_CAPTURED or pending_nanos(payment.captures) or nanos_of(payment.captured):
        return errors.refuse(
            errors.CAPTURE_EXCEEDS_AUTHORIZED, f"The payment of {context.key} is being taken; refund it instead."
        )
    if payment.status == PAYMENT_STATUS_AUTHORIZED:
        return _start_void(state, context, authorized=False, reference=payment.reference)
    answer = _standing(state)
    assert answer is not None, "what is not held is declined or voided"
    return _again(context, answer)


def _authorize_to_void(command: commands.Void, context: Context) -> Decision:
    """The provider may hold money of which nothing is known here any more: the authorisation that it has, or a new one,
    is taken in, so that it can be let go."""
    asked = commands.Authorize(amount=command.amount, payment_token=command.payment_token, attempt=command.attempt)
    decision = authorize({}, asked, context)
    decision.events.append((payment_key(context.tenant, context.key), events.VoidRequested()))
    return decision


def capture(states: _States, command: commands.Capture, context: Context) -> Decision:
    """Takes held money; never more than is held and not taken. One that the provider declined is tried again. Goods
    that cost nothing may leave after all that is held was taken."""
    state = _found(states, context)
    if state is None:
        return errors.refuse(errors.PAYMENT_NOT_FOUND, f"Order {context.key} has no payment.", order_id=context.key)
    payment = state.payment
    known = find_operation(payment.captures, command.capture_id)
    if known is not None and known.status == OPERATION_STATUS_PENDING:
        return Decision()
    if known is not None and known.status == OPERATION_STATUS_DONE:
        return _again(context, answers.PaymentCaptured(capture_id=command.capture_id))
    left = nanos_of(payment.authorized) - nanos_of(payment.captured) - pending_nanos(payment.captures)
    left += min(0, pending_nanos(payment.adjustments))
    nothing = payment.status == PAYMENT_STATUS_CAPTURED and not nanos_of(command.amount)
    if not nothing and (payment.status != PAYMENT_STATUS_AUTHORIZED or nanos_of(command.amount) > left):
        return errors.refuse(
            errors.CAPTURE_EXCEEDS_AUTHORIZED,
            f"The payment of {context.key} does not hold {text_of(command.amount)} any more.",
            order_id=context.key,
        )
    attempt = 0 if known is None else known.attempt + 1
    started = events.CaptureStarted(capture_id=command.capture_id, amount=command.amount, attempt=attempt)
    left -= nanos_of(command.amount)
    return _ask(
        context, started, commands.PROVIDER_OPERATION_CAPTURE, command.amount, state.payment_token,
        operation_id=command.capture_id, reference=payment.reference, attempt=attempt,
        left=money_of(command.amount.currency_code, left) if left else None,
    )  # fmt: skip


def refund(states: _States, command: commands.Refund, context: Context) -> Decision:
    """Gives taken money back; never more than was taken and not given back."""
    state = _found(states, context)
    if state is None:
        return errors.refuse(errors.PAYMENT_NOT_FOUND, f"Order {context.key} has no payment.", order_id=context.key)
    payment = state.payment
    known = find_operation(payment.refunds, command.refund_id)
    if known is not None:
        if known.status == OPERATION_STATUS_PENDING:
            return Decision()
        if known.status == OPERATION_STATUS_DONE:
            return _again(context, answers.PaymentRefunded(refund_id=command.refund_id))
        return _again(context, answers.PaymentRefundDeclined(refund_id=command.refund_id))
    left = nanos_of(payment.captured) - nanos_of(payment.refunded) - pending_nanos(payment.refunds)
    if nanos_of(command.amount) > left:
        return errors.refuse(
            errors.REFUND_EXCEEDS_CAPTURED,
            f"Of the payment of {context.key} less than {text_of(command.amount)} is left.",
            order_id=context.key,
        )
    started = events.RefundStarted(refund_id=command.refund_id, amount=command.amount)
    return _ask(
        context, started, commands.PROVIDER_OPERATION_REFUND, command.amount, state.payment_token,
        operation_id=command.refund_id, reference=payment.reference,
    )  # fmt: skip


def take_result(states: _States, result: commands.ProviderResult, context: Context) -> Decision:
    """The provider's definite answer; one that nobody waits for any more changes nothing."""
    state = _found(states, context)
    if state is None or result.not_found:
        return Decision()
    if result.operation == commands.PROVIDER_OPERATION_RELEASE:
        return reconciling.released(result, context)
    if result.operation == commands.PROVIDER_OPERATION_AUTHORIZE:
        return _authorize_result(state, result, context)
    if result.operation == commands.PROVIDER_OPERATION_VOID:
        return _void_result(state, result, context)
    known = find_operation(_operations(state.payment, result.operation), result.operation_id)
    if known is not None and known.reissuing:
        return reconciling.reissued(known, result, context)
    if known is None or known.status != OPERATION_STATUS_PENDING:
        return Decision()
    if result.operation == commands.PROVIDER_OPERATION_ADJUST:
        return adjust_result(state, result, context)
    return (_capture_result if result.operation == commands.PROVIDER_OPERATION_CAPTURE else _refund_result)(
        result, context
    )


def _operations(payment: Payment, operation: Any) -> Any:
    """The captures, the adjustments or the refunds."""
    if operation == commands.PROVIDER_OPERATION_CAPTURE:
        return payment.captures
    return payment.adjustments if operation == commands.PROVIDER_OPERATION_ADJUST else payment.refunds


def _authorize_result(state: StoredPayment, result: commands.ProviderResult, context: Context) -> Decision:
    if state.payment.status != PAYMENT_STATUS_AUTHORIZING or result.operation_id != attempt_name(state.attempt):
        return Decision()
    if not result.approved:
        declined = answers.PaymentDeclined(code=result.code, attempt=state.attempt)
        return _happens(context, events.Declined(code=result.code), declined)
    if state.void_requested:
        return _start_void(state, context, authorized=True, reference=result.reference)
    authorized = events.Authorized(reference=result.reference)
    return _happens(context, authorized, answers.PaymentAuthorized(attempt=state.attempt))


def _void_result(state: StoredPayment, result: commands.ProviderResult, context: Context) -> Decision:
    if state.payment.status != PAYMENT_STATUS_VOIDING:
        return Decision()
    if result.approved:
        return _happens(context, events.Voided(), answers.PaymentVoided())
    return _happens(context, events.VoidDeclined(code=result.code))


def _capture_result(result: commands.ProviderResult, context: Context) -> Decision:
    name, code = result.operation_id, result.code
    if result.approved:
        return _happens(context, events.Captured(capture_id=name), answers.PaymentCaptured(capture_id=name))
    answer = answers.PaymentCaptureDeclined(capture_id=name, code=code)
    return _happens(context, events.CaptureDeclined(capture_id=name, code=code), answer)


def _refund_result(result: commands.ProviderResult, context: Context) -> Decision:
    name, code = result.operation_id, result.code
    if result.approved:
        return _happens(context, events.Refunded(refund_id=name), answers.PaymentRefunded(refund_id=name))
    answer = answers.PaymentRefundDeclined(refund_id=name, code=code)
    return _happens(context, events.RefundDeclined(refund_id=name, code=code), answer)


HANDLERS = (
    Handler(command=commands.Authorize, keys=_keys, decide=authorize),
    Handler(command=commands.Capture, keys=_keys, decide=capture),
    Handler(command=commands.Adjust, keys=_keys, decide=adjust),
    Handler(command=commands.Void, keys=_keys, decide=void),
    Handler(command=commands.Refund, keys=_keys, decide=refund),
    Handler(command=commands.Reconcile, keys=_keys, decide=reconciling.reconcile),
    Handler(command=commands.Check, keys=_keys, decide=reconciling.check),
    Handler(command=commands.ReleaseHold, keys=_keys, decide=reconciling.release_hold),
    Handler(command=commands.ProviderResult, keys=_keys, decide=take_result),
)
"""How each message and result is decided."""
