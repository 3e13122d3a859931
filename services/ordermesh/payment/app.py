"""Payment as the kernel sees it."""

from __future__ import annotations

from typing import Final

from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core.decider import AggregateType, Service
from ordermesh.payment import decider, model, rows

SERVICE: Final = Service(
    name=model.SERVICE,
    aggregates=(
        AggregateType(
            kind=model.PAYMENT,
            state=StoredPayment,
            evolve=model.evolve,
            events=model.EVENTS,
            table=rows.PAYMENTS,
            columns=rows.columns,
            key_is_uuid7=True,
            absent_when_first=True,
        ),
    ),
    handlers=decider.HANDLERS,
)
"""The service. The handler of its effect, `oms.payment.v1.ProviderRequest`, is wired where a process is composed."""
