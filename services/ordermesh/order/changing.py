"""How a change of an order is carried out: stop shipping, have more stock, have more money held, then change. PURE.

Whatever may be refused comes first, and what is no longer needed is given back last: so a refused change leaves the
order as it was. A change waits while the order waits for its stock, its authorisation or a capture. One at a time; a
cancellation of the whole order ends it.
"""

from __future__ import annotations

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key
from ordermesh.core.money import nanos_of
from ordermesh.order import gating, model, pieces, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.evolution_in_parts import replace, too_late_for
from ordermesh.order.fraud import Outcome, Verdict
from ordermesh.order.fulfilment import cancel_pieces, give_back, proceed, wait_for_stock
from ordermesh.order.gating import hold_by_rule, verdict_on_amended
from ordermesh.order.model import OrderPolicy


def in_progress(state: StoredOrder) -> Decision:
    """The refusal of a change while another is not decided."""
    order_id = state.order.order_id
    message = f"Another change of order {order_id} is not decided yet; try again."
    return errors.refuse(errors.ORDER_CHANGE_IN_PROGRESS, message, order_id=order_id)


def go_on(policy: OrderPolicy, draft: Draft) -> Decision:
    """Begins the change that waited for the last step to end; else takes the order as far as it gets. Pieces are
    cancelled also while the order is held; an amendment waits then."""
    if not draft.state.HasField("change"):
        return proceed(policy, draft)
    if draft.state.change.HasField("hold"):
        return _hold(policy, draft)
    if not draft.state.change.HasField("amended"):
        return _cancel_lines(policy, draft)
    if gating.is_held(draft.state):
        return wait_for_stock(policy, draft)
    return _begin_amendment(policy, draft)


def go_on_released(policy: OrderPolicy, draft: Draft) -> Decision:
    """Takes an order in parts as far as it gets after its last hold ended; what it waits for at other steps goes on by
    itself."""
    if draft.state.step == stored.ORDER_STEP_BACKORDER:
        return go_on(policy, draft)
    if draft.state.step == stored.ORDER_STEP_CHANGE_STOCK and not draft.state.waiting_skus:
        return _with_stock(policy, draft)
    return draft.decision


def _hold(policy: OrderPolicy, draft: Draft) -> Decision:
    """The order is held: shipping has stopped for that."""
    hold = draft.state.change.hold
    draft.happen(
        events.OrderHeld(
            hold_id=gating.next_hold_id(draft.state), reason=hold.reason, detail=hold.detail, actor=hold.actor
        )
    )
    return wait_for_stock(policy, draft)


def _cancel_lines(policy: OrderPolicy, draft: Draft) -> Decision:
    """Cancels what is still left of the pieces that were named."""
    state = draft.state
    left = {line.line_id: pieces.left_of(line) for line in state.order.lines}
    named = ((each.line_id, min(each.quantity, left.get(each.line_id, 0))) for each in state.change.cancelled)
    wanted = [LineQuantity(line_id=line_id, quantity=number) for line_id, number in named if number]
    if not wanted:
        return refuse(policy, draft, "", outcome=errors.ORDER_NOT_CANCELLABLE)
    if wanted == pieces.left(state.order) and not pieces.any_shipped(state.order):
        draft.join(undoing.undo_asked(state, draft.key, draft.context, detail=state.change.detail))
        return draft.decision
    cancel_pieces(draft, wanted, model.CANCEL_REQUESTED, detail=state.change.detail)
    return _on(policy, draft)


def _on(policy: OrderPolicy, draft: Draft) -> Decision:
    """Goes on after a change was made or refused; a shipment under way, or another payment token, is waited for."""
    waits = draft.state.step in (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_PAYMENT_RETRY)
    return draft.decision if waits else proceed(policy, draft)


