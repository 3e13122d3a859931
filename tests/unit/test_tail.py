"""Following an aggregate in a partition's decisions."""

from __future__ import annotations

import asyncio

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryLog
from ordermesh.core.decider import Key
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.tail import FEED_LENGTH_MAX, Feed, Tails

PARTITION = PartitionId("orders", 0)
KEY = Key("order", "default", "o-1")


class Decisions:
    """Appends decision frames that follow each other, unless told otherwise."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._last = b""
        self._number = 0

    async def append(
        self, key: Key, version: int, *, follows: bool = True, epoch: int = 1, taken: bool = False
    ) -> None:
        """One frame with one event."""
        self._number += 1
        frame = log_pb2.DecisionFrame(
            id=b"%d" % self._number,
            previous_id=self._last if follows else b"nobody",
            number=self._number,
            epoch=epoch,
            clock_us=self._number,
        )
        if taken:
            frame.taken.instance = "new"
        frame.decisions.add().events.add(kind=key.kind, tenant=key.tenant, key=key.key, version=version)
        if follows or taken:
            self._last = frame.id
        await self._log.append(PARTITION, "decisions", frame.SerializeToString(), frame_id="", dedupe=False)


async def take(feed: Feed) -> list[int] | None:
    """The versions that wait."""
    async with asyncio.timeout(5):
        happened = await feed.take()
    return None if happened is None else [one.event.version for one in happened]


async def tailed() -> tuple[MemoryLog, Decisions, Tails]:
    """A log with one frame already."""
    log = MemoryLog()
    await log.create(PARTITION, 10_000_000)
    decisions = Decisions(log)
    await decisions.append(KEY, 1)
    return log, decisions, Tails(log)


async def test_a_follower_gets_what_happens_from_now_on_to_its_own_aggregate() -> None:
    _, decisions, tails = await tailed()

    async with tails.follow(PARTITION, KEY) as feed:
        await decisions.append(Key("order", "default", "another"), 1)
        await decisions.append(KEY, 2)
        assert await take(feed) == [2]


async def test_followers_share_one_reader_that_goes_with_the_last() -> None:
    log, _, tails = await tailed()
    listeners = log.stream(PARTITION).listeners

    async with tails.follow(PARTITION, KEY):
        async with tails.follow(PARTITION, KEY):
            assert len(listeners) == 1
        assert len(listeners) == 1

    assert len(listeners) == 0


async def test_a_frame_that_does_not_follow_has_not_happened() -> None:
    _, decisions, tails = await tailed()

    async with tails.follow(PARTITION, KEY) as feed:
        await decisions.append(KEY, 2)
        await decisions.append(KEY, 99, follows=False)
        await decisions.append(KEY, 3)
        await asyncio.sleep(0.01)
        assert await take(feed) == [2, 3]


async def test_a_log_that_begins_anew_has_its_followers_ask_again() -> None:
    _, decisions, tails = await tailed()

    async with tails.follow(PARTITION, KEY) as feed:
        await decisions.append(KEY, 2)
        assert await take(feed) == [2]
        await decisions.append(KEY, 1, follows=False, epoch=2, taken=True)
        assert await take(feed) is None


async def test_a_follower_that_is_too_slow_asks_again() -> None:
    _, decisions, tails = await tailed()

    async with tails.follow(PARTITION, KEY) as feed:
        for version in range(FEED_LENGTH_MAX + 2):
            await decisions.append(KEY, version + 2)
        await asyncio.sleep(0.01)
        assert await take(feed) is None
        await decisions.append(KEY, 5_000)
        assert await take(feed) == [5_000]
