"""What comes after completion: goods come back, money is given back. PURE.

Both may be asked for again and again, up to what is left. A piece is paid back once: by its return, or before that by a
refund of its line. What is under way counts as given back until the provider declines it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestRecord
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order, OrderLine
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import PendingRefund, StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.money import coin_of, money_of, nanos_of, text_of
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import model, questions, refunds
from ordermesh.order.model import OrderPolicy
from ordermesh.order.timer import clear_timer, set_timer
from ordermesh.order.undoing import not_found

_States = Mapping[Key, State]
Pieces = list[tuple[OrderLine, int]]


class _Asked(Protocol):
    """What everything that is asked here has."""

    etag: str


def ready(
    state: StoredOrder | None, command: _Asked, record: RequestRecord | None, reason: str, context: Context
) -> Decision | None:
    """What all that comes after completion refuse, or have done before; None where they may go on."""
    if state is None:
        return not_found(context)
    known = seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)
    if known is not None:
        return known
    if state.order.order_state != words.ORDER_STATE_COMPLETED:
        metadata = model.states_of(state.order)
        message = f"Order {context.key} is {metadata['order_state']}; only what is shipped and paid can come back."
        return errors.refuse(reason, message, **metadata)
    return None


def pieces(order: Order, wanted: Sequence[LineQuantity]) -> Pieces | Decision:
    """The lines that are named, each once, and how many pieces of each; or the refusal of one that there is not."""
    quantities: dict[str, int] = {}
    for each in wanted:
        quantities[each.line_id] = quantities.get(each.line_id, 0) + each.quantity
    pieces = [(line, quantities.pop(line.line_id)) for line in order.lines if line.line_id in quantities]
    if quantities:
        line_id = next(iter(quantities))
        message = f"Order {order.order_id} has no line {line_id}."
        return errors.refuse(
            errors.LINE_NOT_FOUND, message, order_id=order.order_id, line_id=line_id, field="lines.line_id"
        )
    return pieces


def left_nanos(state: StoredOrder) -> int:
    """What can still be given back of what was taken."""
    return nanos_of(model.due_of(state.order)) - nanos_of(state.refund_committed)


def too_many(order: Order, goods: Pieces) -> Decision | None:
    """The refusal of more than can still be returned: what may come by returns that are open counts as returned."""
    under_way = returns_under_way(order)
    for line, quantity in goods:
        left = model.kept_of(line) - line.returned_quantity - under_way.get(line.line_id, 0)
        if quantity > left:
            message = f"Of line {line.line_id} only {left} can still be returned."
            return errors.refuse(
                errors.RETURN_EXCEEDS_SHIPPED, message, order_id=order.order_id, line_id=line.line_id, left=left
            )
    return None


def returns_under_way(order: Order) -> dict[str, int]:
    """How many pieces of each line may still come back, or came and are not inspected, by returns that are open."""
    pieces_open: dict[str, int] = {}
    for each in order.returns:
        if each.state in model.RETURNS_OPEN:
            for line in each.lines:
                inspected = line.restocked_quantity + line.written_off_quantity
                pieces_open[line.line_id] = pieces_open.get(line.line_id, 0) + line.quantity - inspected
    return pieces_open


def unpaid_of(goods: Pieces) -> Pieces:
    """How many of the pieces that come back are still to be paid back: a refund of their line may have been before."""
    return [(line, max(0, line.returned_quantity + quantity - line.refunded_quantity)) for line, quantity in goods]


def worth_of(order: Order, goods: Pieces) -> int:
    """What these pieces are worth when given back next, in nanos: their part of the line totals, tax and all; what all
    that is given back so far is worth, rounded to coins until nothing is left."""
    return _given_back(order, goods) - _given_back(order, [])


def _given_back(order: Order, goods: Pieces) -> int:
    """What was given back for lines, once it is for these pieces too."""
    more = {line.line_id: quantity for line, quantity in goods}
    lines = [(line, line.refunded_quantity + more.get(line.line_id, 0)) for line in order.lines]
    nanos = sum(model.worth_nanos(line, quantity) for line, quantity in lines)
    whole = all(quantity == model.kept_of(line) for line, quantity in lines)
    return nanos if whole else model.in_coins(order, nanos)


def _all_but_rounding(state: StoredOrder, nanos: int) -> int:
    """What lines are worth, or what is left of the order where that is less by no more than what refunds before were
    rounded by: their shares were others where one between them was declined, or an earlier release gave them."""
    left = left_nanos(state)
    rounded = coin_of(state.order.total.currency_code) * len(state.order.lines) * (state.refund_count + 1)
    return left if 0 < left < nanos <= left + rounded else nanos


def quantities_of(goods: Pieces) -> list[LineQuantity]:
    """The same as it is written down, without lines of nothing."""
    return [LineQuantity(line_id=line.line_id, quantity=quantity) for line, quantity in goods if quantity]


def take_back(policy: OrderPolicy, states: _States, command: commands.Return, context: Context) -> Decision:
    """Goods come back: their share of the line totals is refunded, and they are restocked if they can be sold."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    record = record_of(command.request_id, command)
    refused = ready(state, command, record, errors.ORDER_NOT_RETURNABLE, context)
    if refused is not None or state is None:
        return refused or not_found(context)
    goods = pieces(state.order, command.lines)
    if isinstance(goods, Decision):
        return goods
    excess = too_many(state.order, goods)
    if excess is not None:
        return excess
    unpaid = unpaid_of(goods)
    nanos = min(worth_of(state.order, unpaid), left_nanos(state))
    event = events.OrderReturned(
        lines=quantities_of(goods), restock=command.restock, refunded_lines=quantities_of(unpaid), request=record
    )
    decision = with_refund(policy, state, key, event, nanos, context)
    if command.restock:
        decision.messages += questions.restock(state.order, model.quantities_of(goods), context)
    return decision


