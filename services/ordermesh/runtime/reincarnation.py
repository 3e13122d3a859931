"""A partition begun anew after its log lost acknowledged messages: from what is stored, in a new epoch.

What is left is taken in first: the checkpoint, and every decision after it that the log still has. Then one frame is
appended that begins the new epoch, past every number that anybody may have seen, and a checkpoint at it says all the
rest: agenda, marks, what is to be decided first. Nothing counts before that checkpoint is written, so it may be broken
off and done again. No owner of the deployment may run meanwhile: messages between two partitions are told apart by
their order, and only at rest can a sender be made to begin again where the receiver has lost them.

ADR 0013 says what can be lost, and why nothing is decided twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key, Row
from ordermesh.runtime.agenda import EntryId, write_id
from ordermesh.runtime.cache import Cache
from ordermesh.runtime.flush import rows_of
from ordermesh.runtime.memory import MarkValue, Partition, is_past_its_end
from ordermesh.runtime.options import SCHEMA_VERSION, OwnerOptions
from ordermesh.runtime.outbox import sent_by
from ordermesh.runtime.ports import Clock, Log, PartitionId, Store, StoredAggregate, StoreUnavailable, Written
from ordermesh.runtime.recovery import PAGE, Head, Taker, append_decisions, forget_old_ends
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology

ROWS_PER_WRITE = 500
"""Rows of redone aggregates that are written at once."""


class _Lenient(Partition):
    """Takes rows that the log does not have: they are what is left."""

    __slots__ = ()

    def check(self, key: Key, stored: StoredAggregate) -> None:
        """Nothing is wrong with it."""


@dataclass(slots=True)
class Remains:
    """What is left of a partition: its memory as of the last decision known, and where its log ends.

    `last` is the last decision frame that follows those before it, `sequence` that of the last of all, 0 for none.
    `has_checkpoint`: whether the log still has the frame that the checkpoint names. `newest` is the highest epoch,
    frame number, and clock in microseconds of anything found; rows raise it.
    """

    memory: Partition
    checkpoint: log_pb2.Checkpoint
    last: log_pb2.DecisionFrame
    sequence: int
    has_checkpoint: bool
    is_chain: bool
    ends: dict[int, int]
    newest: list[int] = field(default_factory=lambda: [0, 0, 0])
    row_ends: dict[int, int] = field(default_factory=dict)

    def note_row(self, epoch: int, frame: int) -> bool:
        """Takes in where a row was decided; whether the log has lost that."""
        self.note(epoch, frame, 0)
        self.row_ends[epoch] = max(frame, self.row_ends.get(epoch, 0))
        return not self.ends or is_past_its_end(epoch, frame, self.ends, epoch + 1)

    def note(self, epoch: int, frame: int, clock_us: int) -> None:
        """The new epoch has to begin past these."""
        for index, value in enumerate((epoch, frame, clock_us)):
            self.newest[index] = max(self.newest[index], value)


class Reincarnation:
    """One partition, while no owner of the deployment runs."""

    def __init__(
        self, partition: PartitionId, instance: str, build: str, log: Log, store: Store, clock: Clock,
        registry: Registry, topology: Topology, options: OwnerOptions,
    ) -> None:  # fmt: skip
        self.partition = partition
        self._instance = instance
        self._build = build
        self._log = log
        self._store = store
        self._clock = clock
        self._registry = registry
        self._topology = topology
        self._options = options
        self._taker = Taker(partition, instance, build, log, store, clock, registry, topology, options)

    async def look(self) -> Remains:
        """What is left; changes nothing. Raises Contradiction for what this build cannot read."""
        taker = self._taker
        checkpoint = await taker._load_checkpoint()
        stored = await self._log.last(self.partition, "decisions")
        last = log_pb2.DecisionFrame() if stored is None else taker._read(stored)
        memory = _Lenient(self.partition, self._topology, self._registry, Cache(2**62, 0))
        taker._restore(memory, checkpoint)
        ends = {end.epoch: end.frame for end in checkpoint.epoch_ends}
        if checkpoint.frame:
            ends[checkpoint.epoch] = checkpoint.frame
        remains = Remains(memory, checkpoint, last, 0 if stored is None else stored.sequence, False, True, ends)
        remains.note(checkpoint.epoch, checkpoint.frame, checkpoint.clock_us)
        remains.note(last.epoch, last.number, last.clock_us)
        await self._redo(remains)
        return remains

    async def _redo(self, remains: Remains) -> None:
        """Applies what the log still has after the checkpoint, as far as it is a chain."""
        checkpoint, taker = remains.checkpoint, self._taker
        before, after = checkpoint.frame_id, checkpoint.sequence
        if checkpoint.frame:
            page = await taker._fetch(after - 1, 1)
            remains.has_checkpoint = bool(page) and taker._read(page[0]).id == before
            if not remains.has_checkpoint:
                return
            remains.last = taker._read(page[0])
        remains.has_checkpoint = True
        head = Head(remains.last, remains.sequence)
        while page := await taker._fetch(after, PAGE):
            frames = [taker._read(stored) for stored in page]
            await taker._load(remains.memory, frames)
            for stored, frame in zip(page, frames, strict=True):
                if frame.previous_id != before:
                    remains.is_chain = False
                    return
                before, after = frame.id, stored.sequence
                if not frame.taken.previous.reincarnated_us:  # one that was broken off says nothing
                    taker._apply(remains.memory, frame, head)
                remains.last = frame
                remains.ends[frame.epoch] = frame.number

    async def begin(self, remains: Remains, first: Sequence[log_pb2.Envelope]) -> log_pb2.Checkpoint:
        """Begins the new epoch, in which the commands of `first` are decided before all others for their keys.

        Raises Superseded when an owner runs after all, StoreUnavailable; done again it begins another one.
        """
        await self._flush(remains)
        frame = self._frame(remains)
        sequence = await append_decisions(
            self._log, self.partition, frame, remains.sequence, self._clock, self._options
        )
        checkpoint = self._checkpoint(remains, frame, sequence, first)
        for other in self._topology.partitions():
            if other != self.partition:
                await self._send_again(other, remains.memory.marks.get((other.group, other.number)))
        data = checkpoint.SerializeToString(deterministic=True)
        await self._store.save_checkpoint(self.partition, data, checkpoint.clock_us)
        return checkpoint

    async def _flush(self, remains: Remains) -> None:
        """What was redone has to be in the store before a checkpoint says so; what its events left, before itself."""
        dirty = list(remains.memory.cache.dirty.values())
        left = [row for aggregate in dirty for row in aggregate.left or ()]
        rows = [row for aggregate in dirty for row in rows_of(aggregate, aggregate.serialise())]
        await self.write(left)
        await self.write(rows)

    async def write(self, rows: Sequence[Row]) -> None:
        """Writes what has to be there before the new epoch begins. Raises StoreUnavailable."""
        for start in range(0, len(rows), ROWS_PER_WRITE):
            if await self._store.write(rows[start : start + ROWS_PER_WRITE]) is not Written.QUORUM:
                raise StoreUnavailable("too few replicas of the store take what a checkpoint needs to be there")

    def _frame(self, remains: Remains) -> log_pb2.DecisionFrame:
        """The frame that begins the new epoch: it follows the last one that is left, and is past all that were."""
        last, (epoch, number, clock_us) = remains.last, remains.newest
        now_us = self._clock.now_us()
        frame = log_pb2.DecisionFrame(
            schema=SCHEMA_VERSION, id=self._clock.token(16), previous_id=last.id, number=number + 1,
            epoch=max(epoch + 1, now_us // 1_000_000), clock_us=max(clock_us + 1, now_us),
            decided_sequence=last.decided_sequence, decided_index=last.decided_index if last.number else -1,
        )  # fmt: skip
        frame.taken.instance, frame.taken.build = self._instance, self._build
        frame.taken.previous.epoch, frame.taken.previous.frame = epoch, number
        frame.taken.previous.reincarnated_us = frame.clock_us
        return frame

    def _checkpoint(
        self, remains: Remains, frame: log_pb2.DecisionFrame, sequence: int, first: Sequence[log_pb2.Envelope]
    ) -> log_pb2.Checkpoint:
        memory = remains.memory
        made = log_pb2.Checkpoint(
            schema=SCHEMA_VERSION, frame_id=frame.id, epoch=frame.epoch, frame=frame.number, sequence=sequence,
            clock_us=frame.clock_us, decided_sequence=frame.decided_sequence, decided_index=frame.decided_index,
            agenda=memory.agenda.entries.values(), epoch_ends=self._ends(remains, frame),
        )  # fmt: skip
        for number, envelope in enumerate(first):
            entry = log_pb2.AgendaEntry()
            write_id(entry.id, EntryId(frame.epoch, frame.number, 0, number))
            entry.parked.envelope.CopyFrom(envelope)
            made.agenda.append(entry.SerializeToString())
        for sender, value in memory.marks.items():
            source = made.marks.add().source
            source.group, source.partition = sender
            source.position.epoch, source.position.frame, source.position.index, source.n = value
        for receiver, sent in sent_by(remains.checkpoint, self._topology.partitions()).items():
            made.sent_through.add(group=receiver.group, partition=receiver.number, sequence=min(sent, remains.sequence))
        return made

    def _ends(self, remains: Remains, frame: log_pb2.DecisionFrame) -> list[log_pb2.EpochEnd]:
        """All ends known; every epoch that lost something ends where nothing of it can be past."""
        earlier = {end.epoch: end.reincarnated_us for end in remains.checkpoint.epoch_ends}
        known = dict(remains.ends)
        for epoch, number in remains.row_ends.items():
            if not known or epoch >= min(known):
                known[epoch] = max(number, known.get(epoch, 0))
        ends = [
            log_pb2.EpochEnd(epoch=epoch, frame=number, reincarnated_us=earlier.get(epoch, 0))
            for epoch, number in sorted(known.items())
            if epoch < frame.taken.previous.epoch
        ]
        ends.append(frame.taken.previous)
        forget_old_ends(ends)
        return ends

    async def _send_again(self, sender: PartitionId, mark: MarkValue | None) -> None:
        """Has another partition send again all that this one has not taken, or has lost; what it took it drops."""
        data = await self._store.load_checkpoint(sender)
        if data is None:
            return
        checkpoint = log_pb2.Checkpoint.FromString(data)
        through = await self.sequence_before(sender, mark)
        sent = [one for one in checkpoint.sent_through if PartitionId(one.group, one.partition) == self.partition]
        if all(one.sequence <= through for one in sent):
            return
        for one in sent:
            one.sequence = through
        checkpoint.clock_us += 1
        data = checkpoint.SerializeToString(deterministic=True)
        await self._store.save_checkpoint(sender, data, checkpoint.clock_us)

    async def sequence_before(self, sender: PartitionId, mark: MarkValue | None) -> int:
        """The stream sequence in the sender's log before the decision frame that a mark is of; 0 for its beginning."""
        if mark is None:
            return 0
        state = await self._log.state(sender)
        low, high = max(0, state.first_sequence - 1), state.last_sequence
        while low < high:  # the last sequence after which a frame before the mark's still follows, and one more
            middle = (low + high) // 2
            page = await self._log.fetch(sender, ("decisions",), middle, 1)
            frame = self._taker._read(page[0]) if page else None
            if frame is not None and (frame.epoch, frame.number) < mark[:2]:
                low = page[0].sequence
            else:
                high = middle
        return low
