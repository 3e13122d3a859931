"""Goods that are sent back, step by step: permission, arrival, inspection, and the refund of what was inspected. PURE.

A return says what may come back; until it is closed, that counts as returned for every other return of the same lines.
What comes may come in parts and is inspected in parts: each inspection puts pieces back into stock or writes them off,
and refunds them. Pieces that were written off stay where they were since they left: out of stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oms.common.v1.request_record_pb2 import RequestRecord
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order, OrderReturn, ReturnLine
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors, limits
from ordermesh.core.decider import Context, Decision, Key, Stamp, State
from ordermesh.core.money import money_of, text_of
from ordermesh.core.requests import record_of, remember
from ordermesh.core.stamps import write_time
from ordermesh.order import model, questions, refunds, returning
from ordermesh.order.evolving import EventChanges
from ordermesh.order.model import OrderPolicy
from ordermesh.order.returning import Pieces

_States = Mapping[Key, State]
_LINES_TOLD_MAX = 5


def authorize(states: _States, command: commands.AuthorizeReturn, context: Context) -> Decision:
    """Goods may be sent back: no more than was shipped, and is neither back nor on its way by another return."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    record = record_of(command.request_id, command)
    refused = returning.ready(state, command, record, errors.ORDER_NOT_RETURNABLE, context)
    if refused is not None or state is None:
        return refused or Decision()
    event = authorized(state.order, command.lines, command.reason)
    if isinstance(event, Decision):
        return event
    if record is not None:
        event.request.CopyFrom(record)
    return Decision([(key, event)])


def authorized(order: Order, lines: Sequence[LineQuantity], reason: str) -> events.ReturnAuthorized | Decision:
    """One more return of an order; or the refusal where there is none."""
    line_count = len(lines) + sum(len(each.lines) for each in order.returns)
    if len(order.returns) >= limits.RETURNS_PER_ORDER_MAX or line_count > limits.RETURN_LINES_PER_ORDER_MAX:
        told = f"{len(order.returns)} returns; it may have {limits.RETURNS_PER_ORDER_MAX},"
        message = f"Order {order.order_id} has {told} with {limits.RETURN_LINES_PER_ORDER_MAX} lines."
        return errors.refuse(errors.RETURN_LIMIT_REACHED, message, order_id=order.order_id)
    goods = returning.pieces(order, lines)
    if isinstance(goods, Decision):
        return goods
    excess = returning.too_many(order, goods)
    if excess is not None:
        return excess
    number = str(len(order.returns) + 1)
    return events.ReturnAuthorized(return_id=number, lines=returning.quantities_of(goods), reason=reason)


def receive(states: _States, command: commands.ReceiveReturn, context: Context) -> Decision:
    """Goods of a return came, all or some."""
    found = _open_return(states, command, record_of(command.request_id, command), context)
    if isinstance(found, Decision):
        return found
    key, state, known = found
    goods = _lines_of(state.order, known, {each.line_id: each.quantity for each in command.lines})
    if isinstance(goods, Decision):
        return goods
    for line, quantity in goods:
        left = line.quantity - line.received_quantity
        if quantity > left:
            return _exceeds(errors.RETURN_EXCEEDS_AUTHORIZED, known, line, left, "come", context)
    record = record_of(command.request_id, command)
    event = events.ReturnReceived(return_id=known.return_id, lines=command.lines, request=record)
    return Decision([(key, event)])


