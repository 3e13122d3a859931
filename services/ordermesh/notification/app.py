"""Webhook endpoints as the kernel sees them."""

from __future__ import annotations

from typing import Final

from oms.notification.v1.webhook_state_pb2 import StoredDirectory, StoredEndpoint
from ordermesh.core.decider import AggregateType, Service
from ordermesh.notification import decider, model, rows

SERVICE: Final = Service(
    name=model.SERVICE,
    aggregates=(
        AggregateType(
            kind=model.ENDPOINT,
            state=StoredEndpoint,
            evolve=model.evolve_endpoint,
            events=model.ENDPOINT_EVENTS,
            table=rows.ENDPOINTS,
            columns=rows.endpoint_columns,
        ),
        AggregateType(
            kind=model.DIRECTORY,
            state=StoredDirectory,
            evolve=model.evolve_directory,
            events=model.DIRECTORY_EVENTS,
            table=rows.DIRECTORIES,
            columns=rows.directory_columns,
        ),
    ),
    handlers=decider.HANDLERS,
)
"""The service."""

TABLES: Final = (rows.PROGRESS, rows.DELIVERIES)
"""The tables of who delivers, which are no aggregates'."""
