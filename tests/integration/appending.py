"""Appenders that go on whatever becomes of servers, and the audit of what they were acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.runtime.ports import Fenced, Kind, LogUnavailable, OutcomeUnknown, PartitionId, Stored
from tests.waiting import DEADLINE_SECONDS

PARTITION = PartitionId("orders", 0)
ALL: tuple[Kind, ...] = ("commands", "messages", "decisions")


class Appender:
    """Appends one frame after another, each again until its outcome is known, as the kernel does."""

    def __init__(self, log: JetStreamLog, kind: Kind, name: str) -> None:
        self._log = log
        self._kind = kind
        self._name = name
        self.acknowledged: list[tuple[int, str]] = []
        self.retries = 0
        self.stopping = False

    async def run(self) -> None:
        """Until `stopping`."""
        while not self.stopping:
            frame_id = f"{self._name}-{len(self.acknowledged)}"
            sequence = await self._append(frame_id)
            self.acknowledged.append((sequence, frame_id))

    async def _append(self, frame_id: str) -> int:
        while True:
            with contextlib.suppress(OutcomeUnknown, LogUnavailable):
                sequence = await self._attempt(frame_id)
                if sequence:
                    return sequence
            self.retries += 1
            await asyncio.sleep(0.02)

    async def _attempt(self, frame_id: str) -> int:
        """Its sequence; 0 where a leader that was deposed refused what the present one has not got yet."""
        data = (frame_id * 50).encode()
        if self._kind != "decisions":
            return await self._log.append(PARTITION, self._kind, data, frame_id=frame_id, dedupe=True)
        expected = self.acknowledged[-1][0] if self.acknowledged else 0
        try:
            return await self._log.append(
                PARTITION, self._kind, data, frame_id=frame_id, dedupe=False, expected=expected
            )
        except Fenced:
            last = await self._log.last(PARTITION, self._kind)
            found = (last.sequence, last.frame_id) if last is not None else (0, "")
            if found[1] == frame_id:
                return found[0]
            assert found[0] == expected, f"fenced by {found}, and nobody else appends"
            return 0


Answer = TypeVar("Answer")


async def as_soon_as_it_answers(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What the log says once the connection for reading is back too, and its leader is sure of itself."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await ask()
            except LogUnavailable:
                await asyncio.sleep(0.01)


async def last_sequence(log: JetStreamLog) -> int:
    """Of the partition."""
    return (await as_soon_as_it_answers(lambda: log.state(PARTITION))).last_sequence


async def assert_kept(log: JetStreamLog, appenders: list[Appender]) -> int:
    """Everything acknowledged is where it was acknowledged, once, and without a gap; returns the last sequence."""
    last = await last_sequence(log)
    kept: list[Stored] = []

    async def next_page() -> list[Stored]:
        return await log.fetch(PARTITION, ALL, len(kept), 100_000)

    while page := await as_soon_as_it_answers(next_page):
        kept.extend(page)
    assert [stored.sequence for stored in kept] == list(range(1, last + 1))
    by_sequence = {stored.sequence: stored.frame_id for stored in kept}
    acknowledged = [pair for appender in appenders for pair in appender.acknowledged]
    assert [pair for pair in acknowledged if by_sequence.get(pair[0]) != pair[1]] == []
    assert len(set(by_sequence.values())) == len(kept), "a frame was appended twice"
    return last
