"""What is decided about stock: receive, adjust, reserve, release, commit, restock. PURE.

A message names SKUs of one partition, and is decided for all of them or for none. Each may be said again: what is so
already is answered again and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_COMMITTED,
    RESERVATION_STATE_WITHDRAWN,
)
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from oms.order.v1 import order_commands_pb2 as answers
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, Outgoing, SetTimer, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.inventory import counting
from ordermesh.inventory.backorders import Taking, free_of, keys_of_queue, serve, serve_later
from ordermesh.inventory.model import HOLDING, SERVICE, InventoryPolicy, held_by, reservation_key, stock_key
from ordermesh.inventory.reservations import NOT_TO_BE_HAD, age_timer, let_go, lower, not_open, reservation_in
from ordermesh.inventory.revising import commit_part, revise

_States = Mapping[Key, State]


def _own_stock(_command: object, context: Context) -> Sequence[Key]:
    return (stock_key(context.tenant, context.key),)


def receive(states: _States, command: commands.ReceiveStock, context: Context) -> Decision:
    """Goods came in; the first receipt makes the SKU known."""
    key = stock_key(context.tenant, context.key)
    state: StoredStock | None = states.get(key)
    record = record_of(command.request_id, command)
    known = seen_before(state.requests if state is not None else (), record)
    if known is not None:
        return known
    decision = Decision([(key, events.StockReceived(sku=context.key, quantity=command.quantity, request=record))])
    serve_later(decision, state, context.key, context)
    return decision


def adjust(states: _States, command: commands.AdjustStock, context: Context) -> Decision:
    """A correction; refused where it would take what is promised, or what never was there."""
    key = stock_key(context.tenant, context.key)
    known = states.get(key)
    if known is None and command.change < 0:
        return errors.refuse(errors.STOCK_NOT_FOUND, f"Nothing is known of SKU {context.key}.", sku=context.key)
    state: StoredStock = known or StoredStock()
    record = record_of(command.request_id, command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.stock.version)
    if refused is not None:
        return refused
    available = state.stock.available
    if available + command.change < 0:
        return errors.refuse(
            errors.STOCK_BELOW_RESERVED,
            f"Only {available} of {context.key} are not reserved; take off no more than that.",
            sku=context.key,
            available=available,
            reserved=state.stock.reserved,
        )
    event = events.StockAdjusted(
        sku=context.key, change=command.change, reason=command.reason, request=record, reason_code=command.reason_code
    )
    decision = Decision([(key, event)])
    if command.change > 0:
        serve_later(decision, known, context.key, context)
    return decision


def _keys(skus: Iterable[str], order_id: str, tenant: str) -> list[Key]:
    keys: list[Key] = []
    for sku in skus:
        keys += (stock_key(tenant, sku), reservation_key(tenant, sku, order_id))
    return keys


def keys_of_items(command: commands.Reserve | commands.Restock | commands.Revise, context: Context) -> Sequence[Key]:
    """The stock and the reservation of each item."""
    return _keys((item.sku for item in command.items), command.order_id, context.tenant)


def _keys_of_skus(command: commands.Release, context: Context) -> Sequence[Key]:
    return _keys(command.skus, command.order_id, context.tenant)


def _keys_of_shipped(command: commands.Commit, context: Context) -> Sequence[Key]:
    return _keys((*command.skus, *(item.sku for item in command.items)), command.order_id, context.tenant)


def _no_timers(context: Context, order_id: str, skus: Sequence[str]) -> list[SetTimer]:
    """Clears the timers of what was reserved. One message reserved it and is the timer's name; but since a repartition
    what several had reserved may be in one partition."""
    return [age_timer(context, order_id, sku, 0, ()) for sku in skus]


def reserve(policy: InventoryPolicy, states: _States, command: commands.Reserve, context: Context) -> Decision:
    """All of the items or none of them; or what is there, where the order takes less."""
    if command.shortage:
        return _reserve_part(policy, states, command, context)
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    shortages: list[answers.Shortage] = []
    closed = False
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = reservation_in(states, key)
        if found is not None:
            closed |= found.state in NOT_TO_BE_HAD
            continue
        available = free_of(states.get(stock_key(tenant, item.sku)))
        if available < item.quantity:
            shortages.append(answers.Shortage(sku=item.sku, wanted=item.quantity, available=available))
        decision.events.append((stock_key(tenant, item.sku), events.StockReserved(quantity=item.quantity)))
        decision.events.append((key, events.ReservationOpened(quantity=item.quantity)))
    skus = [item.sku for item in command.items]
    if shortages or closed:
        return _reject(states, command, context, answers.StockRejected(skus=skus, shortages=shortages))
    if decision.events:
        decision.timers.append(age_timer(context, order_id, skus[0], context.now_us + policy.reservation_age_us, skus))
    decision.messages.append(Outgoing("order", tenant, order_id, answers.StockReserved(skus=skus)))
    return decision


def _reserve_part(policy: InventoryPolicy, states: _States, command: commands.Reserve, context: Context) -> Decision:
    """What is there of each item, and a place in the queue for the rest where the order waits."""
    taking = Taking(policy, states, command, context)
    for item in command.items:
        taking.take(item)
    skus = [item.sku for item in command.items]
    if taking.is_closed or taking.shortages or taking.full_queue:
        answer = answers.StockRejected(skus=skus, shortages=taking.shortages, full_queue=taking.full_queue)
        return _reject(states, command, context, answer)
    decision = Decision(taking.events)
    if decision.events:
        due_us = context.now_us + policy.reservation_age_us
        decision.timers.append(age_timer(context, command.order_id, skus[0], due_us, skus))
    reserved = answers.StockReserved(skus=skus, grants=taking.grants)
    decision.messages.append(Outgoing("order", context.tenant, command.order_id, reserved))
    return decision


def _reject(states: _States, command: commands.Reserve, context: Context, answer: answers.StockRejected) -> Decision:
    """None of the items: what was not asked for before is marked as refused, what is open is released."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision(messages=[Outgoing("order", tenant, order_id, answer)])
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = reservation_in(states, key)
        if found is None:
            decision.events.append((key, events.ReservationRefused(quantity=item.quantity)))
        elif found.state in HOLDING:
            let_go(states, key, found, decision, context)
    return decision


