"""States redone from the log's start, to be compared with the stored ones byte for byte, at the stored version.

Memory is bounded by taking the keys in slices: a slice holds a fingerprint of each of its rows, and whole states only
of aggregates that have not yet reached the version of their row. Each slice reads the logs once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError

from oms.inventory.v1 import inventory_state_pb2
from oms.log.v1 import log_pb2
from ordermesh.admin import pauses
from ordermesh.admin.chain import Chain
from ordermesh.admin.stored import digest_of, hash_of, in_slice, key_of, pages, partition_of
from ordermesh.admin.tally import Tally
from ordermesh.core.decider import AggregateType, Key, Stamp
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.ports import Kind, PartitionId, Stored, StoredAggregate

ROWS_PER_SLICE = 200_000
"""Rows whose fingerprints are held at once: about 50 MB."""
MESSAGES_PER_FETCH = 64
"""Messages of a log that are asked for at once: at most 32 MiB, mostly far less."""
EVENTS_PER_TURN = 200
"""Events that are redone before other calls of this process have their turn: a few milliseconds."""
BEHIND_MAX = 10_000
"""Aggregates that changed during the audit, of which it is checked that the store follows."""

Position = tuple[int, int, int]


class Row:
    """What is held of a row: version, position, fingerprint; and the highest version of it that the log has."""

    __slots__ = ("digest", "log_version", "position", "version")

    def __init__(self, version: int, position: Position, state: bytes) -> None:
        self.version = version
        self.position = position
        self.digest = digest_of(state)
        self.log_version = 0


class Redone:
    """A state on its way to the version of its row."""

    __slots__ = ("position", "state", "version")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.version = 0
        self.position: Position = (0, 0, 0)

    def equals(self, version: int, position: Position, digest: bytes) -> bool:
        """Whether the store has this very state, decided at this very place."""
        here = (self.version, self.position, digest_of(self.state.SerializeToString(deterministic=True)))
        return here == (version, position, digest)


class Redo:
    """One slice of all aggregates."""

    def __init__(self, backend: Backend, tally: Tally, number: int, slices: int) -> None:
        self._backend = backend
        self._tally = tally
        self._number = number
        self._slices = slices
        self._kinds = backend.registry.kinds
        self._rows: dict[bytes, Row] = {}
        self._redone: dict[Key, Redone] = {}
        self._behind: dict[Key, int] = {}
        self._whole: set[PartitionId] = set()
        self._reincarnated: set[PartitionId] = set()
        self._events = 0

    async def run(self) -> None:
        """Audits the slice; the first one looks at the chains too. Raises LogError, StoreUnavailable."""
        for kind in self._kinds.values():
            async for page in pages(self._backend, kind):
                self._read_rows(kind, page)
        for partition in self._backend.topology.partitions():
            state = await self._backend.log.state(partition)
            if state.first_sequence <= 1:
                self._whole.add(partition)
            await self._read_log(partition)
        await self._check_rest()
        await self._check_rows_without_log()

    def _read_rows(self, kind: AggregateType, page: Sequence[Any]) -> None:
        for row in page:
            key = key_of(kind, row)
            if in_slice(key, self._number, self._slices):
                position = (row["epoch"], row["frame"], row["index_in_frame"])
                self._rows[hash_of(key)] = Row(row["version"], position, row["state"])

    async def _read_log(self, partition: PartitionId) -> None:
        """Redoes what one log has for the slice, up to its end now."""
        is_first = self._number == 0
        chain = Chain(partition, self._tally if is_first else Tally(()))
        kinds: tuple[Kind, ...] = ("commands", "decisions") if is_first else ("decisions",)
        last = await self._backend.log.last(partition, "decisions")
        after, end = 0, last.sequence if last is not None else 0
        while after < end:
            for stored in await self._backend.log.fetch(partition, kinds, after, MESSAGES_PER_FETCH):
                after = stored.sequence
                if stored.kind == "commands":
                    chain.read_commands(stored)
                elif after <= end:
                    frame = self._read_frame(partition, stored)
                    if frame is not None and chain.read_decisions(frame, after):
                        await self._redo_frame(partition, frame)
        await self._wait_for_decisions(partition, chain)

    def _read_frame(self, partition: PartitionId, stored: Stored) -> log_pb2.DecisionFrame | None:
        """The frame; None for one that nobody can read, which has not happened."""
        try:
            return log_pb2.DecisionFrame.FromString(stored.data)
        except DecodeError as error:
            self._tally.violated("I6", f"{partition}: the frame at {stored.sequence} cannot be read: {error}")
            return None

    async def _wait_for_decisions(self, partition: PartitionId, chain: Chain) -> None:
        """What came while the log was read is decided soon, if the partition has an owner."""
        for pause_s in (0.0, *pauses.PAUSES_S):
            if not chain.waits:
                return
            await asyncio.sleep(pause_s)
            last = await self._backend.log.last(partition, "decisions")
            frame = None if last is None else self._read_frame(partition, last)
            if frame is not None:
                chain.decided_later(frame)
        chain.end()

    async def _redo_frame(self, partition: PartitionId, frame: log_pb2.DecisionFrame) -> None:
        if not frame.previous_id and frame.number > 1:  # it goes on from logs that were there before a repartition
            self._whole.discard(partition)
        if frame.taken.previous.reincarnated_us:
            self._whole.discard(partition)
            self._reincarnated.add(partition)
        for index, decision in enumerate(frame.decisions):
            for event in decision.events:
                key = Key(event.kind, event.tenant, event.key, event.sub_key)
                if in_slice(key, self._number, self._slices):
                    self._redo_event(partition, key, event, (frame.epoch, frame.number, index), frame.clock_us)
            self._events += len(decision.events)
            if self._events >= EVENTS_PER_TURN:
                self._events = 0
                await asyncio.sleep(0)

    def _redo_event(
        self, partition: PartitionId, key: Key, event: log_pb2.Event, position: Position, clock_us: int
    ) -> None:
        if event.type not in self._backend.registry.events or key.kind not in self._kinds:
            text = f"event {event.version} of {name_of(key)} is a {event.type}, which this build does not know"
            self._tally.violated("I6", f"{partition}: {text}; audit it with the build that wrote it")
            return
        row = self._rows.get(hash_of(key))
        redone = self._redone.get(key)
        known = redone.version if redone is not None else row.log_version if row is not None else 0
        if row is not None:
            row.log_version = max(row.log_version, event.version)
        if partition in self._reincarnated and known and event.version > known + 1:
            self._redone.pop(key, None)  # the log has lost what lies between
            self._note_behind(key, event.version)
            return
        if event.version != known + 1 and (known or partition in self._whole):
            invariant = "I2" if key.kind == "order" and event.version == 1 else "I6"
            text = f"{partition}: event {event.version} of {name_of(key)} follows its version {known}"
            self._tally.violated(invariant, text)
            return
        if redone is None:
            if event.version != 1:
                self._note_behind(key, event.version)
                return
            redone = self._redone[key] = Redone(self._kinds[key.kind].state())
        self._evolve(redone, key, event, position, clock_us)
        if row is not None and event.version == row.version:
            del self._redone[key]
            self._compare(key, redone, row.version, row.position, row.digest)

    def _evolve(self, redone: Redone, key: Key, event: log_pb2.Event, position: Position, clock_us: int) -> None:
        payload = self._backend.registry.events[event.type].FromString(event.payload)
        self._kinds[key.kind].evolve(redone.state, payload, Stamp(event.version, clock_us))
        redone.version, redone.position = event.version, position
        if event.version == 1 and key.kind == "order":
            self._tally.checked("I1")
            self._tally.checked("I2")
        if isinstance(redone.state, inventory_state_pb2.StoredStock):
            self._tally.checked("I3")
            problem = stock_problem(redone.state)
            if problem:
                self._tally.violated("I3", f"at version {event.version} of the log: {problem}")

    def _compare(self, key: Key, redone: Redone, version: int, position: Position, digest: bytes) -> None:
        self._tally.checked("I6")
        if not redone.equals(version, position, digest):
            text = f"{name_of(key)}: what is stored is not what the log says at version {redone.version}"
            self._tally.violated("I6", text)

    def _note_behind(self, key: Key, version: int) -> None:
        """It changed after its row was read: the store has to follow."""
        if len(self._behind) < BEHIND_MAX:
            self._behind[key] = version

    async def _check_rest(self) -> None:
        """What the log has and the rows had not yet: the store has to have it soon."""
        wanted = {**self._behind, **{key: redone.version for key, redone in self._redone.items()}}
        for pause_s in (0.0, *pauses.PAUSES_S):
            await asyncio.sleep(pause_s)
            stored = await self._load(list(wanted))
            for key, row in stored.items():
                if row.version >= wanted[key]:
                    self._compare_later(key, row)
                    del wanted[key]
            if not wanted:
                return
        for key, version in wanted.items():
            invariant = "I1" if key.kind == "order" else "I6"
            self._tally.violated(invariant, f"{name_of(key)} is not stored at version {version}, which the log has")

    def _compare_later(self, key: Key, row: StoredAggregate) -> None:
        redone = self._redone.pop(key, None)
        if redone is not None and redone.version == row.version:
            self._compare(key, redone, row.version, row[1:4], digest_of(row.state))

    async def _load(self, keys: Sequence[Key]) -> dict[Key, StoredAggregate]:
        found: dict[Key, StoredAggregate] = {}
        for kind in self._kinds.values():
            of_kind = [key for key in keys if key.kind == kind.kind]
            for start in range(0, len(of_kind), 256):
                found.update(await self._backend.store.load(kind.table, of_kind[start : start + 256]))
        return found

    async def _check_rows_without_log(self) -> None:
        """A row must not be ahead of an untrimmed log."""
        ahead = {name for name, row in self._rows.items() if row.log_version < row.version}
        if not ahead:
            return
        for kind in self._kinds.values():
            async for page in pages(self._backend, kind):
                for row in page:
                    key = key_of(kind, row)
                    name = hash_of(key)
                    if name in ahead and partition_of(self._backend, key) in self._whole:
                        text = f"{name_of(key)} is stored at version {row['version']}"
                        self._tally.violated("I6", f"{text}; the log has {self._rows[name].log_version}")


def name_of(key: Key) -> str:
    """An aggregate for a person."""
    return f"{key.kind} {'/'.join(part for part in (key.key, key.sub_key) if part)}"


def stock_problem(state: inventory_state_pb2.StoredStock) -> str:
    """What is wrong with a stock by itself; empty if nothing."""
    stock = state.stock
    if stock.available < 0 or stock.available != stock.on_hand - stock.reserved:
        return f"stock {stock.sku}: available is {stock.available}, on hand {stock.on_hand}, reserved {stock.reserved}"
    if not 0 <= stock.shortage <= stock.reserved:
        return f"stock {stock.sku}: shortage is {stock.shortage}, reserved {stock.reserved}"
    if stock.received != stock.on_hand + stock.committed:
        return f"stock {stock.sku}: received {stock.received}, on hand {stock.on_hand}, committed {stock.committed}"
    queued = sum(each.quantity for each in state.queue)
    if stock.backordered != queued:
        return f"stock {stock.sku}: backordered is {stock.backordered}, its queue waits for {queued}"
    return ""


async def audit_logs(backend: Backend, tally: Tally, rows_count: int) -> None:
    """Audits all logs and what became of them, in as many slices as that number of rows needs."""
    await _check_checkpoints(backend, tally)
    slices = 1 + rows_count // ROWS_PER_SLICE
    for number in range(slices):
        await Redo(backend, tally, number, slices).run()


async def _check_checkpoints(backend: Backend, tally: Tally) -> None:
    """Each log must still have the frame that its checkpoint names."""
    for partition in backend.topology.partitions():
        data = await backend.store.load_checkpoint(partition)
        if data is None:
            continue
        checkpoint = log_pb2.Checkpoint.FromString(data)
        found = await backend.log.fetch(partition, ("decisions",), checkpoint.sequence - 1, 1)
        if found and log_pb2.DecisionFrame.FromString(found[0].data).id == checkpoint.frame_id:
            continue
        if await backend.store.load_checkpoint(partition) == data:
            text = f"{partition}: the log no longer has the frame at {checkpoint.sequence} that the checkpoint names"
            tally.violated("I6", text)
