"""Who is told LOGGED because the store is slow: each caller by the time that caller has waited, and nobody else."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryBus, MemoryStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.runtime.cache import Cache
from ordermesh.runtime.flush import Flusher
from ordermesh.runtime.memory import Waiting
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.replies import LOGGED, STORED, Replies

OPTIONS = OwnerOptions(flush_answer_s=0.7)


class _Clock(SystemClock):
    """A clock that is moved by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


class _Bus(MemoryBus):
    """Notes who was told what."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int]] = []

    def publish(self, subject: str, data: bytes) -> None:
        replies = log_pb2.ReplyFrame.FromString(data).replies
        self.told.extend((reply.correlation, reply.persistence) for reply in replies)


class _Scene(NamedTuple):
    flusher: Flusher
    bus: _Bus
    clock: _Clock

    def waits(self, number: int) -> None:
        """One more caller, since now."""
        self.flusher.note([Waiting("edge", number, log_pb2.DURABILITY_STORED, None, None)])


def scene(tasks: asyncio.TaskGroup) -> _Scene:
    """A flusher of an empty partition."""
    bus, clock = _Bus(), _Clock()
    flusher = Flusher(
        PartitionId("counters", 0), MemoryStore([]), Cache(1_000_000, 0), Replies(bus), clock, OPTIONS, tasks,
        lambda: None,
    )  # fmt: skip
    return _Scene(flusher, bus, clock)


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_only_who_waited_too_long_is_told_logged(is_under_way: bool) -> None:
    async with asyncio.TaskGroup() as tasks:
        flusher, bus, clock = both = scene(tasks)
        both.waits(1)
        clock.now += 0.5
        both.waits(2)
        if is_under_way:
            flusher.take(None)
        clock.now += 0.3
        flusher.answer_late()
        assert bus.told == [(1, LOGGED)]
        if not is_under_way:
            flusher.take(None)
        await flusher.drain()
        assert bus.told == [(1, LOGGED), (2, STORED)]


async def test_while_the_store_fails_nobody_waits() -> None:
    async with asyncio.TaskGroup() as tasks:
        flusher, bus, _clock = both = scene(tasks)
        both.waits(1)
        flusher.is_failing = True
        both.waits(2)
        assert bus.told == [(1, LOGGED), (2, LOGGED)]