def on_decline(policy: OrderPolicy, draft: Draft, code: str) -> Decision:
    """What becomes of a change that waited for an authorisation which was declined: the next attempt is for what is
    left, sent where it is to go now; it is for nothing that nobody has said yes to."""
    state = draft.state
    if not state.HasField("change"):
        return draft.decision
    if not state.change.HasField("amended"):
        return _cancel_lines(policy, draft)
    if gating.is_held(state) or not is_of_address_alone(state.order, state.change.amended):
        return refuse(policy, draft, model.PAYMENT_DECLINED, outcome=errors.AMENDMENT_REFUSED, detail=code)
    draft.happen(events.OrderAmended(amended=state.change.amended))
    return draft.decision


def is_of_address_alone(order: Order, amended: Order) -> bool:
    """Whether an amendment wants the stock that is wanted already and costs what is due already."""
    before, after = pieces.wanted(order), pieces.wanted(amended)
    is_same_stock = {sku: number for sku, number in before.items() if number} == after
    return is_same_stock and model.due_of(order) == model.due_of(amended)


def _begin_amendment(policy: OrderPolicy, draft: Draft) -> Decision:
    """Asks for more stock, where more is wanted of any SKU; refuses what the fraud rules decline."""
    state = draft.state
    verdict = _verdict(policy, draft)
    if verdict is not None and verdict.outcome is Outcome.DECLINE:
        detail = f"{verdict.rule}: {verdict.detail}" if verdict.detail else verdict.rule
        return refuse(policy, draft, model.FRAUD_DECLINED, outcome=errors.AMENDMENT_REFUSED, detail=detail)
    before, after = pieces.wanted(state.order), pieces.wanted(state.change.amended)
    more = [sku for sku, number in after.items() if number > before.get(sku, 0)]
    if not more:
        return _with_stock(policy, draft)
    draft.happen(events.ChangeReserving(revision=state.fulfillment.revision + 1, skus=more))
    draft.ask(*questions.raised(draft.state, more, draft.context))
    draft.wait_until(draft.context.now_us + policy.ask_again_us)
    return draft.decision


def _verdict(policy: OrderPolicy, draft: Draft) -> Verdict | None:
    """What the fraud rules say of the amended order; None where nothing new, or where it is judged later."""
    order = draft.state.order
    if order.order_state != words.ORDER_STATE_CONFIRMED:
        return None
    amended = Order()
    amended.CopyFrom(order)
    replace(amended, draft.state.change.amended)
    return verdict_on_amended(policy.fraud, order, amended, model.payment_token_of(draft.state))


def _with_stock(policy: OrderPolicy, draft: Draft) -> Decision:
    """Asks for more money to be held, where more is due than is held; one that holds none yet asks for all later. While
    the order is held nothing of that happens, and it stays as it is looked at."""
    if gating.is_held(draft.state):
        return draft.decision
    found, total = draft.state.fulfillment, draft.state.change.amended.total
    is_asked = draft.state.order.payment_state != words.PAYMENT_STATE_NONE
    if not is_asked or nanos_of(total) <= nanos_of(found.authorized):
        return _amend(policy, draft)
    draft.happen(events.ChangeAuthorizing(amount=total))
    draft.ask(questions.adjust(draft.state.change.adjustment_id, total, draft.context))
    draft.wait_until(draft.context.now_us + policy.ask_again_us)
    return draft.decision


def _amend(policy: OrderPolicy, draft: Draft) -> Decision:
    """The order is another from now on; what it does not want any more is given back."""
    state = draft.state
    before, after = pieces.wanted(state.order), pieces.wanted(state.change.amended)
    fewer = [sku for sku, number in before.items() if after.get(sku, 0) < number]
    revision = state.fulfillment.revision + 1 if fewer else 0
    verdict = _verdict(policy, draft)
    draft.happen(events.OrderAmended(amended=state.change.amended, revision=revision))
    if verdict is not None:
        draft.happen(hold_by_rule(draft.state, verdict, draft.context))
    if fewer:
        give_back(draft, revision, fewer, after)
    return proceed(policy, draft)


