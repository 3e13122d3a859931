"""What ends an order early: no stock, no payment, a cancellation, silence; and how it is undone. PURE.

Undoing is asked of inventory and payment at once and waits for both. An order is cancelled or rejected only when both
have said that it holds nothing any more, nor ever will: so nothing that is late can leave stock or money behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestRecord
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, Outgoing, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import model, questions
from ordermesh.order.model import skus_of
from ordermesh.order.timer import clear_timer, set_timer

_SHORTAGES_TOLD_MAX = 5
_UNDONE_HERE = (
    stored.ORDER_STEP_RESERVE, stored.ORDER_STEP_AUTHORIZE, stored.ORDER_STEP_SCHEDULE, stored.ORDER_STEP_BACKORDER,
    stored.ORDER_STEP_CHANGE_STOCK, stored.ORDER_STEP_CHANGE_PAYMENT, *model.STEPS_BY_HAND,
)  # fmt: skip
"""The steps at which shipping has not been asked, or has stopped."""
ENDING: Final = (words.ORDER_STATE_CANCELLING, words.ORDER_STATE_CANCELLED)
"""The states of an order that is cancelled, or is about to be."""


def not_found(context: Context) -> Decision:
    """The refusal of what names an order that the caller cannot know of."""
    return errors.refuse(errors.ORDER_NOT_FOUND, f"There is no order {context.key}.", order_id=context.key)


def undo(
    state: StoredOrder,
    key: Key,
    context: Context,
    reason: str,
    *,
    detail: str = "",
    request: RequestRecord | None = None,
    void_payment: bool = False,
    payment_declined: bool = False,
) -> Decision:
    """Releases all stock and, where the payment was asked for, voids it. One that waited for people gets its timer
    back, due at once: it finds then when to look again."""
    order = state.order
    skus = list(dict.fromkeys((*skus_of(order), *state.change.raised_skus)))
    event = events.UndoStarted(
        reason=reason, detail=detail, request=request, skus=skus, void_payment=void_payment,
        payment_declined=payment_declined, ending=words.ORDER_STATE_CANCELLED,
    )  # fmt: skip
    messages: list[Outgoing] = [questions.void(state, context)] if void_payment else []
    messages += questions.release(order.order_id, skus, context)
    timers = [set_timer(key, context.now_us)] if state.step in model.STEPS_BY_HAND else []
    return Decision([(key, event)], messages, timers)


def undo_asked(
    state: StoredOrder,
    key: Key,
    context: Context,
    *,
    reason: str = model.CANCEL_REQUESTED,
    detail: str = "",
    request: RequestRecord | None = None,
) -> Decision:
    """Ends an order of which nothing is sent or about to be, with all that was asked for it."""
    if state.step == stored.ORDER_STEP_SCHEDULE:
        event = events.UndoStarted(reason=reason, detail=detail, request=request, ending=words.ORDER_STATE_CANCELLED)
        return Decision([(key, event), (key, events.OrderCancelled())], timers=[clear_timer(key)])
    asked = state.order.payment_state not in (words.PAYMENT_STATE_NONE, words.PAYMENT_STATE_RETRY)
    return undo(
        state, key, context, reason, detail=detail, request=request, void_payment=asked,
        payment_declined=bool(state.payment_retry_until_us) and not asked,
    )  # fmt: skip


def _finish(state: StoredOrder, key: Key, decision: Decision) -> Decision:
    """Adds the order's end to the last thing that it waited for."""
    rejected = state.ending == words.ORDER_STATE_REJECTED
    decision.events.append((key, events.OrderRejected() if rejected else events.OrderCancelled()))
    decision.timers.append(clear_timer(key))
    return decision


