"""Orders that get less than they want: they take what is there, or wait in the SKU's queue for the rest. PURE.

The queue is strictly first come first served: while anybody waits for a SKU, nothing of it is free for others, and what
comes in goes to the first until that one has all. Each SKU is promised by itself, so an order may hold one SKU and wait
for another; what such orders hold comes back when they expire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_WAITING, Reservation
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from oms.order.v1 import order_commands_pb2 as answers
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from ordermesh.core.decider import Context, Decision, Key, Outgoing, State
from ordermesh.core.limits import BACKORDERS_SERVED_MAX
from ordermesh.inventory.model import CLOSED, SERVICE, InventoryPolicy, reservation_key, stock_key

_States = Mapping[Key, State]
_US_PER_SECOND: Final = 1_000_000
_SERVED_AT_ONCE_MAX: Final = 16
"""SKUs whose queues are served in the chain of one command, which is at most 64 messages long."""


def free_of(state: StoredStock | None) -> int:
    """How many pieces nobody holds or waits for."""
    return 0 if state is None else max(0, state.stock.available - state.stock.backordered)


def waits_in(state: StoredStock | None, order_id: str) -> bool:
    """Whether an order stands in a SKU's queue."""
    return state is not None and any(each.order_id == order_id for each in state.queue)


def serve_later(decision: Decision, state: StoredStock | None, sku: str, context: Context) -> None:
    """Has the queue of a SKU served of which pieces became free: right after this decision, or, where it is about many
    SKUs, by commands of their own."""
    if state is not None and state.queue:
        by_log = len(decision.messages) >= _SERVED_AT_ONCE_MAX
        decision.messages.append(_serve(state, sku, context, by_log=by_log))


def _serve(state: StoredStock, sku: str, context: Context, *, skip: int = 0, by_log: bool = False) -> Outgoing:
    first = [each.order_id for each in state.queue[skip : skip + BACKORDERS_SERVED_MAX]]
    return Outgoing(SERVICE, context.tenant, sku, commands.ServeBackorders(order_ids=first), by_log=by_log)


def keys_of_queue(command: commands.ServeBackorders, context: Context) -> Sequence[Key]:
    """The stock, and the reservations of those who may be served."""
    tenant, sku = context.tenant, context.key
    return [stock_key(tenant, sku), *(reservation_key(tenant, sku, each) for each in command.order_ids)]


def serve(states: _States, command: commands.ServeBackorders, context: Context) -> Decision:
    """Gives what is available to those who wait, in their order; where more could be served, that is decided next.

    Who stands in the queue and waits for other than it says, because a log lost its tail, is put right.
    """
    stock = stock_key(context.tenant, context.key)
    state: StoredStock | None = states.get(stock)
    decision = Decision()
    if state is None:
        return decision
    available, named = state.stock.available, frozenset(command.order_ids)
    for number, entry in enumerate(state.queue):
        if entry.order_id not in named and available <= 0:
            continue
        if entry.order_id not in named:
            decision.messages.append(_serve(state, context.key, context, skip=number, by_log=True))
            break
        key = reservation_key(context.tenant, context.key, entry.order_id)
        found = states.get(key)
        waiting = _waiting(found)
        if waiting != entry.quantity:
            event = events.BackorderReduced(order_id=entry.order_id, quantity=waiting)
            decision.events.append((stock, event))
        if found is not None and waiting and available > 0:
            given = min(available, waiting)
            available -= given
            _give(decision, stock, key, found.reservation, given)
    return decision


def _waiting(state: State | None) -> int:
    """For how many pieces a reservation waits; the queue may say otherwise after a log lost its tail."""
    if state is None or state.reservation.state != RESERVATION_STATE_WAITING:
        return 0
    return int(state.reservation.waiting)


def _give(decision: Decision, stock: Key, key: Key, reservation: Reservation, given: int) -> None:
    """Promises pieces to an order that waits for at least so many, and tells it."""
    promised, sku, order_id = reservation.quantity + given, key.key, key.sub_key
    decision.events.append((stock, events.BackorderServed(order_id=order_id, quantity=given)))
    revised = events.ReservationRevised(
        quantity=promised, waiting=reservation.waiting - given, revision=reservation.revision
    )
    decision.events.append((key, revised))
    answer = answers.StockGranted(sku=sku, quantity=promised)
    decision.messages.append(Outgoing("order", key.tenant, order_id, answer))


class Taking:
    """One Reserve of an order that takes less than it wants: what would happen, and why it cannot."""

    def __init__(self, policy: InventoryPolicy, states: _States, command: commands.Reserve, context: Context) -> None:
        self._policy = policy
        self._states = states
        self._context = context
        self._order_id = command.order_id
        self._waits = command.shortage == commands.SHORTAGE_POLICY_WAIT
        self.events: list[tuple[Key, Message]] = []
        self.grants: list[StockGrant] = []
        self.shortages: list[answers.Shortage] = []
        self.full_queue = ""
        self.is_closed = False

    def take(self, item: commands.SkuQuantity) -> None:
        """One SKU: what is there of it, or what was promised when it was asked for before."""
        stock = stock_key(self._context.tenant, item.sku)
        key = reservation_key(self._context.tenant, item.sku, self._order_id)
        state: StoredStock | None = self._states.get(stock)
        known = self._states.get(key)
        if known is not None:
            self._again(state, stock, known.reservation, item)
        elif state is None and self._waits:
            self.shortages.append(answers.Shortage(sku=item.sku, wanted=item.quantity))
        else:
            self._first(state, stock, key, item)

    def _first(self, state: StoredStock | None, stock: Key, key: Key, item: commands.SkuQuantity) -> None:
        taken = min(free_of(state), item.quantity)
        missing = item.quantity - taken
        if taken:
            self.events.append((stock, events.StockReserved(quantity=taken)))
        if not missing:
            self.events.append((key, events.ReservationOpened(quantity=taken)))
            return
        promised_by_us = self._context.now_us + self._policy.backorder_lead_us if self._waits else 0
        waiting = missing if self._waits else 0
        if waiting:
            self._queue(state, stock, waiting)
        revised = events.ReservationRevised(quantity=taken, waiting=waiting, promised_by_us=promised_by_us)
        self.events.append((key, revised))
        self.grants.append(StockGrant(sku=item.sku, quantity=taken, promised_by_us=promised_by_us))

    def _again(
        self, state: StoredStock | None, stock: Key, reservation: Reservation, item: commands.SkuQuantity
    ) -> None:
        """Says again what is so; who waits and is not in the queue, because a log lost its tail, is put there again."""
        if reservation.state in CLOSED:
            self.is_closed = True
            return
        if reservation.waiting and not waits_in(state, self._order_id):
            self._queue(state, stock, reservation.waiting)
        if reservation.quantity < item.quantity:
            promised_by_us = reservation.promised_by.seconds * _US_PER_SECOND
            grant = StockGrant(sku=item.sku, quantity=reservation.quantity, promised_by_us=promised_by_us)
            self.grants.append(grant)

    def _queue(self, state: StoredStock | None, stock: Key, quantity: int) -> None:
        if state is not None and len(state.queue) >= self._policy.backorders_per_sku_max:
            self.full_queue = stock.key
        self.events.append((stock, events.BackorderQueued(order_id=self._order_id, quantity=quantity)))
