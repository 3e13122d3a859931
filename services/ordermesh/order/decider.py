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
from ordermesh.order import questions, returning, undoing
from ordermesh.order.model import OrderPolicy, content_of, order_key, skus_of
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
    order = command.order
    decision = Decision([(key, events.OrderPlaced(order=order))])
    decision.messages += questions.reserve(order, context, first=True)
    decision.timers.append(set_timer(key, context.now_us + policy.ask_again_us))
    return decision


def _placed_before(state: StoredOrder, command: commands.PlaceOrder, context: Context) -> Decision:
    """Whose the id is, before anything about the order: another customer learns nothing of it."""
    if state.order.customer_id != command.order.customer_id:
        return undoing.not_found(context)
    if content_of(state.order) == command.order:
        return Decision()
    return errors.refuse(
        errors.ORDER_ALREADY_EXISTS,
        f"Order {context.key} exists with other content; take a new order id.",
        order_id=context.key,
    )


def stock_reserved(state: StoredOrder, answer: commands.StockReserved, key: Key, context: Context) -> Decision:
    """Stock is promised; when all of it is, the payment is asked for."""
    if state.step != stored.ORDER_STEP_RESERVE:
        return Decision()
    waiting = set(state.waiting_skus)
    answered = waiting.intersection(answer.skus)
    if len(answered) == len(waiting):
        authorize = questions.authorize(state.order, context, first=True)
        return Decision([(key, events.StockAllocated())], [authorize])
    if not answered:
        return Decision()
    return Decision([(key, events.StockAllocated(skus=[sku for sku in answer.skus if sku in answered]))])


def payment_authorized(state: StoredOrder, _answer: commands.PaymentAuthorized, key: Key, context: Context) -> Decision:
    """The money is held: the order is confirmed, and shipping is asked."""
    if state.step != stored.ORDER_STEP_AUTHORIZE:
        return Decision()
    return Decision([(key, events.OrderConfirmed())], [questions.ship(state.order, context, first=True)])


def shipment_dispatched(
    state: StoredOrder, answer: commands.ShipmentDispatched, key: Key, context: Context
) -> Decision:
    """The goods left: the money is taken, and the stock is no longer on hand. A cancellation under way is too late."""
    if state.step not in (stored.ORDER_STEP_SHIP, stored.ORDER_STEP_STOP_SHIPPING):
        return Decision()
    too_late = state.step == stored.ORDER_STEP_STOP_SHIPPING
    event = events.OrderShipped(number=answer.number, tracking=answer.tracking, cancel_refused=too_late)
    order = state.order
    messages = [questions.capture(order, context), *questions.commit(order, skus_of(order), context)]
    return Decision([(key, event)], messages)


def shipment_delivered(
    state: StoredOrder, _answer: commands.ShipmentDelivered, key: Key, _context: Context
) -> Decision:
    """The goods are with the customer."""
    if state.order.fulfillment_state != words.FULFILLMENT_STATE_SHIPPED:
        return Decision()
    return Decision([(key, events.OrderDelivered())])


def payment_captured(state: StoredOrder, _answer: commands.PaymentCaptured, key: Key, _context: Context) -> Decision:
    """The money is taken: the order is complete."""
    if state.step != stored.ORDER_STEP_CAPTURE:
        return Decision()
    return Decision([(key, events.OrderCompleted())], timers=[clear_timer(key)])


def capture_declined(
    state: StoredOrder, answer: commands.PaymentCaptureDeclined, key: Key, _context: Context
) -> Decision:
    """The order says once that it waits for its money; its timer asks again."""
    if state.step != stored.ORDER_STEP_CAPTURE or state.order.state_reason:
        return Decision()
    return Decision([(key, events.CaptureDeclined(code=answer.code))])


def reservation_aged(states: _States, question: commands.ReservationAged, context: Context) -> Decision:
    """Says what an old reservation is for: nothing where it is still needed, else what should have become of it."""
    state: StoredOrder | None = states.get(order_key(context.tenant, context.key))
    if state is None or state.order.order_state in (words.ORDER_STATE_CANCELLED, words.ORDER_STATE_REJECTED):
        return Decision(messages=questions.release(context.key, question.skus, context))
    if state.step == stored.ORDER_STEP_UNDO:
        return Decision(messages=questions.release(context.key, question.skus, context))
    if state.step in (stored.ORDER_STEP_CAPTURE, stored.ORDER_STEP_NONE):
        return Decision(messages=questions.commit(state.order, question.skus, context))
    return Decision()


def step_timer(policy: OrderPolicy, states: _States, command: commands.StepTimer, context: Context) -> Decision:
    """Looks at how long the order has been waiting: asks again, gives up, or only looks again later."""
    key = order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None or (state.step == stored.ORDER_STEP_NONE and not state.pending_refunds):
        return Decision()
    waited_us = context.now_us - state.step_since_us
    if waited_us < policy.ask_again_us and not command.at_once:
        return Decision(timers=[set_timer(key, state.step_since_us + policy.ask_again_us)])
    gives_up = undoing.give_up(policy, state, key, waited_us, context)
    decision = gives_up if gives_up is not None else Decision(messages=questions.asked_again(state, context))
    pause_us = policy.ask_again_us
    if gives_up is None:
        pause_us = max(pause_us, min(waited_us, policy.ask_again_us_max))
    decision.timers.append(set_timer(key, context.now_us + pause_us))
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
        Handler(command=commands.Cancel, keys=_keys, decide=undoing.cancel),
        Handler(command=commands.Return, keys=_keys, decide=partial(returning.take_back, policy)),
        Handler(command=commands.Refund, keys=_keys, decide=partial(returning.give_back, policy)),
        _answer(commands.StockReserved, stock_reserved),
        _answer(commands.StockRejected, undoing.stock_rejected),
        _answer(commands.StockReleased, undoing.stock_released),
        _answer(commands.PaymentAuthorized, payment_authorized),
        _answer(commands.PaymentDeclined, undoing.payment_declined),
        _answer(commands.PaymentVoided, undoing.payment_voided),
        _answer(commands.PaymentCaptured, payment_captured),
        _answer(commands.PaymentCaptureDeclined, capture_declined),
        _answer(commands.PaymentRefunded, returning.payment_refunded),
        _answer(commands.PaymentRefundDeclined, returning.refund_declined),
        _answer(commands.ShipmentDispatched, shipment_dispatched),
        _answer(commands.ShipmentDelivered, shipment_delivered),
        _answer(commands.ShipmentCancelled, undoing.shipment_cancelled),
        _answer(commands.ShipmentCancelRefused, undoing.cancel_refused),
        Handler(command=commands.ReservationAged, keys=_keys, decide=reservation_aged),
        Handler(command=commands.StepTimer, keys=_keys, decide=partial(step_timer, policy)),
    )
