"""The simulated world: servers, owner and edge processes, and who restarts them.

An owner process runs the real `OwnerHost`, an edge the real `Gate` and `Reads`; only their ports are simulated.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from oms.payment.v1 import payment_commands_pb2
from ordermesh.notification.app import TABLES as WEBHOOK_TABLES
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import OwnerHost
from ordermesh.runtime.options import SCHEMA_VERSION
from ordermesh.runtime.reads import Reads
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.relay import RELAY_POSITIONS
from ordermesh.runtime.topology import Topology, new_deployment
from ordermesh.testing.simulation.audit import Audit
from ordermesh.testing.simulation.chance import Chance
from ordermesh.testing.simulation.clock import SimulatedClock
from ordermesh.testing.simulation.findings import Findings
from ordermesh.testing.simulation.links import BusLink, LogLink, StoreLink
from ordermesh.testing.simulation.loop import PROCESS, WORLD, Process, VirtualLoop
from ordermesh.testing.simulation.patience import Patience
from ordermesh.testing.simulation.profile import Profile
from ordermesh.testing.simulation.provider import Provider
from ordermesh.testing.simulation.servers import Servers
from ordermesh.testing.simulation.shop import groups, services
from ordermesh.testing.simulation.tellers import Teller, Tellers
from ordermesh.testing.simulation.truth import Truth

T = TypeVar("T")

PROVIDER_REQUEST = payment_commands_pb2.ProviderRequest.DESCRIPTOR.full_name
"""The one effect of the services."""

CALL_TIMEOUT_S = 8.0
"""After how long a client gives a call up, in seconds."""

STOP_TIMEOUT_S = 30.0
"""After how long a process that was asked to stop is killed."""


class Disconnected(Exception):
    """The client's connection to the edge broke, or the call took too long: the outcome is unknown."""


class Edge:
    """What lives in an edge process."""

    def __init__(self, process: Process, log: LogLink, gate: Gate, reads: Reads) -> None:
        self.process = process
        self.log = log
        self.gate = gate
        self.reads = reads
        self.calls: list[asyncio.Future[Any]] = []


