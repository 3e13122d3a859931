"""How what is held becomes more or less: an order was amended, or needs less in the end than was authorised. PURE.

One adjustment is under way at a time, and a void waits for its answer, so that all that is held is let go. An increase
that was declined stays so under its name: its order does not wait for it any more. Of an order that cost nothing there
is no hold that could become more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_events_pb2 as events
from oms.payment.v1.payment_pb2 import (
    OPERATION_STATUS_DONE,
    OPERATION_STATUS_PENDING,
    PAYMENT_STATUS_AUTHORIZED,
    PAYMENT_STATUS_AUTHORIZING,
    Payment,
)
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.payment.model import find_operation, payment_key, pending_nanos
from ordermesh.payment.telling import again, ask, happens, start_void

NOTHING_AUTHORIZED: Final = "nothing_authorized"
"""The code of an increase of a hold that there is not."""


def is_adjusting(payment: Payment) -> bool:
    """Whether the provider is being asked to hold more or less."""
    return any(each.status == OPERATION_STATUS_PENDING for each in payment.adjustments)


def adjust(states: Mapping[Key, State], command: commands.Adjust, context: Context) -> Decision:
    """Has more or less money held. A decrease that the provider declined is tried again."""
    state: StoredPayment | None = states.get(payment_key(context.tenant, context.key))
    if state is None:
        return errors.refuse(errors.PAYMENT_NOT_FOUND, f"Order {context.key} has no payment.", order_id=context.key)
    payment, name = state.payment, command.adjustment_id
    known = find_operation(payment.adjustments, name)
    if known is not None and known.status == OPERATION_STATUS_DONE:
        return again(context, answers.PaymentAdjusted(adjustment_id=name))
    if state.void_requested or payment.status == PAYMENT_STATUS_AUTHORIZING or is_adjusting(payment):
        return Decision()
    more = nanos_of(command.amount) - nanos_of(payment.authorized)
    if not more:
        return again(context, answers.PaymentAdjusted(adjustment_id=name))
    if payment.status != PAYMENT_STATUS_AUTHORIZED or (known is not None and more > 0):
        return again(context, answers.PaymentAdjustDeclined(adjustment_id=name))
    if more > 0 and not nanos_of(payment.authorized):
        return again(context, answers.PaymentAdjustDeclined(adjustment_id=name, code=NOTHING_AUTHORIZED))
    if nanos_of(command.amount) < nanos_of(payment.captured) + pending_nanos(payment.captures):
        return errors.refuse(
            errors.CAPTURE_EXCEEDS_AUTHORIZED, f"More than {text_of(command.amount)} of {context.key} is taken."
        )
    amount = money_of(payment.authorized.currency_code, more)
    started = events.AdjustmentStarted(adjustment_id=name, amount=amount)
    return ask(
        context, started, commands.PROVIDER_OPERATION_ADJUST, amount, state.payment_token,
        operation_id=name, reference=payment.reference,
    )  # fmt: skip


def adjust_result(state: StoredPayment, result: commands.ProviderResult, context: Context) -> Decision:
    """The provider's answer. Where a void waited for it, all that is held now is let go."""
    name, code = result.operation_id, result.code
    if result.approved:
        decision = happens(context, events.Adjusted(adjustment_id=name), answers.PaymentAdjusted(adjustment_id=name))
    else:
        answer = answers.PaymentAdjustDeclined(adjustment_id=name, code=code)
        decision = happens(context, events.AdjustmentDeclined(adjustment_id=name, code=code), answer)
    if state.void_requested:
        after = _after(state, name) if result.approved else state
        voided = start_void(after, context, authorized=False, reference=state.payment.reference)
        decision.events += voided.events
        decision.effects += voided.effects
    return decision


def _after(state: StoredPayment, name: str) -> StoredPayment:
    """The payment as it is once an adjustment is done."""
    adjusted = StoredPayment()
    adjusted.CopyFrom(state)
    operation = find_operation(state.payment.adjustments, name)
    assert operation is not None, "an adjustment that ends was started"
    held = nanos_of(state.payment.authorized) + nanos_of(operation.amount)
    adjusted.payment.amount.CopyFrom(money_of(operation.amount.currency_code, held))
    return adjusted
