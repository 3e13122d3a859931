"""The relay: reads every partition's decisions and publishes what the world is told, in order, at least once.

Owners publish nothing extra, so their cost is not raised by who listens. What has gathered over all partitions is
published together: the log takes a hundred events at once for little more than one. The position up to which all is
published is kept in the store, and told to owners, who trim no further.

Several relays share the partitions by a hint. Two that publish the same do no harm: an event has the same id wherever
it is published, and the log leaves out an id that it had within two minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Row, Table
from ordermesh.runtime import subjects
from ordermesh.runtime.ports import Bus, Clock, Log, LogError, PartitionId, Store, StoreUnavailable
from ordermesh.runtime.relay_feed import Feed, Place, Unreadable

RELAY_POSITIONS = Table(
    name="relay_positions",
    columns=(
        ("group_name", "text"),
        ("partition_number", "bigint"),
        ("epoch", "bigint"),
        ("frame", "bigint"),
        ("sequence", "bigint"),
        ("frame_id", "blob"),
    ),
    partition=("group_name", "partition_number"),
    overwritten=True,
)
"""Up to which decision frame everything of a partition is published."""

_log = logging.getLogger(__name__)


class IntegrationEvent(NamedTuple):
    """What the world is told once: `id` names it for ever, `key` is what its order is kept for.

    `headers` are lines of the form `name: value`, each ended by CR LF, in ASCII.
    """

    id: str
    key: str
    subject: str
    headers: bytes
    data: bytes


class EventPublisher(Protocol):
    """Where integration events go."""

    async def publish(self, events: Sequence[IntegrationEvent]) -> None:
        """Returns when all are durable, those of one key in the given order. Leaves out an id had a short while ago.

        Raises LogError: some may be published; publish all again.
        """


Translate = Callable[[PartitionId, log_pb2.DecisionFrame], Sequence[IntegrationEvent]]
"""What the world is told of the decisions in a frame of that partition, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """How a relay behaves; times in seconds."""

    gather_s: float = 0.1
    """How long events gather after the first: fewer, fuller batches, for a delay that no listener minds."""
    events_max: int = 500
    """Events that are published together."""
    read_ahead_bytes: int = 16 * 1024 * 1024
    """Frames that wait, per partition; the rest stays in the log."""
    tick_s: float = 0.5
    """How soon a partition changes hands."""
    save_interval_s: float = 2.0
    """Between two writings of positions: what is published again after a crash."""
    retry_min_s: float = 0.05
    retry_max_s: float = 2.0
    """Backoff while the log does not take events."""


