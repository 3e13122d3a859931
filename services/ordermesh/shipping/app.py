"""Shipping as the kernel sees it."""

from __future__ import annotations

from typing import Final

from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.core.decider import AggregateType, Service
from ordermesh.shipping import decider, model, rows


def make_service(policy: model.ShippingPolicy) -> Service:
    """The service under a policy."""
    return Service(
        name=model.SERVICE,
        aggregates=(
            AggregateType(
                kind=model.SHIPMENT,
                state=StoredShipment,
                evolve=model.evolve,
                events=model.EVENTS,
                table=rows.SHIPMENTS,
                columns=rows.columns,
                key_is_uuid7=True,
                absent_when_first=True,
            ),
        ),
        handlers=decider.handlers(policy),
    )


SERVICE: Final = make_service(model.ShippingPolicy())
"""The service as it runs unless told otherwise: shipments leave at once."""
