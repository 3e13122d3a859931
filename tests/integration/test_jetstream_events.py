"""Integration events on a real stream: batches, repetitions, order, and a server that is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from ordermesh.adapters.jetstream_api import call
from ordermesh.adapters.jetstream_events import BATCH_EVENTS_MAX, BATCH_EVENTS_MIN, JetStreamEvents
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.runtime.ports import LogError
from ordermesh.runtime.relay import IntegrationEvent


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server."""
    async with NatsServer(tmp_path / "nats") as running:
        yield running


@pytest_asyncio.fixture
async def publisher(server: NatsServer) -> AsyncIterator[JetStreamEvents]:
    """The publisher of a relay."""
    publisher = JetStreamEvents([server.url], name="test")
    await publisher.open()
    yield publisher
    await publisher.close()


class Listener:
    """Somebody who reads the stream from its beginning."""

    def __init__(self, server: NatsServer) -> None:
        self._connection = Connection([server.url], "listener")
        self._requests = Requests(self._connection)
        self.got: list[Msg] = []

    async def read_all(self) -> list[Msg]:
        """Every message that the stream holds, in order."""
        await self._connection.open()
        await self._requests.start()
        await self._connection.subscribe("listener", self.got.append)
        info = await call(self._requests, "STREAM.INFO.OM_EVENTS", {}, 5)
        count = info["state"]["messages"]
        config = {"deliver_subject": "listener", "ack_policy": "none", "deliver_policy": "all", "name": "listener"}
        body = {"stream_name": "OM_EVENTS", "config": config}
        await call(self._requests, "CONSUMER.CREATE.OM_EVENTS.listener", body, 5)
        async with asyncio.timeout(20):
            while len(self.got) < count:
                await asyncio.sleep(0.005)
        await self._connection.close()
        return self.got


def events(count: int, first: int = 0) -> list[IntegrationEvent]:
    """So many events of ten orders, in turn."""
    return [
        IntegrationEvent(
            f"dep/orders/000/1.{i}.0.0",
            f"order-{i % 10}",
            f"om.events.v1.order.placed.order-{i % 10}",
            f"ce-id: dep/orders/000/1.{i}.0.0\r\nce-type: oms.order.placed.v1\r\n".encode(),
            json.dumps(i).encode(),
        )
        for i in range(first, first + count)
    ]


def in_order_per_key(messages: Sequence[Msg]) -> bool:
    """Whether the numbers of each order only grow."""
    last: dict[str, int] = {}
    for message in messages:
        number = json.loads(message.data)
        if number <= last.get(message.subject, -1):
            return False
        last[message.subject] = number
    return True


@pytest.mark.parametrize("count", [1, BATCH_EVENTS_MIN - 1, BATCH_EVENTS_MIN, BATCH_EVENTS_MAX, BATCH_EVENTS_MAX + 7])
async def test_events_are_on_the_stream_with_their_headers(
    server: NatsServer, publisher: JetStreamEvents, count: int
) -> None:
    await publisher.publish(events(count))
    messages = await Listener(server).read_all()
    assert sorted(json.loads(message.data) for message in messages) == list(range(count))
    assert in_order_per_key(messages)
    first = messages[0]
    assert first.subject == "om.events.v1.order.placed.order-0"
    assert first.headers is not None
    assert first.headers["ce-type"] == "oms.order.placed.v1"
    assert first.headers["Nats-Msg-Id"] == first.headers["ce-id"]


async def test_events_published_again_are_there_once_also_when_others_come_with_them(
    server: NatsServer, publisher: JetStreamEvents
) -> None:
    await publisher.publish(events(100))
    await publisher.publish(events(100))
    await publisher.publish(events(100, first=50))
    await publisher.publish(events(5, first=148))
    messages = await Listener(server).read_all()
    assert sorted(json.loads(message.data) for message in messages) == list(range(153))
    assert in_order_per_key(messages)


async def test_a_stream_that_is_there_is_kept(server: NatsServer, publisher: JetStreamEvents) -> None:
    await publisher.publish(events(3))
    again = JetStreamEvents([server.url], name="second", bytes_max=1024 * 1024)
    await again.open()
    await again.publish(events(3, first=3))
    await again.close()
    assert len(await Listener(server).read_all()) == 6


async def test_a_server_killed_meanwhile_has_every_event_once_and_in_order(
    server: NatsServer, publisher: JetStreamEvents
) -> None:
    done = 0

    async def publish_all() -> None:
        nonlocal done
        while done < 3000:
            try:
                await publisher.publish(events(150, first=done))
            except LogError:
                await asyncio.sleep(0.02)
            else:
                done += 150

    publishing = asyncio.create_task(publish_all())
    for threshold in (300, 1200, 2100):
        async with asyncio.timeout(20):
            while done < threshold:
                await asyncio.sleep(0.001)
        await server.kill()
        await server.start()
    await publishing
    messages = await Listener(server).read_all()
    assert sorted(json.loads(message.data) for message in messages) == list(range(3000))
    assert in_order_per_key(messages)