def with_refund(
    policy: OrderPolicy,
    state: StoredOrder,
    key: Key,
    event: events.OrderReturned | events.ReturnInspected | events.RefundRequested,
    nanos: int,
    context: Context,
) -> Decision:
    """The event, with the refund that goes with it where there is anything to give back."""
    if nanos <= 0:
        event.ClearField("refunded_lines")
        if not isinstance(event, events.OrderReturned):
            event.ClearField("shipping")
        return Decision([(key, event)])
    event.refund_id = str(state.refund_count + 1)
    event.amount.CopyFrom(money_of(state.order.total.currency_code, nanos))
    return Decision(
        [(key, event)],
        [questions.refund(event.refund_id, event.amount, context)],
        [set_timer(key, context.now_us + policy.ask_again_us)],
    )


def give_back(policy: OrderPolicy, states: _States, command: commands.Refund, context: Context) -> Decision:
    """Money is given back without goods: an amount, or the part of the line totals that pieces are."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    request = record_of(command.request_id, command, REQUEST_OUTCOME_PENDING)
    refused = ready(state, command, request, errors.ORDER_NOT_REFUNDABLE, context)
    if refused is not None or state is None:
        return refused or not_found(context)
    event = events.RefundRequested(request=request, reason=command.reason)
    if command.lines:
        goods = pieces(state.order, command.lines)
        if isinstance(goods, Decision):
            return goods
        if any(quantity > model.kept_of(line) - line.refunded_quantity for line, quantity in goods):
            return _exceeds(state, context)
        nanos = worth_of(state.order, goods)
        event.refunded_lines.extend(quantities_of(goods))
        if command.include_shipping:
            share = refunds.shipping_share(state, nanos)
            event.shipping.CopyFrom(money_of(state.order.total.currency_code, share))
            nanos += share
        nanos = _all_but_rounding(state, nanos)
    else:
        nanos = nanos_of(command.amount)
        if command.amount.currency_code != state.order.total.currency_code:
            return _wrong_currency(state, command)
    if not 0 < nanos <= left_nanos(state):
        return _exceeds(state, context)
    return with_refund(policy, state, key, event, nanos, context)


def _exceeds(state: StoredOrder, context: Context) -> Decision:
    left = money_of(state.order.total.currency_code, left_nanos(state))
    message = f"That is more than is left of it, or nothing; of order {context.key} {text_of(left)} can be refunded."
    return errors.refuse(errors.REFUND_EXCEEDS_CAPTURED, message, order_id=context.key, left=text_of(left))


def _wrong_currency(state: StoredOrder, command: commands.Refund) -> Decision:
    currency = state.order.total.currency_code
    message = f"amount.currency_code is {command.amount.currency_code!r}, and the order's is {currency}."
    return errors.refuse(errors.INVALID_REQUEST, message, field="amount.currency_code")


def _pending(state: StoredOrder, refund_id: str) -> PendingRefund | None:
    return next((each for each in state.pending_refunds if each.refund_id == refund_id), None)


def _settled(state: StoredOrder, key: Key, event: events.OrderRefunded | events.OrderRefundDeclined) -> Decision:
    """The end of one refund; with the last thing that the order waits for the timer ends too."""
    if _pending(state, event.refund_id) is None:
        return Decision()
    last = len(state.pending_refunds) == 1 and not model.exchanges_asked(state)
    return Decision([(key, event)], timers=[clear_timer(key)] if last else [])


def payment_refunded(state: StoredOrder, answer: commands.PaymentRefunded, key: Key, _context: Context) -> Decision:
    """The money is with the customer."""
    return _settled(state, key, events.OrderRefunded(refund_id=answer.refund_id))


def refund_declined(
    state: StoredOrder, answer: commands.PaymentRefundDeclined, key: Key, _context: Context
) -> Decision:
    """It can be asked for anew, as another refund."""
    return _settled(state, key, events.OrderRefundDeclined(refund_id=answer.refund_id, code=answer.code))