class World:
    """Everything of one run."""

    def __init__(self, seed: int, profile: Profile, trace: Callable[[str], None] | None = None) -> None:
        options = replace(profile.options, relay_required=profile.relays > 0)
        self.profile = profile = replace(profile, options=options)
        self.seed = seed
        self.loop = VirtualLoop(profile.turn_cost_s)
        self.loop.set_exception_handler(self._unhandled)
        self.patience = Patience(self.loop)
        self.chance = Chance(seed, profile.rates)
        self.findings = Findings(self.loop.time, trace)
        self.chance.note = self.findings.note
        shape = groups(separate=profile.separate_groups, tells=profile.relays > 0)
        self.deployment = new_deployment(f"sim{seed}", profile.partitions, shape)
        self.topology = Topology(self.deployment)
        self.services = services(random.Random(f"services {seed}"))
        self.registry = Registry(self.services)
        self.truth = Truth(self.topology, self.registry, self.findings)
        tables = (*self.registry.tables(), RELAY_POSITIONS, *WEBHOOK_TABLES)
        self.servers = Servers(self.loop, self.chance, tables, profile.latency_s)
        self.audit = Audit(self.servers, self.truth, self.registry, self.topology, self.findings)
        self.provider = Provider(self.loop, self.chance, self.findings)
        self.provider.effect_started = self.audit.effect_started
        self.provider.names_holds = profile.bookkeepers_share > 0
        self.servers.watcher, self.servers.crash = self.audit, self.crash
        self.servers.note, self.servers.report = self.findings.note, self.findings.report
        self.owners: list[tuple[Process, OwnerHost] | None] = [None] * profile.owners
        self.edges: list[Edge | None] = [None] * profile.edges
        self.tellers = Tellers(self)
        self.clocks: dict[Process, SimulatedClock] = {}
        self.builds = {("owner", slot): 0 for slot in range(profile.owners)}
        self.builds |= {("edge", slot): 0 for slot in range(profile.edges)}
        self.builds |= dict.fromkeys(self.tellers.living, 0)
        self.newest_build = 0
        self.lives = 0
        self.restarting = True
        self.stops_rightly: Callable[[str], bool] = lambda _text: False

    async def start(self) -> None:
        """Creates the logs and starts every process."""
        for partition in self.topology.partitions():
            await self.servers.log.create(partition, self.profile.log_bytes)
        for slot in range(self.profile.owners):
            self.start_owner(slot)
        for slot in range(self.profile.edges):
            self.start_edge(slot)
        for role, slot in self.tellers.living:
            self.tellers.start(role, slot)

    def new_process(self, role: str, slot: int) -> tuple[Process, SimulatedClock]:
        """A new life of a process; half of the deployments give each life a name of its own."""
        self.lives += 1
        process = Process(f"{role}-{slot}" if self.seed % 2 else f"{role}-{slot}-{self.lives}", self.loop)
        clock = SimulatedClock(self.loop, f"{self.seed} {self.lives}", int(self.chance.between(-2e6, 2e6)))
        if self.chance.coin():
            clock.set_busy(self.chance.random.random())
        self.clocks[process] = clock
        if self.profile.upgrades_change_schema:
            process.schema = SCHEMA_VERSION + self.builds[role, slot]
            self.servers.schema_newest = max(self.servers.schema_newest, process.schema)
        return process, clock

    def refuses_rightly(self, text: str) -> bool:
        """Whether a stopped partition is no finding: its log was damaged, or the process whose code says so is of an
        older build than another that wrote to the log, and will be replaced."""
        if self.stops_rightly(text):
            return True
        process = PROCESS.get()
        is_newer = "newer build" in text or "newer than this build" in text
        if process is None or process.schema >= self.servers.schema_newest or not is_newer:
            return False
        self.chance.faults["newer_refused"] += 1
        return True

    def start_owner(self, slot: int) -> None:
        """A new owner process."""
        process, clock = self.new_process("owner", slot)
        host = OwnerHost(
            instance=process.name, build=f"simulated-{self.builds['owner', slot]}", log=LogLink(self.servers, process),
            store=StoreLink(self.servers, process), bus=BusLink(self.servers, process), clock=clock,
            services=self.services, deployment=self.deployment, effects={PROVIDER_REQUEST: self.provider.handler()},
            options=self.profile.options,
        )  # fmt: skip
        self.owners[slot] = (process, host)
        self.findings.note("start", process.name)
        process.spawn(self._run_owner(process, host))

    async def _run_owner(self, process: Process, host: OwnerHost) -> None:
        try:
            await host.run()
        except BaseException as error:
            self.findings.report("I5", f"the owner process {process.name} failed: {error!r}")
            raise
        self.findings.note("stopped", process.name)
        self.loop.after(0, self.crash, process)

    def start_edge(self, slot: int) -> None:
        """A new edge process."""
        process, clock = self.new_process("edge", slot)
        log = LogLink(self.servers, process)
        gate = Gate(
            instance=process.name, log=log, bus=BusLink(self.servers, process), clock=clock,
            deployment=self.deployment, options=self.profile.options,
        )  # fmt: skip
        reads = Reads(gate=gate, store=StoreLink(self.servers, process), clock=clock)
        self.findings.note("start", process.name)

        async def start() -> None:
            await gate.start()
            self.edges[slot] = Edge(process, log, gate, reads)

        process.spawn(start())

    def crash(self, process: Process) -> None:
        """SIGKILL; somebody starts it again after a while."""
        if process.dead:
            return
        self.findings.note("kill", process.name)
        process.kill()
        self.servers.subscriptions[:] = [one for one in self.servers.subscriptions if one.process is not process]
        self.servers.log_cut.discard(process.name)
        self.servers.bus_cut.discard(process.name)
        delay_s = 0.1 if self.chance.healed else self.chance.spread(0.01, 8.0)
        role, number = process.name.split("-")[:2]
        slot = int(number)
        if role == "edge":
            self._drop_edge(slot)
        elif role == "owner":
            self.owners[slot] = None
        else:
            self.tellers.gone(role, slot)
        self.loop.after(delay_s, self._restart, role, slot)

    def _drop_edge(self, slot: int) -> None:
        edge, self.edges[slot] = self.edges[slot], None
        for call in edge.calls if edge is not None else ():
            self.loop.after(self.chance.spread(0.001, 1.0), _break, call)

    def _restart(self, role: str, slot: int) -> None:
        if not self.restarting:
            return
        if role == "edge":
            self.start_edge(slot)
        elif role == "owner":
            self.start_owner(slot)
        else:
            self.tellers.start(role, slot)

    def stop(self, process: Process, host: OwnerHost | Teller, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, and SIGKILL if that takes too long."""
        if not process.dead:
            self.findings.note("stop", process.name)
            self.loop.call_soon(host.stop, context=process.context)
            self.loop.after(timeout_s, self.crash, process)

    def processes(self) -> list[Process]:
        """Those that live."""
        owners = [entry[0] for entry in self.owners if entry is not None]
        edges = [edge.process for edge in self.edges if edge is not None]
        return owners + edges + [entry[0] for entry in self.tellers.living.values() if entry is not None]

    async def call(self, work: Callable[[Edge], Awaitable[T]]) -> T:
        """Does something in an edge process for a client. Raises Disconnected, and whatever the work raises."""
        edges = [edge for edge in self.edges if edge is not None]
        if not edges:
            await asyncio.sleep(self.chance.between(0.05, 0.5))
            raise Disconnected
        edge = edges[self.chance.random.randrange(len(edges))]
        answer: asyncio.Future[T] = self.loop.create_future()
        edge.calls.append(answer)

        async def serve() -> None:
            try:
                result = await work(edge)
            except Exception as error:  # noqa: BLE001 - the client gets whatever it is
                self.loop.after(self.servers.travel_s(), _settle, answer, None, error)
            else:
                self.loop.after(self.servers.travel_s(), _settle, answer, result, None)

        arrives_s = self.loop.time() + self.servers.travel_s()
        self.loop.call_at(arrives_s, lambda: edge.process.spawn(serve()), context=edge.process.context)
        self.loop.after(CALL_TIMEOUT_S, _break, answer)
        try:
            return await answer
        finally:
            edge.calls.remove(answer)

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs a client."""
        return self.loop.create_task(coroutine, context=WORLD.copy())

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.findings.report("I5", f"{context.get('message')}: {error!r}")


def _break(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(Disconnected())


def _settle(answer: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
