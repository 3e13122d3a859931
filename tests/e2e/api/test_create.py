"""Creating orders: one by one, in batches, in a stream; what is taken, what is refused, and nothing by half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from tests.e2e.api.client import Client, failure_of, failure_of_status, new_id, order_of, pounds

STORED = consistency_pb2.PERSISTENCE_STORED
Request = order_service_pb2.CreateOrderRequest


async def test_a_created_order_is_stored_with_its_total_and_without_its_token(client: Client) -> None:
    response = await client.create(order_of(quantity=3))

    assert response.persistence == STORED
    order = response.order
    assert order.total == pounds(14, 970_000_000)
    assert (order.payment_token, order.lines[0].line_id) == ("", "1")
    assert order.version == len(order.timeline) >= 1
    read = (await client.get(order.order_id)).order
    assert (read.order_id, read.customer_id, read.total) == (order.order_id, "ada", order.total)
    assert read.payment_token == ""


async def test_logged_durability_answers_once_the_decision_is_logged(client: Client) -> None:
    response = await client.create(order_of(), consistency_pb2.DURABILITY_LOGGED)

    assert response.persistence in (consistency_pb2.PERSISTENCE_LOGGED, STORED)


async def test_an_order_without_id_gets_one_of_now(client: Client) -> None:
    response = await client.create(order_of(order_id=""))

    assert (await client.get(response.order.order_id)).order.order_id == response.order.order_id


async def test_an_id_in_capitals_is_the_same_id(client: Client) -> None:
    order = order_of()
    await client.create(order)

    assert (await client.get(order.order_id.upper())).order.order_id == order.order_id
    shouted = order_pb2.Order()
    shouted.CopyFrom(order)
    shouted.order_id = order.order_id.upper()
    assert (await client.create(shouted)).order.order_id == order.order_id


async def test_the_same_order_again_is_answered_as_it_is_now(client: Client) -> None:
    order = order_of()
    first = await client.create(order)
    await client.ended(order.order_id)

    again = await client.create(order)

    assert again.order.version > first.order.version
    assert again.order.create_time == first.order.create_time


async def test_an_id_with_other_content_already_exists(client: Client) -> None:
    order = order_of()
    await client.create(order)

    failure = await failure_of(client.create(order_of(order_id=order.order_id, quantity=9)))

    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "ORDER_ALREADY_EXISTS")
    assert failure.metadata["order_id"] == order.order_id


async def test_the_id_of_another_customers_order_is_not_found(client: Client) -> None:
    order = order_of()
    await client.create(order)

    failure = await failure_of(client.create(order_of(order_id=order.order_id, customer_id="eve")))

    assert (failure.code, failure.reason) == ("NOT_FOUND", "ORDER_NOT_FOUND")


def changed(change: Callable[[Any], object]) -> Request:
    """A good request with one change."""
    request = Request(order=order_of())
    change(request)
    return request


BAD = {
    "order.customer_id": lambda r: r.order.ClearField("customer_id"),
    "order.payment_token": lambda r: setattr(r.order, "payment_token", "tok_unknown"),
    "order.lines": lambda r: r.order.ClearField("lines"),
    "order.lines[0].sku": lambda r: setattr(r.order.lines[0], "sku", "a\x1fb"),
    "order.lines[0].quantity": lambda r: setattr(r.order.lines[0], "quantity", 0),
    "order.lines[0].unit_price": lambda r: r.order.lines[0].ClearField("unit_price"),
    "order.lines[0].unit_price.currency_code": lambda r: setattr(r.order.lines[0].unit_price, "currency_code", "gb"),
    "order.lines[1].unit_price.currency_code": lambda r: r.order.lines.add(
        sku="X", quantity=1, unit_price={"currency_code": "EUR", "units": 1}
    ),
    "order.lines[1].line_id": lambda r: r.order.MergeFrom(
        order_pb2.Order(lines=[{"sku": "X", "quantity": 1, "unit_price": pounds(1), "line_id": "\x00"}])
    ),
    "order.lines[0].discount": lambda r: r.order.lines[0].discount.CopyFrom(pounds(99)),
    "order.fulfillment_policy": lambda r: setattr(r.order, "fulfillment_policy", 77),
    "durability": lambda r: setattr(r, "durability", 9),
    "order.order_id": lambda r: setattr(r.order, "order_id", "9d0c5c9e-1f1b-4c5e-8a0e-000000000000"),
    "order.labels['k']": lambda r: r.order.labels.update({"k": "v" * 257}),
}


@pytest.mark.parametrize("field", sorted(BAD))
async def test_bad_input_names_its_field_and_changes_nothing(client: Client, field: str) -> None:
    request = changed(BAD[field])

    failure = await failure_of(client.orders.CreateOrder(request))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert field in failure.fields
    if field != "order.order_id":
        missing = await failure_of(client.get(request.order.order_id))
        assert missing.reason == "ORDER_NOT_FOUND"


async def test_every_bad_field_is_named_at_once(client: Client) -> None:
    failure = await failure_of(client.orders.CreateOrder(Request()))

    assert {"order.customer_id", "order.payment_token", "order.lines"} <= set(failure.fields)


async def test_an_error_about_an_order_whose_id_the_server_made_carries_that_id(client: Client) -> None:
    failure = await failure_of(client.create(order_of(order_id="", token="tok_unknown")))

    assert len(failure.metadata["order_id"]) == 36


async def test_an_id_more_than_ten_seconds_ahead_is_refused(client: Client) -> None:
    failure = await failure_of(client.create(order_of(order_id=new_id(ahead_ms=20_000))))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "ORDER_ID_IN_FUTURE")
    assert (await client.create(order_of(order_id=new_id(ahead_ms=5_000)))).persistence == STORED


async def test_more_than_two_thousand_lines_are_refused(client: Client) -> None:
    order = order_of()
    order.lines.extend([order.lines[0]] * 2_000)

    failure = await failure_of(client.create(order))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "LIMIT_EXCEEDED")
    assert (failure.metadata["limit"], failure.metadata["actual"]) == ("2000", "2001")


async def test_two_thousand_lines_are_taken(client: Client) -> None:
    order = order_of(sku="L0")
    for number in range(1, 2_000):
        order.lines.add(sku=f"L{number % 50}", quantity=1, unit_price=pounds(1))

    assert len((await client.create(order)).order.lines) == 2_000


async def test_more_than_512_kib_are_refused(client: Client) -> None:
    order = order_of()
    order.ship_to.address_lines.append("x" * 513 * 1024)

    failure = await failure_of(client.create(order))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "LIMIT_EXCEEDED")
    assert failure.metadata["limit"] == str(512 * 1024)


async def test_a_call_of_more_than_4_mib_is_refused(client: Client) -> None:
    order = order_of()
    order.ship_to.address_lines.append("x" * 5 * 1024 * 1024)

    failure = await failure_of(client.create(order))

    assert failure.code == "RESOURCE_EXHAUSTED"


async def test_one_bad_order_of_a_batch_fails_alone(client: Client) -> None:
    bad = order_of(quantity=-1)
    orders = [order_of(customer_id="batch") for _ in range(20)]
    orders.insert(7, bad)

    response = await client.orders.BatchCreateOrders(
        order_service_pb2.BatchCreateOrdersRequest(requests=[Request(order=order) for order in orders])
    )

    assert [result.WhichOneof("result") for result in response.results] == ["order"] * 7 + ["status"] + ["order"] * 13
    assert [result.order.order_id for result in response.results if result.HasField("order")] == [
        order.order_id for order in orders if order is not bad
    ]
    failure = failure_of_status(response.results[7].status)
    assert (failure.code, failure.fields) == ("INVALID_ARGUMENT", ["order.lines[0].quantity"])
    assert failure.metadata["order_id"] == bad.order_id
    assert {result.persistence for result in response.results} == {0, STORED}


async def test_an_order_twice_in_a_batch_is_one_order(client: Client) -> None:
    order = order_of()
    batch = order_service_pb2.BatchCreateOrdersRequest(requests=[Request(order=order)] * 2)

    response = await client.orders.BatchCreateOrders(batch)

    assert [result.order.order_id for result in response.results] == [order.order_id] * 2


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_batch_has_one_to_a_thousand_orders(client: Client, count: int) -> None:
    batch = order_service_pb2.BatchCreateOrdersRequest(requests=[Request(order=order_of())] * count)

    failure = await failure_of(client.orders.BatchCreateOrders(batch))

    assert failure.code == "INVALID_ARGUMENT"
    assert failure.fields == ["requests"]


async def test_a_thousand_orders_are_ingested_and_answered_in_order(client: Client) -> None:
    orders = [order_of(customer_id="stream", sku=f"S{number % 7}") for number in range(1_000)]
    orders[500].lines[0].quantity = 0

    async def requests() -> AsyncIterator[Request]:
        for order in orders:
            yield Request(order=order)

    answers = [answer async for answer in client.orders.IngestOrders(requests(), timeout=60)]

    assert [answer.order_id for answer in answers] == [order.order_id for order in orders]
    assert [number for number, answer in enumerate(answers) if answer.HasField("status")] == [500]
    assert {answer.persistence for answer in answers if answer.HasField("order")} <= {1, 2, 4}


async def test_an_ingesting_caller_gets_answers_before_it_ends_its_stream(client: Client) -> None:
    call = client.orders.IngestOrders(timeout=30)

    for _ in range(3):
        order = order_of()
        await call.write(Request(order=order))
        assert (await call.read()).order_id == order.order_id

    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_calls_on_many_orders_at_once_are_all_answered(client: Client) -> None:
    responses = await asyncio.gather(*(client.create(order_of(customer_id="crowd")) for _ in range(200)))

    assert len({response.order.order_id for response in responses}) == 200