def refuse(
    policy: OrderPolicy, draft: Draft, reason: str, *, outcome: str, detail: str = "", may_hold_more: bool = False
) -> Decision:
    """The order stays as it was, and what was reserved for the change is given back; then it goes on."""
    raised = list(draft.state.change.raised_skus)
    revision = draft.state.fulfillment.revision + 1 if raised else 0
    refused = events.ChangeRefused(
        outcome=outcome, reason=reason, detail=detail, revision=revision, may_hold_more=may_hold_more
    )
    draft.happen(refused)
    if raised:
        give_back(draft, revision, raised, pieces.wanted(draft.state.order))
    return _on(policy, draft)


def too_late(policy: OrderPolicy, draft: Draft) -> Decision:
    """Shipping did not stop: the shipment left before."""
    return refuse(policy, draft, "DISPATCHED", outcome=too_late_for(draft.state.change))


def stock_reserved(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockReserved, key: Key, context: Context
) -> Decision:
    """There is more stock for the change."""
    answered = set(state.waiting_skus).intersection(answer.skus)
    if not answered or answer.revision != state.change.revision:
        return Decision()
    draft = Draft(state, key, context)
    whole = len(answered) == len(state.waiting_skus)
    draft.happen(events.ChangeReserved(skus=[] if whole else [sku for sku in answer.skus if sku in answered]))
    return _with_stock(policy, draft) if whole else draft.decision


def stock_rejected(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockRejected, key: Key, context: Context
) -> Decision:
    """There is not enough for the change."""
    if answer.revision != state.change.revision:
        return Decision()
    detail = undoing.told(answer.shortages)
    draft = Draft(state, key, context)
    return refuse(policy, draft, model.OUT_OF_STOCK, outcome=errors.AMENDMENT_REFUSED, detail=detail)


def payment_adjusted(
    policy: OrderPolicy, state: StoredOrder, answer: commands.PaymentAdjusted, key: Key, context: Context
) -> Decision:
    """What was asked for is held: the change is made, or the order is complete."""
    draft = Draft(state, key, context)
    if state.step == stored.ORDER_STEP_CHANGE_PAYMENT and answer.adjustment_id == state.change.adjustment_id:
        return _amend(policy, draft)
    if state.step != stored.ORDER_STEP_SETTLE or answer.adjustment_id != questions.SETTLEMENT:
        return Decision()
    draft.happen(events.OrderCompleted())
    draft.wait_no_more()
    return draft.decision


def adjust_declined(
    policy: OrderPolicy, state: StoredOrder, answer: commands.PaymentAdjustDeclined, key: Key, context: Context
) -> Decision:
    """The provider does not hold more; what it does not let go at the end it is asked again by the timer."""
    if state.step != stored.ORDER_STEP_CHANGE_PAYMENT or answer.adjustment_id != state.change.adjustment_id:
        return Decision()
    draft = Draft(state, key, context)
    return refuse(policy, draft, model.PAYMENT_DECLINED, outcome=errors.AMENDMENT_REFUSED, detail=answer.code)


def give_up(policy: OrderPolicy, state: StoredOrder, key: Key, waited_us: int, context: Context) -> Decision | None:
    """The refusal of a change that was not answered for too long; None while it may wait. What payment holds in spite
    of that is let go at the end."""
    waits_for_stock = state.step == stored.ORDER_STEP_CHANGE_STOCK and bool(state.waiting_skus)
    if waits_for_stock and waited_us >= policy.reserve_give_up_us:
        draft = Draft(state, key, context)
        return refuse(policy, draft, model.STOCK_NOT_ANSWERED, outcome=errors.AMENDMENT_REFUSED)
    if state.step == stored.ORDER_STEP_CHANGE_PAYMENT and waited_us >= policy.authorize_give_up_us:
        draft = Draft(state, key, context)
        reason, outcome = model.PAYMENT_NOT_ANSWERED, errors.AMENDMENT_REFUSED
        return refuse(policy, draft, reason, outcome=outcome, may_hold_more=True)
    return None
