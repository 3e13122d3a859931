"""Virtual time, and processes that stop and die in it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from ordermesh.testing.simulation.loop import Deadlock, Process, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.end()


async def _tick(ticks: list[float], count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(1.0)
        ticks.append(asyncio.get_running_loop().time())


def test_waiting_costs_virtual_time_only(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(1_000_000.0))
    assert loop.time() == pytest.approx(1_000_000.0)


def test_timers_of_one_time_run_in_the_order_in_which_they_were_set(loop: VirtualLoop) -> None:
    ran: list[int] = []
    for number in range(5):
        loop.after(1.0, ran.append, number)
    loop.run_until_complete(asyncio.sleep(2.0))
    assert ran == [0, 1, 2, 3, 4]


def test_a_stopped_process_goes_on_where_it_was(loop: VirtualLoop) -> None:
    ticks: list[float] = []
    process = Process("a", loop)
    process.spawn(_tick(ticks, 5))
    loop.after(1.5, process.pause)
    loop.after(7.25, process.resume)
    loop.run_until_complete(asyncio.sleep(20.0))
    assert ticks == pytest.approx([1.0, 7.25, 8.25, 9.25, 10.25])


def test_a_killed_process_runs_nothing_more_not_even_its_clean_up(loop: VirtualLoop) -> None:
    said: list[str] = []
    process = Process("a", loop)

    async def work() -> None:
        try:
            await asyncio.sleep(10.0)
        finally:
            said.append("cleaned up")

    process.spawn(work())
    loop.after(1.0, process.kill)
    loop.run_until_complete(asyncio.sleep(20.0))
    assert said == []


def test_what_a_process_spawns_dies_with_it(loop: VirtualLoop) -> None:
    ticks: list[float] = []
    process = Process("a", loop)

    async def parent() -> None:
        await asyncio.gather(_tick(ticks, 5), _tick(ticks, 5))

    process.spawn(parent())
    loop.after(2.5, process.kill)
    loop.run_until_complete(asyncio.sleep(20.0))
    assert ticks == pytest.approx([1.0, 1.0, 2.0, 2.0])


def test_nothing_left_to_do_is_a_deadlock(loop: VirtualLoop) -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        loop.run_until_complete(wait_for_ever())


def test_what_is_left_at_the_end_keeps_its_loop() -> None:
    """Asked for outside any loop, asyncio makes another, which nobody closes."""
    loop, found = VirtualLoop(), []

    async def wait() -> None:
        try:
            await asyncio.sleep(1_000.0)
        finally:
            found.append(asyncio.gather().get_loop())

    Process("a", loop).spawn(wait())
    loop.run_until_complete(asyncio.sleep(1.0))
    loop.end()
    assert found == [loop]


def test_what_waits_on_its_way_out_is_ended_too() -> None:
    """Else it keeps its world in memory, megabytes for each seed."""
    loop = VirtualLoop()

    async def wait() -> None:
        try:
            await asyncio.sleep(1_000.0)
        finally:
            try:
                await asyncio.sleep(1.0)
            finally:
                await asyncio.sleep(1.0)

    way = wait()
    Process("a", loop).spawn(way)
    loop.run_until_complete(asyncio.sleep(1.0))
    loop.end()
    assert inspect.getcoroutinestate(way) == inspect.CORO_CLOSED
