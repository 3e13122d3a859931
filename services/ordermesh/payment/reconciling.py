"""What is decided where a payment and its provider may disagree: ask again, look up, let go of what nobody needs. PURE.

Nothing here trusts what somebody says of the provider: it is asked itself, by an effect, and its answer counts only if
the payment waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_events_pb2 as events
from oms.payment.v1.payment_pb2 import (
    OPERATION_STATUS_DONE,
    OPERATION_STATUS_PENDING,
    PAYMENT_STATUS_AUTHORIZING,
    PAYMENT_STATUS_DECLINED,
    PAYMENT_STATUS_VOIDED,
    PAYMENT_STATUS_VOIDING,
    Payment,
    PaymentOperation,
)
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, StartEffect, State
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.payment.model import SERVICE, attempt_name, find_operation, payment_key, pending_nanos

AUTHORIZE, CAPTURE = commands.PROVIDER_OPERATION_AUTHORIZE, commands.PROVIDER_OPERATION_CAPTURE
ADJUST = commands.PROVIDER_OPERATION_ADJUST
VOID, REFUND = commands.PROVIDER_OPERATION_VOID, commands.PROVIDER_OPERATION_REFUND

_States = Mapping[Key, State]
_STARTS: Mapping[Any, Sequence[str]] = {
    AUTHORIZE: ("AuthorizationStarted",),
    CAPTURE: ("CaptureStarted",),
    ADJUST: ("AdjustmentStarted",),
    VOID: ("VoidStarted",),
    REFUND: ("RefundStarted", "RefundReissueStarted"),
}
"""What begins an operation, among a payment's own events."""


def reconcile(states: _States, command: commands.Reconcile, context: Context) -> Decision:
    """Asks the provider again for what is under way: the question or its answer may be lost."""
    state = _found(states, context)
    if state is None:
        return Decision()
    payment = state.payment
    if command.operation == AUTHORIZE:
        asks = payment.status == PAYMENT_STATUS_AUTHORIZING and command.operation_id == attempt_name(state.attempt)
        return _asked(context, _whole(state, context, AUTHORIZE, look_up=True)) if asks else Decision()
    if command.operation == VOID:
        asks = payment.status == PAYMENT_STATUS_VOIDING
        return _asked(context, _whole(state, context, VOID, look_up=True)) if asks else Decision()
    known = find_operation(_operations(payment, command.operation), command.operation_id)
    if known is None:
        return Decision()
    if known.status == OPERATION_STATUS_PENDING or (known.reissuing and not command.also_done):
        return _asked(context, _part(state, context, command.operation, known, look_up=True))
    if known.status == OPERATION_STATUS_DONE and command.operation == REFUND and command.also_done:
        return Decision() if known.reissuing else _reissue(state, context, known)
    return Decision()


def _reissue(state: StoredPayment, context: Context, known: PaymentOperation) -> Decision:
    """Asks for a refund again that is done here and missing there. One attempt at a time: each has a key of its own."""
    attempt = known.attempt + 1
    request = _part(state, context, REFUND, known, look_up=True, attempt=attempt)
    request.ask_time_us = context.now_us
    decision = _asked(context, request)
    started = events.RefundReissueStarted(refund_id=known.operation_id, attempt=attempt)
    decision.events.append((payment_key(context.tenant, context.key), started))
    return decision


def reissued(known: PaymentOperation, result: commands.ProviderResult, context: Context) -> Decision:
    """The provider's answer to this attempt; the order was told long ago that the refund is given."""
    if result.attempt != known.attempt:
        return Decision()
    name = result.operation_id
    event: Message = events.RefundReissued(refund_id=name)
    if not result.approved:
        event = events.RefundReissueDeclined(refund_id=name, code=result.code)
    return Decision([(payment_key(context.tenant, context.key), event)])


def check(states: _States, _command: commands.Check, context: Context) -> Decision:
    """Has all that is under way looked up; nothing is done that was not asked for already."""
    state = _found(states, context)
    return Decision() if state is None else _asked(context, *_under_way(state, context))


def _under_way(state: StoredPayment, context: Context) -> Iterator[commands.ProviderRequest]:
    payment = state.payment
    if payment.status == PAYMENT_STATUS_AUTHORIZING:
        yield _whole(state, context, AUTHORIZE, look_only=True)
    if payment.status == PAYMENT_STATUS_VOIDING:
        yield _whole(state, context, VOID, look_only=True)
    for operation in (CAPTURE, ADJUST, REFUND):
        for known in _operations(payment, operation):
            if known.status == OPERATION_STATUS_PENDING or known.reissuing:
                yield _part(state, context, operation, known, look_only=True)


