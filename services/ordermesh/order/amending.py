"""Amending an order of which nothing is sent: lines, shipping charge, address. PURE.

An amendment is decided as a whole: `changing` has the steps. What it asks for more than the order has must be free now;
nobody waits in a queue for an amendment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import PendingChange
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, State
from ordermesh.core.money import InvalidAmount
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.order import changing, model, pieces
from ordermesh.order.cancelling import request_change
from ordermesh.order.draft import Draft
from ordermesh.order.model import OrderPolicy
from ordermesh.order.undoing import not_found

_AMENDABLE = (
    stored.ORDER_STEP_RESERVE, stored.ORDER_STEP_AUTHORIZE, stored.ORDER_STEP_SHIP, stored.ORDER_STEP_SCHEDULE,
    stored.ORDER_STEP_BACKORDER, stored.ORDER_STEP_STOP_FOR_CHANGE, stored.ORDER_STEP_CHANGE_STOCK,
    stored.ORDER_STEP_CHANGE_PAYMENT,
)  # fmt: skip
_AT_ANOTHER_TOKEN: Final = (
    "it waits for another payment token, which is to be for what the order has; change the address alone, cancel "
    "pieces, or name a token first"
)


def amend(policy: OrderPolicy, states: Mapping[Key, State], command: commands.Amend, context: Context) -> Decision:
    """Makes the order another, or leaves it as it is."""
    key = model.order_key(context.tenant, context.key)
    state: StoredOrder | None = states.get(key)
    if state is None:
        return not_found(context)
    record = record_of(command.request_id, command)
    known = seen_before(state.requests, record) or etag_mismatch(command.etag, state.order.version)
    if known is not None:
        return known
    if state.step not in (*_AMENDABLE, *model.STEPS_BY_HAND) or pieces.any_shipped(state.order):
        return _not_amendable(state)
    if state.order.holds:
        return _not_amendable(state, "it is held, and what somebody is to look at stays as it is until they have")
    amended = _amended(state.order, command)
    if isinstance(amended, Decision):
        return amended
    if amended == _as_it_is(state.order):
        return Decision([(key, events.RequestNoted(request=record))] if record is not None else [])
    if state.HasField("change"):
        return changing.in_progress(state)
    if state.step == stored.ORDER_STEP_PAYMENT_RETRY and not changing.is_of_address_alone(state.order, amended):
        return _not_amendable(state, _AT_ANOTHER_TOKEN)
    if state.step in (stored.ORDER_STEP_SCHEDULE, stored.ORDER_STEP_PAYMENT_RETRY):
        return Decision([(key, events.OrderAmended(amended=amended, request=record))])
    decision = request_change(policy, state, PendingChange(amended=amended), record, key, context)
    if state.step != stored.ORDER_STEP_BACKORDER:
        return decision
    draft = Draft(state, key, context)
    draft.join(decision)
    return changing.go_on(policy, draft)


def _amended(order: Order, command: commands.Amend) -> Order | Decision:
    """What the order is to be: lines, charge, address and total; or the refusal of amounts that do not fit it."""
    amended = Order(lines=command.lines)
    currency = order.total.currency_code
    charge = command.shipping_charge if command.HasField("shipping_charge") else order.shipping_charge
    if command.HasField("shipping_charge") or order.HasField("shipping_charge"):
        amended.shipping_charge.CopyFrom(charge)
    if command.HasField("ship_to") or order.HasField("ship_to"):
        amended.ship_to.CopyFrom(command.ship_to if command.HasField("ship_to") else order.ship_to)
    try:
        total = model.total_of(amended)
    except InvalidAmount as error:
        return errors.refuse(errors.INVALID_REQUEST, f"{error.field}: {error.problem}.", field=error.field)
    if total.currency_code != currency:
        message = f"The lines are in {total.currency_code}, and the order is in {currency}; an order has one currency."
        return errors.refuse(errors.INVALID_REQUEST, message, field="lines[0].unit_price.currency_code")
    amended.total.CopyFrom(total)
    return amended


def _as_it_is(order: Order) -> Order:
    """The same of the order as it is; one of which a part is cancelled is no amended order."""
    same = Order(lines=order.lines, total=order.total)
    if order.HasField("shipping_charge"):
        same.shipping_charge.CopyFrom(order.shipping_charge)
    if order.HasField("ship_to"):
        same.ship_to.CopyFrom(order.ship_to)
    return same


def _not_amendable(state: StoredOrder, why: str = "") -> Decision:
    metadata = model.states_of(state.order)
    told = f"{metadata['order_state']}, {metadata['fulfillment_state']}"
    message = f"Order {state.order.order_id} is {told} and cannot be amended any more."
    if why:
        message = f"Order {state.order.order_id} cannot be amended now: {why}."
    return errors.refuse(errors.ORDER_NOT_AMENDABLE, message, **metadata)
