"""What a payment and its provider disagree about, for one order, and what mends it. PURE.

Nothing is judged while the provider is being asked: that changes while one looks. What mends a difference is a command
of the payment's own log, and is decided there anew: what was seen here may be old.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.message import Message

from oms.admin.v1 import admin_pb2
from oms.order.v1 import order_pb2
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_pb2
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.payment.adjusting import is_adjusting
from ordermesh.payment.model import pending_nanos
from ordermesh.payment.provider import ProviderHold

STALE_US: Final = 15 * 60 * 1_000_000
"""How long the provider may be asked for something before that is told: it is asked again every half minute."""

Kind: TypeAlias = admin_pb2.PaymentDifference
_ENDED_EMPTY = (payment_pb2.PAYMENT_STATUS_VOIDED, payment_pb2.PAYMENT_STATUS_DECLINED)
_ASKING = (payment_pb2.PAYMENT_STATUS_AUTHORIZING, payment_pb2.PAYMENT_STATUS_VOIDING)
_UNDONE = (order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)


class Difference(NamedTuple):
    """One difference; `mend` is the command that mends it, None where a person has to."""

    kind: Kind
    order_id: str
    text: str
    reference: str = ""
    mend: Message | None = None


def is_asking(payment: payment_pb2.Payment) -> bool:
    """Whether the provider is being asked something about it."""
    asks = pending_nanos(payment.captures) or pending_nanos(payment.refunds) or is_adjusting(payment)
    return bool(payment.status in _ASKING or asks or any(each.reissuing for each in payment.refunds))


def let_go_nanos(payment: payment_pb2.Payment) -> int:
    """What was held once and is less by adjustments: the provider tells it as let go."""
    done = (each for each in payment.adjustments if each.status == payment_pb2.OPERATION_STATUS_DONE)
    return -sum(min(0, nanos_of(each.amount)) for each in done)


def is_at_rest(payment: payment_pb2.Payment) -> bool:
    """Whether nothing more happens to it by itself: nothing is held, and nothing is asked."""
    return payment.status != payment_pb2.PAYMENT_STATUS_AUTHORIZED and not is_asking(payment)


def looks_right(payment: payment_pb2.Payment | None, hold: ProviderHold, order: order_pb2.Order | None = None) -> bool:
    """Whether a hold is all that its payment knows of, at a glance; what does not is compared in full. The order is
    needed only where money is held for it."""
    if payment is None or is_asking(payment) or payment.reference not in ("", hold.reference):
        return False
    if payment.status == payment_pb2.PAYMENT_STATUS_AUTHORIZED and (hold.held <= 0 or _is_undone(order)):
        return False
    ours = (payment.authorized, payment.captured, payment.voided, payment.refunded)
    authorized, captured, voided, refunded = map(nanos_of, ours)
    less = let_go_nanos(payment)
    theirs = (hold.authorized, hold.captured, hold.voided, hold.refunded)
    return (authorized + less, captured, voided + less, refunded) == theirs


def differences(
    order_id: str,
    order: order_pb2.Order | None,
    payment: payment_pb2.Payment | None,
    holds: Sequence[ProviderHold],
    now_us: int,
) -> Iterator[Difference]:
    """All differences of an order; None for what is not known here."""
    if payment is None:
        yield from _unknown(order_id, order, holds)
        return
    if is_asking(payment):
        if now_us - payment.update_time.ToMicroseconds() > STALE_US:
            text = "the provider has been asked for over a quarter of an hour"
            yield Difference(Kind.PAYMENT_DIFFERENCE_UNDER_WAY, order_id, text, payment.reference, commands.Check())
        return
    own = _own(payment, holds)
    for hold in holds:
        if hold is not own:
            yield from _surplus(order_id, payment, hold)
    if own is not None:
        yield from _amounts(order_id, payment, own)
        yield from _refunds(order_id, payment, own)
        yield from _outliving(order_id, order, payment, own)
    elif nanos_of(payment.authorized) and payment.status not in _ENDED_EMPTY:
        text = f"{text_of(payment.authorized)} are authorised here, and the provider has nothing"
        yield Difference(Kind.PAYMENT_DIFFERENCE_MISSING_AT_PROVIDER, order_id, text, payment.reference)


def _own(payment: payment_pb2.Payment, holds: Sequence[ProviderHold]) -> ProviderHold | None:
    """The hold of the payment: by its name, or the first where the name is not known. A payment that ended with nothing
    has one only if it was let go of."""
    if payment.reference:
        return next((hold for hold in holds if hold.reference == payment.reference), None)
    if payment.status == payment_pb2.PAYMENT_STATUS_DECLINED or not nanos_of(payment.authorized):
        return None
    return min(holds, key=lambda hold: hold.create_us, default=None)


def _unknown(order_id: str, order: order_pb2.Order | None, holds: Sequence[ProviderHold]) -> Iterator[Difference]:
    """Money for an order of which no payment is known. One that goes on asks for its payment itself, and finds it."""
    kind = Kind.PAYMENT_DIFFERENCE_UNKNOWN_ORDER
    what = "no such order"
    if order is not None:
        what = "the order has no payment" if _is_undone(order) else "the payment of the order is not known"
    for hold in holds:
        if hold.captured > hold.refunded:
            yield Difference(kind, order_id, f"{what}; the provider took {_text(hold, hold.captured)}", hold.reference)
        elif hold.held > 0:
            text = f"{what}; the provider holds {_text(hold, hold.held)}"
            mend = _release(hold) if order is None or _is_undone(order) else None
            yield Difference(kind, order_id, text, hold.reference, mend)


def _surplus(order_id: str, payment: payment_pb2.Payment, hold: ProviderHold) -> Iterator[Difference]:
    """A hold that is not the payment's."""
    if hold.captured > hold.refunded:
        text = f"the provider took {_text(hold, hold.captured - hold.refunded)} that no payment asked for"
        yield Difference(Kind.PAYMENT_DIFFERENCE_CAPTURED_IN_VAIN, order_id, text, hold.reference)
    elif hold.held > 0 and payment.status in _ENDED_EMPTY:
        text = f"the payment has ended with nothing, and the provider holds {_text(hold, hold.held)}"
        yield Difference(Kind.PAYMENT_DIFFERENCE_HELD_AFTER_END, order_id, text, hold.reference, _release(hold))
    elif hold.held > 0:
        text = f"the provider holds {_text(hold, hold.held)} a second time"
        yield Difference(Kind.PAYMENT_DIFFERENCE_HELD_TWICE, order_id, text, hold.reference, _release(hold))


