"""A deployment with another number of partitions: which there are, who gets what is open, how their logs begin.

New partitions have new numbers, new logs and new checkpoints, so nothing of the old ones is touched, and whatever
names a partition goes on naming the same one. A new log begins as if it were a trimmed one: its first frame is past all
that its group has decided, in epoch, number and clock, and its first checkpoint names that frame. ADR 0014 says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.runtime.agenda import EntryId, entry_id
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.options import SCHEMA_VERSION
from ordermesh.runtime.ports import Clock, PartitionId
from ordermesh.runtime.topology import Topology, numbers_of

RENAMED = 1 << 16
"""Added to the number of a timer whose id is taken: far above those of one decision."""

Split = Callable[[log_pb2.AgendaEntry, Topology], Sequence[log_pb2.AgendaEntry]]
"""An entry as it has to be where keys live now: itself, or a part for each partition that its keys live in."""


class Past(NamedTuple):
    """A partition whose log is drained: its last decision frame, and the checkpoint at that frame."""

    partition: PartitionId
    last: log_pb2.DecisionFrame
    checkpoint: log_pb2.Checkpoint


def repartitioned(deployment: log_pb2.Deployment, counts: Mapping[str, int]) -> log_pb2.Deployment:
    """The deployment with so many partitions of these groups, under numbers that were never used.

    The other groups get new ones too, as many as they have: an owner of before that wakes up late must not be able to
    decide anything, for it would send messages to partitions that are no more.
    """
    changed = log_pb2.Deployment()
    changed.CopyFrom(deployment)
    for group in changed.groups:
        known = numbers_of(group)
        group.partitions, group.first, group.count = 0, known.stop, counts.get(group.name, len(known))
    return changed


def divide(pasts: Iterable[Past], topology: Topology, split: Split) -> dict[PartitionId, list[bytes]]:
    """The agendas of the old partitions by the new ones, in their order.

    Each entry keeps its id and the partition that opened it, and with them the provider's idempotency key. Raises
    Contradiction for what cannot be moved.
    """
    agendas: dict[PartitionId, dict[EntryId, bytes]] = {}
    for past in pasts:
        for data in past.checkpoint.agenda:
            entry = log_pb2.AgendaEntry.FromString(data)
            if not entry.id.HasField("partition"):
                entry.id.partition = past.partition.number
            for part in split(entry, topology):
                _add(agendas.setdefault(_home(part, topology), {}), part)
    return {partition: list(entries.values()) for partition, entries in agendas.items()}


def _home(entry: log_pb2.AgendaEntry, topology: Topology) -> PartitionId:
    kind = entry.WhichOneof("entry")
    if kind == "timer":
        envelope = entry.timer.envelope
        return topology.partition_of(envelope.service, envelope.tenant, envelope.key)
    if kind == "effect":
        return topology.partition_of(entry.effect.service, entry.effect.tenant, entry.effect.key)
    raise Contradiction(f"a parked command of partition {entry.id.partition} has not been decided")


def _add(agenda: dict[EntryId, bytes], entry: log_pb2.AgendaEntry) -> None:
    """Timers that an earlier repartition made of one have one id; in one partition again they need two."""
    while (name := entry_id(entry.id)) in agenda:
        if entry.WhichOneof("entry") != "timer":
            raise Contradiction(f"two effects have the id {name}")
        entry.id.n += RENAMED
    agenda[name] = entry.SerializeToString()


class Beginning:
    """How the new logs of a group begin: past all that its partitions have decided."""

    def __init__(self, pasts: Sequence[Past], instance: str, build: str) -> None:
        self._instance = instance
        self._build = build
        self.epoch = max(max(past.last.epoch, past.checkpoint.epoch) for past in pasts)
        self.number = max(max(past.last.number, past.checkpoint.frame) for past in pasts)
        self.clock_us = max(max(past.last.clock_us, past.checkpoint.clock_us) for past in pasts)
        self.reincarnated_us = max(
            (end.reincarnated_us for past in pasts for end in past.checkpoint.epoch_ends), default=0
        )

    def frame(self, clock: Clock, earlier: log_pb2.Checkpoint | None) -> log_pb2.DecisionFrame:
        """The first frame of a new log; `earlier` is the checkpoint of one that was begun and given up."""
        now_us = clock.now_us()
        epoch, clock_us = self.epoch, self.clock_us
        if earlier is not None:
            epoch, clock_us = max(epoch, earlier.epoch), max(clock_us, earlier.clock_us)
        frame = log_pb2.DecisionFrame(
            schema=SCHEMA_VERSION, id=clock.token(16), number=self.number + 1,
            epoch=max(epoch + 1, now_us // 1_000_000), clock_us=max(clock_us + 1, now_us), decided_index=-1,
        )  # fmt: skip
        frame.taken.instance, frame.taken.build = self._instance, self._build
        frame.taken.previous.epoch, frame.taken.previous.frame = self.epoch, self.number
        return frame

    def checkpoint(self, frame: log_pb2.DecisionFrame, sequence: int, agenda: Iterable[bytes]) -> log_pb2.Checkpoint:
        """The checkpoint at that frame. Rows of the old partitions are within the one end that it knows."""
        end = log_pb2.EpochEnd(epoch=self.epoch, frame=self.number, reincarnated_us=self.reincarnated_us)
        return log_pb2.Checkpoint(
            schema=SCHEMA_VERSION, frame_id=frame.id, epoch=frame.epoch, frame=frame.number, sequence=sequence,
            clock_us=frame.clock_us, decided_index=-1, epoch_ends=[end], agenda=agenda,
        )  # fmt: skip
