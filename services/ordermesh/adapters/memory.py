"""Log, store and bus in memory: plain and well-behaved, for simulation and tests.

They have the semantics that the other adapters have (JetStream's for the log), and no faults: the simulation adds
those. The synchronous parts (`MemoryStream`, `MemoryTable`) are public, so that a simulation can apply an operation at
a moment of its own choice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from ordermesh.adapters.page_tokens import kinds_of, next_token, token_values
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Row, Table
from ordermesh.runtime.ports import (
    Fenced,
    Kind,
    LogError,
    LogFull,
    LogState,
    LogUnavailable,
    Page,
    PartitionId,
    Stored,
    StoredAggregate,
    StoreUnavailable,
    Written,
)

DEDUPE_WINDOW_S = 120.0
"""How long a frame's id is remembered, in seconds: JetStream's duplicate window."""

MESSAGE_OVERHEAD_BYTES = 64
"""What a message takes in a log beside its data."""


KINDS: Sequence[Kind] = ("commands", "messages", "decisions")
"""What a log takes."""


class MemoryStream:
    """One partition's log. `now` gives seconds; `listeners` are called after every append."""

    def __init__(self, bytes_max: int, now: Callable[[], float]) -> None:
        self.bytes_max = bytes_max
        self.bytes_used = 0
        self.first_sequence = 1
        self.takes: Sequence[Kind] = KINDS
        self.listeners: list[Callable[[], None]] = []
        self._now = now
        self._messages: list[Stored] = []
        self._last_by_kind: dict[Kind, int] = {}
        self._window: dict[str, tuple[int, float]] = {}

    @property
    def last_sequence(self) -> int:
        """The sequence of the last message ever appended; 0 for none."""
        return self.first_sequence + len(self._messages) - 1

    def append(self, kind: Kind, data: bytes, frame_id: str, dedupe: bool, expected: int | None) -> int:
        """Appends one message and returns its sequence. Raises Fenced, LogFull and, where it takes none of that kind,
        LogUnavailable."""
        if kind not in self.takes:
            raise LogUnavailable(f"it takes no {kind}")
        if dedupe:
            known = self._window.get(frame_id)
            if known is not None and self._now() - known[1] < DEDUPE_WINDOW_S:
                return known[0]
        if expected is not None and expected != self.last_of(kind):
            raise Fenced(f"the last {kind} sequence is {self.last_of(kind)}, not {expected}")
        size = len(data) + MESSAGE_OVERHEAD_BYTES
        if self.bytes_used + size > self.bytes_max:
            raise LogFull(f"{self.bytes_used} of {self.bytes_max} bytes are used, {size} more do not fit")
        sequence = self.last_sequence + 1
        self._messages.append(Stored(sequence, kind, data, frame_id))
        self._last_by_kind[kind] = sequence
        self.bytes_used += size
        if dedupe:
            self._window[frame_id] = (sequence, self._now())
        for listener in tuple(self.listeners):
            listener()
        return sequence

    def last_of(self, kind: Kind) -> int:
        """The sequence of the last message of the kind that is still there; 0 for none, as JetStream has it."""
        sequence = self._last_by_kind.get(kind, 0)
        return sequence if sequence >= self.first_sequence else 0

    def get(self, sequence: int) -> Stored | None:
        """The message of that sequence, unless trimmed or not there yet."""
        index = sequence - self.first_sequence
        return self._messages[index] if 0 <= index < len(self._messages) else None

    def after(self, kinds: Sequence[Kind], after: int, count_max: int, headers_only: bool = False) -> list[Stored]:
        """The messages of `kinds` after that sequence, at most so many; without data where only headers are wanted."""
        found: list[Stored] = []
        for index in range(max(0, after + 1 - self.first_sequence), len(self._messages)):
            message = self._messages[index]
            if message.kind in kinds:
                found.append(message._replace(data=b"") if headers_only else message)
                if len(found) == count_max:
                    break
        return found

    def trim(self, through: int) -> None:
        """Removes all messages up to and with that sequence."""
        count = min(through - self.first_sequence + 1, len(self._messages))
        if count > 0:
            self.bytes_used -= sum(len(message.data) + MESSAGE_OVERHEAD_BYTES for message in self._messages[:count])
            del self._messages[:count]
            self.first_sequence += count

    def forget_window(self) -> None:
        """Forgets the ids of frames: what arrives again is appended again."""
        self._window.clear()

    def state(self) -> LogState:
        """The log's extent."""
        return LogState(self.first_sequence, self.last_sequence, self.bytes_used, self.bytes_max)


