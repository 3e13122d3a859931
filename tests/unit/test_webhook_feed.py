"""The stream of events as couriers share it: read once, kept for a while, and never believed to end where it lags."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Sequence

import pytest

from ordermesh.adapters import jetstream_event_reader
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.notification import feed as feeds
from ordermesh.notification.feed import EventFeed
from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.ports import LogUnavailable
from ordermesh.runtime.relay import IntegrationEvent
from tests.waiting import eventually
from tests.webhooks import World

HEADERS = """\
nats-msg-id: 0b0f4c0e-3a51-4c8f-8f5f-7f6d3f1d2b3c/orders/0/1700000000.%.0.0
nats-batch-id: 000000000000%
nats-batch-sequence: %
ce-specversion: 1.0
ce-type: oms.order.confirmed.v1
ce-source: urn:ordermesh:0b0f4c0e-3a51-4c8f-8f5f-7f6d3f1d2b3c:order
ce-dataschema: type.googleapis.com/oms.notification.v1.OrderConfirmed
content-type: application/protobuf
ce-time: 2026-01-01T00:00:00.000000Z
ce-id: 0b0f4c0e-3a51-4c8f-8f5f-7f6d3f1d2b3c/orders/0/1700000000.%.0.0
ce-subject: 0190a3c5-7e1b-7c3a-9d52-000000000%
ce-tenant: default
nats-stream: OM_EVENTS
nats-subject: om.events.v1.order.confirmed.0190a3c5-7e1b-7c3a-9d52-000000000%
nats-sequence: %
nats-time-stamp: 2026-01-01T00:00:00.123456789Z
nats-num-pending: %
nats-last-sequence: %
"""
"""Of an event, as a server sends them."""


class Stream(MemoryEvents):
    """Counts what is asked of it; `lags` hides the newest events from pages, as a replica does that is behind."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.lags = 0

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """As the port says."""
        self.asked += 1
        end = len(self.events) - self.lags
        return [event for event in await super().page(after, count_max) if event.sequence <= end]


async def opened(count: int) -> tuple[Stream, EventFeed]:
    """A stream of so many events, and a feed that has looked at its end."""
    stream = Stream()
    await stream.publish([IntegrationEvent(f"{n}", "k", "om.events.v1.a.b.k", b"", b"data") for n in range(count)])
    feed = EventFeed(stream)
    feed.bounds = await stream.bounds()
    return stream, feed


async def test_what_many_ask_for_at_once_is_read_once() -> None:
    stream, feed = await opened(50)

    pages = await asyncio.gather(*(feed.page(0) for _ in range(10)))

    assert stream.asked == 1
    assert all([event.sequence for event in page] == list(range(1, 51)) for page in pages)
    event = await feed.event(7)
    assert event is not None
    assert (event.sequence, stream.asked) == (7, 1)


async def test_the_end_is_the_end_and_a_replica_that_lags_is_none() -> None:
    stream, feed = await opened(10)
    assert list(await feed.page(10)) == []

    stream.lags = 3

    assert [event.sequence for event in await feed.page(5)] == [6, 7]
    with pytest.raises(LogUnavailable):
        await feed.page(7)
    with pytest.raises(LogUnavailable):
        await feed.event(9)


async def test_a_defect_in_looking_for_news_ends_who_delivers_and_says_so() -> None:
    """A process that looks for nothing any more, and is ready, would be the worse."""
    world = World()

    class Broken(MemoryEvents):
        async def bounds(self) -> Bounds:
            raise ValueError("no answer of a server")

    world.events = Broken()
    with pytest.raises(ValueError, match="no answer"):
        await asyncio.wait_for(world.made().run(), 10.0)
    world.post.close()


async def test_an_event_that_is_gone_is_none() -> None:
    stream, feed = await opened(10)
    stream.forget(6)

    assert await feed.event(5) is None
    assert await feed.event(7) is not None


async def test_what_is_kept_in_memory_is_bounded_and_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "KEPT_BYTES_MAX", 5 * (feeds.EVENT_BYTES + len(b"data")))
    stream, feed = await opened(10)
    await feed.page(0)
    asked = stream.asked

    assert await feed.event(10) is not None
    assert stream.asked == asked, "the newest are kept"
    assert await feed.event(5) is not None
    assert stream.asked == asked + 1, "the oldest are read again"


def test_an_event_takes_no_more_memory_than_is_reckoned() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = []
        for number in range(1, 201):
            lines = (line.partition(": ") for line in HEADERS.replace("%", str(number)).splitlines())
            kept.append(jetstream_event_reader._event({name: value for name, _, value in lines}, b""))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (taken - before) / len(kept) < feeds.EVENT_BYTES
    assert {name for event in kept for name in event.headers} == {
        *("ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-tenant", "ce-specversion", "ce-dataschema"),
        "content-type",
    }


async def test_an_end_that_cannot_be_looked_at_is_as_old_as_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a redelivery of a time ended, while the stream was away, before what had been published in that time."""
    monkeypatch.setattr(feeds, "POLL_S", 0.001)
    stream, feed = await opened(1)
    is_away, refusals = False, 0

    async def bounds() -> Bounds:
        nonlocal refusals
        if is_away:
            refusals += 1
            raise LogUnavailable("it is away")
        return await MemoryEvents.bounds(stream)

    monkeypatch.setattr(stream, "bounds", bounds)
    watching = asyncio.create_task(feed.watch(lambda: None))
    try:
        await eventually(lambda: feed.bounds.time_us > 0, "it is looked at")
        is_away = True
        await eventually(lambda: refusals > 0, "it cannot be looked at")
        last_us = feed.bounds.time_us
        await eventually(lambda: refusals > 3, "it is tried again")
        assert feed.bounds.time_us == last_us
        is_away = False
        await eventually(lambda: feed.bounds.time_us > last_us, "it is looked at again")
    finally:
        watching.cancel()
