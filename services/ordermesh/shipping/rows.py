"""The table of shipments."""

from __future__ import annotations

from typing import Any

from oms.shipping.v1.shipping_pb2 import ShipmentState
from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Table

SHIPMENTS = Table(
    name="shipments",
    columns=(*AGGREGATE_COLUMNS, ("shipment_state", "text"), ("tracking", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("key", "order_id"), ("sub_key", "number")),
)
"""Shipments by order (key) and number (sub_key)."""

_STATES = {number: name.removeprefix("SHIPMENT_STATE_") for name, number in ShipmentState.items()}


def columns(_key: Key, state: StoredShipment) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    return (_STATES[state.shipment.state], state.shipment.tracking)
