"""What is decided about a payment: authorise, capture, void, refund, and what the provider answered. PURE.

The provider is asked by effects alone, each driven to a definite answer; an unknown outcome never gets here. Everything
may be asked again: what is under way is not asked twice, and what is done is answered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

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
from ordermesh.core.decider import Context, Decision, Handler, Key, Outgoing, StartEffect, State
from ordermesh.core.money import nanos_of, text_of
from ordermesh.payment.model import SERVICE, find_operation, payment_key, pending_nanos

_States = Mapping[Key, State]


def _keys(_command: Message, context: Context) -> Sequence[Key]:
    return (payment_key(context.tenant, context.key),)


def _found(states: _States, context: Context) -> StoredPayment | None:
    return states.get(payment_key(context.tenant, context.key))


def _happens(context: Context, event: Message, answer: Message | None = None) -> Decision:
    """One event, and what the order hears of it."""
    decision = Decision([(payment_key(context.tenant, context.key), event)])
    if answer is not None:
        decision.messages.append(Outgoing("order", context.tenant, context.key, answer))
    return decision


def _again(context: Context, answer: Message) -> Decision:
    """Nothing happens; the order hears again what is so already."""
    return Decision(messages=[Outgoing("order", context.tenant, context.key, answer)])


def _ask(
    context: Context, event: Message, operation: Any, amount: Money, token: str, operation_id: str = ""
) -> Decision:
    """One event, and the call to the provider that it starts."""
    request = commands.ProviderRequest(
        operation=operation,
        order_id=context.key,
        operation_id=operation_id,
        amount=amount,
        payment_token=token,
        look_up=context.is_doubtful,
    )
    decision = _happens(context, event)
    decision.effects.append(StartEffect(SERVICE, context.tenant, context.key, request))
    return decision


def authorize(states: _States, command: commands.Authorize, context: Context) -> Decision:
    """Asks the provider to hold money; a payment that was closed before is not revived."""
    state = _found(states, context)
    if state is None:
        started = events.AuthorizationStarted(
            order_id=context.key, amount=command.amount, payment_token=command.payment_token
        )
        operation = commands.PROVIDER_OPERATION_AUTHORIZE
        return _ask(context, started, operation, command.amount, command.payment_token)
    answer = _standing(state.payment)
    return Decision() if answer is None else _again(context, answer)


def _standing(payment: Payment) -> Message | None:
    """What an order that asks about the authorisation is told; None while the provider is being asked."""
    if payment.status in (PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_CAPTURED):
        return answers.PaymentAuthorized()
    if payment.status == PAYMENT_STATUS_DECLINED:
        return answers.PaymentDeclined(code=payment.decline_code)
    if payment.status == PAYMENT_STATUS_VOIDED:
        return answers.PaymentVoided()
    return None


def void(states: _States, command: commands.Void, context: Context) -> Decision:
    """Lets go of what is held, as soon as it is known whether anything is; closes the payment for what is late."""
    state = _found(states, context)
    if state is None and context.is_doubtful and command.HasField("amount"):
        return _authorize_to_void(command, context)
    if state is None:
        return _happens(context, events.PaymentClosed(order_id=context.key), answers.PaymentVoided())
    payment = state.payment
    if payment.status == PAYMENT_STATUS_AUTHORIZING:
        return Decision() if state.void_requested else _happens(context, events.VoidRequested())
    if payment.status == PAYMENT_STATUS_VOIDING:
        return Decision()
    if payment.status == PAYMENT_STATUS_CAPTURED or pending_nanos(payment.captures) or nanos_of(payment.captured):
        return errors.refuse(
            errors.CAPTURE_EXCEEDS_AUTHORIZED, f"The payment of {context.key} is being taken; refund it instead."
        )
    if payment.status == PAYMENT_STATUS_AUTHORIZED:
        return _start_void(state, context, authorized=False)
    answer = _standing(payment)
    assert answer is not None, "what is not held is declined or voided"
    return _again(context, answer)


def _authorize_to_void(command: commands.Void, context: Context) -> Decision:
    """The provider may hold money of which nothing is known here any more: the authorisation that it has, or a new one,
    is taken in, so that it can be let go."""
    asked = commands.Authorize(amount=command.amount, payment_token=command.payment_token)
    decision = authorize({}, asked, context)
    decision.events.append((payment_key(context.tenant, context.key), events.VoidRequested()))
    return decision


def _start_void(state: StoredPayment, context: Context, *, authorized: bool) -> Decision:
    started = events.VoidStarted(authorized=authorized)
    return _ask(context, started, commands.PROVIDER_OPERATION_VOID, state.payment.amount, state.payment_token)


def capture(states: _States, command: commands.Capture, context: Context) -> Decision:
    """Takes held money; never more than is held and not taken. One that the provider declined is tried again."""
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
    if payment.status != PAYMENT_STATUS_AUTHORIZED or nanos_of(command.amount) > left:
        return errors.refuse(
            errors.CAPTURE_EXCEEDS_AUTHORIZED,
            f"The payment of {context.key} does not hold {text_of(command.amount)} any more.",
            order_id=context.key,
        )
    started = events.CaptureStarted(capture_id=command.capture_id, amount=command.amount)
    operation = commands.PROVIDER_OPERATION_CAPTURE
    return _ask(context, started, operation, command.amount, state.payment_token, command.capture_id)


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
    operation = commands.PROVIDER_OPERATION_REFUND
    return _ask(context, started, operation, command.amount, state.payment_token, command.refund_id)


def reconcile(states: _States, command: commands.Reconcile, context: Context) -> Decision:
    """Asks the provider again for what is under way: the question or its answer may be lost."""
    state = _found(states, context)
    amount = None if state is None else _under_way(state.payment, command)
    if state is None or amount is None:
        return Decision()
    request = commands.ProviderRequest(
        operation=command.operation, order_id=context.key, operation_id=command.operation_id, amount=amount,
        payment_token=state.payment_token, look_up=True,
    )  # fmt: skip
    return Decision(effects=[StartEffect(SERVICE, context.tenant, context.key, request)])


def _under_way(payment: Payment, command: commands.Reconcile) -> Money | None:
    """The amount of what the provider is being asked to do; None where it is not."""
    if command.operation == commands.PROVIDER_OPERATION_AUTHORIZE:
        return payment.amount if payment.status == PAYMENT_STATUS_AUTHORIZING else None
    if command.operation == commands.PROVIDER_OPERATION_VOID:
        return payment.amount if payment.status == PAYMENT_STATUS_VOIDING else None
    capturing = command.operation == commands.PROVIDER_OPERATION_CAPTURE
    known = find_operation(payment.captures if capturing else payment.refunds, command.operation_id)
    return None if known is None or known.status != OPERATION_STATUS_PENDING else known.amount


def take_result(states: _States, result: commands.ProviderResult, context: Context) -> Decision:
    """The provider's definite answer; one that nobody waits for any more changes nothing."""
    state = _found(states, context)
    if state is None:
        return Decision()
    if result.operation == commands.PROVIDER_OPERATION_AUTHORIZE:
        return _authorize_result(state, result, context)
    if result.operation == commands.PROVIDER_OPERATION_VOID:
        return _void_result(state, result, context)
    capturing = result.operation == commands.PROVIDER_OPERATION_CAPTURE
    known = find_operation(state.payment.captures if capturing else state.payment.refunds, result.operation_id)
    if known is None or known.status != OPERATION_STATUS_PENDING:
        return Decision()
    return (_capture_result if capturing else _refund_result)(result, context)


def _authorize_result(state: StoredPayment, result: commands.ProviderResult, context: Context) -> Decision:
    if state.payment.status != PAYMENT_STATUS_AUTHORIZING:
        return Decision()
    if not result.approved:
        return _happens(context, events.Declined(code=result.code), answers.PaymentDeclined(code=result.code))
    if state.void_requested:
        return _start_void(state, context, authorized=True)
    return _happens(context, events.Authorized(), answers.PaymentAuthorized())


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
    Handler(command=commands.Void, keys=_keys, decide=void),
    Handler(command=commands.Refund, keys=_keys, decide=refund),
    Handler(command=commands.Reconcile, keys=_keys, decide=reconcile),
    Handler(command=commands.ProviderResult, keys=_keys, decide=take_result),
)
"""How each message and result is decided."""