def release_hold(states: _States, command: commands.ReleaseHold, context: Context) -> Decision:
    """Lets go of money that the provider holds and nothing here needs. Where nothing is known of the order, the payment
    is closed first, so that nothing late revives it."""
    state = _found(states, context)
    key = payment_key(context.tenant, context.key)
    decision = Decision()
    if state is None:
        decision.events.append((key, events.PaymentClosed(order_id=context.key)))
    elif _needs(state.payment, command.reference):
        return errors.refuse(
            errors.HOLD_NEEDED,
            f"The payment of {context.key} may need this hold of {text_of(command.amount)}; cancel its order instead.",
            order_id=context.key,
        )
    decision.events.append((key, events.HoldReleaseStarted(reference=command.reference, amount=command.amount)))
    request = commands.ProviderRequest(
        operation=commands.PROVIDER_OPERATION_RELEASE, order_id=context.key, operation_id=command.reference,
        amount=command.amount, reference=command.reference, ask_time_us=context.now_us, look_up=True,
        payment_token="" if state is None else state.payment_token,
    )  # fmt: skip
    decision.effects.append(StartEffect(SERVICE, context.tenant, context.key, request))
    return decision


def released(result: commands.ProviderResult, context: Context) -> Decision:
    """The provider let go of a hold that nobody needs; what it did not let go of is found again."""
    if not result.approved:
        return Decision()
    return Decision([(payment_key(context.tenant, context.key), events.HoldReleased(reference=result.operation_id))])


def _needs(payment: Payment, reference: str) -> bool:
    """Whether a hold may be the one of the payment: it is of that name, or is not known by name yet."""
    if payment.status in (PAYMENT_STATUS_VOIDED, PAYMENT_STATUS_DECLINED):
        return False
    return not payment.reference or payment.reference == reference


def _found(states: _States, context: Context) -> StoredPayment | None:
    return states.get(payment_key(context.tenant, context.key))


def _operations(payment: Payment, operation: Any) -> Any:
    if operation == CAPTURE:
        return payment.captures
    return payment.adjustments if operation == ADJUST else payment.refunds


def _whole(state: StoredPayment, context: Context, operation: Any, **more: bool) -> commands.ProviderRequest:
    """The request about the payment as a whole; each attempt at the authorisation has its name."""
    request = _request(state, context, operation, "", state.payment.amount, **more)
    if operation == AUTHORIZE:
        request.operation_id = attempt_name(state.attempt)
    return request


def _part(
    state: StoredPayment, context: Context, operation: Any, known: PaymentOperation, **more: Any
) -> commands.ProviderRequest:
    """The request about one capture, refund or adjustment."""
    more = {"attempt": known.attempt, **more}
    request = _request(state, context, operation, known.operation_id, known.amount, **more)
    payment = state.payment
    left = nanos_of(payment.authorized) - nanos_of(payment.captured) - pending_nanos(payment.captures)
    if operation == CAPTURE and left > 0:
        request.left.CopyFrom(money_of(known.amount.currency_code, left))
    return request


def _request(
    state: StoredPayment, context: Context, operation: Any, operation_id: str, amount: Money, **more: Any
) -> commands.ProviderRequest:
    return commands.ProviderRequest(
        operation=operation, operation_id=operation_id, order_id=context.key, amount=amount,
        payment_token=state.payment_token, reference=state.payment.reference,
        ask_time_us=_begun_us(state, operation, operation_id) or context.now_us, **more,
    )  # fmt: skip


def _begun_us(state: StoredPayment, operation: Any, operation_id: str) -> int:
    """When an operation began: the provider's keys for it are counted from then, whoever asks. 0 where that is lost."""
    names = _STARTS[operation]
    for event in reversed(state.events):
        if event.event in names and (operation in (AUTHORIZE, VOID) or event.detail == operation_id):
            return event.time.ToMicroseconds()
    return 0


def _asked(context: Context, *requests: commands.ProviderRequest) -> Decision:
    return Decision(effects=[StartEffect(SERVICE, context.tenant, context.key, request) for request in requests])
