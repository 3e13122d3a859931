"""Stock of a SKU, and what an order has reserved of it. PURE.

Two aggregates share a SKU's partition: the stock, and one reservation per order, which stays as a mark for good, so
that nothing late revives what was released or refused. Always: received = on_hand + committed, available = on_hand -
reserved >= 0, and reserved is the sum of the open reservations.
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
    Stock,
)
from oms.inventory.v1.inventory_state_pb2 import StoredReservation, StoredStock
from ordermesh.core.decider import KEYS_KEPT, Key, Stamp
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time

SERVICE: Final = "inventory"
"""The service's name."""

STOCK: Final = "stock"
"""The kind of the aggregate of a SKU."""

RESERVATION: Final = "reservation"
"""The kind of the aggregate of a SKU and an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPolicy:
    """What may be tuned. A reservation still open after `reservation_age_us` asks its order, and again as often."""

    reservation_age_us: int = 3_600_000_000


@lru_cache(KEYS_KEPT)
def stock_key(tenant: str, sku: str) -> Key:
    """The key of a SKU's stock."""
    return Key(STOCK, tenant, sku)


@lru_cache(KEYS_KEPT)
def reservation_key(tenant: str, sku: str, order_id: str) -> Key:
    """The key of what an order holds of a SKU; lies in the SKU's partition."""
    return Key(RESERVATION, tenant, sku, order_id)


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


def _restocked(stock: Stock, quantity: int) -> None:
    stock.on_hand += quantity
    stock.committed -= quantity


_STOCK_CHANGES: dict[type[Message], Callable[[Stock, int], None]] = {
    events.StockReserved: _reserved,
    events.StockReleased: _released,
    events.StockCommitted: _committed,
    events.StockRestocked: _restocked,
}

STOCK_EVENTS: tuple[type[Message], ...] = (
    events.StockReceived,
    events.StockAdjusted,
    events.StockRecounted,
    *_STOCK_CHANGES,
)
"""What can happen to the stock of a SKU."""


def evolve_stock(state: StoredStock, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to the stock of a SKU."""
    stock = state.stock
    change = _STOCK_CHANGES.get(type(event))
    if change is not None:
        change(stock, event.quantity)
    elif isinstance(event, events.StockRecounted):
        stock.reserved, stock.committed = event.reserved, event.committed
        stock.on_hand = stock.received - event.committed
    else:
        stock.sku = event.sku
        _received(stock, event.quantity if isinstance(event, events.StockReceived) else event.change)
        if event.HasField("request"):
            remember(state.requests, event.request)
    stock.available = stock.on_hand - stock.reserved
    stock.version = stamp.version
    stock.etag = str(stamp.version)
    write_time(stock.update_time, stamp.time_us)


RESERVATION_EVENTS: tuple[type[Message], ...] = (
    events.ReservationOpened,
    events.ReservationRefused,
    events.ReservationReleased,
    events.ReservationCommitted,
    events.ReservationRestocked,
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
    elif isinstance(event, events.ReservationRefused):
        reservation.quantity = event.quantity
        reservation.state = RESERVATION_STATE_REFUSED
    else:
        reservation.restocked += event.quantity
    reservation.version = stamp.version
    write_time(reservation.update_time, stamp.time_us)
