"""Makes the faults happen, one lane beside the other, and writes down when each began and ended."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ordermesh.adapters.nats_server import NatsServerError
from ordermesh.testing.cassandra_nodes import ClusterError
from ordermesh.testing.chaos import faults
from ordermesh.testing.chaos.faults import Fault, Happened, picked
from ordermesh.testing.chaos.links import Trouble
from ordermesh.testing.chaos.world import World


@dataclass(slots=True)
class _Running:
    """A fault under way."""

    fault: Fault
    target: str = ""


class Nemesis:
    """Breaks a world; what happened is in `happened`, and in the file as it happens."""

    def __init__(self, world: World, seed: int, record: Path) -> None:
        self._world = world
        self._seed = seed
        self._record = record
        self.happened: list[Happened] = []
        self.trouble: list[str] = []
        """What did not come back by itself and was helped: for a person."""
        self._deeds: Mapping[str, Callable[[_Running], Awaitable[None]]] = {
            faults.ENGINE_KILL: self._engine_kill,
            faults.ENGINE_PAUSE: self._engine_pause,
            faults.ENGINE_ROLLING: self._engine_rolling,
            faults.ENGINE_ADD: self._engine_add,
            faults.ENGINE_REMOVE: self._engine_remove,
            faults.ENGINE_KILL_ALL: self._engine_kill_all,
            faults.NATS_KILL: self._nats_kill,
            faults.NATS_PAUSE: self._nats_pause,
            faults.NATS_ROLLING: self._nats_rolling,
            faults.NATS_KILL_ALL: self._nats_kill_all,
            faults.NATS_ROUTE: self._nats_route,
            faults.NATS_ISOLATED: self._nats_isolated,
            faults.NATS_DISK_FULL: self._nats_disk_full,
            faults.CASSANDRA_KILL: self._cassandra_kill,
            faults.CASSANDRA_PAUSE: self._cassandra_pause,
            faults.CASSANDRA_PAUSE_ALL: self._cassandra_pause_all,
            faults.LINK_TO_NATS: self._link,
            faults.LINK_TO_ALL_NATS: self._link,
            faults.LINK_TO_CASSANDRA: self._link,
            faults.LINK_TO_ALL_CASSANDRA: self._link,
        }

    async def run(self, seconds: float) -> None:
        """Breaks things for so long; a fault that is under way then is ended first."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as lanes:
            for name in faults.DECKS:
                lanes.create_task(self._lane(name, end))

    async def _lane(self, name: str, end: float) -> None:
        for gap_s, fault in faults.lane(name, self._seed):
            left = end - time.monotonic()
            if gap_s + fault.seconds > left:
                await asyncio.sleep(max(0.0, left))
                return
            await asyncio.sleep(gap_s)
            await self._happen(fault)

    async def _happen(self, fault: Fault) -> None:
        running = _Running(fault)
        begin = time.monotonic()
        try:
            await self._deeds[fault.kind](running)
        except (NatsServerError, ClusterError, TimeoutError) as error:
            self.trouble.append(f"{fault.kind} of {running.target}: {error}")
        if running.target:
            self._note(Happened(fault.kind, running.target, fault.way, begin, time.monotonic()))

    def _note(self, happened: Happened) -> None:
        self.happened.append(happened)
        with self._record.open("a") as file:
            file.write(json.dumps(happened._asdict()) + "\n")

    async def _engine_kill(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.engines.names)
        await self._world.engines.restart(signal.SIGKILL, running.target)

    async def _engine_pause(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.engines.names)
        self._world.engines.send(running.target, signal.SIGSTOP)
        await asyncio.sleep(running.fault.seconds)
        self._world.engines.send(running.target, signal.SIGCONT)

    async def _engine_rolling(self, running: _Running) -> None:
        running.target = "all"
        for name in self._world.engines.names:
            await self._world.engines.restart(signal.SIGTERM, name)

    async def _engine_add(self, running: _Running) -> None:
        running.target = self._world.engines.add("owner")
        await self._serves_again()
        await asyncio.sleep(running.fault.seconds)
        await self._world.engines.remove(running.target)

    async def _engine_remove(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.engines.names)
        await self._world.engines.remove(running.target)
        await asyncio.sleep(running.fault.seconds)
        self._world.engines.add(running.target.partition("-")[0], running.target)
        await self._serves_again()

    async def _engine_kill_all(self, running: _Running) -> None:
        running.target = "all"
        await self._world.engines.restart(signal.SIGKILL, *self._world.engines.names)

    async def _serves_again(self) -> None:
        """Meanwhile what they need may be in trouble too: then others wait for it."""
        with suppress(TimeoutError):
            await self._world.engines.until_serving()

    async def _nats_kill(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.nats.names)
        await self._world.nats.kill(running.target)
        await asyncio.sleep(running.fault.seconds)
        await self._world.nats.revive()

    async def _nats_pause(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.nats.names)
        self._world.nats.pause(running.target)
        await asyncio.sleep(running.fault.seconds)
        self._world.nats.resume(running.target)

    async def _nats_rolling(self, running: _Running) -> None:
        running.target = "all"
        for name in self._world.nats.names:
            await self._world.nats.restart(name)

    async def _nats_kill_all(self, running: _Running) -> None:
        running.target = "all"
        await self._world.nats.kill(*self._world.nats.names)
        await asyncio.sleep(running.fault.seconds / 4)
        await self._world.nats.revive()

    async def _nats_route(self, running: _Running) -> None:
        names = self._world.nats.names
        first = picked(running.fault, names)
        second = names[(names.index(first) + 1) % len(names)]
        running.target = f"{first} {second}"
        await self._troubled(running, [(first, second)])

    async def _nats_isolated(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.nats.names)
        others = [*self._world.nats.names, *self._world.engines.names]
        pairs = [(running.target, other) for other in others if other != running.target]
        await self._troubled(running, pairs)

    async def _nats_disk_full(self, running: _Running) -> None:
        """Afterwards the server is started anew: it has switched JetStream off, for good, when it could not write."""
        disk = self._world.disk
        if disk is None:
            return
        running.target = disk.mount.name
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(running.fault.seconds)
        await asyncio.to_thread(disk.free)
        await self._world.nats.restart(running.target)

    async def _cassandra_kill(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.cassandra.names)
        await self._world.cassandra.kill(running.target)
        await asyncio.sleep(running.fault.seconds)
        await self._world.cassandra.revive()

    async def _cassandra_pause(self, running: _Running) -> None:
        running.target = picked(running.fault, self._world.cassandra.names)
        await self._world.cassandra.pause(running.target)
        await asyncio.sleep(running.fault.seconds)
        await self._world.cassandra.resume(running.target)

    async def _cassandra_pause_all(self, running: _Running) -> None:
        running.target = "all"
        for name in self._world.cassandra.names:
            await self._world.cassandra.pause(name)
        await asyncio.sleep(running.fault.seconds)
        for name in self._world.cassandra.names:
            await self._world.cassandra.resume(name)

    async def _link(self, running: _Running) -> None:
        """Between one process of the engine and one node, or all of that kind."""
        engine = picked(running.fault, self._world.engines.names)
        kind = running.fault.kind
        ensemble: Any = self._world.nats if kind.endswith("nats") else self._world.cassandra
        nodes = ensemble.names if "-all-" in kind else [picked(running.fault, ensemble.names)]
        running.target = f"{engine} {' '.join(nodes)}"
        await self._troubled(running, [(engine, node) for node in nodes])

    async def _troubled(self, running: _Running, pairs: list[tuple[str, str]]) -> None:
        way = Trouble(running.fault.way or Trouble.CUT)
        for first, second in pairs:
            self._world.links.trouble(first, second, way)
        await asyncio.sleep(running.fault.seconds)
        for first, second in pairs:
            self._world.links.mend(first, second)