class MemoryReader:
    """Delivers one stream's messages on the event loop, in order."""

    def __init__(
        self,
        stream: MemoryStream,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        headers_only: bool,
    ) -> None:
        self._stream = stream
        self._kinds = tuple(kinds)
        self._after = after
        self._deliver = deliver
        self._headers_only = headers_only
        self._scheduled = False
        self._closed = False
        self._loop = asyncio.get_running_loop()
        stream.listeners.append(self._schedule)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._closed:
            self._scheduled = True
            self._loop.call_soon(self._deliver_all)

    def _deliver_all(self) -> None:
        self._scheduled = False
        for message in self._stream.after(self._kinds, self._after, len(self._kinds) * 1_000_000, self._headers_only):
            if self._closed:
                return
            self._after = message.sequence
            self._deliver(message)

    async def close(self) -> None:
        """Stops delivery; idempotent."""
        if not self._closed:
            self._closed = True
            self._stream.listeners.remove(self._schedule)


class MemoryLog:
    """The `Log` port over streams in memory, shared by whoever holds the object. `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.streams: dict[PartitionId, MemoryStream] = {}
        self._now = now

    def stream(self, partition: PartitionId) -> MemoryStream:
        """The partition's stream. Raises LogUnavailable where it was never created."""
        try:
            return self.streams[partition]
        except KeyError:
            raise LogUnavailable(f"there is no log for {partition}; create it first") from None

    async def create(self, partition: PartitionId, bytes_max: int) -> None:
        """As the port says."""
        if partition not in self.streams:
            self.streams[partition] = MemoryStream(bytes_max, self._now)
        elif self.streams[partition].takes != KINDS:
            raise LogError(f"the log of {partition} takes nothing: a repartition was begun and has not ended")

    async def restrict(self, partition: PartitionId, kinds: Sequence[Kind]) -> None:
        """From now on the log takes these kinds and no others."""
        self.stream(partition).takes = tuple(kinds)

    async def remove(self, partition: PartitionId) -> None:
        """Removes a log with all that it has, if there is one."""
        self.streams.pop(partition, None)

    async def existing(self, group: str) -> list[PartitionId]:
        """The partitions of a group that have a log."""
        return sorted(partition for partition in self.streams if partition.group == group)

    async def append(
        self,
        partition: PartitionId,
        kind: Kind,
        data: bytes,
        *,
        frame_id: str,
        dedupe: bool,
        expected: int | None = None,
    ) -> int:
        """As the port says."""
        return self.stream(partition).append(kind, data, frame_id, dedupe, expected)

    async def read(
        self,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool = False,
    ) -> MemoryReader:
        """As the port says."""
        return MemoryReader(self.stream(partition), kinds, after, deliver, headers_only)

    async def fetch(self, partition: PartitionId, kinds: Sequence[Kind], after: int, count_max: int) -> list[Stored]:
        """As the port says."""
        return self.stream(partition).after(kinds, after, count_max)

    async def last(self, partition: PartitionId, kind: Kind) -> Stored | None:
        """As the port says."""
        stream = self.stream(partition)
        return stream.get(stream.last_of(kind))

    async def state(self, partition: PartitionId) -> LogState:
        """As the port says."""
        return self.stream(partition).state()

    async def trim(self, partition: PartitionId, through: int) -> None:
        """As the port says."""
        self.stream(partition).trim(through)


class MemoryTable:
    """The rows of one table, by their whole key; the newest write time wins."""

    def __init__(self, table: Table) -> None:
        names = [name for name, _type in table.columns]
        self.table = table
        self.names = tuple(names)
        self._partition = tuple(names.index(name) for name in table.partition)
        self._clustering = tuple(names.index(name) for name in table.clustering)
        self.rows: dict[tuple[object, ...], Row] = {}

    def key_of(self, row: Row) -> tuple[object, ...]:
        """The row's whole key: partition columns, then clustering columns."""
        return tuple([row.values[index] for index in self._partition + self._clustering])

    def key_of_aggregate(self, key: Key) -> tuple[object, ...]:
        """The same of an aggregate's row."""
        return tuple([getattr(key, name) for name in self.table.partition + self.table.clustering])

    def put(self, row: Row) -> None:
        """Upserts the row unless a newer one is there. Of two with one write time the greater bytes win, always."""
        key = self.key_of(row)
        known = self.rows.get(key)
        if known is None or known.write_time < row.write_time:
            self.rows[key] = row
        elif known.write_time == row.write_time and repr(known.values) < repr(row.values):
            self.rows[key] = row

    def aggregate(self, key: Key) -> tuple[Row, StoredAggregate] | None:
        """The row of an aggregate and what it says."""
        row = self.rows.get(self.key_of_aggregate(key))
        return None if row is None else (row, stored_aggregate(row))

    def page(self, partition: tuple[object, ...], descending: bool, after: bytes, count_max: int) -> Page:
        """The rows of a partition (or of all: an empty one) in the keys' order, from a token on."""
        width = len(partition)
        ordered = sorted(key for key in self.rows if key[:width] == partition)
        if after:
            names = (*self.table.partition, *self.table.clustering)[width:]
            last = (*partition, *token_values(after, kinds_of(self.table, names)))
            ordered = [key for key in ordered if (key < last if descending else key > last)]
        if descending:
            ordered.reverse()
        chosen = ordered[:count_max]
        token = next_token(chosen[-1][width:]) if len(ordered) > count_max else b""
        return Page([dict(zip(self.names, self.rows[key].values, strict=True)) for key in chosen], token)


