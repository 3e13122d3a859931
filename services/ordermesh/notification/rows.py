"""The tables of webhooks: endpoints, how far each was told, and the log of deliveries."""

from __future__ import annotations

from typing import Any

from oms.notification.v1.webhook_pb2 import EndpointState
from oms.notification.v1.webhook_state_pb2 import StoredDirectory, StoredEndpoint
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Table

ENDPOINTS = Table(
    name="webhook_endpoints",
    columns=(*AGGREGATE_COLUMNS, ("endpoint_state", "text"), ("url", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("sub_key", "endpoint_id"),),
    overwritten=True,
)
"""The endpoints of every tenant."""

DIRECTORIES = Table(
    name="webhook_directories",
    columns=(*AGGREGATE_COLUMNS, ("endpoint_count", "bigint")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("sub_key", ""),),
    overwritten=True,
)
"""The list of endpoints of every tenant."""

PROGRESS = Table(
    name="webhook_progress",
    columns=(("tenant", "text"), ("endpoint_id", "text"), ("state", "blob")),
    partition=("tenant", "endpoint_id"),
    overwritten=True,
)
"""How far each endpoint was told: a `DeliveryProgress`."""

DELIVERIES = Table(
    name="webhook_deliveries",
    columns=(
        ("tenant", "text"),
        ("endpoint_id", "text"),
        ("block", "bigint"),
        ("slot", "bigint"),
        ("number", "bigint"),
        ("state", "blob"),
    ),
    partition=("tenant", "endpoint_id", "block"),
    clustering=("slot",),
    newest_first=True,
    overwritten=True,
)
"""The last attempts of each endpoint, in a ring: attempt `number` overwrites the one that had its place before, so the
log of an endpoint is bounded and nothing is ever deleted. `state` is a `StoredDelivery`."""

BLOCK_ROWS = 256
"""Rows of a block: what is read at once."""
BLOCKS = 16
"""Blocks of an endpoint's ring: 4,096 attempts, of which one block may be overwritten while it is read."""

_STATES = {number: name.removeprefix("ENDPOINT_STATE_") for name, number in EndpointState.items()}


def endpoint_columns(_key: Key, state: StoredEndpoint) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    return ("DELETED" if state.deleted else _STATES[state.endpoint.state], state.endpoint.url)


def directory_columns(_key: Key, state: StoredDirectory) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    return (len(state.endpoint_ids),)


def place_of(number: int) -> tuple[int, int]:
    """The block and the slot of an attempt, by its number from 0."""
    return number // BLOCK_ROWS % BLOCKS, number % BLOCK_ROWS