class Relay:
    """Relays the partitions that are its own."""

    def __init__(
        self,
        *,
        partitions: Sequence[PartitionId],
        log: Log,
        store: Store,
        bus: Bus,
        clock: Clock,
        publisher: EventPublisher,
        translate: Translate,
        mine: Callable[[PartitionId], bool],
        options: RelayOptions | None = None,
    ) -> None:
        """`mine` says whether a partition should be relayed by this process; it may change its mind."""
        self._partitions = tuple(partitions)
        self._log = log
        self._store = store
        self._bus = bus
        self._clock = clock
        self._publisher = publisher
        self._translate = translate
        self._mine = mine
        self._options = options or RelayOptions()
        self._feeds: dict[PartitionId, Feed] = {}
        self._saved: dict[PartitionId, Place] = {}
        self._stopped: set[PartitionId] = set()
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self.published = 0

    async def run(self) -> None:
        """Until `stop`; cancelling it is a crash."""
        keeping = asyncio.create_task(self._keep_feeds())
        try:
            await self._pump()
            await self._save()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            for feed in self._feeds.values():
                await feed.close()

    def stop(self) -> None:
        """Ends `run` after what is being published."""
        self._stopping.set()
        self._news.set()

    def places(self) -> Mapping[PartitionId, Place | None]:
        """Up to where its partitions are published."""
        return {partition: feed.place for partition, feed in self._feeds.items()}

    async def _pump(self) -> None:
        """Publishes what has gathered, until told to stop."""
        while True:
            if not self._news.is_set():
                await self._news.wait()
                await self._pause(self._options.gather_s)
            if self._stopping.is_set():
                return
            self._news.clear()
            places, events = self._gather()
            if not await self._publish(events):
                return
            for feed, place in places.items():
                feed.place = place
            for feed in list(self._feeds.values()):
                with contextlib.suppress(LogError):
                    await feed.refill()

    def _gather(self) -> tuple[dict[Feed, Place], list[IntegrationEvent]]:
        """What waits, in turn a frame of each partition; the rest stays for the next time."""
        events: list[IntegrationEvent] = []
        places: dict[Feed, Place] = {}
        feeds = [feed for feed in self._feeds.values() if feed.partition not in self._stopped]
        while feeds and len(events) < self._options.events_max:
            feeds = [feed for feed in feeds if self._take_frame(feed, places, events)]
        if feeds:
            self._news.set()
        return places, events

    def _take_frame(self, feed: Feed, places: dict[Feed, Place], events: list[IntegrationEvent]) -> bool:
        """Adds what the next frame tells the world; whether there was one."""
        try:
            taken = feed.take()
            if taken is None:
                return False
            place, frame = taken
            told = self._translate(feed.partition, frame)
        except (Unreadable, ValueError, TypeError, LookupError) as error:
            self._stop_relaying(feed.partition, error)
            return False
        places[feed] = place
        events += told
        return True

    def _stop_relaying(self, partition: PartitionId, error: Exception) -> None:
        """What cannot be read is never skipped: somebody has to look, and start a relay that can."""
        _log.critical("%s: relaying is stopped: %s", partition, error)
        self._stopped.add(partition)

    async def _publish(self, events: Sequence[IntegrationEvent]) -> bool:
        """Publishes until it has worked; False when told to stop before."""
        pause_s = self._options.retry_min_s
        while events:
            try:
                await self._publisher.publish(events)
            except LogError as error:
                _log.warning("events are not published yet: %s", error)
            else:
                self.published += len(events)
                return True
            await self._pause(pause_s)
            if self._stopping.is_set():
                return False
            pause_s = min(2 * pause_s, self._options.retry_max_s)
        return True

    async def _pause(self, seconds: float) -> None:
        """Sleeps, but not past the order to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _keep_feeds(self) -> None:
        """Reads the partitions that are its own and no others; writes positions from time to time."""
        saved_at = self._clock.monotonic()
        while True:
            for partition in self._partitions:
                await self._keep_feed(partition)
            if self._clock.monotonic() - saved_at >= self._options.save_interval_s:
                await self._save()
                saved_at = self._clock.monotonic()
            await asyncio.sleep(self._options.tick_s)

    async def _keep_feed(self, partition: PartitionId) -> None:
        feed, mine = self._feeds.get(partition), self._mine(partition)
        if feed is not None and not mine:
            del self._feeds[partition]
            self._saved.pop(partition, None)
            await feed.close()
        elif feed is None and mine and partition not in self._stopped:
            try:
                place = await self._load(partition)
                feed = Feed(partition, self._log, place, self._news.set, self._options.read_ahead_bytes)
                await feed.open()
            except (StoreUnavailable, LogError) as error:
                _log.warning("%s cannot be relayed yet: %s", partition, error)
            except Unreadable as error:
                self._stop_relaying(partition, error)
            else:
                self._feeds[partition] = feed

    async def _load(self, partition: PartitionId) -> Place | None:
        page = await self._store.query(RELAY_POSITIONS, (partition.group, partition.number), count_max=1)
        if not page.rows:
            return None
        row = page.rows[0]
        epoch, frame, sequence = (cast(int, row[name]) for name in ("epoch", "frame", "sequence"))
        return Place(epoch, frame, sequence, cast(bytes, row["frame_id"]))

    async def _save(self) -> None:
        """Writes the positions that moved, then tells owners all that are written."""
        moved = {
            partition: feed.place
            for partition, feed in self._feeds.items()
            if feed.place is not None and feed.place != self._saved.get(partition)
        }
        now_us = self._clock.now_us()
        rows = [
            Row(RELAY_POSITIONS.name, (*partition, place.epoch, place.number, place.sequence, place.frame_id), now_us)
            for partition, place in moved.items()
        ]
        try:
            if rows:
                await self._store.write(rows)
        except StoreUnavailable as error:
            _log.warning("positions are not stored yet: %s", error)
            return
        self._saved.update(moved)
        for partition, place in self._saved.items():
            told = log_pb2.RelayPosition(group=partition.group, partition=partition.number, sequence=place.sequence)
            self._bus.publish(subjects.RELAY, told.SerializeToString())
