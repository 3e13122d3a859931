"""When a benchmark gives up, and when it goes on waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

from ordermesh.cli.bench_patience import NoProgress, unless_stuck


async def test_work_that_ends_gives_its_result_and_its_errors() -> None:
    async def done() -> str:
        return "done"

    async def broken() -> None:
        raise ValueError("broken")

    assert await unless_stuck(done(), lambda: 0, 5.0) == "done"
    with pytest.raises(ValueError, match="broken"):
        await unless_stuck(broken(), lambda: 0, 5.0)


async def test_work_without_an_answer_is_given_up_and_cancelled() -> None:
    ended: list[str] = []

    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with pytest.raises(NoProgress):
        await unless_stuck(stuck(), lambda: 7, 0.05)

    assert ended == ["cancelled"]


async def test_as_long_as_there_are_answers_work_may_take_longer_than_the_patience() -> None:
    answers: Iterator[int] = count()
    timeout_s = 0.1

    async def long() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(5 * timeout_s)
        return loop.time() - begun

    assert await unless_stuck(long(), lambda: next(answers), timeout_s) >= 5 * timeout_s
