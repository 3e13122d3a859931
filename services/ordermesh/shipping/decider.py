"""What is decided about a shipment: create, dispatch, deliver, cancel. PURE.

Whether an order can still be cancelled is decided here once shipping was asked: the first of dispatch and cancellation
in the log wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.shipping.v1 import shipping_commands_pb2 as commands
from oms.shipping.v1 import shipping_events_pb2 as events
from oms.shipping.v1.shipping_pb2 import (
    SHIPMENT_STATE_CANCELLED,
    SHIPMENT_STATE_DELIVERED,
    SHIPMENT_STATE_DISPATCHED,
    SHIPMENT_STATE_PENDING,
    Shipment,
    ShipmentState,
)
from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, Outgoing, SetTimer, State
from ordermesh.core.requests import record_of, seen_before
from ordermesh.shipping.model import SERVICE, ShippingPolicy, shipment_id_of, shipment_key

_DISPATCH = "dispatch"
_LEFT = (SHIPMENT_STATE_DISPATCHED, SHIPMENT_STATE_DELIVERED)
_States = Mapping[Key, State]


class _Numbered(Protocol):
    """A message about one shipment of the order that the key names."""

    number: int


def _key(command: _Numbered, context: Context) -> Key:
    return shipment_key(context.tenant, context.key, command.number)


def _keys(command: _Numbered, context: Context) -> Sequence[Key]:
    return (_key(command, context),)


def _tell(context: Context, answer: Message) -> Outgoing:
    return Outgoing("order", context.tenant, context.key, answer)


def _automatic_tracking(context: Context, number: int) -> str:
    """A tracking number where no carrier gave one."""
    return f"TRK-{context.key[-12:]}-{number}"


def create(policy: ShippingPolicy, states: _States, command: commands.CreateShipment, context: Context) -> Decision:
    """A shipment to be sent; asked again, the order hears what became of it."""
    key = _key(command, context)
    state: StoredShipment | None = states.get(key)
    if state is not None:
        return _heard_again(state.shipment, command.number, context)
    number = command.number
    created = events.ShipmentCreated(order_id=context.key, number=number, lines=command.lines)
    if command.HasField("ship_to"):
        created.ship_to.CopyFrom(command.ship_to)
    decision = Decision([(key, created)])
    if policy.dispatch_automatically and policy.dispatch_delay_us:
        due_us = context.now_us + policy.dispatch_delay_us
        decision.timers.append(SetTimer(key, _DISPATCH, SERVICE, due_us, commands.DispatchTimer(number=number)))
    elif policy.dispatch_automatically:
        tracking = _automatic_tracking(context, number)
        decision.events.append((key, events.ShipmentDispatched(tracking=tracking)))
        decision.messages.append(_tell(context, answers.ShipmentDispatched(number=number, tracking=tracking)))
    return decision


def _heard_again(shipment: Shipment, number: int, context: Context) -> Decision:
    if shipment.state == SHIPMENT_STATE_PENDING:
        return Decision()
    if shipment.state == SHIPMENT_STATE_CANCELLED:
        return Decision(messages=[_tell(context, answers.ShipmentCancelled(number=number))])
    answer = answers.ShipmentDispatched(number=number, tracking=shipment.tracking)
    return Decision(messages=[_tell(context, answer)])


def cancel(states: _States, command: commands.CancelShipment, context: Context) -> Decision:
    """Stops a shipment that has not left; one that nobody asked for is closed for what is late."""
    key, number = _key(command, context), command.number
    state: StoredShipment | None = states.get(key)
    if state is None:
        decision = Decision([(key, events.ShipmentCancelled(order_id=context.key, number=number))])
    elif state.shipment.state in _LEFT:
        return Decision(messages=[_tell(context, answers.ShipmentCancelRefused(number=number))])
    elif state.shipment.state == SHIPMENT_STATE_CANCELLED:
        decision = Decision()
    else:
        decision = Decision([(key, events.ShipmentCancelled())], timers=[SetTimer(key, _DISPATCH, SERVICE)])
    decision.messages.append(_tell(context, answers.ShipmentCancelled(number=number)))
    return decision


def dispatch(states: _States, command: commands.Dispatch, context: Context) -> Decision:
    """It left. Said again with the same tracking, or none, nothing happens again."""
    key = _key(command, context)
    state: StoredShipment | None = states.get(key)
    if state is None:
        return _not_found(command, context)
    record = record_of(command.request_id, command)
    known = seen_before(state.requests, record)
    if known is not None:
        return known
    shipment = state.shipment
    if shipment.state in _LEFT and command.tracking in ("", shipment.tracking):
        return Decision()
    if shipment.state != SHIPMENT_STATE_PENDING:
        return _wrong_state(errors.SHIPMENT_NOT_DISPATCHABLE, "dispatched", shipment)
    event = events.ShipmentDispatched(tracking=command.tracking, request=record)
    answer = answers.ShipmentDispatched(number=command.number, tracking=command.tracking)
    return Decision([(key, event)], [_tell(context, answer)], [SetTimer(key, _DISPATCH, SERVICE)])


def dispatch_when_due(states: _States, command: commands.DispatchTimer, context: Context) -> Decision:
    """It leaves by itself, unless something else became of it."""
    key = _key(command, context)
    state: StoredShipment | None = states.get(key)
    if state is None or state.shipment.state != SHIPMENT_STATE_PENDING:
        return Decision()
    tracking = _automatic_tracking(context, command.number)
    answer = answers.ShipmentDispatched(number=command.number, tracking=tracking)
    return Decision([(key, events.ShipmentDispatched(tracking=tracking))], [_tell(context, answer)])


def deliver(states: _States, command: commands.Deliver, context: Context) -> Decision:
    """It arrived. Said again, nothing happens again."""
    key = _key(command, context)
    state: StoredShipment | None = states.get(key)
    if state is None:
        return _not_found(command, context)
    record = record_of(command.request_id, command)
    known = seen_before(state.requests, record)
    if known is not None:
        return known
    shipment = state.shipment
    if shipment.state == SHIPMENT_STATE_DELIVERED:
        return Decision()
    if shipment.state != SHIPMENT_STATE_DISPATCHED:
        return _wrong_state(errors.SHIPMENT_NOT_DELIVERABLE, "delivered", shipment)
    answer = answers.ShipmentDelivered(number=command.number)
    return Decision([(key, events.ShipmentDelivered(request=record))], [_tell(context, answer)])


def _not_found(command: _Numbered, context: Context) -> Decision:
    shipment_id = shipment_id_of(context.key, command.number)
    message = f"There is no shipment {shipment_id}; list the shipments of its order."
    return errors.refuse(errors.SHIPMENT_NOT_FOUND, message, shipment_id=shipment_id)


def _wrong_state(reason: str, verb: str, shipment: Shipment) -> Decision:
    state = ShipmentState.Name(shipment.state).removeprefix("SHIPMENT_STATE_")
    message = f"Shipment {shipment.shipment_id} is {state} and cannot be {verb} now."
    return errors.refuse(reason, message, shipment_id=shipment.shipment_id, state=state, tracking=shipment.tracking)


def handlers(policy: ShippingPolicy) -> tuple[Handler, ...]:
    """How each command and message is decided."""
    return (
        Handler(
            command=commands.CreateShipment,
            keys=_keys,
            decide=partial(create, policy),
        ),
        Handler(command=commands.CancelShipment, keys=_keys, decide=cancel),
        Handler(command=commands.Dispatch, keys=_keys, decide=dispatch),
        Handler(command=commands.DispatchTimer, keys=_keys, decide=dispatch_when_due),
        Handler(command=commands.Deliver, keys=_keys, decide=deliver),
    )
