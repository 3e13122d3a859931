"""What comes after completion: goods come back, money is given back. PURE.

Both may be asked for again and again, up to what is left. A piece is paid back once: by its return, or before that by a
refund of its line. What is under way counts as given back until the provider declines it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order, OrderLine
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import PendingRefund, StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import model, questions
from ordermesh.order.model import OrderPolicy
from ordermesh.order.timer import clear_timer, set_timer
from ordermesh.order.undoing import not_found

_States = Mapping[Key, State]
_Pieces = list[tuple[OrderLine, int]]


def _ready(
    state: StoredOrder | None, command: commands.Return | commands.Refund, reason: str, context: Context
) -> Decision | None:
    """What both refuse, or have done before; None where they may go on."""
    if state is None:
        return not_found(context)
    known = seen_before(state.requests, record_of(command.request_id, command))
    known = known or etag_mismatch(command.etag, state.order.version)
    if known is not None:
        return known
    if state.order.order_state != words.ORDER_STATE_COMPLETED:
        metadata = model.states_of(state.order)
        message = f"Order {context.key} is {metadata['order_state']}; only what is shipped and paid can come back."
        return errors.refuse(reason, message, **metadata)
    return None


def _pieces(order: Order, wanted: Sequence[LineQuantity]) -> _Pieces | Decision:
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


def _left_nanos(state: StoredOrder) -> int:
    """What can still be given back of the order's total."""
    return nanos_of(state.order.total) - nanos_of(state.refund_committed)


def _quantities(pieces: _Pieces) -> list[LineQuantity]:
    return [LineQuantity(line_id=line.line_id, quantity=quantity) for line, quantity in pieces if quantity]


def take_back(policy: OrderPolicy, states: _States, command: commands.Return, context: Context) -> Decision:
    """Goods come back: their share of the line totals is refunded, and they are restocked if they can be sold."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    refused = _ready(state, command, errors.ORDER_NOT_RETURNABLE, context)
    if refused is not None or state is None:
        return refused or not_found(context)
    pieces = _pieces(state.order, command.lines)
    if isinstance(pieces, Decision):
        return pieces
    for line, quantity in pieces:
        left = line.quantity - line.returned_quantity
        if quantity > left:
            message = f"Of line {line.line_id} only {left} can still be returned."
            return errors.refuse(
                errors.RETURN_EXCEEDS_SHIPPED, message, order_id=context.key, line_id=line.line_id, left=left
            )
    unpaid = [(line, max(0, line.returned_quantity + quantity - line.refunded_quantity)) for line, quantity in pieces]
    nanos = min(sum(model.refund_nanos(*each) for each in unpaid), _left_nanos(state))
    event = events.OrderReturned(
        lines=_quantities(pieces), restock=command.restock, refunded_lines=_quantities(unpaid),
        request=record_of(command.request_id, command),
    )  # fmt: skip
    decision = _with_refund(policy, state, key, event, nanos, context)
    if command.restock:
        decision.messages += questions.restock(state.order, model.quantities_of(pieces), context)
    return decision


def _with_refund(
    policy: OrderPolicy,
    state: StoredOrder,
    key: Key,
    event: events.OrderReturned | events.RefundRequested,
    nanos: int,
    context: Context,
) -> Decision:
    """The event, with the refund that goes with it where there is anything to give back."""
    if nanos <= 0:
        event.ClearField("refunded_lines")
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
    refused = _ready(state, command, errors.ORDER_NOT_REFUNDABLE, context)
    if refused is not None or state is None:
        return refused or not_found(context)
    request = record_of(command.request_id, command, REQUEST_OUTCOME_PENDING)
    event = events.RefundRequested(request=request)
    if command.lines:
        pieces = _pieces(state.order, command.lines)
        if isinstance(pieces, Decision):
            return pieces
        if any(quantity > line.quantity - line.refunded_quantity for line, quantity in pieces):
            return _exceeds(state, context)
        nanos = sum(model.refund_nanos(line, quantity) for line, quantity in pieces)
        event.refunded_lines.extend(_quantities(pieces))
    else:
        nanos = nanos_of(command.amount)
        if command.amount.currency_code != state.order.total.currency_code:
            return _wrong_currency(state, command)
    if not 0 < nanos <= _left_nanos(state):
        return _exceeds(state, context)
    return _with_refund(policy, state, key, event, nanos, context)


def _exceeds(state: StoredOrder, context: Context) -> Decision:
    left = money_of(state.order.total.currency_code, _left_nanos(state))
    message = f"That is more than is left of it, or nothing; of order {context.key} {text_of(left)} can be refunded."
    return errors.refuse(errors.REFUND_EXCEEDS_CAPTURED, message, order_id=context.key, left=text_of(left))


def _wrong_currency(state: StoredOrder, command: commands.Refund) -> Decision:
    currency = state.order.total.currency_code
    message = f"amount.currency_code is {command.amount.currency_code!r}, and the order's is {currency}."
    return errors.refuse(errors.INVALID_REQUEST, message, field="amount.currency_code")


def _pending(state: StoredOrder, refund_id: str) -> PendingRefund | None:
    return next((each for each in state.pending_refunds if each.refund_id == refund_id), None)


def _settled(state: StoredOrder, key: Key, event: events.OrderRefunded | events.OrderRefundDeclined) -> Decision:
    """The end of one refund; with the last one the timer ends too."""
    if _pending(state, event.refund_id) is None:
        return Decision()
    timers = [clear_timer(key)] if len(state.pending_refunds) == 1 else []
    return Decision([(key, event)], timers=timers)


def payment_refunded(state: StoredOrder, answer: commands.PaymentRefunded, key: Key, _context: Context) -> Decision:
    """The money is with the customer."""
    return _settled(state, key, events.OrderRefunded(refund_id=answer.refund_id))


def refund_declined(
    state: StoredOrder, answer: commands.PaymentRefundDeclined, key: Key, _context: Context
) -> Decision:
    """It can be asked for anew, as another refund."""
    return _settled(state, key, events.OrderRefundDeclined(refund_id=answer.refund_id, code=answer.code))
