"""I9: what the logs say was told is in the stream of integration events, in order per key, and nothing else is.

Looked at is what can be known for sure: decisions that a log still has and that the relay says it has published, and
events that the stream still keeps. The stream is read from its end backwards up to a limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import NamedTuple, cast

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from ordermesh.admin.tally import Tally
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.ports import LogUnavailable, PartitionId
from ordermesh.runtime.relay import RELAY_POSITIONS

EVENTS_MAX = 200_000
"""Events of the stream whose ids are held at once: about 60 MB."""
EVENTS_PER_PAGE = 500
"""Events of the stream that are read at once."""
MESSAGES_PER_FETCH = 64
"""Messages of a log that are read at once."""
MARGIN_US = 10_000_000
"""By how much the clocks of owners and of the log's servers may differ: what is younger than that is kept for sure."""


class Kept(NamedTuple):
    """What the stream has: the first place of each event's id, the ids by the decision frame that they name, and since
    when it has all (0: since ever)."""

    places: dict[str, int]
    by_frame: dict[str, list[str]]
    since_us: int


class EventsAudit:
    """Compares the stream with the logs."""

    def __init__(self, backend: Backend, tally: Tally, stream: EventStream) -> None:
        self._backend = backend
        self._tally = tally
        self._stream = stream
        self._translate = CloudEvents(backend.topology.deployment_id).translate

    async def run(self) -> None:
        """Raises LogError, StoreUnavailable."""
        relayed = {each: await self._relayed(each) for each in self._backend.topology.partitions()}
        kept = await self._kept()
        for partition, through in relayed.items():
            await self._compare(partition, through, kept)

    async def _relayed(self, partition: PartitionId) -> int:
        """Up to which message of its log everything is published, as the relay has stored it."""
        page = await self._backend.store.query(RELAY_POSITIONS, partition, count_max=1)
        return cast(int, page.rows[0]["sequence"]) if page.rows else 0

    async def _kept(self) -> Kept:
        bounds = await self._stream.bounds()
        place = max(bounds.first - 1, bounds.last - EVENTS_MAX)
        places: dict[str, int] = {}
        since_us = 0
        while place < bounds.last:
            page = await self._stream.page(place, EVENTS_PER_PAGE)
            if not page:
                raise LogUnavailable(f"events after {place} do not come yet")  # from a replica that lags
            if not places and page[0].sequence > 1:
                since_us = page[0].time_us + MARGIN_US
            for event in page:
                places.setdefault(event.headers["ce-id"], event.sequence)
            place = page[-1].sequence
        by_frame: dict[str, list[str]] = defaultdict(list)
        for name in places:
            _deployment, _, rest = name.partition("/")
            by_frame[".".join(rest.split(".")[:2])].append(name)
        return Kept(places, dict(by_frame), since_us)

    async def _compare(self, partition: PartitionId, through: int, kept: Kept) -> None:
        """What is held is bounded by what the stream was read of, however long the log is."""
        last_of_key: dict[str, int] = {}
        async for frame in self._frames(partition, through):
            told = set(kept.by_frame.get(f"{partition}/{frame.epoch}.{frame.number}", ()))
            for event in self._translate(partition, frame):
                told.discard(event.id)
                place = kept.places.get(event.id, 0)
                if frame.clock_us >= kept.since_us:
                    self._tally.checked("I9")
                    if not place:
                        self._tally.violated("I9", f"{event.subject} ({event.id}) happened and was never published")
                if not place:
                    continue
                before = last_of_key.get(event.key, 0)
                if place < before:
                    self._tally.violated("I9", f"{event.subject} ({event.id}) was published before what came before it")
                last_of_key[event.key] = max(before, place)
            for name in told:
                self._tally.violated("I9", f"{name} was published and did not happen")

    async def _frames(self, partition: PartitionId, through: int) -> AsyncIterator[log_pb2.DecisionFrame]:
        """The decision frames that the log still has, up to a place, that follow one another."""
        after, last_id = 0, b""
        while after < through:
            found = await self._backend.log.fetch(partition, ("decisions",), after, MESSAGES_PER_FETCH)
            if not found:
                return
            for stored in found:
                after = stored.sequence
                try:
                    frame = log_pb2.DecisionFrame.FromString(stored.data)
                except DecodeError:
                    continue  # I6 is about that
                if after <= through and last_id in (b"", frame.previous_id):
                    last_id = frame.id
                    yield frame
