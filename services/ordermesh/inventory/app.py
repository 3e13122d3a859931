"""Inventory as the kernel sees it."""

from __future__ import annotations

from typing import Final

from oms.inventory.v1.inventory_state_pb2 import StoredReservation, StoredStock
from ordermesh.core.decider import AggregateType, Service
from ordermesh.inventory import decider, ledger, model, rows


def make_service(policy: model.InventoryPolicy) -> Service:
    """The service under a policy."""
    return Service(
        name=model.SERVICE,
        aggregates=(
            AggregateType(
                kind=model.STOCK,
                state=StoredStock,
                evolve=model.evolve_stock,
                events=model.STOCK_EVENTS,
                table=rows.STOCK,
                columns=rows.stock_columns,
                event_tables=(ledger.STOCK_MOVEMENTS,),
                event_rows=ledger.movement_rows if policy.keeps_ledger else None,
            ),
            AggregateType(
                kind=model.RESERVATION,
                state=StoredReservation,
                evolve=model.evolve_reservation,
                events=model.RESERVATION_EVENTS,
                table=rows.RESERVATIONS,
                columns=rows.reservation_columns,
                absent_when_first=True,
            ),
        ),
        handlers=decider.handlers(policy),
    )


SERVICE: Final = make_service(model.InventoryPolicy())
"""The service as it runs unless told otherwise."""
