"""The contract of the stream of integration events, for everything that keeps one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns
from typing import NamedTuple

import pytest

from ordermesh.adapters.jetstream_event_reader import JetStreamEventReader
from ordermesh.adapters.jetstream_events import JetStreamEvents
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.relay import EventPublisher, IntegrationEvent


class Stream(NamedTuple):
    """A stream by both of its ends."""

    publisher: EventPublisher
    reader: EventStream


@asynccontextmanager
async def in_jetstream(folder: Path) -> AsyncIterator[Stream]:
    """A stream on a real server."""
    async with NatsServer(folder / "nats") as server:
        publisher, reader = JetStreamEvents([server.url], name="test"), JetStreamEventReader([server.url], name="test")
        await publisher.open()
        await reader.open()
        try:
            yield Stream(publisher, reader)
        finally:
            await reader.close()
            await publisher.close()


@pytest.fixture(params=["memory", "jetstream"])
async def stream(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stream]:
    """A stream without events."""
    if request.param == "memory":
        events = MemoryEvents()
        yield Stream(events, events)
    else:
        async with in_jetstream(tmp_path) as made:
            yield made


def events(first: int, count: int) -> list[IntegrationEvent]:
    """Events by number."""
    return [
        IntegrationEvent(
            f"id/{n}",
            f"k{n}",
            f"om.events.v1.order.placed.k{n}",
            f"ce-id: id/{n}\r\nCe-Type: x\r\n".encode(),
            b"%d" % n,
        )
        for n in range(first, first + count)
    ]


async def test_an_empty_stream_has_no_page_and_begins_after_its_end(stream: Stream) -> None:
    assert (await stream.reader.bounds())[:2] == (1, 0)
    assert list(await stream.reader.page(0, 10)) == []
    assert await stream.reader.first_since(0) == 1


async def test_events_come_in_order_by_their_places_with_headers_and_data(stream: Stream) -> None:
    await stream.publisher.publish(events(1, 60))
    await stream.publisher.publish(events(61, 3))

    assert (await stream.reader.bounds())[:2] == (1, 63)
    page = await stream.reader.page(50, 10)
    assert [event.sequence for event in page] == list(range(51, 61))
    assert [event.data for event in page] == [b"%d" % n for n in range(51, 61)]
    assert (page[0].headers["ce-id"], page[0].headers["ce-type"]) == ("id/51", "x"), "names of headers are small"
    assert [event.sequence for event in await stream.reader.page(60, 10)] == [61, 62, 63]
    assert list(await stream.reader.page(63, 10)) == []
    assert list(await stream.reader.page(1_000, 10)) == []


async def test_pages_asked_for_at_once_do_not_mix(stream: Stream) -> None:
    await stream.publisher.publish(events(1, 100))

    pages = await asyncio.gather(*(stream.reader.page(after, 7) for after in range(90)))

    for after, page in enumerate(pages):
        assert [event.sequence for event in page] == list(range(after + 1, after + 8))


async def test_a_place_is_found_by_time(stream: Stream) -> None:
    before_us = time_ns() // 1_000
    await stream.publisher.publish(events(1, 1))
    (first,) = await stream.reader.page(0, 1)
    while time_ns() // 1_000 <= first.time_us + 1_000:
        await asyncio.sleep(0.001)
    between_us = time_ns() // 1_000
    await stream.publisher.publish(events(2, 1))

    assert before_us - 1_000_000 < first.time_us < between_us
    assert await stream.reader.first_since(before_us - 60_000_000) == 1
    assert await stream.reader.first_since(between_us) == 2
    assert await stream.reader.first_since(between_us + 60_000_000) == 3
    (second,) = await stream.reader.page(1, 1)
    assert second.time_us <= (await stream.reader.bounds()).time_us <= time_ns() // 1_000, "by the same clock"


async def test_a_stream_that_let_go_of_its_oldest_says_so(tmp_path: Path) -> None:
    """The memory's `forget` stands for what a server does with a stream that is full."""
    async with in_jetstream(tmp_path) as jetstream:
        memory = MemoryEvents()
        for publisher in (memory, jetstream.publisher):
            await publisher.publish(events(1, 10))
        memory.forget(4)
        requests = jetstream.publisher._requests  # type: ignore[attr-defined]  # the server is told to let go
        await requests.ask("$JS.API.STREAM.PURGE.OM_EVENTS", b'{"seq": 5}', 5.0)

        for reader in (memory, jetstream.reader):
            assert (await reader.bounds())[:2] == (5, 10)
            assert [event.sequence for event in await reader.page(0, 3)] == [5, 6, 7]
            assert await reader.first_since(0) == 5


async def test_a_stream_that_is_given_another_size_gets_it(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as server:
        for bytes_max in (4 << 20, 8 << 20):
            publisher = JetStreamEvents([server.url], name="test", bytes_max=bytes_max)
            await publisher.open()
            answer = await publisher._requests.ask("$JS.API.STREAM.INFO.OM_EVENTS", b"", 5.0)
            assert f'"max_bytes":{bytes_max}' in answer.data.decode()
            await publisher.close()