def inspect(policy: OrderPolicy, states: _States, command: commands.InspectReturn, context: Context) -> Decision:
    """What came is put back into stock or written off, and what it is worth is refunded."""
    found = _open_return(states, command, record_of(command.request_id, command), context)
    if isinstance(found, Decision):
        return found
    key, state, known = found
    wanted = {each.line_id: each.restock_quantity + each.write_off_quantity for each in command.lines}
    inspected = _lines_of(state.order, known, wanted)
    if isinstance(inspected, Decision):
        return inspected
    for line, quantity in inspected:
        left = line.received_quantity - line.restocked_quantity - line.written_off_quantity
        if quantity > left:
            return _exceeds(errors.RETURN_EXCEEDS_RECEIVED, known, line, left, "be inspected", context)
    record = record_of(command.request_id, command)
    event = events.ReturnInspected(return_id=known.return_id, lines=command.lines, request=record)
    goods = [(line, wanted[line.line_id]) for line in state.order.lines if line.line_id in wanted]
    nanos = _refund(state, event, goods, include_shipping=command.include_shipping)
    decision = returning.with_refund(policy, state, key, event, nanos, context)
    sound = {each.line_id: each.restock_quantity for each in command.lines if each.restock_quantity}
    back = [(line, sound[line.line_id]) for line in state.order.lines if line.line_id in sound]
    decision.messages += questions.restock(state.order, model.quantities_of(back), context)
    return decision


def _refund(state: StoredOrder, event: events.ReturnInspected, goods: Pieces, *, include_shipping: bool) -> int:
    """Writes into the event for which pieces money is given back; gives how much, in nanos: never more than is left."""
    unpaid = returning.unpaid_of(goods)
    value, left = returning.worth_of(state.order, unpaid), returning.left_nanos(state)
    event.refunded_lines.extend(returning.quantities_of(unpaid))
    if not include_shipping:
        return min(value, left)
    nanos = min(value + refunds.shipping_share(state, value), left)
    event.shipping.CopyFrom(money_of(state.order.total.currency_code, max(0, nanos - value)))
    return nanos


def cancel(states: _States, command: commands.CancelReturn, context: Context) -> Decision:
    """Nothing more of a return comes. What came has to be inspected first."""
    record = record_of(command.request_id, command)
    found = _open_return(states, command, record, context)
    if isinstance(found, Decision):
        return found
    key, _, known = found
    if any(line.received_quantity > line.restocked_quantity + line.written_off_quantity for line in known.lines):
        message = f"Goods of return {known.return_id} came and are not inspected; inspect them first."
        return errors.refuse(
            errors.RETURN_NOT_CANCELLABLE, message, order_id=context.key, return_id=known.return_id
        )  # fmt: skip
    return Decision([(key, events.ReturnCancelled(return_id=known.return_id, request=record))])


