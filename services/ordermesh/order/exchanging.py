"""An exchange: goods come back by a return, and another order is placed in their stead. PURE.

The other order is an ordinary one, with an id, a payment and a way of its own; the two name each other. It lives in
another partition, so it is asked for and answers. Its id is settled before it is asked for, and is its idempotency key:
asked again, it is there already. What comes back is refunded when it is inspected, whatever becomes of the other order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oms.common.v1.request_record_pb2 import (
    REQUEST_OUTCOME_DONE,
    REQUEST_OUTCOME_PENDING,
    REQUEST_OUTCOME_REFUSED,
    RequestOutcome,
    RequestRecord,
)
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_state_pb2 import StoredExchange, StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, Outgoing, Stamp, State
from ordermesh.core.requests import record_of, remember
from ordermesh.order import model, questions, return_process, returning
from ordermesh.order.evolving import EventChanges
from ordermesh.order.model import OrderPolicy
from ordermesh.order.timer import clear_timer, set_timer

_States = Mapping[Key, State]
Begin = Callable[[Key, Order, Context], Decision]
"""How a new order begins."""


def exchange(policy: OrderPolicy, states: _States, command: commands.Exchange, context: Context) -> Decision:
    """Goods may be sent back, and the other order is asked for. Both or none."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    record = _record_of(command)
    refused = returning.ready(state, command, record, errors.ORDER_NOT_RETURNABLE, context)
    if refused is not None or state is None:
        return refused or Decision()
    replacement = command.replacement
    if replacement.customer_id != state.order.customer_id:
        message = "replacement.customer_id is not the order's; an exchange is for the same customer."
        return errors.refuse(errors.INVALID_REQUEST, message, field="replacement.customer_id")
    if replacement.order_id in {each.order_id for each in state.exchanges}:
        message = f"replacement.order_id {replacement.order_id} is that of another exchange of this order."
        return errors.refuse(errors.ORDER_ALREADY_EXISTS, message, order_id=replacement.order_id)
    authorized = return_process.authorized(state.order, command.lines, command.reason)
    if isinstance(authorized, Decision):
        return authorized
    authorized.exchange_order_id = replacement.order_id
    asked = events.ExchangeRequested(return_id=authorized.return_id, replacement=replacement, request=record)
    asked.replacement.exchange_of = context.key
    question = questions.place_replacement(asked.replacement, context)
    timers = [set_timer(key, context.now_us + policy.ask_again_us)]
    return Decision([(key, authorized), (key, asked)], [question], timers)


def _record_of(command: commands.Exchange) -> RequestRecord | None:
    """The record of the request: an id that was made for it is not what was asked."""
    if not command.order_id_made:
        return record_of(command.request_id, command, REQUEST_OUTCOME_PENDING)
    asked = commands.Exchange()
    asked.CopyFrom(command)
    asked.replacement.ClearField("order_id")
    return record_of(command.request_id, asked, REQUEST_OUTCOME_PENDING)


def place_replacement(begin: Begin, states: _States, command: commands.PlaceReplacement, context: Context) -> Decision:
    """A new order in exchange, once, begun like any other; under an id that another order has, there is none."""
    key, order = model.order_key(context.tenant, context.key), command.order
    state: StoredOrder | None = states.get(key)
    if state is None:
        decision = begin(key, order, context)
        decision.messages.append(_placed(order.exchange_of, context))
        return decision
    found = state.order
    if found.exchange_of == order.exchange_of and model.is_same_content(state, order):
        return Decision(messages=[_placed(order.exchange_of, context)])
    same_customer = found.customer_id == order.customer_id
    reason = errors.ORDER_ALREADY_EXISTS if same_customer else errors.ORDER_NOT_FOUND
    refusal = commands.ReplacementRefused(order_id=context.key, reason=reason)
    return Decision(messages=[Outgoing(model.SERVICE, context.tenant, order.exchange_of, refusal)])


def _placed(order_id: str, context: Context) -> Outgoing:
    answer = commands.ReplacementPlaced(order_id=context.key)
    return Outgoing(model.SERVICE, context.tenant, order_id, answer)


def replacement_placed(state: StoredOrder, answer: commands.ReplacementPlaced, key: Key, _context: Context) -> Decision:
    """The other order is there."""
    return _settled(state, key, events.OrderExchanged(order_id=answer.order_id))


def replacement_refused(
    state: StoredOrder, answer: commands.ReplacementRefused, key: Key, _context: Context
) -> Decision:
    """There is none under that id: the exchange is off."""
    return _settled(state, key, events.ExchangeRefused(order_id=answer.order_id, reason=answer.reason))


def _settled(state: StoredOrder, key: Key, event: events.OrderExchanged | events.ExchangeRefused) -> Decision:
    """The answer to an exchange that is asked for; with the last thing that the order waits for the timer ends too."""
    asked = model.exchanges_asked(state)
    if event.order_id not in {each.order_id for each in asked}:
        return Decision()
    last = len(asked) == 1 and not state.pending_refunds
    return Decision([(key, event)], timers=[clear_timer(key)] if last else [])


def on_requested(state: StoredOrder, event: events.ExchangeRequested, stamp: Stamp) -> str:
    """ExchangeRequested happens."""
    state.exchanges.add(
        order_id=event.replacement.order_id, return_id=event.return_id, request_hash=event.request.request_hash,
        replacement=event.replacement,
    )  # fmt: skip
    if event.HasField("request"):
        remember(state.requests, event.request)
        state.return_request_hashes[int(event.return_id) - 1] = event.request.request_hash
    state.step_since_us = stamp.time_us
    return f"return {event.return_id} for order {event.replacement.order_id}"


def on_exchanged(state: StoredOrder, event: events.OrderExchanged, _stamp: Stamp) -> str:
    """OrderExchanged happens."""
    _close(state, event.order_id, REQUEST_OUTCOME_DONE)
    state.order.exchanged_by.append(event.order_id)
    return f"by order {event.order_id}"


def on_refused(state: StoredOrder, event: events.ExchangeRefused, stamp: Stamp) -> str:
    """ExchangeRefused happens. A return of which something came already stays."""
    closed = _close(state, event.order_id, REQUEST_OUTCOME_REFUSED, event.reason)
    known = return_process.find(state.order, closed.return_id)
    known.exchange_order_id = ""
    if known.state in model.RETURNS_OPEN and not any(line.received_quantity for line in known.lines):
        return_process.close(known, stamp)
    return f"order {event.order_id}: {event.reason}"


def _close(state: StoredOrder, order_id: str, outcome: RequestOutcome, reason: str = "") -> StoredExchange:
    """The exchange is answered: the order that was asked for need not be kept, and its request is settled."""
    closed = next(each for each in state.exchanges if each.order_id == order_id and each.HasField("replacement"))
    closed.ClearField("replacement")
    for record in state.requests:
        if record.request_hash == closed.request_hash:
            record.outcome = outcome
            record.reason = reason
    return closed


CHANGES: EventChanges = {
    events.ExchangeRequested: on_requested,
    events.OrderExchanged: on_exchanged,
    events.ExchangeRefused: on_refused,
}
"""How each event of this theme changes an order."""