def _amounts(order_id: str, payment: payment_pb2.Payment, hold: ProviderHold) -> Iterator[Difference]:
    """The payment's own hold: what is held and taken."""
    if payment.status in _ENDED_EMPTY:
        yield from _surplus(order_id, payment, hold)
        return
    if nanos_of(payment.authorized) + let_go_nanos(payment) != hold.authorized:
        text = f"{text_of(payment.authorized)} are authorised here, {_text(hold, hold.authorized)} at the provider"
        yield Difference(Kind.PAYMENT_DIFFERENCE_AUTHORIZED_DIFFERS, order_id, text, hold.reference)
    if nanos_of(payment.captured) != hold.captured:
        ours = money_of(hold.currency_code, nanos_of(payment.captured))
        text = f"{text_of(ours)} are captured here, {_text(hold, hold.captured)} at the provider"
        yield Difference(Kind.PAYMENT_DIFFERENCE_CAPTURED_DIFFERS, order_id, text, hold.reference)
    elif payment.status == payment_pb2.PAYMENT_STATUS_AUTHORIZED and hold.held <= 0:
        text = "the payment holds money, and the provider has let go of it"
        yield Difference(Kind.PAYMENT_DIFFERENCE_HOLD_GONE, order_id, text, hold.reference)


def _refunds(order_id: str, payment: payment_pb2.Payment, hold: ProviderHold) -> Iterator[Difference]:
    """What was given back, refund by refund."""
    there = dict(hold.refunds or {})
    for ours in payment.refunds:
        theirs = there.pop(ours.operation_id, 0)
        if ours.status != payment_pb2.OPERATION_STATUS_DONE or nanos_of(ours.amount) == theirs:
            continue
        if theirs:
            text = f"refund {ours.operation_id} is {text_of(ours.amount)} here, {_text(hold, theirs)} at the provider"
            yield Difference(Kind.PAYMENT_DIFFERENCE_REFUND_DIFFERS, order_id, text, hold.reference)
            continue
        text = f"refund {ours.operation_id} of {text_of(ours.amount)} is done here, and the provider has none"
        again = commands.Reconcile(
            operation=commands.PROVIDER_OPERATION_REFUND, operation_id=ours.operation_id, also_done=True
        )
        yield Difference(Kind.PAYMENT_DIFFERENCE_REFUND_MISSING, order_id, text, hold.reference, again)
    for name, amount in there.items():
        text = f"the provider gave back {_text(hold, amount)} as {name}, which nobody here asked for"
        yield Difference(Kind.PAYMENT_DIFFERENCE_REFUND_UNKNOWN, order_id, text, hold.reference)


def _outliving(
    order_id: str, order: order_pb2.Order | None, payment: payment_pb2.Payment, hold: ProviderHold
) -> Iterator[Difference]:
    """Money that is held, rightly by what the payment knows, for an order that has ended without it."""
    if not _is_undone(order) or payment.status != payment_pb2.PAYMENT_STATUS_AUTHORIZED:
        return
    if hold.held > 0 and not hold.captured:
        text = f"the order has ended, and the provider holds {_text(hold, hold.held)}"
        void = commands.Void(amount=payment.authorized)
        yield Difference(Kind.PAYMENT_DIFFERENCE_HELD_AFTER_END, order_id, text, hold.reference, void)


def _is_undone(order: order_pb2.Order | None) -> bool:
    return order is not None and order.order_state in _UNDONE


def _release(hold: ProviderHold) -> Message:
    return commands.ReleaseHold(reference=hold.reference, amount=money_of(hold.currency_code, hold.held))


def _text(hold: ProviderHold, nanos: int) -> str:
    return text_of(money_of(hold.currency_code, nanos))