def release(states: _States, command: commands.Release, context: Context) -> Decision:
    """Nothing stays reserved, and nothing late can be: where there was no reservation, its mark is made. Of what has
    left in part, which an order asks for only once its log lost its tail, the rest is given back."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    for sku in command.skus:
        key = reservation_key(tenant, sku, order_id)
        found = reservation_in(states, key)
        if found is None or found.state == RESERVATION_STATE_WITHDRAWN:
            decision.events.append((key, events.ReservationReleased()))
        elif found.state == RESERVATION_STATE_COMMITTED:
            return not_open(sku, order_id, "it has left with the order")
        elif found.state in HOLDING and found.shipped:
            lower(states, key, found, found.shipped, found.revision, decision, context)
        elif found.state in HOLDING:
            let_go(states, key, found, decision, context)
    if decision.events:
        decision.timers += _no_timers(context, order_id, command.skus)
    decision.messages.append(Outgoing("order", tenant, order_id, answers.StockReleased(skus=command.skus)))
    return decision


def commit(states: _States, command: commands.Commit, context: Context) -> Decision:
    """The goods left: what was reserved is no longer on hand."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    for sku in command.skus:
        key = reservation_key(tenant, sku, order_id)
        found = reservation_in(states, key)
        if found is not None and found.state in HOLDING and not found.waiting:
            decision.events.append((key, events.ReservationCommitted()))
            decision.events.append((stock_key(tenant, sku), events.StockCommitted(quantity=held_by(found))))
        elif found is None or found.state != RESERVATION_STATE_COMMITTED:
            return not_open(sku, order_id, "it is not reserved")
    for item in command.items:
        refused = commit_part(states, item, order_id, decision, context)
        if refused is not None:
            return refused
    if decision.events:
        decision.timers += _no_timers(context, order_id, command.skus)
    return decision