def _open_return(
    states: _States, command: Any, record: RequestRecord | None, context: Context
) -> tuple[Key, StoredOrder, OrderReturn] | Decision:
    """The return that a command names, with its order; or the refusal where there is none that is open."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    refused = returning.ready(state, command, record, errors.ORDER_NOT_RETURNABLE, context)
    if refused is not None or state is None:
        return refused or Decision()
    known = next((each for each in state.order.returns if each.return_id == command.return_id), None)
    told = {"order_id": context.key, "return_id": command.return_id}
    if known is None:
        return errors.refuse(
            errors.RETURN_NOT_FOUND, f"Order {context.key} has no return {command.return_id}.", **told
        )  # fmt: skip
    if known.state not in model.RETURNS_OPEN:
        name = words.ReturnState.Name(known.state).removeprefix("RETURN_STATE_")
        message = f"Return {known.return_id} of order {context.key} is {name}; authorise another."
        return errors.refuse(errors.RETURN_NOT_OPEN, message, **told, state=name)
    return key, state, known


def _lines_of(order: Order, known: OrderReturn, wanted: Mapping[str, int]) -> list[tuple[ReturnLine, int]] | Decision:
    """The lines of a return that are named, with how many pieces; or the refusal of one that it has not."""
    lines = {line.line_id: line for line in known.lines}
    for line_id in wanted:
        if line_id not in lines:
            message = f"Return {known.return_id} of order {order.order_id} has no line {line_id}."
            return errors.refuse(
                errors.LINE_NOT_FOUND, message, order_id=order.order_id, line_id=line_id, field="lines.line_id"
            )
    return [(lines[line_id], quantity) for line_id, quantity in wanted.items()]


def _exceeds(reason: str, known: OrderReturn, line: ReturnLine, left: int, verb: str, context: Context) -> Decision:
    message = f"Of line {line.line_id} of return {known.return_id} only {left} can still {verb}."
    return errors.refuse(
        reason, message, order_id=context.key, return_id=known.return_id, line_id=line.line_id, left=left
    )


def find(order: Order, return_id: str) -> OrderReturn:
    """The return of that name, which is there."""
    return next(each for each in order.returns if each.return_id == return_id)


def on_authorized(state: StoredOrder, event: events.ReturnAuthorized, stamp: Stamp) -> str:
    """ReturnAuthorized happens."""
    added = state.order.returns.add(
        return_id=event.return_id, state=words.RETURN_STATE_AUTHORIZED, reason=event.reason,
        exchange_order_id=event.exchange_order_id,
    )  # fmt: skip
    for line in event.lines:
        added.lines.add(line_id=line.line_id, quantity=line.quantity)
    write_time(added.create_time, stamp.time_us)
    write_time(added.update_time, stamp.time_us)
    state.return_request_hashes.append(event.request.request_hash)
    _remember(state, event)
    why = f": {event.reason}" if event.reason else ""
    return f"return {event.return_id}, {_told(event.lines)}{why}"


def on_received(state: StoredOrder, event: events.ReturnReceived, stamp: Stamp) -> str:
    """ReturnReceived happens."""
    known = find(state.order, event.return_id)
    quantities = {line.line_id: line.quantity for line in event.lines}
    for line in known.lines:
        line.received_quantity += quantities.get(line.line_id, 0)
    known.state = words.RETURN_STATE_RECEIVED
    write_time(known.update_time, stamp.time_us)
    _remember(state, event)
    return f"return {event.return_id}, {_told(event.lines)}"


def on_inspected(state: StoredOrder, event: events.ReturnInspected, stamp: Stamp) -> str:
    """ReturnInspected happens; with the last piece of it the return is complete."""
    known = find(state.order, event.return_id)
    inspected = {line.line_id: line for line in event.lines}
    for line in known.lines:
        if line.line_id in inspected:
            line.restocked_quantity += inspected[line.line_id].restock_quantity
            line.written_off_quantity += inspected[line.line_id].write_off_quantity
    if all(line.restocked_quantity + line.written_off_quantity == line.quantity for line in known.lines):
        known.state = words.RETURN_STATE_COMPLETED
    write_time(known.update_time, stamp.time_us)
    counts = {line.line_id: line.restock_quantity + line.write_off_quantity for line in event.lines}
    refunds.count_returned(state, counts)
    refunds.open_refund(state, event, stamp)
    restocked = sum(line.restock_quantity for line in event.lines)
    written_off = sum(line.write_off_quantity for line in event.lines)
    money = f"; refund {event.refund_id} of {text_of(event.amount)}" if event.refund_id else ""
    return f"return {event.return_id}, {restocked} restocked, {written_off} written off{money}"


def on_cancelled(state: StoredOrder, event: events.ReturnCancelled, stamp: Stamp) -> str:
    """ReturnCancelled happens."""
    close(find(state.order, event.return_id), stamp)
    _remember(state, event)
    return f"return {event.return_id}"


def close(known: OrderReturn, stamp: Stamp) -> None:
    """Nothing more of it comes: it is complete if anything did, else cancelled."""
    came = any(line.received_quantity for line in known.lines)
    known.state = words.RETURN_STATE_COMPLETED if came else words.RETURN_STATE_CANCELLED
    write_time(known.update_time, stamp.time_us)


def _remember(state: StoredOrder, event: Any) -> None:
    if event.HasField("request"):
        remember(state.requests, event.request)


def _told(lines: Sequence[LineQuantity]) -> str:
    """The first few lines in words."""
    texts = [f"{line.quantity} of line {line.line_id}" for line in lines[:_LINES_TOLD_MAX]]
    more = f" and {len(lines) - _LINES_TOLD_MAX} more" if len(lines) > _LINES_TOLD_MAX else ""
    return ", ".join(texts) + more


CHANGES: EventChanges = {
    events.ReturnAuthorized: on_authorized,
    events.ReturnReceived: on_received,
    events.ReturnInspected: on_inspected,
    events.ReturnCancelled: on_cancelled,
}
"""How each event of this theme changes an order."""