def cancel(states: Mapping[Key, State], command: commands.Cancel, context: Context) -> Decision:
    """Ends the order. Before shipping was asked this is decided here, after that by shipping."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None:
        return not_found(context)
    record = record_of(command.request_id, command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)
    if refused is not None:
        return refused
    step, detail = state.step, command.reason
    if step in _UNDONE_HERE:
        return undo_asked(state, key, context, detail=detail, request=record)
    if step in (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_STOP_FOR_CHANGE):
        if record is not None:
            record.outcome = REQUEST_OUTCOME_PENDING
        event = events.CancelRequested(detail=detail, request=record)
        return Decision([(key, event)], [questions.stop_shipping(state, context)])
    if state.order.order_state in ENDING:
        return is_ending(state, record, key)
    return not_cancellable(state)


def is_ending(state: StoredOrder, record: RequestRecord | None, key: Key) -> Decision:
    """A cancellation of what is being cancelled, whole or in part: while shipping decides it ends as the one before."""
    if record is None or state.step != stored.ORDER_STEP_STOP_SHIPPING:
        return Decision()
    record.outcome = REQUEST_OUTCOME_PENDING
    return Decision([(key, events.RequestNoted(request=record))])


def not_cancellable(state: StoredOrder) -> Decision:
    """The refusal of a cancellation that comes too late."""
    metadata = model.states_of(state.order)
    told = f"{metadata['order_state']}, {metadata['fulfillment_state']}"
    message = f"Order {state.order.order_id} is {told} and cannot be cancelled any more."
    if state.order.order_state == words.ORDER_STATE_COMPLETED:
        message += " Return it instead."
    return errors.refuse(errors.ORDER_NOT_CANCELLABLE, message, **metadata)


def stock_rejected(state: StoredOrder, answer: commands.StockRejected, key: Key, context: Context) -> Decision:
    """There is not enough: the order is rejected, as soon as what other partitions promised is released."""
    if state.step != stored.ORDER_STEP_RESERVE or not set(answer.skus).intersection(state.waiting_skus):
        return Decision()
    refused = set(answer.skus)
    others = [sku for sku in skus_of(state.order) if sku not in refused]
    detail = told(answer.shortages) or answer.full_queue
    reason = model.BACKORDER_QUEUE_FULL if answer.full_queue else model.OUT_OF_STOCK
    if not others:
        event = events.OrderRejected(reason=reason, detail=detail)
        return Decision([(key, event)], timers=[clear_timer(key)])
    started = events.UndoStarted(reason=reason, detail=detail, skus=others, ending=words.ORDER_STATE_REJECTED)
    return Decision([(key, started)], questions.release(state.order.order_id, others, context))


def told(shortages: Sequence[commands.Shortage]) -> str:
    """The first few shortages in words."""
    texts = [
        f"{each.sku}: {each.wanted} wanted, {each.available} available" for each in shortages[:_SHORTAGES_TOLD_MAX]
    ]
    if len(shortages) > _SHORTAGES_TOLD_MAX:
        texts.append(f"{len(shortages) - _SHORTAGES_TOLD_MAX} more")
    return "; ".join(texts)


def payment_voided(state: StoredOrder, _answer: commands.PaymentVoided, key: Key, context: Context) -> Decision:
    """No money is held. While the order waits for its authorisation, it means that there will be none."""
    if state.step == stored.ORDER_STEP_AUTHORIZE:
        return undo(state, key, context, model.PAYMENT_DECLINED, detail="closed", payment_declined=True)
    return payment_ended(state, key, declined=False)


def payment_ended(state: StoredOrder, key: Key, *, declined: bool) -> Decision:
    """The payment holds nothing: what its void was asked for."""
    if state.step != stored.ORDER_STEP_UNDO or not state.waiting_void:
        return Decision()
    decision = Decision([(key, events.AuthorizationEnded(declined=declined))])
    return decision if state.waiting_skus else _finish(state, key, decision)


def stock_released(state: StoredOrder, answer: commands.StockReleased, key: Key, _context: Context) -> Decision:
    """Stock is free again, or never was taken."""
    if state.step != stored.ORDER_STEP_UNDO:
        return Decision()
    waiting = set(state.waiting_skus)
    answered = waiting.intersection(answer.skus)
    if not answered:
        return Decision()
    if len(answered) < len(waiting):
        part = events.AllocationReleased(skus=[sku for sku in answer.skus if sku in answered])
        return Decision([(key, part)])
    decision = Decision([(key, events.AllocationReleased())])
    return decision if state.waiting_void else _finish(state, key, decision)


def shipment_cancelled(state: StoredOrder, _answer: commands.ShipmentCancelled, key: Key, context: Context) -> Decision:
    """Nothing was or will be sent: everything is undone."""
    if state.step == stored.ORDER_STEP_STOP_SHIPPING:
        return undo(state, key, context, model.CANCEL_REQUESTED, void_payment=True)
    if state.step == stored.ORDER_STEP_SHIP:
        return undo(state, key, context, model.SHIPMENT_CANCELLED, void_payment=True)
    return Decision()


def cancel_refused(
    state: StoredOrder, _answer: commands.ShipmentCancelRefused, key: Key, _context: Context
) -> Decision:
    """It was dispatched before; usually the order has heard of that already."""
    if state.step != stored.ORDER_STEP_STOP_SHIPPING:
        return Decision()
    return Decision([(key, events.CancelRefused())])


def give_up(
    policy: model.OrderPolicy, state: StoredOrder, key: Key, waited_us: int, context: Context
) -> Decision | None:
    """The undoing of an order that was not answered for too long; None while it may wait."""
    if state.step == stored.ORDER_STEP_RESERVE and waited_us >= policy.reserve_give_up_us:
        return undo(state, key, context, model.STOCK_NOT_ANSWERED)
    if state.step == stored.ORDER_STEP_AUTHORIZE and waited_us >= policy.authorize_give_up_us:
        return undo(state, key, context, model.PAYMENT_NOT_ANSWERED, void_payment=True)
    return None