def stored_aggregate(row: Row) -> StoredAggregate:
    """What a row of an aggregate's own table says."""
    version, epoch, frame, index, state = row.values[3 : len(AGGREGATE_COLUMNS)]
    return StoredAggregate(version, epoch, frame, index, row.write_time, state)


class MemoryStore:
    """The `Store` port over tables in memory. `available` may be set to False: then everything raises."""

    def __init__(self, tables: Iterable[Table] = ()) -> None:
        self.tables: dict[str, MemoryTable] = {table.name: MemoryTable(table) for table in tables}
        self.checkpoints: dict[PartitionId, tuple[int, bytes]] = {}
        self.deployment: bytes | None = None
        self.available = True

    def _check(self) -> None:
        if not self.available:
            raise StoreUnavailable("the store in memory was switched off")

    async def write(self, rows: Sequence[Row]) -> Written:
        """As the port says."""
        self._check()
        for row in rows:
            self.tables[row.table].put(row)
        return Written.QUORUM

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """As the port says."""
        self._check()
        found = {key: self.tables[table.name].aggregate(key) for key in keys}
        return {key: pair[1] for key, pair in found.items() if pair is not None}

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """As the port says."""
        return await self.load(table, keys)

    async def query(
        self,
        table: Table,
        partition: Sequence[object],
        *,
        after: bytes = b"",
        count_max: int,
        quorum: bool = True,  # noqa: ARG002 - the port's
    ) -> Page:
        """As the port says; every row here is at quorum."""
        self._check()
        return self.tables[table.name].page(tuple(partition), table.newest_first, after, count_max)

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """As the port says."""
        self._check()
        return self.tables[table.name].page((), False, after, count_max)

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """As the port says."""
        self._check()
        known = self.checkpoints.get(partition)
        return None if known is None else known[1]

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """As the port says."""
        self._check()
        known = self.checkpoints.get(partition)
        if known is None or known[0] < write_time:
            self.checkpoints[partition] = (write_time, checkpoint)

    async def load_deployment(self) -> bytes | None:
        """As the port says."""
        self._check()
        return self.deployment

    async def create_deployment(self, deployment: bytes) -> bytes:
        """As the port says."""
        self._check()
        if self.deployment is None:
            self.deployment = deployment
        return self.deployment

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """As the port says."""
        self._check()
        assert self.deployment is not None, "there is none to replace"
        if self.deployment == known:
            self.deployment = deployment
        return self.deployment

    async def close(self) -> None:
        """As the port says."""


@lru_cache(10_000)
def subject_matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subject matches a pattern with `*` (one part) and `>` (one or more at the end)."""
    if pattern == subject:
        return True
    wanted, parts = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(parts) <= len(wanted):
            return False
        parts = parts[: len(wanted)]
    return len(wanted) == len(parts) and all(want in ("*", part) for want, part in zip(wanted, parts, strict=True))


class MemoryBus:
    """The `Bus` port in memory: everything arrives, in order, on the event loop."""

    def __init__(self) -> None:
        self._subscriptions: list[tuple[str, Callable[[bytes], None]]] = []

    def publish(self, subject: str, data: bytes) -> None:
        """As the port says."""
        loop = asyncio.get_running_loop()
        for entry in self._subscriptions:
            if subject_matches(entry[0], subject):
                loop.call_soon(self._deliver, entry, data)

    def _deliver(self, entry: tuple[str, Callable[[bytes], None]], data: bytes) -> None:
        if entry in self._subscriptions:
            entry[1](data)

    async def subscribe(self, subject: str, deliver: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """As the port says."""
        entry = (subject, deliver)
        self._subscriptions.append(entry)

        async def end() -> None:
            if entry in self._subscriptions:
                self._subscriptions.remove(entry)

        return end
