"""The faults that come by themselves: crashes, pauses, cuts, outages, jumping clocks; and the healing."""

from __future__ import annotations

from collections.abc import Callable

from oms.log.v1 import log_pb2
from ordermesh.runtime import subjects
from ordermesh.testing.simulation.links import BusLink
from ordermesh.testing.simulation.loop import Process
from ordermesh.testing.simulation.tellers import COURIER, RELAY
from ordermesh.testing.simulation.world import STOP_TIMEOUT_S, World

CLOCK_JUMP_US = 20_000_000
"""How far a clock jumps at most, either way."""

ELECTION_S = (4.0, 8.0)
"""How long a log is without a leader, as measured with three nodes and a killed one, in seconds."""

ROLL_S = (0.1, 10.0)
"""How long after one process the next one is upgraded, in seconds."""


class Storms:
    """Makes a world's timed faults strike until it is healed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance
        self._acts: dict[str, Callable[[], None]] = {
            "crash": self._crash,
            "stop": self._stop,
            "edge_crash": self._edge_crash,
            "pause": lambda: self._pause(self._chance.spread(0.01, 2.0)),
            "long_pause": lambda: self._pause(self._chance.between(3.0, 25.0)),
            "bus_cut": lambda: self._cut(world.servers.bus_cut),
            "log_cut": lambda: self._cut(world.servers.log_cut),
            "log_outage": lambda: self._outage("log_down"),
            "store_outage": lambda: self._outage("store_down"),
            "clock_jump": self._clock_jump,
            "window_forgotten": self._forget_window,
            "weak_lost": world.servers.lose_weak,
            "leader_lost": self._lose_leader,
            "upgrade": self._upgrade,
            "drain": self._drain,
            "relay_crash": lambda: self._crash_teller(RELAY),
            "courier_crash": lambda: self._crash_teller(COURIER),
            "receiver_down": self._refuse_webhooks,
            "events_forgotten": world.tellers.stream.forget_window,
        }

    def start(self) -> None:
        """From now on they strike."""
        for kind in self._acts:
            self._schedule(kind)

    def _schedule(self, kind: str) -> None:
        interval_s = self._chance.interval(kind)
        if interval_s is not None:
            self._world.loop.after(interval_s, self._strike, kind)

    def _strike(self, kind: str) -> None:
        if self._chance.healed:
            return
        self._chance.faults[kind] += 1
        self._world.findings.note("fault", kind)
        self._acts[kind]()
        self._schedule(kind)

    def heal(self) -> None:
        """Everything works again, and whoever is down comes up."""
        world = self._world
        world.findings.note("heal")
        self._chance.healed = True
        world.patience.hurry()
        world.servers.bus_cut.clear()
        world.servers.log_cut.clear()
        world.servers.leaderless.clear()
        world.servers.log_down = world.servers.store_down = world.tellers.receiver.is_down = False
        for process in world.processes():
            process.resume()
        for role, slot in world.builds:
            self._roll(role, slot)

    def _any(self, processes: list[Process]) -> Process | None:
        return processes[self._chance.random.randrange(len(processes))] if processes else None

    def _crash(self) -> None:
        victim = self._any([entry[0] for entry in self._world.owners if entry is not None])
        if victim is not None:
            self._world.crash(victim)

    def _edge_crash(self) -> None:
        victim = self._any([edge.process for edge in self._world.edges if edge is not None])
        if victim is not None:
            self._world.crash(victim)

    def _crash_teller(self, role: str) -> None:
        living = self._world.tellers.living
        victim = self._any([entry[0] for (each, _), entry in living.items() if each == role and entry is not None])
        if victim is not None:
            self._world.crash(victim)

    def _refuse_webhooks(self) -> None:
        receiver = self._world.tellers.receiver
        receiver.is_down = True
        self._world.loop.after(self._chance.spread(0.1, 10.0), setattr, receiver, "is_down", False)

    def _stop(self) -> None:
        owners = [entry for entry in self._world.owners if entry is not None]
        if owners:
            process, host = owners[self._chance.random.randrange(len(owners))]
            self._world.stop(process, host, self._chance.spread(1.0, 30.0))

    def _pause(self, length_s: float) -> None:
        victim = self._any(self._world.processes())
        if victim is not None and not victim.paused:
            self._world.findings.note("pause", victim.name, length_s)
            victim.pause()
            self._world.loop.after(length_s, self._resume, victim)

    def _resume(self, process: Process) -> None:
        self._world.findings.note("resume", process.name)
        process.resume()

    def _cut(self, cut: set[str]) -> None:
        victim = self._any(self._world.processes())
        if victim is not None:
            self._world.findings.note("cut", victim.name)
            cut.add(victim.name)
            self._world.loop.after(self._chance.spread(0.1, 10.0), cut.discard, victim.name)

    def _outage(self, flag: str) -> None:
        servers = self._world.servers
        setattr(servers, flag, True)
        self._world.loop.after(self._chance.spread(0.1, 10.0), setattr, servers, flag, False)

    def _lose_leader(self) -> None:
        """A log's leader is gone: until another is elected nothing is appended, and readers get what is there."""
        partitions = self._world.topology.partitions()
        partition = partitions[self._chance.random.randrange(len(partitions))]
        self._world.findings.note("leader lost", partition)
        leaderless = self._world.servers.leaderless
        leaderless.add(partition)
        self._world.loop.after(self._chance.between(*ELECTION_S), leaderless.discard, partition)

    def _upgrade(self) -> None:
        """A new build comes: one process after another is stopped and started with it."""
        world = self._world
        world.newest_build += 1
        when_s = 0.0
        for role, slot in world.builds:
            when_s += self._chance.spread(*ROLL_S)
            world.loop.after(when_s, self._roll, role, slot)

    def _roll(self, role: str, slot: int) -> None:
        """Restarts a process with the newest build, unless it has it."""
        world = self._world
        if world.builds[role, slot] == world.newest_build:
            return
        world.builds[role, slot] = world.newest_build
        world.findings.note("upgrade", role, slot, world.newest_build)
        owner = world.owners[slot] if role == "owner" else None
        edge = world.edges[slot] if role == "edge" else None
        teller = world.tellers.living.get((role, slot))
        if owner is not None:
            world.stop(*owner, timeout_s=self._chance.spread(1.0, STOP_TIMEOUT_S))
        elif teller is not None:
            world.stop(*teller, timeout_s=self._chance.spread(1.0, STOP_TIMEOUT_S))
        elif edge is not None:
            world.crash(edge.process)

    def _drain(self) -> None:
        """An operator takes an owner out of work, and later back; some forget that, or are not heard."""
        victim = self._any([entry[0] for entry in self._world.owners if entry is not None])
        if victim is not None:
            self._say_to(victim, drained=True)
            self._world.loop.after(self._chance.spread(0.5, 30.0), self._say_to, victim)

    def _say_to(self, owner: Process, *, drained: bool = False) -> None:
        edge = self._any([edge.process for edge in self._world.edges if edge is not None])
        if edge is not None:
            word = log_pb2.Drain(instance=owner.name, drained=drained)
            BusLink(self._world.servers, edge).publish(subjects.DRAIN, word.SerializeToString())

    def _clock_jump(self) -> None:
        victim = self._any(self._world.processes())
        if victim is not None:
            self._world.clocks[victim].offset_us = int(self._chance.between(-CLOCK_JUMP_US, CLOCK_JUMP_US))

    def _forget_window(self) -> None:
        streams = list(self._world.servers.log.streams.values())
        streams[self._chance.random.randrange(len(streams))].forget_window()
