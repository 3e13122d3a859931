"""The payment of an order: what is held, taken and given back. PURE.

Always: captured <= authorized, refunded <= captured. What is pending counts against what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.payment.v1 import payment_events_pb2 as events
from oms.payment.v1.payment_pb2 import (
    OPERATION_STATUS_DECLINED,
    OPERATION_STATUS_DONE,
    OPERATION_STATUS_PENDING,
    PAYMENT_STATUS_AUTHORIZED,
    PAYMENT_STATUS_AUTHORIZING,
    PAYMENT_STATUS_CAPTURED,
    PAYMENT_STATUS_DECLINED,
    PAYMENT_STATUS_VOIDED,
    PAYMENT_STATUS_VOIDING,
    PaymentEvent,
    PaymentOperation,
)
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core.decider import KEYS_KEPT, Key, Stamp
from ordermesh.core.money import money_of, nanos_of
from ordermesh.core.stamps import write_time

SERVICE: Final = "payment"
"""The service's name."""

PAYMENT: Final = "payment"
"""The kind of its aggregate."""


@lru_cache(KEYS_KEPT)
def payment_key(tenant: str, order_id: str) -> Key:
    """The key of an order's payment."""
    return Key(PAYMENT, tenant, order_id)


def attempt_name(attempt: int) -> str:
    """What an attempt at the authorisation is called: the first has no name, as when there was but one."""
    return str(attempt) if attempt else ""


def find_operation(operations: Any, operation_id: str) -> PaymentOperation | None:
    """The capture, refund or adjustment of that name."""
    return next((operation for operation in operations if operation.operation_id == operation_id), None)


def pending_nanos(operations: Any) -> int:
    """What is under way."""
    return sum(nanos_of(each.amount) for each in operations if each.status == OPERATION_STATUS_PENDING)


def _start(operations: Any, operation_id: str, amount: Money) -> None:
    operation = find_operation(operations, operation_id)
    if operation is None:
        operation = operations.add(operation_id=operation_id)
    operation.amount.CopyFrom(amount)
    operation.status = OPERATION_STATUS_PENDING


def _finish(operations: Any, operation_id: str, status: Any) -> Money:
    operation = find_operation(operations, operation_id)
    assert operation is not None, "an operation that ends was started"
    operation.status = status
    return operation.amount


def _add(target: Money, amount: Money) -> None:
    target.CopyFrom(money_of(amount.currency_code, nanos_of(target) + nanos_of(amount)))


def _authorization_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    payment.order_id = event.order_id
    payment.amount.CopyFrom(event.amount)
    payment.status = PAYMENT_STATUS_AUTHORIZING
    payment.decline_code = ""
    state.payment_token = event.payment_token
    state.attempt = event.attempt
    if not payment.HasField("create_time"):
        payment.create_time.CopyFrom(entry.time)
    entry.amount.CopyFrom(event.amount)


