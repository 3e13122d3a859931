"""What is decided about stock: receive, adjust, reserve, release, commit, restock. PURE.

A message names SKUs of one partition, and is decided for all of them or for none. Each may be said again: what is so
already is answered again and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_COMMITTED,
    RESERVATION_STATE_OPEN,
    RESERVATION_STATE_REFUSED,
    RESERVATION_STATE_RELEASED,
    Reservation,
)
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from oms.order.v1 import order_commands_pb2 as answers
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, Outgoing, SetTimer, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.inventory.model import SERVICE, InventoryPolicy, reservation_key, stock_key

_AGE = "age"
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
    return Decision([(key, events.StockReceived(sku=context.key, quantity=command.quantity, request=record))])


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
    event = events.StockAdjusted(sku=context.key, change=command.change, reason=command.reason, request=record)
    return Decision([(key, event)])


def _keys(skus: Iterable[str], order_id: str, tenant: str) -> list[Key]:
    keys: list[Key] = []
    for sku in skus:
        keys += (stock_key(tenant, sku), reservation_key(tenant, sku, order_id))
    return keys


def _keys_of_items(command: commands.Reserve | commands.Restock, context: Context) -> Sequence[Key]:
    return _keys((item.sku for item in command.items), command.order_id, context.tenant)


def _keys_of_skus(command: commands.Release | commands.Commit, context: Context) -> Sequence[Key]:
    return _keys(command.skus, command.order_id, context.tenant)


def _reservation(states: _States, key: Key) -> Reservation | None:
    state = states.get(key)
    return None if state is None else state.reservation


def _timer(context: Context, order_id: str, sku: str, due_us: int, skus: Sequence[str]) -> SetTimer:
    """The timer of what one message reserved, named after its first SKU; without SKUs it is cleared."""
    message = commands.ReservationTimer(order_id=order_id, skus=skus) if skus else None
    return SetTimer(reservation_key(context.tenant, sku, order_id), _AGE, SERVICE, due_us, message)


def _no_timers(context: Context, order_id: str, skus: Sequence[str]) -> list[SetTimer]:
    """Clears the timers of what was reserved. One message reserved it and is the timer's name; but since a repartition
    what several had reserved may be in one partition."""
    return [_timer(context, order_id, sku, 0, ()) for sku in skus]


def reserve(policy: InventoryPolicy, states: _States, command: commands.Reserve, context: Context) -> Decision:
    """All of the items or none of them."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    shortages: list[answers.Shortage] = []
    closed = False
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = _reservation(states, key)
        if found is not None:
            closed |= found.state in (RESERVATION_STATE_RELEASED, RESERVATION_STATE_REFUSED)
            continue
        stock = states.get(stock_key(tenant, item.sku))
        available = 0 if stock is None else stock.stock.available
        if available < item.quantity:
            shortages.append(answers.Shortage(sku=item.sku, wanted=item.quantity, available=available))
        decision.events.append((stock_key(tenant, item.sku), events.StockReserved(quantity=item.quantity)))
        decision.events.append((key, events.ReservationOpened(quantity=item.quantity)))
    skus = [item.sku for item in command.items]
    if shortages or closed:
        return _reject(states, command, context, answers.StockRejected(skus=skus, shortages=shortages))
    if decision.events:
        decision.timers.append(_timer(context, order_id, skus[0], context.now_us + policy.reservation_age_us, skus))
    decision.messages.append(Outgoing("order", tenant, order_id, answers.StockReserved(skus=skus)))
    return decision


def _reject(states: _States, command: commands.Reserve, context: Context, answer: answers.StockRejected) -> Decision:
    """None of the items: what was not asked for before is marked as refused, what is open is released."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision(messages=[Outgoing("order", tenant, order_id, answer)])
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = _reservation(states, key)
        if found is None:
            decision.events.append((key, events.ReservationRefused(quantity=item.quantity)))
        elif found.state == RESERVATION_STATE_OPEN:
            decision.events.append((key, events.ReservationReleased()))
            decision.events.append((stock_key(tenant, item.sku), events.StockReleased(quantity=found.quantity)))
    return decision


def release(states: _States, command: commands.Release, context: Context) -> Decision:
    """Nothing stays reserved, and nothing late can be: where there was no reservation, its mark is made."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    for sku in command.skus:
        key = reservation_key(tenant, sku, order_id)
        found = _reservation(states, key)
        if found is None:
            decision.events.append((key, events.ReservationReleased()))
        elif found.state == RESERVATION_STATE_OPEN:
            decision.events.append((key, events.ReservationReleased()))
            decision.events.append((stock_key(tenant, sku), events.StockReleased(quantity=found.quantity)))
        elif found.state == RESERVATION_STATE_COMMITTED:
            return _not_open(sku, order_id, "it has left with the order")
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
        found = _reservation(states, key)
        if found is not None and found.state == RESERVATION_STATE_OPEN:
            decision.events.append((key, events.ReservationCommitted()))
            decision.events.append((stock_key(tenant, sku), events.StockCommitted(quantity=found.quantity)))
        elif found is None or found.state != RESERVATION_STATE_COMMITTED:
            return _not_open(sku, order_id, "it is not reserved")
    if decision.events:
        decision.timers += _no_timers(context, order_id, command.skus)
    return decision


