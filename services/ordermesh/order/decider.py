"""What is decided about an order's way from placing to completion: the answers it gets, and its timer. PURE.

A step begins with an event and a question to another service, and ends with the answer. An answer that the order does
not wait for (said again, or late) changes nothing. What ends an order early is in `undoing`, what comes after its
completion in `returning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, State
from ordermesh.order import (
    amending,
    cancelling,
    changing,
    exchanging,
    fulfilment,
    holding,
    parts,
    paying,
    questions,
    return_process,
    returning,
    screening,
    undoing,
)
from ordermesh.order.gating import gate
from ordermesh.order.model import (
    CAPTURE_DECLINED,
    OrderPolicy,
    is_same_content,
    is_waiting,
    order_key,
    skus_of,
)
from ordermesh.order.timer import clear_timer, set_timer

_States = Mapping[Key, State]


def _keys(_command: Message, context: Context) -> Sequence[Key]:
    return (order_key(context.tenant, context.key),)


def place(policy: OrderPolicy, states: _States, command: commands.PlaceOrder, context: Context) -> Decision:
    """A new order; the same again is answered as it is now, and another under its id is refused."""
    key = order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is not None:
        return _placed_before(state, command, context)
    return _begin(policy, key, command.order, context)


def _begin(policy: OrderPolicy, key: Key, order: words.Order, context: Context) -> Decision:
    """The order is taken, and its stock is asked for when its time has come."""
    if fulfilment.is_ahead(order, context.now_us):
        placed = events.OrderPlaced(order=order, scheduled=True)
        return Decision([(key, placed)], timers=[set_timer(key, fulfilment.time_us(order.not_before))])
    decision = Decision([(key, events.OrderPlaced(order=order))])
    decision.messages += questions.reserve(order, context, first=True)
    decision.timers.append(set_timer(key, context.now_us + policy.ask_again_us))
    return decision


def _placed_before(state: StoredOrder, command: commands.PlaceOrder, context: Context) -> Decision:
    """Whose the id is, before anything about the order: another customer learns nothing of it."""
    if state.order.customer_id != command.order.customer_id:
        return undoing.not_found(context)
    if is_same_content(state, command.order):
        return Decision()
    return errors.refuse(
        errors.ORDER_ALREADY_EXISTS,
        f"Order {context.key} exists with other content; take a new order id.",
        order_id=context.key,
    )


def stock_reserved(
    policy: OrderPolicy, state: StoredOrder, answer: commands.StockReserved, key: Key, context: Context
) -> Decision:
    """Stock is promised; when all of it is, the payment is asked for."""
    if answer.grants or answer.revision or state.HasField("fulfillment"):
        return parts.stock_reserved(policy, state, answer, key, context)
    if state.step != stored.ORDER_STEP_RESERVE:
        return Decision()
    waiting = set(state.waiting_skus)
    answered = waiting.intersection(answer.skus)
    if len(answered) == len(waiting):
        authorize = questions.authorize(state, context, first=True)
        return gate(policy, state, key, events.StockAllocated(), [authorize], context)
    if not answered:
        return Decision()
    return Decision([(key, events.StockAllocated(skus=[sku for sku in answer.skus if sku in answered]))])


def payment_authorized(
    policy: OrderPolicy, state: StoredOrder, answer: commands.PaymentAuthorized, key: Key, context: Context
) -> Decision:
    """The money is held: the order is confirmed, and shipping is asked, unless somebody has to look at it first."""
    if state.step != stored.ORDER_STEP_AUTHORIZE or answer.attempt != state.payment_attempt:
        return Decision()
    return screening.confirm(policy, state, key, context)


def shipment_dispatched(
    policy: OrderPolicy, state: StoredOrder, answer: commands.ShipmentDispatched, key: Key, context: Context
) -> Decision:
    """The goods left: the money is taken, and the stock is no longer on hand. A cancellation under way is too late."""
    if state.HasField("fulfillment"):
        return parts.shipment_dispatched(policy, state, answer, key, context)
    if state.step not in (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_STOP_SHIPPING):
        return Decision()
    too_late = state.step == stored.ORDER_STEP_STOP_SHIPPING
    event = events.OrderShipped(number=answer.number, tracking=answer.tracking, cancel_refused=too_late)
    order = state.order
    messages = [questions.capture(order, context), *questions.commit(order, skus_of(order), context)]
    return Decision([(key, event)], messages)


def shipment_delivered(state: StoredOrder, answer: commands.ShipmentDelivered, key: Key, _context: Context) -> Decision:
    """The goods are with the customer."""
    if state.HasField("fulfillment"):
        return parts.shipment_delivered(state, answer, key)
    if state.order.fulfillment_state != words.FULFILLMENT_STATE_SHIPPED:
        return Decision()
    return Decision([(key, events.OrderDelivered())])


def payment_captured(
    policy: OrderPolicy, state: StoredOrder, answer: commands.PaymentCaptured, key: Key, context: Context
) -> Decision:
    """The money is taken: the order is complete."""
    if state.HasField("fulfillment"):
        return parts.payment_captured(policy, state, answer, key, context)
    if state.step != stored.ORDER_STEP_CAPTURE:
        return Decision()
    return Decision([(key, events.OrderCompleted())], timers=[clear_timer(key)])


def capture_declined(
    state: StoredOrder, answer: commands.PaymentCaptureDeclined, key: Key, _context: Context
) -> Decision:
    """The order says once that it waits for its money; its timer asks again."""
    if state.step != stored.ORDER_STEP_CAPTURE or state.order.state_reason == CAPTURE_DECLINED:
        return Decision()
    return Decision([(key, events.CaptureDeclined(code=answer.code))])


def reservation_aged(states: _States, question: commands.ReservationAged, context: Context) -> Decision:
    """Says what an old reservation is for: nothing where it is still needed, else what should have become of it."""
    state: StoredOrder | None = states.get(order_key(context.tenant, context.key))
    if state is None or state.order.order_state in (words.ORDER_STATE_CANCELLED, words.ORDER_STATE_REJECTED):
        return Decision(messages=questions.release(context.key, question.skus, context))
    if state.step == stored.ORDER_STEP_UNDO:
        return Decision(messages=questions.release(context.key, question.skus, context))
    if state.HasField("fulfillment"):
        return Decision(messages=parts.reservation_aged(state, list(question.skus), context))
    if state.step in (stored.ORDER_STEP_CAPTURE, stored.ORDER_STEP_NONE):
        return Decision(messages=questions.commit(state.order, question.skus, context))
    return Decision()


def step_timer(policy: OrderPolicy, states: _States, command: commands.StepTimer, context: Context) -> Decision:
    """Looks at how long the order has been waiting: asks again, gives up, or only looks again later."""
    key = order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None or not is_waiting(state):
        return Decision()
    expired = holding.expire(policy, state, key, context)
    if expired is not None:
        return expired
    if state.step == stored.ORDER_STEP_PAYMENT_RETRY:
        return paying.expire(state, key, context)
    due = parts.wait_on(policy, state, key, context)
    if due is not None:
        return due
    waited_us = context.now_us - state.step_since_us
    if waited_us < policy.ask_again_us and not command.at_once:
        due_us = fulfilment.pause_until_us(policy, state, state.step_since_us + policy.ask_again_us)
        return Decision(timers=[set_timer(key, due_us)])
    gives_up = undoing.give_up(policy, state, key, waited_us, context)
    gives_up = gives_up or changing.give_up(policy, state, key, waited_us, context)
    decision = gives_up if gives_up is not None else Decision(messages=questions.asked_again(state, context))
    pause_us = policy.ask_again_us
    if gives_up is None:
        pause_us = max(pause_us, min(waited_us, policy.ask_again_us_max))
    decision.timers.append(set_timer(key, fulfilment.pause_until_us(policy, state, context.now_us + pause_us)))
    return decision


Answered = Callable[..., Decision]
"""Decides on the order's state, the answer, its key and the context."""


