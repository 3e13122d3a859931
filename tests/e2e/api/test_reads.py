"""Reading orders: four consistencies and what they say of themselves, lists in pages, and watching without a gap."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, new_id, order_of, until

EVENTUAL = consistency_pb2.READ_CONSISTENCY_EVENTUAL
QUORUM = consistency_pb2.READ_CONSISTENCY_QUORUM
AT_LEAST = consistency_pb2.READ_CONSISTENCY_AT_LEAST


@pytest.mark.parametrize("consistency", [0, EVENTUAL, QUORUM, LINEARIZABLE])
async def test_a_read_says_which_consistency_it_gave(client: Client, consistency: int) -> None:
    order = await client.completed()

    async def read() -> Any:
        response = await client.get(order.order_id, consistency)
        return response if response.order.version == order.version else None

    response = await until(read, "the newest version is stored")

    assert response.freshness.consistency == (consistency or QUORUM)
    assert response.freshness.version == response.order.version
    assert not response.freshness.degraded
    assert response.freshness.HasField("read_time")
    assert response.order == order


async def test_a_caller_reads_its_own_write_by_the_version_that_it_returned(client: Client) -> None:
    created = await client.create(order_of(), consistency_pb2.DURABILITY_LOGGED)

    response = await client.get(created.order.order_id, AT_LEAST, created.order.version)

    assert response.order.version >= created.order.version
    assert response.freshness.consistency in (AT_LEAST, LINEARIZABLE)


async def test_a_version_that_is_not_yet_is_not_yet_known(client: Client) -> None:
    order = await client.completed()

    failure = await failure_of(client.get(order.order_id, AT_LEAST, order.version + 1))

    assert (failure.code, failure.reason) == ("UNAVAILABLE", "STATE_NOT_YET_KNOWN")
    assert failure.retry_ms > 0


@pytest.mark.parametrize(("consistency", "min_version"), [(AT_LEAST, 0), (QUORUM, 3), (LINEARIZABLE, -1), (9, 0)])
async def test_a_read_that_contradicts_itself_is_refused(client: Client, consistency: int, min_version: int) -> None:
    failure = await failure_of(client.get(new_id(), consistency, min_version))

    assert failure.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("consistency", [EVENTUAL, QUORUM, LINEARIZABLE])
async def test_an_order_that_is_not_there_is_not_found(client: Client, consistency: int) -> None:
    failure = await failure_of(client.get(new_id(), consistency))

    assert (failure.code, failure.reason) == ("NOT_FOUND", "ORDER_NOT_FOUND")


async def list_all(client: Client, size: int, **wanted: Any) -> list[list[order_pb2.Order]]:
    """All pages of a list."""
    pages, token = [], ""
    while True:
        request = order_service_pb2.ListOrdersRequest(page_size=size, page_token=token, **wanted)
        response = await client.orders.ListOrders(request)
        pages.append(list(response.orders))
        token = response.next_page_token
        if not token:
            return pages


async def test_a_list_gives_every_order_once_the_newest_first(client: Client) -> None:
    ids = [new_id(ahead_ms=number) for number in range(25)]
    for order_id in ids:
        await client.create(order_of(order_id=order_id, customer_id="lister"))
    # A year before: another month of the same customer.
    old = f"0193{ids[0][4:]}"
    await client.create(order_of(order_id=old, customer_id="lister"))

    async def listed() -> Any:
        pages = await list_all(client, 10, customer_id="lister")
        return pages if sum(map(len, pages)) == len(ids) + 1 else None

    pages = await until(listed, "all are stored")

    assert [order.order_id for page in pages for order in page] == [*reversed(ids), old]
    assert max(len(page) for page in pages) == 10
    assert all(order.payment_token == "" for page in pages for order in page)


async def test_a_list_is_filtered_by_state_and_time(client: Client) -> None:
    await client.receive("LIST", 5)
    good = await client.create(order_of(customer_id="picky", sku="LIST"))
    await client.create(order_of(customer_id="picky", sku="NOWHERE"))
    await client.ended(good.order.order_id)

    async def listed() -> Any:
        pages = await list_all(client, 50, customer_id="picky", order_state=order_pb2.ORDER_STATE_COMPLETED)
        return [order.order_id for page in pages for order in page]

    assert await until(listed, "the order is stored as completed") == [good.order.order_id]
    request = order_service_pb2.ListOrdersRequest(customer_id="picky")
    request.create_time_to.FromSeconds(1_000_000_000)
    assert not (await client.orders.ListOrders(request)).orders


async def test_nobody_has_orders_of_a_customer_who_never_ordered(client: Client) -> None:
    assert await list_all(client, 10, customer_id="nobody") == [[]]


async def test_a_page_token_of_another_list_is_refused(client: Client) -> None:
    for _ in range(3):
        await client.create(order_of(customer_id="tokens"))

    async def next_page_token() -> Any:
        request = order_service_pb2.ListOrdersRequest(customer_id="tokens", page_size=1)
        return (await client.orders.ListOrders(request)).next_page_token

    good = await until(next_page_token, "more than one is stored")

    for token in (good, good[:-2], "nonsense"):
        request = order_service_pb2.ListOrdersRequest(customer_id="somebody", page_size=1, page_token=token)
        failure = await failure_of(client.orders.ListOrders(request))
        assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


async def test_a_negative_page_size_is_refused(client: Client) -> None:
    request = order_service_pb2.ListOrdersRequest(customer_id="ada", page_size=-1)

    assert (await failure_of(client.orders.ListOrders(request))).fields == ["page_size"]


async def watched(client: Client, order_id: str, after_version: int, count: int) -> list[Any]:
    """That many updates of an order."""
    request = order_service_pb2.WatchOrderRequest(order_id=order_id, after_version=after_version)
    call = client.orders.WatchOrder(request)
    async with asyncio.timeout(30):
        updates = [await call.read() for _ in range(count)]
    call.cancel()
    return updates


async def test_a_watched_order_is_told_version_by_version_to_its_end(client: Client) -> None:
    await client.receive("WATCH")
    created = await client.create(order_of(sku="WATCH", token="tok_slow"))
    call = client.orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=created.order.order_id))
    updates = []
    async with asyncio.timeout(30):
        async for update in call:
            updates.append(update)
            if update.event == "OrderCompleted":
                break
    call.cancel()

    assert [update.version for update in updates] == list(range(1, len(updates) + 1))
    assert updates[0].event == "OrderPlaced"
    assert all(update.order.version >= update.version for update in updates)
    assert all(update.order.payment_token == "" for update in updates)
    assert updates[-1].order.order_state == order_pb2.ORDER_STATE_COMPLETED
    order = (await client.get(created.order.order_id)).order
    assert [(entry.version, entry.event) for entry in order.timeline] == [(u.version, u.event) for u in updates]


async def test_a_watch_goes_on_after_the_version_that_was_seen(client: Client) -> None:
    order = await client.completed()

    updates = await watched(client, order.order_id, 2, order.version - 2)

    assert [update.version for update in updates] == list(range(3, order.version + 1))


async def test_a_watch_from_a_version_to_come_is_refused(client: Client) -> None:
    order = await client.completed()
    request = order_service_pb2.WatchOrderRequest(order_id=order.order_id, after_version=order.version + 5)

    failure = await failure_of(client.orders.WatchOrder(request).read())

    assert (failure.code, failure.fields) == ("INVALID_ARGUMENT", ["after_version"])


async def test_an_order_that_is_not_there_cannot_be_watched(client: Client) -> None:
    failure = await failure_of(client.orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=new_id())).read())

    assert failure.reason == "ORDER_NOT_FOUND"


async def test_many_watchers_of_many_orders_miss_nothing(client: Client) -> None:
    await client.receive("CROWD", 1_000)
    orders = [(await client.create(order_of(sku="CROWD"))).order for _ in range(20)]

    async def follow(order_id: str) -> list[int]:
        versions = []
        call = client.orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=order_id))
        async for update in call:
            versions.append(update.version)
            if update.event == "OrderCompleted":
                break
        call.cancel()
        return versions

    async with asyncio.timeout(60):
        followed = await asyncio.gather(*(follow(order.order_id) for order in orders for _ in range(3)))

    assert all(versions == list(range(1, len(versions) + 1)) for versions in followed)