def restock(states: _States, command: commands.Restock, context: Context) -> Decision:
    """Goods that had left are back."""
    tenant, order_id = context.tenant, command.order_id
    decision = Decision()
    for item in command.items:
        key = reservation_key(tenant, item.sku, order_id)
        found = _reservation(states, key)
        if found is None or found.state != RESERVATION_STATE_COMMITTED:
            return _not_open(item.sku, order_id, "it has not left with the order")
        if item.quantity > found.quantity - found.restocked:
            return _not_open(item.sku, order_id, f"only {found.quantity - found.restocked} of it are still out")
        decision.events.append((key, events.ReservationRestocked(quantity=item.quantity)))
        decision.events.append((stock_key(tenant, item.sku), events.StockRestocked(quantity=item.quantity)))
    return decision


def recount(states: _States, command: commands.Recount, context: Context) -> Decision:
    """Stock and reservations were stored apart, and the log that says how they belong together is gone: reservations
    count, because orders know of them."""
    key = stock_key(context.tenant, context.key)
    state: StoredStock | None = states.get(key)
    if state is None or (state.stock.reserved, state.stock.committed) == (command.reserved, command.committed):
        return Decision()
    return Decision([(key, events.StockRecounted(reserved=command.reserved, committed=command.committed))])


def _not_open(sku: str, order_id: str, why: str) -> Decision:
    """The refusal of what an order never asks for."""
    return errors.refuse(
        errors.RESERVATION_NOT_OPEN, f"The reservation of {sku} for {order_id} does not allow this: {why}.",
        sku=sku, order_id=order_id,
    )  # fmt: skip


def _keys_of_timer(command: commands.ReservationTimer, context: Context) -> Sequence[Key]:
    """Those of its SKUs that still share the partition: the number of partitions may have changed since."""
    own = context.slot(SERVICE, context.tenant, context.key)
    skus = (sku for sku in command.skus if context.slot(SERVICE, context.tenant, sku) == own)
    return [reservation_key(context.tenant, sku, command.order_id) for sku in skus]


def grow_old(
    policy: InventoryPolicy, states: _States, command: commands.ReservationTimer, context: Context
) -> Decision:
    """Asks the order of what is still open; without its answer nothing is released."""
    skus = [
        key.key
        for key in _keys_of_timer(command, context)
        if (found := _reservation(states, key)) is not None and found.state == RESERVATION_STATE_OPEN
    ]
    if not skus:
        return Decision()
    question = Outgoing("order", context.tenant, command.order_id, answers.ReservationAged(skus=skus))
    due_us = context.now_us + policy.reservation_age_us
    return Decision(messages=[question], timers=[_timer(context, command.order_id, context.key, due_us, skus)])


def handlers(policy: InventoryPolicy) -> tuple[Handler, ...]:
    """How each command and message is decided."""
    return (
        Handler(command=commands.ReceiveStock, keys=_own_stock, decide=receive),
        Handler(command=commands.AdjustStock, keys=_own_stock, decide=adjust),
        Handler(command=commands.Reserve, keys=_keys_of_items, decide=partial(reserve, policy)),
        Handler(command=commands.Release, keys=_keys_of_skus, decide=release),
        Handler(command=commands.Commit, keys=_keys_of_skus, decide=commit),
        Handler(command=commands.Restock, keys=_keys_of_items, decide=restock),
        Handler(command=commands.Recount, keys=_own_stock, decide=recount),
        Handler(command=commands.ReservationTimer, keys=_keys_of_timer, decide=partial(grow_old, policy)),
    )
