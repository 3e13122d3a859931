"""What a log means to a build: the states, the agenda and the marks that its recovery makes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.admin.stored import key_of
from ordermesh.core.decider import Key
from ordermesh.runtime.kernel_service import DEAD_LETTER
from ordermesh.runtime.memory import Partition
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Log, PartitionId, Store
from ordermesh.runtime.recovery import Taker, Taking
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology

AGENDA, MARK = "agenda entry", "mark"
"""What is beside aggregates in a partition's memory."""


class State(NamedTuple):
    """One thing in a partition's memory: its kind, its key, where it was decided last, and its bytes."""

    kind: str
    key: list[Any]
    position: list[int]
    write_time: int
    data: bytes


Meaning = list[dict[str, Any]]
"""The states of a partition, as `State._asdict` gives them, in the keys' order."""


class Recovery:
    """Takes partitions as an owner process does."""

    def __init__(self, deployment: log_pb2.Deployment, registry: Registry) -> None:
        self._topology = Topology(deployment)
        self._registry = registry

    async def take(self, partition: PartitionId, log: Log, store: Store) -> Taking:
        """One taking by the real code; appends `Taken`. Raises Contradiction."""
        taker = Taker(
            partition, "golden", "golden", log, store, SystemClock(), self._registry, self._topology, OwnerOptions()
        )
        return await taker.take()

    async def meaning(self, partition: PartitionId, log: Log, store: Store) -> Meaning:
        """Everything that is in memory or in the store after a taking."""
        memory = (await self.take(partition, log, store)).partition
        states = {tuple(each["key"]): each for each in self._in_memory(memory)}
        for each in await self._in_store(partition, store):
            states.setdefault(tuple(each["key"]), each)
        return sorted([*states.values(), *_beside(memory)], key=lambda each: (each["kind"], each["key"]))

    def _in_memory(self, memory: Partition) -> Meaning:
        return [
            State(
                key.kind, list(key), [each.version, each.epoch, each.frame, each.index],
                each.write_time, each.serialise(),
            )._asdict()
            for key, each in memory.cache.dirty.items()
        ]  # fmt: skip

    async def _in_store(self, partition: PartitionId, store: Store) -> Meaning:
        """The rows of this partition's aggregates: what was not changed after the checkpoint is there alone."""
        found = []
        for kind in self._registry.kinds.values():
            rows = (await store.scan(kind.table, count_max=1_000_000)).rows
            keys = [key_of(kind, row) for row in rows]
            for key, row in (await store.load(kind.table, keys)).items():
                if self._partition_of(key) == partition:
                    position = [row.version, row.epoch, row.frame, row.index_in_frame]
                    found.append(State(kind.kind, list(key), position, row.write_time, row.state)._asdict())
        return found

    def _partition_of(self, key: Key) -> PartitionId:
        """Where an aggregate lives."""
        if key.kind == DEAD_LETTER:
            group, _, number = key.key.rpartition("/")
            return PartitionId(group, int(number))
        services = self._registry.services.values()
        (owner,) = (each.name for each in services if any(kind.kind == key.kind for kind in each.aggregates))
        return self._topology.partition_of(owner, key.tenant, key.key)


def _beside(memory: Partition) -> Meaning:
    """Agenda and marks."""
    agenda = [State(AGENDA, list(entry[:-1]), [], 0, data) for entry, data in memory.agenda.entries.items()]
    marks = [State(MARK, list(sender), list(value), 0, b"") for sender, value in memory.marks.items()]
    return [each._asdict() for each in (*agenda, *marks)]
