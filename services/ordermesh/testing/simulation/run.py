"""One run: a seed makes a world, the world has its faults, then it is healed, and then everything must be right."""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from oms.order.v1 import order_pb2
from ordermesh.testing.simulation.care_check import check_care
from ordermesh.testing.simulation.check import EndCheck, StockCheck, unfinished
from ordermesh.testing.simulation.client import Client
from ordermesh.testing.simulation.damage import run_damaged
from ordermesh.testing.simulation.findings import Finding
from ordermesh.testing.simulation.history import History
from ordermesh.testing.simulation.listen import listening, silence
from ordermesh.testing.simulation.profile import Profile, draw_profile
from ordermesh.testing.simulation.storms import Storms
from ordermesh.testing.simulation.told_check import ToldCheck
from ordermesh.testing.simulation.workload import Workload
from ordermesh.testing.simulation.world import STOP_TIMEOUT_S, World

END_TIMEOUT_S = 900.0
"""How long everything may take to end once all is healed, in virtual seconds."""

POLL_S = 0.5
"""How often that is looked at."""


class Result(NamedTuple):
    """What became of a seed."""

    seed: int
    findings: list[Finding]
    steps: int
    virtual_s: float
    cpu_s: float
    orders: dict[str, int]
    faults: dict[str, int]
    checks: dict[str, int]
    digest: int


class Run:
    """The phases of a run."""

    def __init__(self, seed: int, profile: Profile, trace: Callable[[str], None] | None) -> None:
        self.world = World(seed, profile, trace)
        self.history = History(self.world.truth, self.world.findings)
        self.storms = Storms(self.world)
        self.workload = Workload(self.world, self.history)
        self.told = ToldCheck(self.world)
        self.world.audit.on_trim = self.told.trimmed
        self.world.truth.after_decision.append(StockCheck(self.world))

    async def go(self) -> None:
        """From the start to the last check."""
        world = self.world
        await world.start()
        self.storms.start()
        self.workload.start()
        if world.profile.damage:
            await run_damaged(self, world.profile.damage)
            return
        await asyncio.sleep(world.profile.duration_s)
        self.storms.heal()
        await self._until(lambda: "" if self.workload.is_done() else "the clients have not got their answers")
        await self._until(lambda: unfinished(world))
        check = EndCheck(world)
        check.balances()
        check_care(world)
        check.memory()
        if world.seed % 3 == 0:
            await self._take_anew()
            check.memory()
        await self._until(self._unowned)
        await self._until(self.told.missing)
        await self._end()
        check.store()
        self.told.check()
        self.history.check()

    async def _until(self, what_is_missing: Callable[[], str]) -> None:
        """Waits until nothing is missing; I5 if that never comes."""
        ends_s = self.world.loop.time() + END_TIMEOUT_S
        while missing := what_is_missing():
            if self.world.loop.time() > ends_s:
                self.world.findings.report("I5", f"after {END_TIMEOUT_S:.0f} s of peace: {missing}")
                return
            await asyncio.sleep(POLL_S)

    def _unowned(self) -> str:
        """Partitions that nobody owns at the moment: their owner died, and is not given up for dead yet."""
        owned = {partition for entry in self.world.owners if entry is not None for partition in entry[1].owners}
        left = [str(partition) for partition in self.world.truth.partitions if partition not in owned]
        return f"nobody owns {', '.join(left)}" if left else ""

    async def _take_anew(self) -> None:
        """Kills every owner, and asks whoever comes after for everything."""
        for entry in self.world.owners:
            if entry is not None:
                self.world.crash(entry[0])
        client = Client(self.world, self.history)
        for kind, service in (("order", "order"), ("stock", "inventory")):
            for key in list(self.world.truth.of_kind(kind)):
                await client.query(service, key)
        await self._until(lambda: unfinished(self.world))

    async def _end(self) -> None:
        """Stops every owner cleanly, and those who tell the world."""
        world = self.world
        world.restarting = False
        for entry in (*world.owners, *world.tellers.living.values()):
            if entry is not None:
                process, host = entry
                world.stop(process, host, 2 * STOP_TIMEOUT_S)
        ends_s = world.loop.time() + STOP_TIMEOUT_S
        while (left := self._running()) and world.loop.time() < ends_s:
            await asyncio.sleep(POLL_S)
        world.findings.require(not left, "I5", "{} did not end within {} s", left, STOP_TIMEOUT_S)

    def _running(self) -> list[str]:
        """Owners and those who tell the world that still run."""
        entries = (*self.world.owners, *self.world.tellers.living.values())
        return [entry[0].name for entry in entries if entry is not None]

    def result(self, cpu_s: float) -> Result:
        """What became of it."""
        world = self.world
        states: Counter[str] = Counter()
        for true in world.truth.of_kind("order").values():
            states[order_pb2.OrderState.Name(true.state.order.order_state).removeprefix("ORDER_STATE_").lower()] += 1
        return Result(
            world.seed, list(world.findings.all), world.loop.steps, world.loop.time(), cpu_s, dict(states),
            dict(world.chance.faults), dict(world.findings.checks), world.findings.digest,
        )  # fmt: skip


def run_seed(seed: int, trace: Callable[[str], None] | None = None, profile: Profile | None = None) -> Result:
    """Runs one seed; equal seeds run equally."""
    gc.freeze()  # what was there before need not be looked through again: that took a quarter of a run's time
    gc.disable()
    started = time.process_time()
    try:
        run = Run(seed, profile or draw_profile(seed), trace)
        with listening(run.world.findings, trace is not None, run.world.refuses_rightly):
            _drive(run)
        result = run.result(time.process_time() - started)
        run.world.findings.is_closed = True
        with silence():
            run.world.loop.end()
            del run
            gc.collect()
        return result
    finally:
        gc.unfreeze()
        gc.enable()


def _drive(run: Run) -> None:
    """Runs the world until the end or the first finding."""
    world, findings = run.world, run.world.findings
    findings.on_first = world.loop.stop
    try:
        world.loop.run_until_complete(run.go())
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what tells how to get it again
        if not findings.all:
            place = traceback.extract_tb(error.__traceback__)[-1]
            findings.report("simulation", f"{error!r} ({place.filename}:{place.lineno})")
    for task in world.loop.tasks:
        if task.done() and not task.cancelled() and task._log_traceback:
            findings.report("I5", f"the task {task.get_name()} failed unheard: {task.exception()!r}")
