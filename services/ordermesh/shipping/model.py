"""A shipment: what is sent at once for an order, and where it is. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import Message

from oms.shipping.v1 import shipping_events_pb2 as events
from oms.shipping.v1.shipping_pb2 import (
    SHIPMENT_STATE_CANCELLED,
    SHIPMENT_STATE_DELIVERED,
    SHIPMENT_STATE_DISPATCHED,
    SHIPMENT_STATE_PENDING,
    Shipment,
)
from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.core.decider import KEYS_KEPT, Key, Stamp
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time

SERVICE: Final = "shipping"
"""The service's name."""

SHIPMENT: Final = "shipment"
"""The kind of its aggregate."""

NUMBER_DIGITS_MAX: Final = 10
"""Digits of a shipment's number: as many as an int32 has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingPolicy:
    """What may be tuned. With `dispatch_automatically` a shipment leaves `dispatch_delay_us` after it was asked for;
    otherwise by DispatchShipment alone."""

    dispatch_automatically: bool = True
    dispatch_delay_us: int = 0


@lru_cache(KEYS_KEPT)
def shipment_key(tenant: str, order_id: str, number: int) -> Key:
    """The key of an order's shipment, by its number from 1; lies in the order's partition."""
    return Key(SHIPMENT, tenant, order_id, str(number))


def shipment_id_of(order_id: str, number: int) -> str:
    """The id of an order's shipment."""
    return f"{order_id}-{number}"


def parse_shipment_id(shipment_id: str) -> tuple[str, int]:
    """The order and the number that an id names. Raises ValueError where it is no such id."""
    order_id, hyphen, number = shipment_id.rpartition("-")
    is_number = number.isascii() and number.isdigit() and number[0] != "0" and len(number) <= NUMBER_DIGITS_MAX
    if not (hyphen and order_id and is_number):
        raise ValueError(f"{shipment_id[:64]!r} is not an order's id, a hyphen and a number")
    return order_id, int(number)


EVENTS: tuple[type[Message], ...] = (
    events.ShipmentCreated,
    events.ShipmentDispatched,
    events.ShipmentDelivered,
    events.ShipmentCancelled,
)
"""What can happen to a shipment."""


def evolve(state: StoredShipment, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to a shipment."""
    shipment = state.shipment
    write_time(shipment.update_time, stamp.time_us)
    if isinstance(event, events.ShipmentCreated):
        _begin(shipment, event)
        shipment.lines.extend(event.lines)
        if event.HasField("ship_to"):
            shipment.ship_to.CopyFrom(event.ship_to)
        shipment.state = SHIPMENT_STATE_PENDING
    elif isinstance(event, events.ShipmentDispatched):
        shipment.state = SHIPMENT_STATE_DISPATCHED
        shipment.tracking = event.tracking
        shipment.dispatch_time.CopyFrom(shipment.update_time)
        _remember(state, event)
    elif isinstance(event, events.ShipmentDelivered):
        shipment.state = SHIPMENT_STATE_DELIVERED
        shipment.deliver_time.CopyFrom(shipment.update_time)
        _remember(state, event)
    else:
        if event.order_id:
            _begin(shipment, event)
        shipment.state = SHIPMENT_STATE_CANCELLED
    shipment.version = stamp.version
    shipment.etag = str(stamp.version)


def _begin(shipment: Shipment, event: Any) -> None:
    shipment.order_id = event.order_id
    shipment.shipment_id = shipment_id_of(event.order_id, event.number)
    shipment.create_time.CopyFrom(shipment.update_time)


def _remember(state: StoredShipment, event: Any) -> None:
    if event.HasField("request"):
        remember(state.requests, event.request)
