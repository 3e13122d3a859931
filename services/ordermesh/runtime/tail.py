"""The decisions of a partition as they come, for calls that watch an aggregate.

One reader per partition serves all its watchers, and only while there is one. A watcher subscribes first and asks for
the state afterwards: whatever is decided after that state was decided after the subscription, so there is no gap.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog
from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.ports import Log, PartitionId, Reader, Stored

FEED_LENGTH_MAX = 1024
"""Events that wait for a slow watcher; one more, and it has to ask for the state again instead."""

_log = structlog.get_logger()


class Happened(NamedTuple):
    """An event, and the log clock of its decision in microseconds."""

    event: log_pb2.Event
    clock_us: int


class Feed:
    """What happened to one aggregate and is not yet taken by its watcher."""

    def __init__(self) -> None:
        self._waiting: deque[Happened] = deque()
        self._news = asyncio.Event()
        self._lost = False

    def put(self, happened: Happened) -> None:
        """Adds to it; past the limit all is dropped and the watcher is told."""
        if len(self._waiting) >= FEED_LENGTH_MAX:
            self.lose()
        self._waiting.append(happened)
        self._news.set()

    def lose(self) -> None:
        """Drops what waits and tells the watcher so."""
        self._waiting.clear()
        self._lost = True
        self._news.set()

    async def take(self) -> list[Happened] | None:
        """All that waits, once something does; None if something was dropped: then the state must be asked again."""
        await self._news.wait()
        self._news.clear()
        happened = list(self._waiting)
        self._waiting.clear()
        if self._lost:
            self._lost = False
            return None
        return happened


class _PartitionTail:
    """The shared reader of one partition.

    A frame that does not follow the last valid one is left out, unless it begins a later taking: then the log lost its
    tail and was begun anew, and every watcher asks for the state again.
    """

    def __init__(self, log: Log, partition: PartitionId) -> None:
        self._log = log
        self._partition = partition
        self._feeds: dict[Key, set[Feed]] = {}
        self._last: log_pb2.DecisionFrame | None = None
        self._reader: Reader | None = None
        self._changing = asyncio.Lock()

    async def add(self, key: Key, feed: Feed) -> None:
        """Subscribes; the reader runs when this returns. Raises LogUnavailable."""
        self._feeds.setdefault(key, set()).add(feed)
        try:
            async with self._changing:
                if self._reader is None:
                    last = await self._log.last(self._partition, "decisions")
                    self._last = None
                    after = last.sequence if last is not None else 0
                    self._reader = await self._log.read(self._partition, ("decisions",), after, self._deliver)
        except BaseException:
            self._forget(key, feed)
            raise

    async def remove(self, key: Key, feed: Feed) -> None:
        """Unsubscribes; the last one closes the reader."""
        self._forget(key, feed)
        async with self._changing:
            if not self._feeds and self._reader is not None:
                reader, self._reader = self._reader, None
                await reader.close()

    def _forget(self, key: Key, feed: Feed) -> None:
        feeds = self._feeds.get(key)
        if feeds is not None:
            feeds.discard(feed)
            if not feeds:
                del self._feeds[key]

    def _deliver(self, stored: Stored) -> None:
        try:
            frame = log_pb2.DecisionFrame.FromString(stored.data)
        except DecodeError:
            _log.error("decision frame cannot be read", partition=str(self._partition), sequence=stored.sequence)
            return
        if self._last is not None and frame.previous_id != self._last.id:
            _log.error("decision frame does not follow", partition=str(self._partition), sequence=stored.sequence)
            if not (frame.HasField("taken") and frame.epoch > self._last.epoch):
                return
            for feed in (feed for feeds in self._feeds.values() for feed in feeds):
                feed.lose()
        self._last = frame
        for decision in frame.decisions:
            for event in decision.events:
                feeds = self._feeds.get(Key(event.kind, event.tenant, event.key, event.sub_key))
                if feeds:
                    for feed in feeds:
                        feed.put(Happened(event, frame.clock_us))


class Tails:
    """The readers of all partitions that are watched."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tails: dict[PartitionId, _PartitionTail] = {}

    @asynccontextmanager
    async def follow(self, partition: PartitionId, key: Key) -> AsyncIterator[Feed]:
        """What happens to the aggregate from now on. Raises LogUnavailable."""
        tail = self._tails.setdefault(partition, _PartitionTail(self._log, partition))
        feed = Feed()
        await tail.add(key, feed)
        try:
            yield feed
        finally:
            await asyncio.shield(tail.remove(key, feed))