def _answer(command: type[Message], decide: Answered) -> Handler:
    """The handler of an answer: one to an order that does not exist changes nothing."""

    def decide_if_known(states: _States, answer: Message, context: Context) -> Decision:
        key = order_key(context.tenant, context.key)
        state = states.get(key)
        return Decision() if state is None else decide(state, answer, key, context)

    return Handler(command=command, keys=_keys, decide=decide_if_known)


def handlers(policy: OrderPolicy) -> tuple[Handler, ...]:
    """How each command and message is decided."""
    return (
        Handler(command=commands.PlaceOrder, keys=_keys, decide=partial(place, policy)),
        Handler(command=commands.Cancel, keys=_keys, decide=partial(cancelling.cancel, policy)),
        Handler(command=commands.Amend, keys=_keys, decide=partial(amending.amend, policy)),
        Handler(command=commands.PlaceHold, keys=_keys, decide=partial(holding.place_hold, policy)),
        Handler(command=commands.ReleaseHold, keys=_keys, decide=partial(holding.release_hold, policy)),
        Handler(command=commands.RenewPayment, keys=_keys, decide=partial(paying.renew, policy)),
        Handler(command=commands.Return, keys=_keys, decide=partial(returning.take_back, policy)),
        Handler(command=commands.Refund, keys=_keys, decide=partial(returning.give_back, policy)),
        Handler(command=commands.AuthorizeReturn, keys=_keys, decide=return_process.authorize),
        Handler(command=commands.ReceiveReturn, keys=_keys, decide=return_process.receive),
        Handler(command=commands.InspectReturn, keys=_keys, decide=partial(return_process.inspect, policy)),
        Handler(command=commands.CancelReturn, keys=_keys, decide=return_process.cancel),
        Handler(command=commands.Exchange, keys=_keys, decide=partial(exchanging.exchange, policy)),
        Handler(
            command=commands.PlaceReplacement,
            keys=_keys,
            decide=partial(exchanging.place_replacement, partial(_begin, policy)),
        ),
        _answer(commands.ReplacementPlaced, exchanging.replacement_placed),
        _answer(commands.ReplacementRefused, exchanging.replacement_refused),
        _answer(commands.StockReserved, partial(stock_reserved, policy)),
        _answer(commands.StockRejected, partial(parts.stock_rejected, policy)),
        _answer(commands.StockGranted, partial(parts.stock_granted, policy)),
        _answer(commands.StockReleased, undoing.stock_released),
        _answer(commands.PaymentAuthorized, partial(payment_authorized, policy)),
        _answer(commands.PaymentDeclined, partial(paying.payment_declined, policy)),
        _answer(commands.PaymentVoided, undoing.payment_voided),
        _answer(commands.PaymentAdjusted, partial(changing.payment_adjusted, policy)),
        _answer(commands.PaymentAdjustDeclined, partial(changing.adjust_declined, policy)),
        _answer(commands.PaymentCaptured, partial(payment_captured, policy)),
        _answer(commands.PaymentCaptureDeclined, capture_declined),
        _answer(commands.PaymentRefunded, returning.payment_refunded),
        _answer(commands.PaymentRefundDeclined, returning.refund_declined),
        _answer(commands.ShipmentDispatched, partial(shipment_dispatched, policy)),
        _answer(commands.ShipmentDelivered, shipment_delivered),
        _answer(commands.ShipmentCancelled, partial(parts.shipment_cancelled, policy)),
        _answer(commands.ShipmentCancelRefused, partial(parts.cancel_refused, policy)),
        Handler(command=commands.ReservationAged, keys=_keys, decide=reservation_aged),
        Handler(command=commands.StepTimer, keys=_keys, decide=partial(step_timer, policy)),
    )
