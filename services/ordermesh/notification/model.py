"""A webhook endpoint, and the list of those of a tenant. PURE.

All of a tenant's endpoints lie in one partition, so that their number can be limited. A deleted one stays as a mark
without its URL and secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from oms.notification.v1 import webhook_events_pb2 as events
from oms.notification.v1.webhook_pb2 import (
    ENDPOINT_STATE_ACTIVE,
    ENDPOINT_STATE_DISABLED,
    ENDPOINT_STATE_REASON_UNSPECIFIED,
    ENDPOINT_STATE_UNSPECIFIED,
)
from oms.notification.v1.webhook_state_pb2 import StoredDirectory, StoredEndpoint
from ordermesh.core.decider import Key, Stamp
from ordermesh.core.requests import remember
from ordermesh.core.stamps import write_time

SERVICE: Final = "notification"
"""The service's name."""

ENDPOINT: Final = "endpoint"
"""The kind of the aggregate of an endpoint."""

DIRECTORY: Final = "endpoint_directory"
"""The kind of the aggregate of a tenant's list of endpoints."""

HASHED: Final = "endpoints"
"""What is hashed besides the tenant, for all of its endpoints."""

ENDPOINTS_PER_TENANT_MAX: Final = 100
"""Each event is sent to each endpoint that wants it, and the list is one state."""

REDELIVERIES_MAX: Final = 4
"""Redeliveries of an endpoint that are under way: each is one more way through the stream of events."""

SECRETS_MAX: Final = 4
"""Secrets that sign at the same time: each is a signature in every request."""

SECRET_OVERLAP_US: Final = 24 * 3_600 * 1_000_000
"""How long a secret signs after it was rotated away."""


def endpoint_key(tenant: str, endpoint_id: str) -> Key:
    """The key of an endpoint."""
    return Key(ENDPOINT, tenant, HASHED, endpoint_id)


def directory_key(tenant: str) -> Key:
    """The key of a tenant's list of endpoints."""
    return Key(DIRECTORY, tenant, HASHED)


def wants(event_types: Sequence[str], event_type: str) -> bool:
    """Whether an endpoint with these types is told of an event of that type."""
    return any(
        wanted == event_type or (wanted.endswith("*") and event_type.startswith(wanted[:-1])) for wanted in event_types
    )


def signing_secrets(state: StoredEndpoint, now_us: int) -> list[str]:
    """The secrets that sign at a time, the newest first."""
    return [each.secret for each in state.secrets if not each.expire_us or each.expire_us > now_us]


def _activate(state: StoredEndpoint, stamp: Stamp) -> None:
    endpoint = state.endpoint
    endpoint.state = ENDPOINT_STATE_ACTIVE
    endpoint.state_reason = ENDPOINT_STATE_REASON_UNSPECIFIED
    endpoint.state_detail = ""
    state.active_version = stamp.version


def _created(state: StoredEndpoint, event: events.EndpointCreated, stamp: Stamp) -> None:
    endpoint = state.endpoint
    endpoint.endpoint_id = event.endpoint_id
    endpoint.url = event.url
    endpoint.event_types[:] = event.event_types
    endpoint.description = event.description
    state.secrets.add(secret=event.secret)
    write_time(endpoint.create_time, stamp.time_us)
    _activate(state, stamp)


def _updated(state: StoredEndpoint, event: events.EndpointUpdated, stamp: Stamp) -> None:
    endpoint = state.endpoint
    if event.url:
        endpoint.url = event.url
        state.active_version = stamp.version
    if event.event_types:
        endpoint.event_types[:] = event.event_types
    if event.HasField("description"):
        endpoint.description = event.description
    if event.state == ENDPOINT_STATE_ACTIVE:
        _activate(state, stamp)
    elif event.state != ENDPOINT_STATE_UNSPECIFIED:
        endpoint.state = event.state


def _deleted(state: StoredEndpoint, _event: events.EndpointDeleted, _stamp: Stamp) -> None:
    endpoint_id = state.endpoint.endpoint_id
    state.Clear()
    state.endpoint.endpoint_id = endpoint_id
    state.deleted = True


def _secret_rotated(state: StoredEndpoint, event: events.SecretRotated, _stamp: Stamp) -> None:
    for each in state.secrets:
        each.expire_us = each.expire_us or event.old_expire_us
    kept = [(each.secret, each.expire_us) for each in state.secrets][: SECRETS_MAX - 1]
    del state.secrets[:]
    for secret, expire_us in [(event.secret, 0), *kept]:
        state.secrets.add(secret=secret, expire_us=expire_us)


def _test_requested(_state: StoredEndpoint, _event: events.TestEventRequested, _stamp: Stamp) -> None:
    """The world is told of it; nothing else is to be known."""


def _redelivery_requested(state: StoredEndpoint, event: events.RedeliveryRequested, _stamp: Stamp) -> None:
    state.endpoint.redeliveries.add().CopyFrom(event.redelivery)


def _redelivery_ended(state: StoredEndpoint, event: events.RedeliveryEnded, _stamp: Stamp) -> None:
    kept = [each for each in state.endpoint.redeliveries if each.redelivery_id != event.redelivery_id]
    del state.endpoint.redeliveries[:]
    state.endpoint.redeliveries.extend(kept)


def _disabled(state: StoredEndpoint, event: events.EndpointDisabled, _stamp: Stamp) -> None:
    endpoint = state.endpoint
    endpoint.state = ENDPOINT_STATE_DISABLED
    endpoint.state_reason = event.reason
    endpoint.state_detail = event.detail


_CHANGES: dict[type[Message], Callable[[StoredEndpoint, Any, Stamp], None]] = {
    events.EndpointCreated: _created,
    events.EndpointUpdated: _updated,
    events.EndpointDeleted: _deleted,
    events.SecretRotated: _secret_rotated,
    events.TestEventRequested: _test_requested,
    events.RedeliveryRequested: _redelivery_requested,
    events.RedeliveryEnded: _redelivery_ended,
    events.EndpointDisabled: _disabled,
}

ENDPOINT_EVENTS: tuple[type[Message], ...] = tuple(_CHANGES)
"""What can happen to an endpoint."""


def evolve_endpoint(state: StoredEndpoint, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to an endpoint."""
    _CHANGES[type(event)](state, event, stamp)
    if "request" in event.DESCRIPTOR.fields_by_name and event.HasField("request"):
        remember(state.requests, event.request)
    endpoint = state.endpoint
    endpoint.version = stamp.version
    endpoint.etag = str(stamp.version)
    write_time(endpoint.update_time, stamp.time_us)


DIRECTORY_EVENTS: tuple[type[Message], ...] = (events.EndpointListed, events.EndpointUnlisted)
"""What can happen to a tenant's list of endpoints."""


def evolve_directory(state: StoredDirectory, event: Any, stamp: Stamp) -> None:
    """Makes an event happen to a tenant's list of endpoints."""
    if isinstance(event, events.EndpointListed):
        state.endpoint_ids.append(event.endpoint_id)
    else:
        state.endpoint_ids.remove(event.endpoint_id)
    state.version = stamp.version
