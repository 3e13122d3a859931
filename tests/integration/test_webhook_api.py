"""WebhookService: lists by pages, refusals with reasons, and secrets that are shown once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from oms.notification.v1 import webhook_pb2
from oms.notification.v1 import webhook_service_pb2 as api
from ordermesh.notification import deliverer as deliverers
from ordermesh.notification import deliveries as deliveries_log
from tests.e2e.api.client import Client, failure_of, until
from tests.receiver import Receiver
from tests.unit.edge.shop import Shop
from tests.webhooks import World, deliveries, made, seen

DELIVERED = webhook_pb2.DELIVERY_OUTCOME_DELIVERED
REFUSED: list[tuple[Any, str]] = [
    (api.CreateEndpointRequest(), "INVALID_REQUEST"),
    (api.CreateEndpointRequest(url="ftp://x.example"), "URL_NOT_ALLOWED"),
    (api.CreateEndpointRequest(url="https://user@x.example"), "URL_NOT_ALLOWED"),
    (api.CreateEndpointRequest(url="https://x.example", event_types=["oms.nothing.v1"]), "INVALID_REQUEST"),
    (api.CreateEndpointRequest(url="https://x.example", event_types=["*"] * 65), "INVALID_REQUEST"),
    (api.CreateEndpointRequest(url="https://x.example", description="a" * 257), "INVALID_REQUEST"),
    (api.GetEndpointRequest(endpoint_id="nobody"), "ENDPOINT_NOT_FOUND"),
    (api.GetEndpointRequest(), "INVALID_REQUEST"),
    (api.ListDeliveriesRequest(endpoint_id="nobody"), "ENDPOINT_NOT_FOUND"),
    (api.ListDeliveriesRequest(endpoint_id="x", page_size=-1), "INVALID_REQUEST"),
    (api.UpdateEndpointRequest(endpoint_id="nobody"), "INVALID_REQUEST"),
    (api.UpdateEndpointRequest(endpoint_id="nobody", description="x"), "ENDPOINT_NOT_FOUND"),
    (api.DeleteEndpointRequest(endpoint_id="nobody"), "ENDPOINT_NOT_FOUND"),
    (api.RotateSecretRequest(endpoint_id="nobody"), "ENDPOINT_NOT_FOUND"),
    (api.RedeliverRequest(endpoint_id="nobody"), "INVALID_REQUEST"),
    (api.RedeliverRequest(endpoint_id="nobody", delivery_id="1", start_time={"seconds": 1}), "INVALID_REQUEST"),
    (api.RedeliverRequest(endpoint_id="nobody", delivery_id="x"), "DELIVERY_NOT_FOUND"),
    (api.RedeliverRequest(endpoint_id="x", start_time={"seconds": 5}, end_time={"seconds": 4}), "INVALID_REQUEST"),
    (api.RedeliverRequest(endpoint_id="x", start_time={"seconds": -(2**62)}), "INVALID_REQUEST"),
    (
        api.RedeliverRequest(endpoint_id="x", start_time={"seconds": 1}, end_time={"seconds": 2**40}),
        "INVALID_REQUEST",
    ),
]
"""Requests, and why each is refused."""


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that is not open yet; who delivers stores often."""
    monkeypatch.setattr(deliverers, "TICK_S", 0.02)
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    """A client of the open world."""
    async with world.open() as connected:
        yield connected


