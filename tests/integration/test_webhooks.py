"""Webhooks from the API to a receiver: endpoints by gRPC, decided by a kernel; events by a relay; requests by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from oms.notification.v1 import webhook_pb2
from oms.notification.v1 import webhook_service_pb2 as api
from ordermesh.notification import deliverer as deliverers
from ordermesh.notification import sending
from ordermesh.runtime.ports import StoreUnavailable
from tests.e2e.api.client import Client, failure_of, order_of, until
from tests.receiver import OK, Answer, Received, Receiver
from tests.webhooks import OPTIONS, World, deliveries, endpoint_of, failing, made, seen, send_test, take_all

FAILED = webhook_pb2.DELIVERY_OUTCOME_FAILED
MISSED = webhook_pb2.DELIVERY_OUTCOME_MISSED


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


async def test_an_order_s_life_arrives_signed_and_in_order(client: Client) -> None:
    async with Receiver() as receiver:
        secret = (await made(client, receiver.url, "oms.order.*", "oms.shipping.*")).secret
        order = await client.completed()
        names = [f"{name} {order.order_id}" for name in ("placed", "confirmed", "dispatched", "completed")]
        await until(seen(receiver, *names), "all of it arrives")

    assert [name for name in receiver.names if name in names] == names
    assert not [name for name in receiver.names if name.startswith("received")], "stock was not asked for"
    for received in receiver.received:
        received.verify(secret)
    placed = receiver.received[0].document
    assert placed["data"]["customer_id"] == "ada"
    assert placed["data"]["lines"][0]["sku"] == "TEA"


async def test_what_failed_is_tried_again_and_later_ones_of_its_order_wait(client: Client) -> None:
    async with Receiver(failing(1, Answer(500, body=b"oops"), "placed")) as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the last event arrives")
        attempts = await until(lambda: deliveries(client, endpoint_id, outcome=FAILED), "the failure is noted")

    assert [name.split()[0] for name in receiver.names] == ["placed", "placed", "confirmed", "completed"]
    ids = [received.headers["webhook-id"] for received in receiver.received]
    assert (ids[0] == ids[1], len(set(ids))) == (True, 3), "an event keeps its id over attempts"
    (failed,) = attempts
    assert (failed.status_code, failed.attempt, failed.error) == (500, 1, "it answered 500")
    assert (failed.subject, failed.event_type) == (order.order_id, "oms.order.placed.v1")
    assert failed.response_excerpt == "oops"
    assert order.order_id in failed.request_excerpt
    assert failed.next_attempt_time.ToMicroseconds() > failed.attempt_time.ToMicroseconds()


async def test_a_failing_order_does_not_hold_back_another(client: Client) -> None:
    blocked: set[str] = set()

    async def decide(received: Received) -> Answer:
        return Answer(503) if received.document["subject"] in blocked else OK

    async with Receiver(decide) as receiver:
        await made(client, receiver.url, "oms.order.*")
        await client.receive("TEA")
        first = await client.completed()
        await until(seen(receiver, f"completed {first.order_id}"), "the first order arrives")
        blocked.add("test")
        second = await client.completed()
        blocked.add(second.order_id)
        third = await client.completed()
        await until(seen(receiver, f"completed {third.order_id}"), "the third order arrives whole")
        blocked.clear()
        await until(seen(receiver, f"completed {second.order_id}"), "the second order arrives whole")


async def test_a_slow_endpoint_harms_no_other_and_is_sent_so_much_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_received: Received) -> Answer:
        return Answer(delay_s=600.0)

    monkeypatch.setattr(sending, "TIMEOUT_S", 600.0)  # however long the orders take
    async with Receiver(slow) as sluggish, Receiver() as receiver:
        for each in (sluggish, receiver):
            await made(client, each.url, "oms.order.*")
        orders = [await client.completed() for _ in range(12)]
        await until(seen(receiver, *(f"completed {order.order_id}" for order in orders)), "the other gets all")

        assert sluggish.in_flight_most == 8
        assert len(sluggish.received) == 8


async def test_whoever_delivers_may_be_killed_at_any_moment(world: World, client: Client) -> None:
    """Everything arrives at least once, and the first arrivals of an order are in order."""
    async with Receiver(failing(5, Answer(resets=True))) as receiver:
        await made(client, receiver.url, "oms.order.*")
        order_ids = []
        for _ in range(6):
            order_ids.append((await client.completed()).order_id)
            await world.crash()
            world.start()
        names = [f"{name} {each}" for each in order_ids for name in ("placed", "confirmed", "completed")]
        await until(seen(receiver, *names), "everything arrives")

    first = {name: receiver.names.index(name) for name in names}
    for each in order_ids:
        places = [first[f"{name} {each}"] for name in ("placed", "confirmed", "completed")]
        assert places == sorted(places)


async def test_two_that_deliver_to_the_same_endpoint_keep_the_order(world: World, client: Client) -> None:
    async with Receiver(failing(4, Answer(500))) as receiver:
        await made(client, receiver.url, "oms.order.*")
        other = world.made()
        delivering = asyncio.create_task(other.run())
        try:
            order_ids = [(await client.completed()).order_id for _ in range(4)]
            names = [f"{name} {each}" for each in order_ids for name in ("placed", "confirmed", "completed")]
            await until(seen(receiver, *names), "everything arrives")
        finally:
            other.stop()
            await delivering
    for each in order_ids:
        places = [receiver.names.index(f"{name} {each}") for name in ("placed", "confirmed", "completed")]
        assert places == sorted(places)


async def test_a_clean_end_delivers_nothing_again(world: World, client: Client) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the order arrives")
        await world.stop()
        world.start()
        await send_test(client, endpoint_id)
        await until(seen(receiver, f"test {endpoint_id}"), "the test arrives")

    assert len(receiver.names) == len(set(receiver.names)) == 4


async def test_only_what_happens_after_an_endpoint_s_making_is_sent(client: Client) -> None:
    old = await client.completed()
    await asyncio.sleep(2.5)  # an endpoint is told of the two seconds before it was made, because clocks differ
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url)).endpoint.endpoint_id
        await send_test(client, endpoint_id)
        await until(seen(receiver, f"test {endpoint_id}"), "the test arrives")

    assert not [name for name in receiver.names if old.order_id in name]


async def test_a_test_goes_to_its_own_endpoint_only(client: Client) -> None:
    async with Receiver() as one, Receiver() as other:
        first = (await made(client, one.url, "oms.inventory.*")).endpoint.endpoint_id
        second = (await made(client, other.url, "*")).endpoint.endpoint_id
        await send_test(client, first)
        await until(seen(one, f"test {first}"), "the test arrives")
        await send_test(client, second)
        await until(seen(other, f"test {second}"), "the other's test arrives")

    assert f"test {first}" not in other.names


async def test_an_endpoint_that_is_gone_is_disabled_and_the_others_hear_of_it(client: Client) -> None:
    async with Receiver(failing(99, Answer(410))) as gone, Receiver() as other:
        await made(client, other.url, "oms.notification.*")
        endpoint_id = (await made(client, gone.url, "*")).endpoint.endpoint_id
        await send_test(client, endpoint_id)
        await until(seen(other, f"endpoint_disabled {endpoint_id}"), "the world is told")
        endpoint = await endpoint_of(client, endpoint_id)
        assert endpoint.state == webhook_pb2.ENDPOINT_STATE_DISABLED
        assert endpoint.state_reason == webhook_pb2.ENDPOINT_STATE_REASON_GONE
        refused = await failure_of(send_test(client, endpoint_id))
        assert refused.reason == "ENDPOINT_NOT_ACTIVE"
        gone.decide = take_all
        await client.webhooks.UpdateEndpoint(
            api.UpdateEndpointRequest(endpoint_id=endpoint_id, state=webhook_pb2.ENDPOINT_STATE_ACTIVE)
        )

        async def arrived() -> bool:
            return len([name for name in gone.names if name == f"test {endpoint_id}"]) >= 2

        await until(arrived, "what waited is sent when it is resumed")


async def test_an_endpoint_that_is_dead_for_long_is_disabled_with_what_was_wrong(world: World) -> None:
    world.options = replace(OPTIONS, retry_scale=0.0001, disable_after_s=0.2)
    async with world.open() as client, Receiver(failing(10**6, Answer(500))) as receiver:
        endpoint_id = (await made(client, receiver.url)).endpoint.endpoint_id
        for _ in range(3):
            await client.completed()

        async def is_disabled() -> Any:
            endpoint = await endpoint_of(client, endpoint_id)
            return endpoint if endpoint.state == webhook_pb2.ENDPOINT_STATE_DISABLED else None

        endpoint = await until(is_disabled, "it is disabled")
    assert endpoint.state_reason == webhook_pb2.ENDPOINT_STATE_REASON_UNREACHABLE
    assert "it answered 500" in endpoint.state_detail


async def test_a_paused_endpoint_gets_all_that_waited_when_it_is_resumed(world: World, client: Client) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        update = api.UpdateEndpointRequest(endpoint_id=endpoint_id, state=webhook_pb2.ENDPOINT_STATE_PAUSED)
        paused = await client.webhooks.UpdateEndpoint(update)
        await world.knows(paused.endpoint)
        order = await client.completed()
        await until(lambda: _published(world, f"completed.{order.order_id}"), "all is published")
        assert not receiver.received
        update.state = webhook_pb2.ENDPOINT_STATE_ACTIVE
        await client.webhooks.UpdateEndpoint(update)
        await until(seen(receiver, f"completed {order.order_id}"), "what waited arrives")

    assert [name.split()[0] for name in receiver.names] == ["placed", "confirmed", "completed"]


async def test_retry_after_is_kept_for_the_whole_endpoint(client: Client) -> None:
    async with Receiver(failing(1, Answer(429, {"retry-after": "2"}))) as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        await send_test(client, endpoint_id)
        await until(seen(receiver, f"test {endpoint_id}"), "the first attempt")
        order = await client.completed()
        await until(seen(receiver, f"placed {order.order_id}"), "what comes later")

    assert loop.time() - asked_at >= 1.8


async def test_a_delivery_and_a_time_are_delivered_again(client: Client) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the order arrives")
        noted = await until(lambda: deliveries(client, endpoint_id, subject=order.order_id), "it is noted")
        placed = next(each for each in noted if each.event_type == "oms.order.placed.v1")
        one = api.RedeliverRequest(endpoint_id=endpoint_id, delivery_id=placed.delivery_id, request_id="one")
        answer = await client.webhooks.Redeliver(one)
        assert (await client.webhooks.Redeliver(one)).redelivery_id == answer.redelivery_id

        async def ended() -> bool:
            return not (await endpoint_of(client, endpoint_id)).redeliveries

        await until(ended, "the redelivery ends")
        assert [name.split()[0] for name in receiver.names] == ["placed", "confirmed", "completed", "placed"]
        assert receiver.received[0].headers["webhook-id"] == receiver.received[3].headers["webhook-id"]
        all_of_it = api.RedeliverRequest(endpoint_id=endpoint_id, start_time={"seconds": 1}, request_id="all")
        answer = await client.webhooks.Redeliver(all_of_it)
        assert (await client.webhooks.Redeliver(all_of_it)).redelivery_id == answer.redelivery_id
        await until(ended, "the second ends")

    assert [name.split()[0] for name in receiver.names[4:]] == ["placed", "confirmed", "completed"]
    again = await deliveries(client, endpoint_id)
    assert {each.redelivery_id != "" for each in again} == {True, False}


async def test_a_rotated_secret_and_the_old_one_both_verify(world: World, client: Client) -> None:
    async with Receiver() as receiver:
        first = await made(client, receiver.url)
        endpoint_id = first.endpoint.endpoint_id
        rotated = await client.webhooks.RotateSecret(api.RotateSecretRequest(endpoint_id=endpoint_id))
        assert rotated.secret != first.secret
        await world.knows(rotated.endpoint)
        await send_test(client, endpoint_id)
        await until(seen(receiver, f"test {endpoint_id}"), "the test arrives")

    for secret in (first.secret, rotated.secret):
        receiver.received[-1].verify(secret)


async def test_events_that_are_no_longer_kept_are_told_as_missed(world: World, client: Client) -> None:
    async with Receiver() as receiver:
        endpoint_id = (await made(client, receiver.url, "oms.order.*")).endpoint.endpoint_id
        await send_test(client, endpoint_id)
        await until(seen(receiver, f"test {endpoint_id}"), "the courier is at work")
        await world.stop()
        await client.completed()
        order = await client.completed()
        await until(lambda: _published(world, f"completed.{order.order_id}"), "all is published")
        world.events.forget(len(world.events.events) - 1)
        world.start()
        await until(seen(receiver, f"completed {order.order_id}"), "what is left arrives")
        missed = await until(lambda: deliveries(client, endpoint_id, outcome=MISSED), "it is noted")

    assert "no longer kept" in missed[0].error
    assert (await endpoint_of(client, endpoint_id)).health.missed_count > 0


async def _published(world: World, name: str) -> bool:
    return any(event.subject.endswith(name) for event in world.events.events)


async def test_a_store_that_is_away_stops_no_delivery(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as receiver:
        await made(client, receiver.url, "oms.order.*")
        order = await client.completed()
        await until(seen(receiver, f"completed {order.order_id}"), "the order arrives")

        async def refuse(_rows: Any) -> Any:
            raise StoreUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(world.shop.store, "write", refuse)
            created = await client.create(order_of(), durability=2)
            await until(seen(receiver, f"completed {created.order.order_id}"), "the next arrives too")