def _authorized(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    payment.status = PAYMENT_STATUS_AUTHORIZED
    payment.authorized.CopyFrom(payment.amount)
    payment.reference = event.reference
    entry.amount.CopyFrom(payment.amount)


def _declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    state.payment.status = PAYMENT_STATUS_DECLINED
    state.payment.decline_code = entry.detail = event.code
    state.void_requested = False


def _capture_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _start(state.payment.captures, event.capture_id, event.amount)
    if event.attempt:
        known = find_operation(state.payment.captures, event.capture_id)
        assert known is not None, "it was started just now"
        known.attempt = event.attempt
    entry.amount.CopyFrom(event.amount)
    entry.detail = event.capture_id


def _captured(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    amount = _finish(payment.captures, event.capture_id, OPERATION_STATUS_DONE)
    _add(payment.captured, amount)
    if payment.captured == payment.authorized:
        payment.status = PAYMENT_STATUS_CAPTURED
    entry.amount.CopyFrom(amount)
    entry.detail = event.capture_id


def _capture_declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _finish(state.payment.captures, event.capture_id, OPERATION_STATUS_DECLINED)
    entry.detail = event.code


def _adjustment_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _start(state.payment.adjustments, event.adjustment_id, event.amount)
    entry.amount.CopyFrom(event.amount)
    entry.detail = event.adjustment_id


def _adjusted(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    amount = _finish(payment.adjustments, event.adjustment_id, OPERATION_STATUS_DONE)
    _add(payment.authorized, amount)
    payment.amount.CopyFrom(payment.authorized)
    if payment.HasField("captured") and payment.status in (PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_CAPTURED):
        is_taken = payment.captured == payment.authorized
        payment.status = PAYMENT_STATUS_CAPTURED if is_taken else PAYMENT_STATUS_AUTHORIZED
    entry.amount.CopyFrom(amount)
    entry.detail = event.adjustment_id


def _adjustment_declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _finish(state.payment.adjustments, event.adjustment_id, OPERATION_STATUS_DECLINED)
    entry.detail = event.code


def _void_requested(state: StoredPayment, _event: Any, _entry: PaymentEvent) -> None:
    state.void_requested = True


def _void_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    if event.authorized:
        payment.authorized.CopyFrom(payment.amount)
        payment.reference = event.reference
    payment.status = PAYMENT_STATUS_VOIDING
    state.void_requested = False
    entry.amount.CopyFrom(payment.authorized)


def _voided(state: StoredPayment, _event: Any, entry: PaymentEvent) -> None:
    payment = state.payment
    payment.status = PAYMENT_STATUS_VOIDED
    payment.voided.CopyFrom(payment.authorized)
    entry.amount.CopyFrom(payment.authorized)


def _void_declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    state.payment.status = PAYMENT_STATUS_AUTHORIZED
    entry.detail = event.code


def _closed(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    state.payment.order_id = event.order_id
    state.payment.status = PAYMENT_STATUS_VOIDED
    state.payment.decline_code = ""
    state.attempt = event.attempt
    if not state.payment.HasField("create_time"):
        state.payment.create_time.CopyFrom(entry.time)


def _refund_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _start(state.payment.refunds, event.refund_id, event.amount)
    entry.amount.CopyFrom(event.amount)
    entry.detail = event.refund_id


def _refunded(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    amount = _finish(state.payment.refunds, event.refund_id, OPERATION_STATUS_DONE)
    _add(state.payment.refunded, amount)
    entry.amount.CopyFrom(amount)
    entry.detail = event.refund_id


def _refund_declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _finish(state.payment.refunds, event.refund_id, OPERATION_STATUS_DECLINED)
    entry.detail = event.code


def _refund_reissue_started(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    known = find_operation(state.payment.refunds, event.refund_id)
    assert known is not None, "what is given again was given before"
    known.attempt, known.reissuing = event.attempt, True
    entry.amount.CopyFrom(known.amount)
    entry.detail = event.refund_id


def _refund_reissued(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    entry.amount.CopyFrom(_reissue_ended(state, event))
    entry.detail = event.refund_id


def _refund_reissue_declined(state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    _reissue_ended(state, event)
    entry.detail = event.code


def _reissue_ended(state: StoredPayment, event: Any) -> Money:
    known = find_operation(state.payment.refunds, event.refund_id)
    assert known is not None, "what ends was started"
    known.reissuing = False
    return known.amount


def _hold_release_started(_state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    entry.amount.CopyFrom(event.amount)
    entry.detail = event.reference


def _hold_released(_state: StoredPayment, event: Any, entry: PaymentEvent) -> None:
    entry.detail = event.reference


_CHANGES: dict[type[Message], Callable[[StoredPayment, Any, PaymentEvent], None]] = {
    events.AuthorizationStarted: _authorization_started,
    events.Authorized: _authorized,
    events.Declined: _declined,
    events.CaptureStarted: _capture_started,
    events.Captured: _captured,
    events.CaptureDeclined: _capture_declined,
    events.AdjustmentStarted: _adjustment_started,
    events.Adjusted: _adjusted,
    events.AdjustmentDeclined: _adjustment_declined,
    events.VoidRequested: _void_requested,
    events.VoidStarted: _void_started,
    events.Voided: _voided,
    events.VoidDeclined: _void_declined,
    events.PaymentClosed: _closed,
    events.RefundStarted: _refund_started,
    events.Refunded: _refunded,
    events.RefundDeclined: _refund_declined,
    events.RefundReissueStarted: _refund_reissue_started,
    events.RefundReissued: _refund_reissued,
    events.RefundReissueDeclined: _refund_reissue_declined,
    events.HoldReleaseStarted: _hold_release_started,
    events.HoldReleased: _hold_released,
}

EVENTS: tuple[type[Message], ...] = tuple(_CHANGES)
"""What can happen to a payment."""

_NAMES = {event: event.DESCRIPTOR.name for event in EVENTS}


def evolve(state: StoredPayment, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to a payment, and adds it to the payment's own list."""
    kind = type(event)
    entry = state.events.add(version=stamp.version, event=_NAMES[kind])
    write_time(entry.time, stamp.time_us)
    _CHANGES[kind](state, event, entry)
    payment = state.payment
    payment.version = stamp.version
    payment.etag = str(stamp.version)
    write_time(payment.update_time, stamp.time_us)
