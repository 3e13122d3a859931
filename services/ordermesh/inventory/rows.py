"""The tables of inventory, and the rows of its aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oms.inventory.v1.inventory_pb2 import Reservation, ReservationState
from oms.inventory.v1.inventory_state_pb2 import StoredReservation, StoredStock
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Table
from ordermesh.inventory.model import reservation_key

STOCK = Table(
    name="stock",
    columns=(*AGGREGATE_COLUMNS, ("on_hand", "bigint"), ("reserved", "bigint"), ("available", "bigint")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("key", "sku"), ("sub_key", "")),
    overwritten=True,
)
"""The stock of every SKU."""

RESERVATIONS = Table(
    name="reservations",
    columns=(*AGGREGATE_COLUMNS, ("quantity", "bigint"), ("reservation_state", "text")),
    partition=("tenant", "sub_key"),
    clustering=("key",),
    names=(("key", "sku"), ("sub_key", "order_id")),
)
"""Reservations by order (sub_key) and SKU (key): a SKU has as many as it has orders, an order a few."""

_STATES = {number: name.removeprefix("RESERVATION_STATE_") for name, number in ReservationState.items()}


def stock_columns(_key: Key, state: StoredStock) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    stock = state.stock
    return (stock.on_hand, stock.reserved, stock.available)


def reservation_columns(_key: Key, state: StoredReservation) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    return (state.reservation.quantity, _STATES[state.reservation.state])


def reservation_of(key: Key, state: StoredReservation) -> Reservation:
    """The resource, with the order and the SKU, which are stored in the key alone."""
    reservation = Reservation()
    reservation.CopyFrom(state.reservation)
    reservation.order_id, reservation.sku = key.sub_key, key.key
    return reservation


def reservation_of_row(row: Mapping[str, Any]) -> Reservation:
    """The resource that a row of `RESERVATIONS` holds."""
    key = reservation_key(row["tenant"], row["key"], row["sub_key"])
    return reservation_of(key, StoredReservation.FromString(row["state"]))