def restock(states: _States, command: commands.Restock, context: Context) -> Decision:
    """Goods that had left are back."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = reservation_in(states, key)
        if found is None or found.state != RESERVATION_STATE_COMMITTED:
            return not_open(item.sku, order_id, "it has not left with the order")
        if item.quantity > found.quantity - found.restocked:
            return not_open(item.sku, order_id, f"only {found.quantity - found.restocked} of it are still out")
        decision.events.append((key, events.ReservationRestocked(quantity=item.quantity)))
        decision.events.append((stock_key(tenant, item.sku), events.StockRestocked(quantity=item.quantity)))
        serve_later(decision, states.get(stock_key(tenant, item.sku)), item.sku, context)
    return decision


def recount(states: _States, command: commands.Recount, context: Context) -> Decision:
    """Stock and reservations were stored apart, and the log that says how they belong together is gone: reservations
    count, because orders know of them."""
    key = stock_key(context.tenant, context.key)
    state: StoredStock | None = states.get(key)
    if state is None or (state.stock.reserved, state.stock.committed) == (command.reserved, command.committed):
        return Decision()
    event = events.StockRecounted(reserved=command.reserved, committed=command.committed)
    decision = Decision([(key, event)])
    serve_later(decision, state, context.key, context)
    return decision


def _keys_of_timer(command: commands.ReservationTimer, context: Context) -> Sequence[Key]:
    """Those of its SKUs that still share the partition: the number of partitions may have changed since."""
    own = context.slot(SERVICE, context.tenant, context.key)
    skus = (sku for sku in command.skus if context.slot(SERVICE, context.tenant, sku) == own)
    return [reservation_key(context.tenant, sku, command.order_id) for sku in skus]


def grow_old(
    policy: InventoryPolicy, states: _States, command: commands.ReservationTimer, context: Context
) -> Decision:
    """Asks the order of what is still open; without its answer nothing is released. Each pause is as long as nothing
    has changed until then, so twice the one before: what waits for weeks costs next to nothing."""
    found = {key.key: reservation_in(states, key) for key in _keys_of_timer(command, context)}
    held = {sku: one for sku, one in found.items() if one is not None and one.state in HOLDING}
    if not held:
        return Decision()
    skus = list(held)
    question = Outgoing("order", context.tenant, command.order_id, answers.ReservationAged(skus=skus))
    unchanged_us = context.now_us - max(one.update_time.ToMicroseconds() for one in held.values())
    pause_us = max(policy.reservation_age_us, min(unchanged_us, policy.reservation_age_us_max))
    due_us = context.now_us + pause_us
    return Decision(messages=[question], timers=[age_timer(context, command.order_id, context.key, due_us, skus)])


def handlers(policy: InventoryPolicy) -> tuple[Handler, ...]:
    """How each command and message is decided."""
    plain = (
        Handler(command=commands.ReceiveStock, keys=_own_stock, decide=receive),
        Handler(command=commands.AdjustStock, keys=_own_stock, decide=adjust),
        Handler(command=commands.Reserve, keys=keys_of_items, decide=partial(reserve, policy)),
        Handler(command=commands.Revise, keys=keys_of_items, decide=partial(revise, policy)),
        Handler(command=commands.Release, keys=_keys_of_skus, decide=release),
        Handler(command=commands.Commit, keys=_keys_of_shipped, decide=commit),
        Handler(command=commands.Restock, keys=keys_of_items, decide=restock),
        Handler(command=commands.ServeBackorders, keys=keys_of_queue, decide=serve),
        Handler(command=commands.Recount, keys=_own_stock, decide=recount),
        Handler(command=commands.ReservationTimer, keys=_keys_of_timer, decide=partial(grow_old, policy)),
        Handler(command=commands.CountStock, keys=_own_stock, decide=counting.count),
        Handler(command=commands.SetLowStockThreshold, keys=_own_stock, decide=counting.set_threshold),
    )
    return tuple(replace(handler, decide=counting.kept(handler.decide)) for handler in plain)
