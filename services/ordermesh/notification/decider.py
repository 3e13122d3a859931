"""What is decided about webhook endpoints: create, update, delete, rotate, test, redeliver, disable. PURE.

What who delivers says may come late or twice: it counts only for what it was said about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import RequestRecord
from oms.notification.v1 import webhook_commands_pb2 as commands
from oms.notification.v1 import webhook_events_pb2 as events
from oms.notification.v1.webhook_pb2 import ENDPOINT_STATE_ACTIVE
from oms.notification.v1.webhook_state_pb2 import StoredDirectory, StoredEndpoint
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Handler, Key, State
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.core.stamps import write_time
from ordermesh.notification.model import (
    ENDPOINTS_PER_TENANT_MAX,
    REDELIVERIES_MAX,
    SECRET_OVERLAP_US,
    directory_key,
    endpoint_key,
)

_States = Mapping[Key, State]


def _endpoint(command: Any, context: Context) -> Sequence[Key]:
    return (endpoint_key(context.tenant, command.endpoint_id),)


def _endpoint_and_directory(command: Any, context: Context) -> Sequence[Key]:
    return endpoint_key(context.tenant, command.endpoint_id), directory_key(context.tenant)


def _found(states: _States, command: Any, context: Context) -> StoredEndpoint | None:
    """The endpoint; None where there is none, or none any more."""
    state: StoredEndpoint | None = states.get(endpoint_key(context.tenant, command.endpoint_id))
    return None if state is None or state.deleted else state


def _happens(command: Any, context: Context, event: Message) -> Decision:
    return Decision([(endpoint_key(context.tenant, command.endpoint_id), event)])


def _not_found(command: Any) -> Decision:
    return errors.refuse(
        errors.ENDPOINT_NOT_FOUND,
        f"There is no webhook endpoint {command.endpoint_id}.",
        endpoint_id=command.endpoint_id,
    )


def _record(command: Any) -> RequestRecord | None:
    """What is remembered of a request: not the secret, which is another each time that the request is sent."""
    asked = type(command)()
    asked.CopyFrom(command)
    if "secret" in asked.DESCRIPTOR.fields_by_name:
        asked.ClearField("secret")
    return record_of(command.request_id, asked)


def create(states: _States, command: commands.CreateEndpoint, context: Context) -> Decision:
    """One more endpoint, unless the tenant has too many; its id comes from the request, so it is made once."""
    known: StoredEndpoint | None = states.get(endpoint_key(context.tenant, command.endpoint_id))
    record = _record(command)
    if known is not None:
        return _not_found(command) if known.deleted else seen_before(known.requests, record) or Decision()
    directory: StoredDirectory = states.get(directory_key(context.tenant)) or StoredDirectory()
    if len(directory.endpoint_ids) >= ENDPOINTS_PER_TENANT_MAX:
        return errors.refuse(
            errors.ENDPOINT_LIMIT_REACHED,
            f"There are {ENDPOINTS_PER_TENANT_MAX} webhook endpoints, and no more may be; delete one first.",
            limit=ENDPOINTS_PER_TENANT_MAX,
        )
    created = events.EndpointCreated(
        endpoint_id=command.endpoint_id, url=command.url, event_types=command.event_types,
        description=command.description, secret=command.secret, request=record,
    )  # fmt: skip
    decision = _happens(command, context, created)
    listed = events.EndpointListed(endpoint_id=command.endpoint_id)
    decision.events.append((directory_key(context.tenant), listed))
    return decision


def update(states: _States, command: commands.UpdateEndpoint, context: Context) -> Decision:
    """What the command names becomes so; a disabled endpoint is made active again, and tried at once."""
    state = _found(states, command, context)
    if state is None:
        return _not_found(command)
    record = _record(command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.endpoint.version)
    if refused is not None:
        return refused
    updated = events.EndpointUpdated(
        url=command.url, event_types=command.event_types, state=command.state, request=record
    )
    if command.HasField("description"):
        updated.description = command.description
    return _happens(command, context, updated)


def delete(states: _States, command: commands.DeleteEndpoint, context: Context) -> Decision:
    """The endpoint ends; again, nothing."""
    known: StoredEndpoint | None = states.get(endpoint_key(context.tenant, command.endpoint_id))
    if known is None:
        return _not_found(command)
    if known.deleted:
        return Decision()
    refused = etag_mismatch(command.etag, known.endpoint.version)
    if refused is not None:
        return refused
    decision = _happens(command, context, events.EndpointDeleted())
    unlisted = events.EndpointUnlisted(endpoint_id=command.endpoint_id)
    decision.events.append((directory_key(context.tenant), unlisted))
    return decision


def rotate(states: _States, command: commands.RotateSecret, context: Context) -> Decision:
    """A new secret; those before sign too for a day."""
    state = _found(states, command, context)
    if state is None:
        return _not_found(command)
    record = _record(command)
    known = seen_before(state.requests, record)
    if known is not None:
        return known
    old_expire_us = context.now_us + SECRET_OVERLAP_US
    return _happens(
        command, context, events.SecretRotated(secret=command.secret, old_expire_us=old_expire_us, request=record)
    )


def _unless_active(state: StoredEndpoint) -> Decision | None:
    if state.endpoint.state == ENDPOINT_STATE_ACTIVE:
        return None
    return errors.refuse(
        errors.ENDPOINT_NOT_ACTIVE,
        f"Webhook endpoint {state.endpoint.endpoint_id} is paused or disabled; resume it by UpdateEndpoint first.",
        endpoint_id=state.endpoint.endpoint_id,
    )


def request_test(states: _States, command: commands.RequestTestEvent, context: Context) -> Decision:
    """An event for this endpoint alone."""
    state = _found(states, command, context)
    if state is None:
        return _not_found(command)
    record = _record(command)
    refused = seen_before(state.requests, record) or _unless_active(state)
    return refused or _happens(command, context, events.TestEventRequested(request=record))


def request_redelivery(states: _States, command: commands.RequestRedelivery, context: Context) -> Decision:
    """One more way through the stream of events, unless there are too many."""
    state = _found(states, command, context)
    if state is None:
        return _not_found(command)
    record = _record(command)
    refused = seen_before(state.requests, record) or _unless_active(state)
    if refused is not None:
        return refused
    if len(state.endpoint.redeliveries) >= REDELIVERIES_MAX:
        return errors.refuse(
            errors.REDELIVERY_LIMIT_REACHED,
            f"{REDELIVERIES_MAX} redeliveries of this endpoint are under way; wait until one has ended.",
            limit=REDELIVERIES_MAX,
        )
    requested = events.RedeliveryRequested(redelivery=command.redelivery, request=record)
    if requested.redelivery.HasField("start_time") and not requested.redelivery.HasField("end_time"):
        write_time(requested.redelivery.end_time, context.now_us)
    return _happens(command, context, requested)


def end_redelivery(states: _States, command: commands.EndRedelivery, context: Context) -> Decision:
    """It is no longer under way; again, or after the endpoint's end, nothing."""
    state = _found(states, command, context)
    if state is None or command.redelivery_id not in {each.redelivery_id for each in state.endpoint.redeliveries}:
        return Decision()
    return _happens(command, context, events.RedeliveryEnded(redelivery_id=command.redelivery_id))


def disable(states: _States, command: commands.DisableEndpoint, context: Context) -> Decision:
    """Nothing more is sent, if the endpoint is still as it was when it failed."""
    state = _found(states, command, context)
    if state is None or state.endpoint.state != ENDPOINT_STATE_ACTIVE:
        return Decision()
    if command.active_version < state.active_version:
        return Decision()
    return _happens(command, context, events.EndpointDisabled(reason=command.reason, detail=command.detail))


HANDLERS = (
    Handler(command=commands.CreateEndpoint, keys=_endpoint_and_directory, decide=create),
    Handler(command=commands.UpdateEndpoint, keys=_endpoint, decide=update),
    Handler(command=commands.DeleteEndpoint, keys=_endpoint_and_directory, decide=delete),
    Handler(command=commands.RotateSecret, keys=_endpoint, decide=rotate),
    Handler(command=commands.RequestTestEvent, keys=_endpoint, decide=request_test),
    Handler(command=commands.RequestRedelivery, keys=_endpoint, decide=request_redelivery),
    Handler(command=commands.EndRedelivery, keys=_endpoint, decide=end_redelivery),
    Handler(command=commands.DisableEndpoint, keys=_endpoint, decide=disable),
)
"""How each command is decided."""
