"""The tables of inventory, and the rows of its aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oms.inventory.v1.inventory_pb2 import Reservation, ReservationState
from oms.inventory.v1.inventory_state_pb2 import StoredReservation, StoredStock
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Row, Table

STOCK = Table(
    name="stock",
    columns=(*AGGREGATE_COLUMNS, ("on_hand", "bigint"), ("reserved", "bigint"), ("available", "bigint")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
)
"""The stock of every SKU."""

RESERVATIONS = Table(
    name="reservations",
    columns=(*AGGREGATE_COLUMNS, ("quantity", "bigint"), ("reservation_state", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
)
"""Reservations by SKU (key) and order (sub_key)."""

RESERVATIONS_BY_ORDER = Table(
    name="reservations_by_order",
    columns=(("tenant", "text"), ("order_id", "text"), ("sku", "text")),
    partition=("tenant", "order_id"),
    clustering=("sku",),
)
"""Which SKUs an order has, or had, reservations of."""

_STATES = {number: name.removeprefix("RESERVATION_STATE_") for name, number in ReservationState.items()}


def stock_columns(_key: Key, state: StoredStock) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    stock = state.stock
    return (stock.on_hand, stock.reserved, stock.available)


def reservation_columns(_key: Key, state: StoredReservation) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    return (state.reservation.quantity, _STATES[state.reservation.state])


def reservation_rows(key: Key, _state: StoredReservation, write_time: int) -> Sequence[Row]:
    """The row by which an order's reservations are found."""
    return (Row(RESERVATIONS_BY_ORDER.name, (key.tenant, key.sub_key, key.key), write_time),)


def reservation_of(key: Key, state: StoredReservation) -> Reservation:
    """The resource, with the order and the SKU, which are stored in the key alone."""
    reservation = Reservation()
    reservation.CopyFrom(state.reservation)
    reservation.order_id, reservation.sku = key.sub_key, key.key
    return reservation
