"""What an operator does about a deployment that has outgrown its partitions: divide the keys anew, while nothing runs.

Until the deployment's record is replaced, everything is still there as it was, and may be undone or begun again; from
then on the new partitions count, and what is left is to close the old logs for good. Whoever finds the work broken off
does all of it again, from the start or from that point.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from oms.inventory.v1.inventory_commands_pb2 import ReservationTimer
from oms.log.v1 import log_pb2
from ordermesh.inventory.model import SERVICE as INVENTORY
from ordermesh.inventory.model import reservation_key
from ordermesh.runtime.agenda import timer_name
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Clock, Kind, Log, LogFull, PartitionId, Store, StoreUnavailable
from ordermesh.runtime.recovery import append_decisions
from ordermesh.runtime.repartition import Beginning, Past, divide, repartitioned
from ordermesh.runtime.topology import Topology

ALL: Sequence[Kind] = ("commands", "messages", "decisions")
"""What the log of a partition takes."""
WITHOUT_INTAKE: Sequence[Kind] = ("messages", "decisions")
"""What it takes while it is drained: nothing of clients."""

Drain = Callable[[log_pb2.Deployment], Awaitable[Mapping[PartitionId, int]]]
"""Decides and tells all that is in the logs of a deployment, and checkpoints every partition at its last frame, whose
sequence it gives."""


class KeptLog(Log, Protocol):
    """A log of which an operator may decide what it takes, and whether it is there."""

    async def restrict(self, partition: PartitionId, kinds: Sequence[Kind]) -> None:
        """From now on the partition's log takes these kinds and no others; what it has stays."""

    async def remove(self, partition: PartitionId) -> None:
        """Removes it with all that it has, if it is there."""

    async def existing(self, group: str) -> Sequence[PartitionId]:
        """The partitions of a group that have a log."""


