"""What decisions about reservations share: how one is found, let go, lowered, watched, and when it is refused. PURE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_REFUSED,
    RESERVATION_STATE_RELEASED,
    RESERVATION_STATE_WITHDRAWN,
    Reservation,
)
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, SetTimer, State
from ordermesh.inventory.backorders import serve_later, waits_in
from ordermesh.inventory.model import SERVICE, held_by, reservation_key, stock_key

_AGE: Final = "age"
NOT_TO_BE_HAD: Final = (RESERVATION_STATE_RELEASED, RESERVATION_STATE_REFUSED, RESERVATION_STATE_WITHDRAWN)
"""The states of a reservation under which a first Reserve gets nothing."""
_States = Mapping[Key, State]


def reservation_in(states: _States, key: Key) -> Reservation | None:
    """What an order holds; None where nothing is known of it."""
    state = states.get(key)
    return None if state is None else state.reservation


def age_timer(context: Context, order_id: str, sku: str, due_us: int, skus: Sequence[str]) -> SetTimer:
    """The timer of what one message reserved, named after its first SKU; without SKUs it is cleared."""
    message = commands.ReservationTimer(order_id=order_id, skus=skus) if skus else None
    return SetTimer(reservation_key(context.tenant, sku, order_id), _AGE, SERVICE, due_us, message)


def let_go(states: _States, key: Key, found: Reservation, decision: Decision, context: Context) -> None:
    """The order holds no stock any more, and does not wait; what it held goes to whoever waits."""
    stock, held = stock_key(key.tenant, key.key), held_by(found)
    state: StoredStock | None = states.get(stock)
    decision.events.append((key, events.ReservationReleased()))
    if held:
        decision.events.append((stock, events.StockReleased(quantity=held)))
    if found.waiting and waits_in(state, key.sub_key):
        decision.events.append((stock, events.BackorderReduced(order_id=key.sub_key)))
    if held:
        serve_later(decision, state, key.key, context)


def lower(
    states: _States, key: Key, found: Reservation, wanted: int, revision: int, decision: Decision, context: Context
) -> None:
    """The order wants no more than so many in all: the others go to whoever waits. What has left stays so."""
    state: StoredStock | None = states.get(stock_key(key.tenant, key.key))
    quantity = min(found.quantity, wanted)
    waiting = min(found.waiting, wanted - quantity)
    freed = found.quantity - quantity
    if (freed, waiting, revision) != (0, found.waiting, found.revision):
        revised = events.ReservationRevised(quantity=quantity, waiting=waiting, revision=revision)
        decision.events.append((key, revised))
    if freed:
        decision.events.append((stock_key(key.tenant, key.key), events.StockReleased(quantity=freed)))
    if waiting != found.waiting and waits_in(state, key.sub_key):
        event = events.BackorderReduced(order_id=key.sub_key, quantity=waiting)
        decision.events.append((stock_key(key.tenant, key.key), event))
    if freed:
        serve_later(decision, state, key.key, context)


def not_open(sku: str, order_id: str, why: str) -> Decision:
    """The refusal of what an order never asks for."""
    return errors.refuse(
        errors.RESERVATION_NOT_OPEN, f"The reservation of {sku} for {order_id} does not allow this: {why}.",
        sku=sku, order_id=order_id,
    )  # fmt: skip
