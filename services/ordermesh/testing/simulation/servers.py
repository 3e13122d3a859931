"""The simulated servers (log, store, bus) and what strikes all their users at once.

The servers keep what the memory adapters keep. Beside it the store has *weak* rows and checkpoints: written at too few
replicas, seen by some loads and not by others, and lost now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from ordermesh.adapters.memory import MemoryLog, MemoryStore, MemoryTable
from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.ports import Page, PartitionId, Stored
from ordermesh.testing.simulation.chance import Chance
from ordermesh.testing.simulation.loop import Process, VirtualLoop


class Watcher(Protocol):
    """Who sees everything that happens at the servers, at the moment it happens."""

    def appended(self, partition: PartitionId, stored: Stored) -> None:
        """A message is in a log."""

    def trimmed(self, partition: PartitionId, through: int) -> None:
        """A log's head is gone."""

    def row_stored(self, row: Row) -> None:
        """A row is in the store at quorum and is the newest."""

    def row_offered(self, row: Row) -> None:
        """A row is sent to the store."""

    def checkpoint_stored(self, partition: PartitionId, checkpoint: bytes) -> None:
        """A checkpoint is in the store at quorum and is the newest."""

    def published(self, process: Process, subject: str, data: bytes) -> None:
        """A process says something on the bus."""


class Subscription(NamedTuple):
    """Who listens on the bus."""

    process: Process
    pattern: str
    deliver: Callable[[bytes], None]


class Servers:
    """What all processes share."""

    def __init__(self, loop: VirtualLoop, chance: Chance, tables: Iterable[Table], latency_s: float) -> None:
        self.loop = loop
        self.chance = chance
        self.latency_s = latency_s
        self.log = MemoryLog(loop.time)
        self.store = MemoryStore(tables)
        self.weak_rows: dict[tuple[str, tuple[object, ...]], Row] = {}
        self.weak_checkpoints: dict[PartitionId, tuple[int, bytes]] = {}
        self.offered_checkpoints: dict[PartitionId, tuple[int, bytes]] = {}
        """The newest that were ever sent: one on its way may still arrive."""
        self.subscriptions: list[Subscription] = []
        self.log_down = False
        self.store_down = False
        self.log_cut: set[str] = set()
        self.bus_cut: set[str] = set()
        self.leaderless: set[PartitionId] = set()
        self.schema_newest = 1
        self.watcher: Watcher
        self.crash: Callable[[Process], None]
        self.note: Callable[..., None]
        self.report: Callable[[str, str], None]

    def travel_s(self) -> float:
        """How long a message is on its way, one way."""
        return self.latency_s * (0.5 + self.chance.random.random())

    def put_row(self, row: Row) -> None:
        """A row reaches a quorum of replicas."""
        table = self.store.tables[row.table]
        key = table.key_of(row)
        before = table.rows.get(key)
        if before is not None and before.write_time == row.write_time and before.values != row.values:
            self.report("I6", f"two rows of {row.table} {key} have the write time {row.write_time} and differ")
        table.put(row)
        weak = self.weak_rows.get((row.table, key))
        if weak is not None and weak.write_time <= row.write_time:
            del self.weak_rows[row.table, key]
        if table.rows[key] is row:
            self.watcher.row_stored(row)

    def put_weak_row(self, row: Row) -> None:
        """A row reaches too few replicas."""
        key = (row.table, self.store.tables[row.table].key_of(row))
        known = self.weak_rows.get(key)
        if known is None or known.write_time < row.write_time:
            self.weak_rows[key] = row

    def row_seen(self, table: str, key: Key) -> Row | None:
        """What a load at quorum finds of an aggregate: a newer weak row shows or not."""
        name = self.store.tables[table].key_of_aggregate(key)
        strong = self.store.tables[table].rows.get(name)
        weak = self.weak_rows.get((table, name))
        newer = weak is not None and (strong is None or weak.write_time > strong.write_time)
        return weak if newer and self.chance.coin() else strong

    def page_seen(self, table: Table, partition: tuple[object, ...], after: bytes, count_max: int) -> Page:
        """What a query at quorum finds: newer weak rows show or not."""
        seen = known = self.store.tables[table.name]
        weak = [row for (name, key), row in self.weak_rows.items()
                if name == table.name and key[: len(partition)] == partition]  # fmt: skip
        if weak:
            seen = MemoryTable(table)
            seen.rows = dict(known.rows)
            for row in weak:
                if self.chance.coin():
                    seen.put(row)
        return seen.page(partition, table.newest_first and bool(partition), after, count_max)

    def offer_checkpoint(self, partition: PartitionId, write_time: int, checkpoint: bytes) -> None:
        """A checkpoint is sent to the store."""
        known = self.offered_checkpoints.get(partition)
        if known is None or known[0] < write_time:
            self.offered_checkpoints[partition] = (write_time, checkpoint)

    def put_checkpoint(self, partition: PartitionId, write_time: int, checkpoint: bytes) -> None:
        """A checkpoint reaches a quorum of replicas."""
        known = self.store.checkpoints.get(partition)
        if known is None or known[0] < write_time:
            self.store.checkpoints[partition] = (write_time, checkpoint)
            self.watcher.checkpoint_stored(partition, checkpoint)
        elif known[0] == write_time and known[1] != checkpoint:
            self.report("I6", f"two checkpoints of {partition} have the write time {write_time} and differ")

    def put_weak_checkpoint(self, partition: PartitionId, write_time: int, checkpoint: bytes) -> None:
        """A checkpoint reaches too few replicas."""
        known = self.weak_checkpoints.get(partition)
        if known is None or known[0] < write_time:
            self.weak_checkpoints[partition] = (write_time, checkpoint)

    def checkpoint_seen(self, partition: PartitionId) -> bytes | None:
        """What a load at quorum finds."""
        strong = self.store.checkpoints.get(partition)
        weak = self.weak_checkpoints.get(partition)
        newer = weak is not None and (strong is None or weak[0] > strong[0])
        seen = weak if newer and self.chance.coin() else strong
        return None if seen is None else seen[1]

    def lose_weak(self) -> None:
        """Replicas that alone had something are gone."""
        for key in [key for key in self.weak_rows if self.chance.coin()]:
            del self.weak_rows[key]
        for partition in [partition for partition in self.weak_checkpoints if self.chance.coin()]:
            del self.weak_checkpoints[partition]