@dataclass(slots=True)
class Report:
    """What was done. `seconds` has the time of each step, `carried` the open timers and effects that were moved."""

    before: dict[str, int]
    after: dict[str, int]
    carried: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Repartition:
    """The keys of a deployment, divided anew. No process of the deployment may run meanwhile."""

    def __init__(
        self, *, log: KeptLog, store: Store, clock: Clock, options: OwnerOptions, instance: str, build: str,
        drain: Drain, forget: Callable[[], None], tell: Callable[[str], None], is_alone: bool = False,
    ) -> None:  # fmt: skip
        """`forget` makes copies of the old record useless, `tell` hears of every step as it begins.

        `is_alone`: nobody else can reach the logs, so none is closed. A server that dies in the moment in which it
        changes what a stream takes may not find that stream again (seen with nats-server 2.15), and this one dies with
        the process that does the work.
        """
        self._log = log
        self._store = store
        self._clock = clock
        self._options = options
        self._instance = instance
        self._build = build
        self._drain = drain
        self._forget = forget
        self._tell = tell
        self._is_alone = is_alone
        self._begun_at = 0.0
        self._step = ""

    async def deployment(self) -> log_pb2.Deployment:
        """The one that counts, also after a replacing whose outcome nobody heard of."""
        stored = await self._store.load_deployment()
        if stored is None:
            raise Contradiction("there is no deployment")
        return log_pb2.Deployment.FromString(await self._store.replace_deployment(stored, stored))

    async def run(self, deployment: log_pb2.Deployment, counts: Mapping[str, int], log_bytes: int) -> Report:
        """Divides groups into so many partitions each, with logs of that size; the others into as many as they have.

        Raises LogError (LogFull before anything is changed), StoreUnavailable, Contradiction, Superseded, and what the
        drain raises.
        """
        target = repartitioned(deployment, counts)
        before, after = Topology(deployment), Topology(target)
        report = Report(_counts(before), _counts(after))
        self._begin(report, "making the new logs")
        await self._remove_unknown(before)
        await self._create(before, after.partitions(), log_bytes)
        self._begin(report, "draining the logs")
        await self._restrict(before.partitions(), WITHOUT_INTAKE)
        drained = await self._drain(deployment)
        self._begin(report, "beginning the new logs")
        await self._restrict(before.partitions(), ())
        pasts = [await self._past(partition, drained[partition]) for partition in before.partitions()]
        report.carried = await self._begin_logs(pasts, after)
        self._begin(report, "recording the new partitions")
        self._forget()
        await self._record(deployment, target)
        await self.settle(target)
        self._begin(report, "")
        return report

    async def _create(self, before: Topology, partitions: Sequence[PartitionId], log_bytes: int) -> None:
        """Raises LogFull where there is no room for all of them; then there is none of them."""
        try:
            for partition in partitions:
                await self._log.create(partition, log_bytes)
        except LogFull:
            await self._remove_unknown(before)
            raise

    async def settle(self, deployment: log_pb2.Deployment) -> None:
        """Has the logs of a deployment take everything, those before it nothing, and removes those of none."""
        topology = Topology(deployment)
        await self._remove_unknown(topology)
        await self._restrict(await self._former(topology), ())
        await self._restrict(topology.partitions(), ALL)

    async def purge(self, deployment: log_pb2.Deployment) -> int:
        """Removes the logs of partitions that were divided; how many there were."""
        former = await self._former(Topology(deployment))
        for partition in former:
            await self._log.remove(partition)
        return len(former)

    def _begin(self, report: Report, step: str) -> None:
        """A step begins, so the one before has ended."""
        now = self._clock.monotonic()
        if self._step:
            report.seconds[self._step] = now - self._begun_at
        self._begun_at, self._step = now, step
        if step:
            self._tell(f"{step[0].upper()}{step[1:]}")

    async def _restrict(self, partitions: Sequence[PartitionId], kinds: Sequence[Kind]) -> None:
        if not self._is_alone:
            for partition in partitions:
                await self._log.restrict(partition, kinds)

    async def _former(self, topology: Topology) -> list[PartitionId]:
        former = set(topology.former())
        groups = [group.name for group in topology.deployment.groups]
        return [each for group in groups for each in await self._log.existing(group) if each in former]

    async def _remove_unknown(self, topology: Topology) -> None:
        """Logs of a repartition that was broken off: nothing was ever decided in them."""
        known = {*topology.partitions(), *topology.former()}
        for group in topology.deployment.groups:
            for partition in await self._log.existing(group.name):
                if partition not in known:
                    await self._log.remove(partition)

    async def _past(self, partition: PartitionId, drained: int) -> Past:
        """What a partition left that was drained up to that sequence. Its log takes nothing any more, so that is its
        end for good."""
        data = await self._store.load_checkpoint(partition)
        last = await self._log.last(partition, "decisions")
        checkpoint = log_pb2.Checkpoint() if data is None else log_pb2.Checkpoint.FromString(data)
        frame = log_pb2.DecisionFrame() if last is None else log_pb2.DecisionFrame.FromString(last.data)
        if last is None or last.sequence != drained:
            raise Contradiction(f"somebody else has decided in {partition} meanwhile; run this again")
        if frame.id != checkpoint.frame_id:
            raise StoreUnavailable(f"the last frame of {partition} is not checkpointed; run this again")
        return Past(partition, frame, checkpoint)

    async def _begin_logs(self, pasts: Sequence[Past], after: Topology) -> int:
        """The first frame and checkpoint of every new partition; how many entries their agendas have."""
        agendas = divide(pasts, after, split_timer)
        for group, of_group in groupby(pasts, lambda past: past.partition.group):
            beginning = Beginning(list(of_group), self._instance, self._build)
            for partition in after.partitions([group]):
                await self._begin_log(partition, beginning, agendas.get(partition, ()))
        return sum(map(len, agendas.values()))

    async def _begin_log(self, partition: PartitionId, beginning: Beginning, agenda: Sequence[bytes]) -> None:
        data = await self._store.load_checkpoint(partition)
        frame = beginning.frame(self._clock, None if data is None else log_pb2.Checkpoint.FromString(data))
        sequence = await append_decisions(self._log, partition, frame, 0, self._clock, self._options)
        checkpoint = beginning.checkpoint(frame, sequence, agenda).SerializeToString(deterministic=True)
        await self._store.save_checkpoint(partition, checkpoint, frame.clock_us)
        if await self._store.load_checkpoint(partition) != checkpoint:
            raise StoreUnavailable(f"the first checkpoint of {partition} is not in the store; run this again")

    async def _record(self, deployment: log_pb2.Deployment, target: log_pb2.Deployment) -> None:
        """From here on the new partitions count."""
        known, wanted = (each.SerializeToString(deterministic=True) for each in (deployment, target))
        if await self._store.replace_deployment(known, wanted) != wanted:
            raise Contradiction("somebody else has changed the deployment meanwhile; run this again")


def split_timer(entry: log_pb2.AgendaEntry, topology: Topology) -> Sequence[log_pb2.AgendaEntry]:
    """The one timer that is for several keys: reservations of an order's SKUs that shared a partition. Where they do no
    longer, each partition that has some of them gets a timer for these, named after the first of them."""
    envelope = entry.timer.envelope
    if envelope.type != ReservationTimer.DESCRIPTOR.full_name:
        return [entry]
    message = ReservationTimer.FromString(envelope.payload)
    parts: dict[PartitionId, list[str]] = {}
    for sku in message.skus:
        parts.setdefault(topology.partition_of(INVENTORY, envelope.tenant, sku), []).append(sku)
    if len(parts) < 2:
        return [entry]
    split = []
    for skus in parts.values():
        part = log_pb2.AgendaEntry()
        part.CopyFrom(entry)
        key = reservation_key(envelope.tenant, skus[0], message.order_id)
        part.timer.owner = timer_name(key, entry.timer.owner.rpartition("\x1f")[2])
        part.timer.envelope.key = skus[0]
        part.timer.envelope.payload = ReservationTimer(order_id=message.order_id, skus=skus).SerializeToString()
        split.append(part)
    return split


def _counts(topology: Topology) -> dict[str, int]:
    groups = [group.name for group in topology.deployment.groups]
    return {group: len(topology.partitions([group])) for group in groups}
