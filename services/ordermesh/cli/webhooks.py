"""`ordermesh webhooks`: endpoints that are told of what happens, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from oms.notification.v1 import webhook_pb2, webhook_service_pb2, webhook_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected, usage
from ordermesh.cli.orders import Etag, RequestId
from ordermesh.cli.output import Output, print_message, say

app = typer.Typer(no_args_is_help=True, help="Webhook endpoints, and what was delivered to them.")
Stub = webhook_service_pb2_grpc.WebhookServiceStub

EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT_ID", help="The endpoint's id.")]
EventTypes = Annotated[
    list[str], typer.Option("--event-type", metavar="TYPE", help="As oms.order.placed.v1 or oms.order.*; repeat it.")
]
Description = Annotated[str | None, typer.Option("--description", help="What it is for.")]
PageSize = Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")]
PageToken = Annotated[str, typer.Option("--page-token", help="Where to go on.")]
EXCERPT_CHARACTERS = 60
"""Of an error, in a table."""


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    MISSED = "missed"


@app.command()
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where requests go, as https://shop.example/hooks.")],
    event_type: EventTypes = [],  # noqa: B006 # typer copies it
    description: Description = None,
    request_id: RequestId = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make an endpoint, and show its secret, once. Example: ordermesh webhooks create https://shop.example/hooks"""
    request = webhook_service_pb2.CreateEndpointRequest(
        url=url, event_types=event_type, description=description or "", request_id=request_id
    )
    with connected(server) as channel:
        response = Stub(channel).CreateEndpoint(request, timeout=timeout)
    print_message(response, output, [*_table([response.endpoint]), *_secret(response.secret)])


