"""One run: the world starts, customers come, the nemesis breaks things, all is healed, and everything is judged."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from ordermesh.adapters.nats_server import NatsServerError, die_with_parent
from ordermesh.testing.cassandra_nodes import ClusterError
from ordermesh.testing.chaos.checks import Verdict, Violation, judge
from ordermesh.testing.chaos.collector import Collector, Unreadable
from ordermesh.testing.chaos.evidence import Evidence
from ordermesh.testing.chaos.faults import Happened
from ordermesh.testing.chaos.journal import Told, read_journal
from ordermesh.testing.chaos.nemesis import Nemesis
from ordermesh.testing.chaos.webhooks import Webhooks
from ordermesh.testing.chaos.world import Say, World

WARM_S = 90.0
"""Until the first orders are STORED."""
WARM_ORDERS = 40
CALM_S = 10.0
"""Customers go on for so long when everything is healed: what is slow then is no fault's doing."""
DRAIN_S = 90.0
"""For calls that are under way when the customers are told to leave."""
PROGRESS_S = 5.0


class DidNotStart(Exception):
    """There was nothing to break: the deployment did not begin to work; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run that has ended; `begin` to `end` is the time of faults and of the calm after."""

    journal: Sequence[Told]
    faults: Sequence[Happened]
    trouble: Sequence[str]
    begin: float
    end: float
    evidence: Evidence | None
    verdict: Verdict


class Run:
    """Everything about one run, in `folder`."""

    def __init__(self, folder: Path, jars: Path, *, seed: int, rate: float, say: Say) -> None:
        self._folder = folder
        self._journal = folder / "journal.jsonl"
        self._seed = seed
        self._rate = rate
        self._say = say
        self._world = World(folder, jars, say)
        self._nemesis = Nemesis(self._world, seed, folder / "faults.jsonl")
        self._webhooks = Webhooks(folder, seed)
        self._customers: asyncio.subprocess.Process | None = None

    async def run(self, seconds: float) -> Ran:
        """All of it. Raises DidNotStart, and what starting raises."""
        try:
            await self._world.start()
            await self._open_ears()
            await self._open_shop()
            begin = time.monotonic()
            healed = await self._break(seconds)
            end = time.monotonic()
            await self._close_shop()
            return await self._judged(begin, end, healed)
        finally:
            if self._customers is not None and self._customers.returncode is None:
                self._customers.kill()
            await self._webhooks.stop()
            await self._world.stop()

    async def _open_ears(self) -> None:
        """From now on a receiver is told of everything. Raises DidNotStart."""
        try:
            await self._webhooks.start(self._world.edges[0])
        except (TimeoutError, grpc.aio.AioRpcError) as error:
            raise DidNotStart(f"there is no webhook endpoint: {error!r}") from error

    async def _open_shop(self) -> None:
        arguments = {
            "--servers": ",".join(self._world.edges),
            "--journal": str(self._journal),
            "--rate": str(self._rate),
            "--seed": str(self._seed),
            "--drain": str(DRAIN_S),
        }
        log = (self._folder / "customers.log").open("wb")
        with log:
            self._customers = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ordermesh.testing.chaos.customers"),
                *(word for pair in arguments.items() for word in pair),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(),
                start_new_session=True,
            )
        self._say("waiting for orders to be STORED")
        deadline = time.monotonic() + WARM_S
        while self._count_stored() < WARM_ORDERS:
            self._check_customers()
            if time.monotonic() > deadline:
                raise DidNotStart(f"no {WARM_ORDERS} orders were STORED within {WARM_S:g} s; see {self._folder}")
            await asyncio.sleep(0.2)

    def _count_stored(self) -> int:
        if not self._journal.exists():
            return 0
        return sum(told.call == "create" and told.persistence == "STORED" for told in read_journal(self._journal))

    def _check_customers(self) -> None:
        assert self._customers is not None
        if self._customers.returncode is not None:
            said = (self._folder / "customers.log").read_text(errors="replace")[-2000:]
            raise DidNotStart(f"the customers' process ended with {self._customers.returncode}: {said}")

    async def _break(self, seconds: float) -> list[Violation]:
        """Faults, then none; what did not come back is a violation."""
        progress = asyncio.create_task(self._tell(time.monotonic()))
        try:
            await self._nemesis.run(seconds)
            self._say("healing")
            self._webhooks.heal()
            try:
                await self._world.heal()
            except (NatsServerError, ClusterError, TimeoutError) as error:
                return [Violation("I5", f"what was broken does not come back: {error!r}")]
            await asyncio.sleep(CALM_S)
            return []
        finally:
            progress.cancel()

    async def _close_shop(self) -> None:
        assert self._customers is not None
        self._check_customers()
        self._customers.send_signal(signal.SIGTERM)
        self._say("waiting for the last calls")
        async with asyncio.timeout(2 * DRAIN_S):
            await self._customers.wait()

    async def _judged(self, begin: float, end: float, healed: list[Violation]) -> Ran:
        collector = Collector(self._world.edges, self._world.nats.urls, self._say)
        evidence: Evidence | None = None
        try:
            evidence = await collector.collect(self._journal, self._world.data)
            evidence.arrived = await self._webhooks.arrived(evidence.events, self._say)
            verdict = judge(evidence)
        except Unreadable as error:
            verdict = Verdict({}, [Violation("I5", f"all is healed and there is no answer: {error}")])
        assert self._customers is not None
        if self._customers.returncode:
            healed.append(Violation("I5", f"the customers' process ended with {self._customers.returncode}"))
        return Ran(
            journal=list(read_journal(self._journal)),
            faults=self._nemesis.happened,
            trouble=self._nemesis.trouble,
            begin=begin,
            end=end,
            evidence=evidence,
            verdict=Verdict(verdict.compared, [*healed, *verdict.violations]),
        )

    async def _tell(self, begin: float) -> None:
        """Says every few seconds how it goes."""
        tail = JournalTail(self._journal)
        while True:
            await asyncio.sleep(PROGRESS_S)
            acknowledged, lately = tail.count()
            latest = self._nemesis.happened[-1] if self._nemesis.happened else None
            what = f", last {latest.kind} {latest.target}" if latest else ""
            self._say(
                f"{time.monotonic() - begin:.0f} s: {acknowledged} orders acknowledged,"
                f" {lately / PROGRESS_S:.0f}/s; {len(self._nemesis.happened)} faults{what}"
            )


class JournalTail:
    """Counts the acknowledged orders of a journal that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._count = 0

    def count(self) -> tuple[int, int]:
        """So far, and since the last time."""
        with self._path.open("rb") as file:
            file.seek(self._place)
            whole, newline, _torn = file.read().rpartition(b"\n")
        self._place += len(whole) + len(newline)
        lately = sum(b'"create"' in line and b'"OK"' in line for line in whole.split(b"\n"))
        self._count += lately
        return self._count, lately


def sayer(write: Callable[[str], object]) -> Say:
    """Says with the time since the beginning, and nothing twice in a row."""
    begin, said = time.monotonic(), deque([""], maxlen=1)

    def say(text: str) -> None:
        if text != said[0]:
            said.append(text)
            write(f"[{time.monotonic() - begin:5.0f} s] {text}\n")

    return say
