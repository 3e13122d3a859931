"""What a refused decision frame means: another owner's frame is in its place, or our own, or nothing yet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryLog
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Fenced, LogUnavailable, PartitionId, Stored
from ordermesh.runtime.recovery import Superseded, append_decisions

HERE = PartitionId("counters", 0)
FRAME = log_pb2.DecisionFrame(id=b"ours", number=1)
OPTIONS = OwnerOptions(retry_min_s=0.001, retry_max_s=0.01)


class _TwoLeaders(MemoryLog):
    """A deposed leader refuses the first append; the new one does it before that is heard, or only with the next."""

    def __init__(self, *, at_once: bool, unread: int = 0) -> None:
        super().__init__(asyncio.get_running_loop().time)
        self._at_once = at_once
        self._unread = unread
        self.appends = 0

    async def append(self, *which: Any, **how: Any) -> int:
        self.appends += 1
        if self.appends > 1:
            return await super().append(*which, **how)
        if self._at_once:
            await super().append(*which, **how)
        raise Fenced("says a deposed leader")

    async def last(self, *which: Any) -> Stored | None:
        self._unread -= 1
        if self._unread >= 0:
            raise LogUnavailable("elects")
        return await super().last(*which)


async def _append(log: MemoryLog, frame: log_pb2.DecisionFrame = FRAME, expected: int = 0) -> int:
    async with asyncio.timeout(5):
        return await append_decisions(log, HERE, frame, expected, SystemClock(), OPTIONS)


@pytest.mark.parametrize(("at_once", "appends"), [(True, 1), (False, 2)])
@pytest.mark.parametrize("before", [0, 1])
async def test_a_deposed_leaders_refusal_does_not_end_an_owner(at_once: bool, appends: int, before: int) -> None:
    log = _TwoLeaders(at_once=at_once)
    await log.create(HERE, 10_000)
    for number in range(before):
        log.stream(HERE).append("decisions", b"", f"before {number}", False, number)
    assert await _append(log, expected=before) == before + 1
    assert log.appends == appends
    assert log.stream(HERE).last_sequence == before + 1


async def test_who_cannot_look_sends_again_and_looks_then() -> None:
    log = _TwoLeaders(at_once=True, unread=1)
    await log.create(HERE, 10_000)
    assert await _append(log) == 1
    assert log.appends == 2
    assert log.stream(HERE).last_sequence == 1


@pytest.mark.parametrize("expected", [0, 7])
async def test_anothers_frame_in_its_place_or_a_lost_tail_ends_an_owner(expected: int) -> None:
    log = MemoryLog(asyncio.get_running_loop().time)
    await log.create(HERE, 10_000)
    await _append(log, log_pb2.DecisionFrame(id=b"theirs", number=1))
    with pytest.raises(Superseded):
        await _append(log, expected=expected)


async def test_a_log_that_lost_all_its_decisions_ends_an_owner() -> None:
    log = MemoryLog(asyncio.get_running_loop().time)
    await log.create(HERE, 10_000)
    with pytest.raises(Superseded):
        await _append(log, expected=7)
