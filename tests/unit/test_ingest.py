"""The pipeline of IngestOrders: order, bounds, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ordermesh.order import ingest
from ordermesh.order.ingest import Pipeline


class Desk:
    """Posts and settles numbers, and counts what is under way."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s
        self.posted = 0
        self.settled = 0
        self.most_under_way = 0
        self.groups: list[int] = []

    async def post(self, number: int) -> int:
        """Takes one."""
        self.posted += 1
        self.most_under_way = max(self.most_under_way, self.posted - self.settled)
        return number

    async def settle(self, numbers: list[int]) -> list[str]:
        """Answers a group; later groups sooner, to try the order."""
        self.groups.append(len(numbers))
        await asyncio.sleep(self.pause_s / len(self.groups))
        self.settled += len(numbers)
        return [str(number) for number in numbers]


async def numbers(count: int, burst: int = 10) -> AsyncIterator[int]:
    """Requests in bursts."""
    for number in range(count):
        if number % burst == 0:
            await asyncio.sleep(0)
        yield number


def pipeline(desk: Desk) -> Pipeline[int, int, str]:
    """A pipeline to that desk."""
    return Pipeline(desk.post, desk.settle)


async def test_answers_come_in_the_order_of_the_requests() -> None:
    desk = Desk(pause_s=0.02)

    answers = [answer async for answer in pipeline(desk).run(numbers(500))]

    assert answers == [str(number) for number in range(500)]


async def test_what_arrives_together_is_settled_together() -> None:
    desk = Desk()

    async for _ in pipeline(desk).run(numbers(300, burst=100)):
        pass

    assert max(desk.groups) >= 90


async def test_no_more_is_under_way_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "IN_FLIGHT_MAX", 32)
    desk = Desk(pause_s=0.01)

    answers = [answer async for answer in pipeline(desk).run(numbers(200))]

    assert len(answers) == 200
    assert desk.most_under_way <= 32


async def test_an_answer_does_not_wait_for_the_next_request() -> None:
    asked: asyncio.Queue[int] = asyncio.Queue()

    async def one_by_one() -> AsyncIterator[int]:
        while True:
            yield await asked.get()

    running = pipeline(Desk()).run(one_by_one())
    for number in range(3):
        asked.put_nowait(number)
        async with asyncio.timeout(5):
            assert await anext(running) == str(number)
    await running.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_what_was_read_before_a_failure_is_answered_first() -> None:
    async def breaks() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise ValueError("the third cannot be read")

    running = pipeline(Desk(pause_s=0.01)).run(breaks())

    assert [await anext(running), await anext(running)] == ["1", "2"]
    with pytest.raises(ValueError, match="third"):
        await anext(running)


async def test_a_caller_that_goes_away_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    running = pipeline(Desk(pause_s=10.0)).run(numbers(100))
    first = asyncio.ensure_future(anext(running))
    await asyncio.sleep(0.01)

    first.cancel()
    await asyncio.wait([first])
    await running.aclose()  # type: ignore[attr-defined]  # it is a generator
    await asyncio.sleep(0.01)

    assert asyncio.all_tasks() == before