@app.command()
def get(
    endpoint_id: EndpointId,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Show an endpoint and how it does."""
    request = webhook_service_pb2.GetEndpointRequest(endpoint_id=endpoint_id)
    with connected(server) as channel:
        response = Stub(channel).GetEndpoint(request, timeout=timeout)
    endpoint, health = response.endpoint, response.endpoint.health
    facts = [
        ("types", ", ".join(endpoint.event_types)),
        ("description", endpoint.description),
        ("why", endpoint.state_detail),
        ("waiting", str(health.waiting_count)),
        ("failures in a row", str(health.consecutive_failures)),
        ("last error", health.last_error),
        ("missed", str(health.missed_count)),
        ("given up", str(health.given_up_count)),
        ("redeliveries", ", ".join(each.redelivery_id for each in endpoint.redeliveries)),
    ]
    print_message(response, output, [*_table([endpoint]), *((name, value, "", "") for name, value in facts)])


@app.command("list")
def list_endpoints(
    page_size: PageSize = 50,
    page_token: PageToken = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List the endpoints."""
    request = webhook_service_pb2.ListEndpointsRequest(page_size=page_size, page_token=page_token)
    with connected(server) as channel:
        response = Stub(channel).ListEndpoints(request, timeout=timeout)
    table = _table(response.endpoints)
    if response.next_page_token:
        table.append((f"more: --page-token {response.next_page_token}", "", "", ""))
    print_message(response, output, table)


@app.command()
def update(
    endpoint_id: EndpointId,
    url: Annotated[str, typer.Option("--url", help="Another URL.")] = "",
    event_type: EventTypes = [],  # noqa: B006 # typer copies it
    description: Description = None,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Change an endpoint's URL, types or description."""
    request = webhook_service_pb2.UpdateEndpointRequest(
        endpoint_id=endpoint_id, url=url, event_types=event_type, description=description, request_id=request_id,
        etag=etag,
    )  # fmt: skip
    _update(request, server, timeout, output)


@app.command()
def pause(
    endpoint_id: EndpointId,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Send an endpoint nothing for now; what happens waits for it, as long as events are kept."""
    _set_state(endpoint_id, webhook_pb2.ENDPOINT_STATE_PAUSED, server, timeout, output)


@app.command()
def resume(
    endpoint_id: EndpointId,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Send to an endpoint again that was paused, or that the engine disabled."""
    _set_state(endpoint_id, webhook_pb2.ENDPOINT_STATE_ACTIVE, server, timeout, output)


@app.command()
def delete(
    endpoint_id: EndpointId,
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """End an endpoint, for good."""
    request = webhook_service_pb2.DeleteEndpointRequest(endpoint_id=endpoint_id, etag=etag)
    with connected(server) as channel:
        response = Stub(channel).DeleteEndpoint(request, timeout=timeout)
    print_message(response, output, [("ENDPOINT", "STATE"), (endpoint_id, "DELETED")])


@app.command("rotate-secret")
def rotate_secret(
    endpoint_id: EndpointId,
    request_id: RequestId = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Give an endpoint a new secret, and show it, once; the old one signs too for 24 hours."""
    request = webhook_service_pb2.RotateSecretRequest(endpoint_id=endpoint_id, request_id=request_id)
    with connected(server) as channel:
        response = Stub(channel).RotateSecret(request, timeout=timeout)
    print_message(response, output, [*_table([response.endpoint]), *_secret(response.secret)])


@app.command("test")
def send_test(
    endpoint_id: EndpointId,
    request_id: RequestId = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Send an endpoint a test event; `ordermesh webhooks deliveries` shows what came of it."""
    request = webhook_service_pb2.SendTestEventRequest(endpoint_id=endpoint_id, request_id=request_id)
    with connected(server) as channel:
        response = Stub(channel).SendTestEvent(request, timeout=timeout)
    print_message(response, output, _table([response.endpoint]))


@app.command()
def deliveries(
    endpoint_id: EndpointId,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only attempts that ended so.")] = None,
    subject: Annotated[str, typer.Option("--subject", help="Only about this order, SKU or endpoint.")] = "",
    page_size: PageSize = 50,
    page_token: PageToken = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List the last attempts, the newest first."""
    name = f"DELIVERY_OUTCOME_{outcome.name}" if outcome else "DELIVERY_OUTCOME_UNSPECIFIED"
    request = webhook_service_pb2.ListDeliveriesRequest(
        endpoint_id=endpoint_id, outcome=name, subject=subject, page_size=page_size, page_token=page_token
    )
    with connected(server) as channel:
        response = Stub(channel).ListDeliveries(request, timeout=timeout)
    rows: list[tuple[str, ...]] = [
        ("DELIVERY", "TIME", "TYPE", "SUBJECT", "ATTEMPT", "OUTCOME", "STATUS", "MS", "ERROR")
    ]
    rows += [_delivery_row(each) for each in response.deliveries]
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", *[""] * 8))
    print_message(response, output, rows)


@app.command()
def redeliver(
    endpoint_id: EndpointId,
    delivery: Annotated[str, typer.Option("--delivery", help="The delivery whose event is to go again.")] = "",
    since: Annotated[datetime | None, typer.Option("--since", help="Or all events from then on; UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="And before then; UTC. Now if not given.")] = None,
    request_id: RequestId = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Deliver an event again, or all of a time.

    Example: ordermesh webhooks redeliver we_0123 --since 2026-01-31T08:00:00
    """
    if bool(delivery) == (since is not None):
        raise usage("say what to deliver again: --delivery ID, or --since TIME")
    request = webhook_service_pb2.RedeliverRequest(
        endpoint_id=endpoint_id, delivery_id=delivery, start_time=_timestamp(since), end_time=_timestamp(until),
        request_id=request_id,
    )  # fmt: skip
    with connected(server) as channel:
        response = Stub(channel).Redeliver(request, timeout=timeout)
    print_message(response, output, [("ENDPOINT", "REDELIVERY"), (endpoint_id, response.redelivery_id)])


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    return timestamp


def _set_state(
    endpoint_id: str, state: webhook_pb2.EndpointState, server: str, timeout_s: float, output: Output
) -> None:
    request = webhook_service_pb2.UpdateEndpointRequest(endpoint_id=endpoint_id, state=state)
    _update(request, server, timeout_s, output)


def _update(request: webhook_service_pb2.UpdateEndpointRequest, server: str, timeout_s: float, output: Output) -> None:
    with connected(server) as channel:
        response = Stub(channel).UpdateEndpoint(request, timeout=timeout_s)
    print_message(response, output, _table([response.endpoint]))


def _secret(secret: str) -> list[tuple[str, ...]]:
    if not secret:
        say("The secret was shown when this was asked for the first time, and may have been rotated since.")
        return []
    say("Keep the secret: it is not shown again.")
    return [("secret", secret, "", "")]


def _table(endpoints: Iterable[webhook_pb2.Endpoint]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("ENDPOINT", "URL", "STATE", "VERSION")]
    for each in endpoints:
        state = webhook_pb2.EndpointState.Name(each.state).removeprefix("ENDPOINT_STATE_")
        rows.append((each.endpoint_id, each.url, state, str(each.version)))
    return rows


def _delivery_row(each: webhook_pb2.Delivery) -> tuple[str, ...]:
    outcome = webhook_pb2.DeliveryOutcome.Name(each.outcome).removeprefix("DELIVERY_OUTCOME_")
    return (
        each.delivery_id,
        each.attempt_time.ToJsonString(),
        each.event_type,
        each.subject,
        str(each.attempt),
        outcome,
        str(each.status_code or ""),
        str(each.duration_ms),
        each.error[:EXCERPT_CHARACTERS],
    )
