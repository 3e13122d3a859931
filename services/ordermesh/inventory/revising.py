"""How an order wants more or fewer pieces than it reserved at first, and how they leave in parts. PURE.

An order numbers its revisions. A reservation keeps the newest, and what is not above it is late and changes nothing: so
an increase that the order gave up cannot come after the decrease that took it back.
"""

from __future__ import annotations

from collections.abc import Mapping

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_COMMITTED, RESERVATION_STATE_WAITING, Reservation
from oms.order.v1 import order_commands_pb2 as answers
from ordermesh.core.decider import Context, Decision, Key, Outgoing, State
from ordermesh.inventory.backorders import free_of
from ordermesh.inventory.model import CLOSED, InventoryPolicy, reservation_key, stock_key
from ordermesh.inventory.reservations import NOT_TO_BE_HAD, age_timer, lower, not_open, reservation_in

_States = Mapping[Key, State]
_NOT_TO_BE_RAISED = (*CLOSED, RESERVATION_STATE_COMMITTED, RESERVATION_STATE_WAITING)


def revise(policy: InventoryPolicy, states: _States, command: commands.Revise, context: Context) -> Decision:
    """More of all items, or of none; or fewer, which is always possible."""
    return _more(policy, states, command, context) if command.more else _fewer(states, command, context)


def _more(policy: InventoryPolicy, states: _States, command: commands.Revise, context: Context) -> Decision:
    """Takes what is free; who waits for a SKU, or is closed, gets no more of it."""
    tenant, order_id, revision = context.tenant, command.order_id, command.revision
    decision = Decision()
    shortages: list[answers.Shortage] = []
    refused = False
    for item in command.items:
        stock, key = stock_key(tenant, item.sku), reservation_key(tenant, item.sku, order_id)
        found = reservation_in(states, key) or Reservation()
        if found.revision > revision:
            return Decision()
        if found.revision == revision and found.quantity == item.quantity:
            continue
        refused |= found.state in _NOT_TO_BE_RAISED or found.revision == revision
        extra, free = item.quantity - found.quantity, free_of(states.get(stock))
        if free < extra:
            shortages.append(answers.Shortage(sku=item.sku, wanted=extra, available=free))
        decision.events.append((stock, events.StockReserved(quantity=extra)))
        decision.events.append((key, events.ReservationRevised(quantity=item.quantity, revision=revision)))
        if not found.quantity:
            due_us = context.now_us + policy.reservation_age_us
            decision.timers.append(age_timer(context, order_id, item.sku, due_us, [item.sku]))
    skus = [item.sku for item in command.items]
    if refused or shortages:
        answer = answers.StockRejected(skus=skus, shortages=shortages, revision=revision)
        return Decision(messages=[Outgoing("order", tenant, order_id, answer)])
    decision.messages.append(Outgoing("order", tenant, order_id, answers.StockReserved(skus=skus, revision=revision)))
    return decision


def _fewer(states: _States, command: commands.Revise, context: Context) -> Decision:
    """Gives back what is too much; where nothing was reserved the mark is made, so that nothing late is."""
    decision = Decision()
    for item in command.items:
        key = reservation_key(context.tenant, item.sku, command.order_id)
        found = reservation_in(states, key)
        if found is None:
            decision.events.append((key, events.ReservationRevised(revision=command.revision)))
        elif found.revision < command.revision and found.state not in (*CLOSED, RESERVATION_STATE_COMMITTED):
            wanted = max(item.quantity, found.shipped)
            lower(states, key, found, wanted, command.revision, decision, context)
    return decision


def commit_part(
    states: _States, item: commands.ShippedItem, order_id: str, decision: Decision, context: Context
) -> Decision | None:
    """So many have left in all; with the last of them the rest is given back. The refusal of what is not reserved."""
    key = reservation_key(context.tenant, item.sku, order_id)
    found = reservation_in(states, key)
    if found is None or item.shipped > found.quantity or found.state in NOT_TO_BE_HAD:
        return not_open(item.sku, order_id, "it is not reserved")
    if found.state == RESERVATION_STATE_COMMITTED:
        return None
    stock = stock_key(context.tenant, item.sku)
    if item.shipped > found.shipped:
        decision.events.append((key, events.ReservationShipped(shipped=item.shipped)))
        decision.events.append((stock, events.StockCommitted(quantity=item.shipped - found.shipped)))
    if item.last:
        lower(states, key, found, max(item.shipped, found.shipped), found.revision, decision, context)
    return None
