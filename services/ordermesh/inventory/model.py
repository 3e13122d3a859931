"""Stock of a SKU, and what an order has reserved of it. PURE.

Two aggregates share a SKU's partition: the stock, and one reservation per order, which stays as a mark for good, so
that nothing late revives what was released or refused. Always: received = on_hand + committed, available = on_hand -
reserved >= 0, and reserved is the sum of what the open and the waiting reservations hold. Orders that wait for pieces
stand in the stock's queue; backordered is the sum of what they wait for, and nothing of that is free for others. Of
those on hand `shortage` were not found when they were counted; they are never available, because never more are short
than are reserved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_COMMITTED,
    RESERVATION_STATE_OPEN,
    RESERVATION_STATE_REFUSED,
    RESERVATION_STATE_RELEASED,
    RESERVATION_STATE_WAITING,
    RESERVATION_STATE_WITHDRAWN,
    Reservation,
    Stock,
)
from oms.inventory.v1.inventory_state_pb2 import StoredReservation, StoredStock
from ordermesh.core.decider import KEYS_KEPT, Key, Stamp
from ordermesh.core.limits import BACKORDERS_PER_SKU_MAX
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time

SERVICE: Final = "inventory"
"""The service's name."""

STOCK: Final = "stock"
"""The kind of the aggregate of a SKU."""

RESERVATION: Final = "reservation"
"""The kind of the aggregate of a SKU and an order."""

HOLDING: Final = (RESERVATION_STATE_OPEN, RESERVATION_STATE_WAITING)
"""The states of a reservation that may keep pieces from others."""

CLOSED: Final = (RESERVATION_STATE_RELEASED, RESERVATION_STATE_REFUSED)
"""The states that nothing revives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPolicy:
    """What may be tuned. A reservation still open after `reservation_age_us` asks its order, and again after pauses
    that double up to `reservation_age_us_max`.

    At most `backorders_per_sku_max` orders wait for a SKU, each told to expect its pieces in `backorder_lead_us`.
    `keeps_ledger`: whether each change of a SKU's stock leaves a row.
    """

    reservation_age_us: int = 3_600_000_000
    reservation_age_us_max: int = 86_400_000_000
    backorders_per_sku_max: int = BACKORDERS_PER_SKU_MAX
    backorder_lead_us: int = 14 * 86_400_000_000
    keeps_ledger: bool = True


@lru_cache(KEYS_KEPT)
def stock_key(tenant: str, sku: str) -> Key:
    """The key of a SKU's stock."""
    return Key(STOCK, tenant, sku)


@lru_cache(KEYS_KEPT)
def reservation_key(tenant: str, sku: str, order_id: str) -> Key:
    """The key of what an order holds of a SKU; lies in the SKU's partition."""
    return Key(RESERVATION, tenant, sku, order_id)


def held_by(reservation: Reservation) -> int:
    """How many pieces a reservation keeps from others now."""
    if reservation.state not in HOLDING:
        return 0
    return reservation.quantity - reservation.shipped


def out_by(reservation: Reservation) -> int:
    """How many pieces left with the order and did not come back."""
    if reservation.state == RESERVATION_STATE_COMMITTED:
        return reservation.quantity - reservation.restocked
    return reservation.shipped - reservation.restocked


def _received(stock: Stock, quantity: int) -> None:
    stock.on_hand += quantity
    stock.received += quantity


def _reserved(stock: Stock, quantity: int) -> None:
    stock.reserved += quantity


def _released(stock: Stock, quantity: int) -> None:
    stock.reserved -= quantity


def _committed(stock: Stock, quantity: int) -> None:
    stock.reserved -= quantity
    stock.on_hand -= quantity
    stock.committed += quantity


def _counted(stock: Stock, counted: int) -> None:
    """What is promised stays on hand in the books, and what was not found of it is short."""
    on_hand = max(counted, stock.reserved)
    _received(stock, on_hand - stock.on_hand)
    stock.shortage = on_hand - counted


def _fill_shortage(stock: Stock) -> None:
    """What came in or was given back takes the place of promised pieces that are missing: these are written off. No
    more is short than is promised."""
    filled = max(0, min(stock.shortage, stock.on_hand - stock.reserved))
    _received(stock, -filled)
    stock.shortage = min(stock.shortage - filled, stock.reserved)


def _set_threshold(stock: Stock, event: events.LowStockThresholdSet) -> None:
    if event.HasField("threshold"):
        stock.low_stock_threshold = event.threshold
    else:
        stock.ClearField("low_stock_threshold")
        stock.is_low = False


def _restocked(stock: Stock, quantity: int) -> None:
    stock.on_hand += quantity
    stock.committed -= quantity


_STOCK_CHANGES: dict[type[Message], Callable[[Stock, int], None]] = {
    events.StockReserved: _reserved,
    events.StockReleased: _released,
    events.StockCommitted: _committed,
    events.StockRestocked: _restocked,
}