async def test_attempts_are_listed_by_pages_the_newest_first(client: Client) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        orders = [await client.completed() for _ in range(4)]
        await until(seen(receiver, *(f"completed {order.order_id}" for order in orders)), "all arrive")

        async def all_noted() -> list[Any] | None:
            found = await deliveries(client, endpoint_id, outcome=DELIVERED)
            return found if len(found) == 12 else None

        whole = await until(all_noted, "all are noted")
    paged, token = [], ""
    while True:
        request = api.ListDeliveriesRequest(endpoint_id=endpoint_id, page_size=5, page_token=token, outcome=DELIVERED)
        page = await client.webhooks.ListDeliveries(request)
        assert len(page.deliveries) <= 5
        paged += page.deliveries
        if not (token := page.next_page_token):
            break
    assert paged == whole
    numbers = [int(each.delivery_id) for each in whole]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize(("request_", "reason"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
async def test_what_cannot_be_is_refused_with_a_reason(request_: Any, reason: str) -> None:
    shop = Shop()
    async with shop.open() as client:
        name = type(request_).DESCRIPTOR.name.removesuffix("Request")
        refused = await failure_of(getattr(client.webhooks, name)(request_))
    assert refused.reason == reason


async def test_an_endpoint_is_deleted_for_good_and_others_are_still_listed(client: Client) -> None:
    async with Receiver() as receiver:
        first = (await made(client, receiver.url)).endpoint.endpoint_id
        second = (await made(client, receiver.url)).endpoint.endpoint_id
        await client.webhooks.DeleteEndpoint(api.DeleteEndpointRequest(endpoint_id=first))
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the other gets it")
        listed = await client.webhooks.ListEndpoints(api.ListEndpointsRequest())

    assert [each.endpoint_id for each in listed.endpoints] == [second]
    assert receiver.names.count(f"placed {order.order_id}") == 1


async def test_no_answer_but_the_first_shows_a_secret(client: Client) -> None:
    created = await made(client, "https://shop.example/hooks")
    rotated = await client.webhooks.RotateSecret(api.RotateSecretRequest(endpoint_id=created.endpoint.endpoint_id))
    told = [
        await client.webhooks.GetEndpoint(api.GetEndpointRequest(endpoint_id=created.endpoint.endpoint_id)),
        await client.webhooks.ListEndpoints(api.ListEndpointsRequest()),
    ]

    for secret in (created.secret, rotated.secret):
        assert secret.startswith("whsec_")
        assert not [each for each in told if secret in str(each)]


async def test_a_request_that_is_repeated_shows_its_own_secret_and_no_later_one(client: Client) -> None:
    create = api.CreateEndpointRequest(url="https://shop.example/hooks", request_id="create")
    created = await client.webhooks.CreateEndpoint(create)
    assert (await client.webhooks.CreateEndpoint(create)).secret == created.secret
    rotate = api.RotateSecretRequest(endpoint_id=created.endpoint.endpoint_id, request_id="first")
    first = await client.webhooks.RotateSecret(rotate)

    assert (await client.webhooks.RotateSecret(rotate)).secret == first.secret
    await client.webhooks.RotateSecret(api.RotateSecretRequest(endpoint_id=created.endpoint.endpoint_id))

    repeated = [await client.webhooks.CreateEndpoint(create), await client.webhooks.RotateSecret(rotate)]
    assert [each.endpoint.endpoint_id for each in repeated] == [created.endpoint.endpoint_id] * 2
    assert [each.secret for each in repeated] == ["", ""]


async def test_a_deployment_without_the_group_says_what_to_do() -> None:
    shop = Shop()
    async with shop.open() as client:
        del shop.deployment.groups[-1]
        request = api.CreateEndpointRequest(url="https://shop.example/")
        refused = await failure_of(client.webhooks.CreateEndpoint(request))

    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "WEBHOOKS_NOT_PREPARED")
    assert "ordermesh deployment create" in refused.message


async def test_attempts_of_long_ago_are_not_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the order arrives")
        (newest, *_) = await until(lambda: deliveries(client, endpoint_id), "it is noted")
        monkeypatch.setattr(deliveries_log, "AGE_DAYS_MAX", 0)
        assert await deliveries(client, endpoint_id) == []
        again = api.RedeliverRequest(endpoint_id=endpoint_id, delivery_id=newest.delivery_id)
        refused = await failure_of(client.webhooks.Redeliver(again))

    assert refused.reason == "DELIVERY_NOT_FOUND"
