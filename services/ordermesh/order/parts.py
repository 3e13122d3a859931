"""The answers to an order that is short of stock, sent in parts, or being changed. PURE.

Each is the fuller version of an answer in `decider` or `undoing`, which decide about orders that are sent as a whole.
"""

from __future__ import annotations

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Context, Decision, Key, Outgoing
from ordermesh.order import changing, model, pieces, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.fulfilment import cancel_rest, expire, expires_us, start
from ordermesh.order.model import OrderPolicy

_LIVE = (
    stored.ORDER_STEP_RESERVE, stored.ORDER_STEP_AUTHORIZE, stored.ORDER_STEP_SHIP, stored.ORDER_STEP_CAPTURE,
    stored.ORDER_STEP_STOP_SHIPPING, stored.ORDER_STEP_BACKORDER, stored.ORDER_STEP_STOP_FOR_CHANGE,
    stored.ORDER_STEP_CHANGE_STOCK, stored.ORDER_STEP_CHANGE_PAYMENT, stored.ORDER_STEP_PAYMENT_RETRY,
)  # fmt: skip


def stock_reserved(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockReserved, key: Key, context: Context
) -> Decision:
    """Less than all is promised, or it is promised for a change, or again."""
    if state.step == stored.ORDER_STEP_CHANGE_STOCK and answer.revision:
        return changing.stock_reserved(policy, state, answer, key, context)
    if answer.revision:
        return Decision()
    if state.step == stored.ORDER_STEP_RESERVE:
        return _allocated(policy, state, answer, key, context)
    if state.step != stored.ORDER_STEP_BACKORDER:
        return Decision()
    draft = Draft(state, key, context)
    promised, wants = pieces.granted(answer.grants), pieces.wanted(state.order)
    for sku in answer.skus:
        _note(draft, sku, promised.get(sku, wants.get(sku, 0)))
    return changing.go_on(policy, draft) if draft.decision.events else Decision()


def _allocated(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockReserved, key: Key, context: Context
) -> Decision:
    """What is promised is noted; once all of inventory has answered the order goes on as its policy says."""
    answered = set(state.waiting_skus).intersection(answer.skus)
    if not answered:
        return Decision()
    whole = len(answered) == len(state.waiting_skus)
    draft = Draft(state, key, context)
    skus = [] if whole else [sku for sku in answer.skus if sku in answered]
    grants = [each for each in answer.grants if each.sku in answered]
    draft.happen(events.StockAllocated(skus=skus, grants=grants, held=whole and bool(state.order.holds)))
    if not whole:
        return draft.decision
    if draft.state.step == stored.ORDER_STEP_AUTHORIZE:
        draft.ask(questions.authorize(draft.state, context, first=True))
        return draft.decision
    if state.order.fulfillment_policy == words.FULFILLMENT_POLICY_PARTIAL and pieces.missing(draft.state):
        return _without_missing(policy, draft)
    return changing.go_on(policy, draft)


def _without_missing(policy: OrderPolicy, draft: Draft) -> Decision:
    """What is not there is cancelled; where nothing is there the order is rejected. No pieces are reserved for it."""
    lacks = pieces.missing_left(draft.state)
    detail = _lacks_told(draft.state)
    if not pieces.promised_left(draft.state):
        draft.happen(events.OrderRejected(reason=model.OUT_OF_STOCK, detail=detail))
        draft.wait_no_more()
        return draft.decision
    draft.happen(events.LinesCancelled(lines=lacks, reason=model.OUT_OF_STOCK, detail=detail))
    return changing.go_on(policy, draft)


def _lacks_told(state: StoredOrder) -> str:
    wants = pieces.wanted(state.order)
    shortages = [
        commands.Shortage(sku=each.sku, wanted=wants[each.sku], available=each.quantity)
        for each in state.fulfillment.grants
    ]
    return undoing.told(shortages)


def stock_rejected(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockRejected, key: Key, context: Context
) -> Decision:
    """There is not enough, for the order or for its change."""
    if not answer.revision:
        return undoing.stock_rejected(state, answer, key, context)
    if state.step != stored.ORDER_STEP_CHANGE_STOCK:
        return Decision()
    return changing.stock_rejected(policy, state, answer, key, context)


def stock_granted(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockGranted, key: Key, context: Context
) -> Decision:
    """More is promised of a SKU that was short; where the order waits for that it goes on."""
    if state.step not in _LIVE:
        return Decision()
    draft = Draft(state, key, context)
    _note(draft, answer.sku, answer.quantity)
    if not draft.decision.events or state.step != stored.ORDER_STEP_BACKORDER:
        return draft.decision
    return changing.go_on(policy, draft)