def _set_waiting(state: StoredStock, order_id: str, quantity: int) -> None:
    """An order in the queue waits for so many from now on; for none, it leaves the queue."""
    number = next(n for n, each in enumerate(state.queue) if each.order_id == order_id)
    entry = state.queue[number]
    state.stock.backordered += quantity - entry.quantity
    entry.quantity = quantity
    if not quantity:
        del state.queue[number]


def _queued(state: StoredStock, event: events.BackorderQueued) -> None:
    state.queue.add(order_id=event.order_id, quantity=event.quantity)
    state.stock.backordered += event.quantity


def _served(state: StoredStock, event: events.BackorderServed) -> None:
    _reserved(state.stock, event.quantity)
    waited = next(each.quantity for each in state.queue if each.order_id == event.order_id)
    _set_waiting(state, event.order_id, waited - event.quantity)


def _reduced(state: StoredStock, event: events.BackorderReduced) -> None:
    _set_waiting(state, event.order_id, event.quantity)


_QUEUE_CHANGES: dict[type[Message], Callable[[StoredStock, Any], None]] = {
    events.BackorderQueued: _queued,
    events.BackorderServed: _served,
    events.BackorderReduced: _reduced,
}

STOCK_EVENTS: tuple[type[Message], ...] = (
    events.StockReceived,
    events.StockAdjusted,
    events.StockRecounted,
    events.StockCounted,
    events.LowStockThresholdSet,
    events.StockLow,
    events.StockReplenished,
    *_STOCK_CHANGES,
    *_QUEUE_CHANGES,
)
"""What can happen to the stock of a SKU."""


def evolve_stock(state: StoredStock, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to the stock of a SKU."""
    stock = state.stock
    change = _STOCK_CHANGES.get(type(event))
    if change is not None:
        change(stock, event.quantity)
    elif type(event) in _QUEUE_CHANGES:
        _QUEUE_CHANGES[type(event)](state, event)
    elif isinstance(event, events.StockRecounted):
        stock.reserved, stock.committed = event.reserved, event.committed
        stock.on_hand = stock.received - event.committed
    elif isinstance(event, events.StockLow | events.StockReplenished):
        stock.is_low = isinstance(event, events.StockLow)
    else:
        _asked_for(state, event)
    if stock.shortage:
        _fill_shortage(stock)
    stock.available = stock.on_hand - stock.reserved
    stock.version = stamp.version
    stock.etag = str(stamp.version)
    write_time(stock.update_time, stamp.time_us)


def _asked_for(state: StoredStock, event: Any) -> None:
    """Makes happen what somebody asked for, and remembers the request."""
    stock = state.stock
    stock.sku = event.sku
    if isinstance(event, events.StockCounted):
        _counted(stock, event.counted)
    elif isinstance(event, events.LowStockThresholdSet):
        _set_threshold(stock, event)
    else:
        _received(stock, event.quantity if isinstance(event, events.StockReceived) else event.change)
    if event.HasField("request"):
        remember(state.requests, event.request)


RESERVATION_EVENTS: tuple[type[Message], ...] = (
    events.ReservationOpened,
    events.ReservationRefused,
    events.ReservationReleased,
    events.ReservationCommitted,
    events.ReservationRestocked,
    events.ReservationRevised,
    events.ReservationShipped,
)
"""What can happen to a reservation."""


def evolve_reservation(state: StoredReservation, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to what an order holds of a SKU."""
    reservation = state.reservation
    if isinstance(event, events.ReservationOpened):
        reservation.quantity = event.quantity
        reservation.state = RESERVATION_STATE_OPEN
    elif isinstance(event, events.ReservationCommitted):
        reservation.state = RESERVATION_STATE_COMMITTED
    elif isinstance(event, events.ReservationReleased):
        reservation.state = RESERVATION_STATE_RELEASED
        _wait_for(reservation, 0, 0)
    elif isinstance(event, events.ReservationRefused):
        reservation.quantity = event.quantity
        reservation.state = RESERVATION_STATE_REFUSED
    elif isinstance(event, events.ReservationRevised):
        reservation.quantity, reservation.revision = event.quantity, event.revision
        _wait_for(reservation, event.waiting, event.promised_by_us)
        reservation.state = _state_of(reservation)
    elif isinstance(event, events.ReservationShipped):
        reservation.shipped = event.shipped
        reservation.state = _state_of(reservation)
    else:
        reservation.restocked += event.quantity
    reservation.version = stamp.version
    write_time(reservation.update_time, stamp.time_us)


def _wait_for(reservation: Reservation, quantity: int, promised_by_us: int) -> None:
    """So many pieces are waited for from now on; without another promise the last one stands while any are."""
    reservation.waiting = quantity
    if not quantity:
        reservation.ClearField("promised_by")
    elif promised_by_us:
        write_time(reservation.promised_by, promised_by_us)


def _state_of(reservation: Reservation) -> Any:
    """The state of a reservation that was revised or partly shipped, by its numbers."""
    if reservation.waiting:
        return RESERVATION_STATE_WAITING
    if reservation.quantity > reservation.shipped:
        return RESERVATION_STATE_OPEN
    return RESERVATION_STATE_COMMITTED if reservation.shipped else RESERVATION_STATE_WITHDRAWN
