"""Orders as the kernel sees them."""

from __future__ import annotations

from typing import Final

from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import AggregateType, Service
from ordermesh.order import decider, evolution, model, rows


def make_service(policy: model.OrderPolicy) -> Service:
    """The service under a policy."""
    return Service(
        name=model.SERVICE,
        aggregates=(
            AggregateType(
                kind=model.ORDER,
                state=StoredOrder,
                evolve=evolution.evolve,
                events=evolution.EVENTS,
                table=rows.ORDERS,
                columns=rows.columns,
                query_tables=(rows.ORDERS_BY_CUSTOMER, rows.CUSTOMER_MONTHS),
                query_rows=rows.query_rows,
                key_is_uuid7=True,
            ),
        ),
        handlers=decider.handlers(policy),
    )


SERVICE: Final = make_service(model.OrderPolicy())
"""The service as it runs unless told otherwise."""