def _note(draft: Draft, sku: str, quantity: int) -> None:
    """Inventory promises so many in all; what is known, or not wanted any more, changes nothing."""
    known = pieces.granted(draft.state.fulfillment.grants).get(sku)
    if known is not None and quantity > known:
        draft.happen(events.BackorderGranted(grant=StockGrant(sku=sku, quantity=quantity)))


def shipment_dispatched(
    policy: OrderPolicy, state: StoredOrder, answer: commands.ShipmentDispatched, key: Key, context: Context
) -> Decision:
    """A shipment left: its money is taken, and its stock is no longer on hand. What was to stop it is too late."""
    steps = (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_STOP_SHIPPING, stored.ORDER_STEP_STOP_FOR_CHANGE)
    if state.step not in steps or answer.number != state.fulfillment.shipment:
        return Decision()
    draft = Draft(state, key, context)
    if state.step == stored.ORDER_STEP_STOP_FOR_CHANGE:
        changing.too_late(policy, draft)
    lines = list(state.fulfillment.shipping)
    too_late = state.step == stored.ORDER_STEP_STOP_SHIPPING
    event = events.OrderShipped(number=answer.number, tracking=answer.tracking, cancel_refused=too_late, lines=lines)
    draft.happen(event)
    draft.ask(questions.capture_part(draft.state, context))
    draft.ask(*questions.commit_part(draft.state.order, pieces.skus_in(state.order, lines), context))
    return draft.decision


def shipment_delivered(state: StoredOrder, answer: commands.ShipmentDelivered, key: Key) -> Decision:
    """One shipment is with the customer."""
    found = state.fulfillment
    if answer.number not in found.shipped or answer.number in found.delivered:
        return Decision()
    return Decision([(key, events.OrderDelivered(number=answer.number))])


def shipment_cancelled(
    policy: OrderPolicy, state: StoredOrder, answer: commands.ShipmentCancelled, key: Key, context: Context
) -> Decision:
    """The shipment will not be sent: the order is changed now, or, where nothing asked for that, ends."""
    if answer.number != questions.shipment_number(state):
        return Decision()
    stopped_for_change = state.step == stored.ORDER_STEP_STOP_FOR_CHANGE
    unasked = state.step == stored.ORDER_STEP_SHIP and pieces.any_shipped(state.order)
    if not stopped_for_change and not unasked:
        return undoing.shipment_cancelled(state, answer, key, context)
    draft = Draft(state, key, context)
    draft.happen(events.ShipmentStopped())
    return changing.go_on(policy, draft) if stopped_for_change else cancel_rest(policy, draft, model.SHIPMENT_CANCELLED)


def cancel_refused(
    policy: OrderPolicy, state: StoredOrder, answer: commands.ShipmentCancelRefused, key: Key, context: Context
) -> Decision:
    """It was dispatched before; usually the order has heard of that already."""
    if answer.number != questions.shipment_number(state):
        return Decision()
    if state.step == stored.ORDER_STEP_STOP_FOR_CHANGE:
        return changing.too_late(policy, Draft(state, key, context))
    return undoing.cancel_refused(state, answer, key, context)


def payment_captured(
    policy: OrderPolicy, state: StoredOrder, answer: commands.PaymentCaptured, key: Key, context: Context
) -> Decision:
    """The money for one shipment is taken: the order goes on with the next."""
    number = state.fulfillment.shipment
    if state.step != stored.ORDER_STEP_CAPTURE or answer.capture_id != str(number):
        return Decision()
    draft = Draft(state, key, context)
    draft.happen(events.ShipmentPaid(number=number))
    return changing.go_on(policy, draft)


def wait_on(policy: OrderPolicy, state: StoredOrder, key: Key, context: Context) -> Decision | None:
    """What the timer finds of an order that waits for its time, or for stock for too long; None for any other."""
    if state.step == stored.ORDER_STEP_SCHEDULE:
        return start(policy, state, key, context)
    if state.step != stored.ORDER_STEP_BACKORDER or context.now_us < expires_us(policy, state.order):
        return None
    return expire(policy, Draft(state, key, context)) if pieces.missing(state) else None


def reservation_aged(state: StoredOrder, skus: list[str], context: Context) -> list[Outgoing]:
    """What should be reserved for an order that is sent in parts or was changed, said again as it is."""
    wants = pieces.wanted(state.order)
    gone = {sku: 0 for sku in skus if not wants.get(sku)}
    revision = state.fulfillment.revision
    messages = questions.revise(state.order.order_id, revision, gone, context, more=False)
    if state.step == stored.ORDER_STEP_BACKORDER:
        lacks = pieces.missing(state)
        messages += questions.reserve(state.order, context, first=False, skus=[sku for sku in skus if sku in lacks])
    return [*messages, *questions.commit_part(state.order, [sku for sku in skus if sku in wants], context)]
