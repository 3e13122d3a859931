"""An owner process: takes the partitions that are its to own, and lets them go when they are not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Service
from ordermesh.runtime import subjects
from ordermesh.runtime.appender import Appenders
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.care import Care
from ordermesh.runtime.kernel_service import KERNEL_SERVICE
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.owner import Owner, Surroundings
from ordermesh.runtime.ports import Bus, Clock, EffectHandler, Log, PartitionId, Store
from ordermesh.runtime.recovery import Superseded
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology
from ordermesh.runtime.turn import ChainFailed

ACQUAINTANCE_S = 0.2
"""How long a new process listens for others before it takes anything: they answer at once."""

_log = logging.getLogger(__name__)


def all_services(services: Sequence[Service]) -> list[Service]:
    """The services and the kernel's own."""
    return [*(service for service in services if service.name != KERNEL_SERVICE.name), KERNEL_SERVICE]


def reason_of(error: BaseException) -> BaseException:
    """What really happened, out of a task group's exception."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class OwnerHost:
    """Owns partitions as membership says, each by an `Owner` of its own. Cancelling `run` is a crash."""

    def __init__(
        self,
        *,
        instance: str,
        build: str,
        log: Log,
        store: Store,
        bus: Bus,
        clock: Clock,
        services: Sequence[Service],
        deployment: log_pb2.Deployment,
        effects: Mapping[str, EffectHandler],
        options: OwnerOptions,
        groups: Sequence[str] = (),
    ) -> None:
        self._instance = instance
        self._build = build
        self._log = log
        self._store = store
        self._bus = bus
        self._clock = clock
        self._registry = Registry(all_services(services))
        self._topology = Topology(deployment)
        self._effects = effects
        self._options = options
        self._groups = groups
        self._membership = Membership(instance, "owner", groups, build, bus, clock, options)
        self._stopping = asyncio.Event()
        self._running: dict[PartitionId, asyncio.Task[None]] = {}
        self.owners: dict[PartitionId, Owner] = {}
        self._cares: dict[PartitionId, Care] = {}
        self._stopped: dict[PartitionId, str] = {}

    def stop(self) -> None:
        """Begins a clean end: every partition is flushed, checkpointed and left."""
        self._stopping.set()
        self._membership.changed.set()

    async def run(self) -> None:
        """Until stopped."""
        async with asyncio.TaskGroup() as tasks:
            appenders = Appenders(self._log, self._clock, self._options, tasks)
            around = Surroundings(
                instance=self._instance, build=self._build, log=self._log, store=self._store, bus=self._bus,
                clock=self._clock, registry=self._registry, topology=self._topology, effects=self._effects,
                options=self._options, appenders=appenders,
            )  # fmt: skip
            end_relay = await self._bus.subscribe(subjects.RELAY, self._hear_relay)
            heartbeat = tasks.create_task(self._membership.run())
            await asyncio.sleep(ACQUAINTANCE_S)
            await self._follow_membership(around)
            self._membership.leave()
            heartbeat.cancel()
            appenders.stop()
            await end_relay()

    async def _follow_membership(self, around: Surroundings) -> None:
        """Takes and leaves partitions until stopped; then waits for all to be handed over."""
        try:
            while not self._stopping.is_set():
                self._compare(around)
                self._membership.changed.clear()
                try:
                    async with asyncio.timeout(self._options.heartbeat_s):
                        await self._membership.changed.wait()
                except TimeoutError:
                    continue
            for owner in self.owners.values():
                owner.stop()
            if self._running:
                await asyncio.wait(self._running.values(), timeout=self._options.hand_over_s + 5)
        finally:
            for task in self._running.values():
                task.cancel()

    def _compare(self, around: Surroundings) -> None:
        """What should be owned against what is."""
        for partition, reason in self._stopped.items():
            self._tell_stopped(partition, reason)
        for partition in self._topology.partitions(self._groups):
            is_mine = self._membership.is_mine(partition)
            task = self._running.get(partition)
            if task is not None and task.done():
                task.result()
                del self._running[partition]
                task = None
            if is_mine and task is None and partition not in self._stopped:
                self._running[partition] = asyncio.get_running_loop().create_task(self._own(partition, around))
            elif not is_mine and partition in self.owners:
                self.owners[partition].stop()
        if self._membership.is_draining and not self._running:
            self._membership.handed_over()

    async def _own(self, partition: PartitionId, around: Surroundings) -> None:
        """Owns a partition, taking it anew after a failed chain, until it is stopped or lost."""
        poison: dict[tuple[int, int, object], str] = {}
        while not self._stopping.is_set() and self._membership.is_mine(partition):
            owner = Owner(partition, around, poison)
            try:
                await self._own_once(owner)
                return
            except (Exception, BaseExceptionGroup) as group:  # noqa: BLE001 - what is inside it decides, see below
                error = reason_of(group)
            finally:
                self.owners.pop(partition, None)
                self._cares.pop(partition, None)
            if isinstance(error, ChainFailed):
                _log.error("%s: a command failed and becomes a dead letter: %s", partition, error.error)
                poison[error.work.place] = error.error
            elif isinstance(error, Contradiction):
                self._stop_partition(partition, str(error))
                return
            elif isinstance(error, Superseded):
                _log.info("%s", error)
                await asyncio.sleep(self._options.heartbeat_s * (1 + self._clock.random()))
            elif isinstance(error, Exception) and not isinstance(error, MemoryError):
                _log.error("%s: taken anew after an error", partition, exc_info=error)
                await asyncio.sleep(self._options.retry_max_s * (0.5 + self._clock.random()))
            else:
                raise error

    async def _own_once(self, owner: Owner) -> None:
        """One taking, with what runs beside it."""
        async with asyncio.TaskGroup() as tasks:
            await owner.take(tasks)
            self.owners[owner.id] = owner
            if self._stopping.is_set():
                owner.stop()
            _log.info("%s: taken, epoch %d", owner.id, owner.head.frame.epoch)
            beside = [tasks.create_task(self._look_after(owner)), tasks.create_task(owner.outbox.run())]
            try:
                await owner.run()
            finally:
                owner.effects.stop()
            for task in beside:
                task.cancel()

    async def _look_after(self, owner: Owner) -> None:
        """What is done for an owner by the clock, as long as it runs."""
        care = self._cares[owner.id] = Care(owner)
        await care.run()

    def _stop_partition(self, partition: PartitionId, reason: str) -> None:
        """Log and store contradict each other: an operator has to look; nothing is made worse meanwhile."""
        _log.critical("%s: stopped: %s", partition, reason)
        self._stopped[partition] = reason
        self._tell_stopped(partition, reason)

    def _tell_stopped(self, partition: PartitionId, reason: str) -> None:
        """As long as it is stopped, edges are told."""
        status = log_pb2.PartitionStatus(
            group=partition.group, partition=partition.number, instance=self._instance, stopped_reason=reason,
            intake_reason="the partition is stopped", retry_after_ms=60_000,
        )  # fmt: skip
        self._bus.publish(subjects.STATUS, status.SerializeToString())

    def _hear_relay(self, data: bytes) -> None:
        """A relay says how far it has read a partition: group, partition, sequence."""
        position = log_pb2.RelayPosition.FromString(data)
        care = self._cares.get(PartitionId(position.group, position.partition))
        if care is not None:
            care.relay_through = max(care.relay_through, position.sequence)
