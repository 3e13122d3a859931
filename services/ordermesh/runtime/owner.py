"""The owner of one partition: decides what has gathered as one batch, appends it as one frame, and only then lets it
have consequences.

Nothing is decided while a frame is in flight. Between frames memory and log agree; that is when the flush takes its
bytes and the checkpoint its agenda and marks. An owner that finds another's frame in the log drops its memory and
steps down: what was not appended has not happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from oms.log.v1 import log_pb2
from ordermesh.runtime.appender import Appenders
from ordermesh.runtime.cache import Cache, uuid7_time_us
from ordermesh.runtime.effects import Effects
from ordermesh.runtime.flush import Flusher
from ordermesh.runtime.inbox import Inbox
from ordermesh.runtime.loader import StoreLoader
from ordermesh.runtime.memory import Partition, Waiting, Work
from ordermesh.runtime.options import CLOCK_AHEAD_MAX_US, CLOCK_SKEW_ALLOWED_US, SCHEMA_VERSION, OwnerOptions
from ordermesh.runtime.outbox import Outbox, sent_by
from ordermesh.runtime.ports import Bus, Clock, EffectHandler, Log, PartitionId, Store, Stored
from ordermesh.runtime.recovery import Head, Superseded, Taker, append_decisions, parked_work
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.replies import LOGGED, STORED, Replies
from ordermesh.runtime.topology import Topology
from ordermesh.runtime.turn import Turn

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all partition owners of a process share."""

    instance: str
    build: str
    log: Log
    store: Store
    bus: Bus
    clock: Clock
    registry: Registry
    topology: Topology
    effects: Mapping[str, EffectHandler]
    options: OwnerOptions
    appenders: Appenders


class Owner:
    """Owns one partition from its taking until it is stopped or superseded."""

    def __init__(
        self, partition: PartitionId, around: Surroundings, poison: dict[tuple[int, int, object], str] | None = None
    ) -> None:
        self.id = partition
        self.around = around
        self.options = around.options
        self.poison = poison or {}
        self.inbox = Inbox(partition, around.log, around.clock, around.options)
        self.outbox = Outbox(partition, around.log, around.appenders, around.options)
        self.stopping = False
        self.unpark_wanted = False
        self.is_tight = False
        self.is_empty_frame_wanted = False
        self.bytes_since_checkpoint = 0
        self.checkpoint_at = 0.0
        self._draft = log_pb2.Checkpoint()
        self.frames = 0
        self.decided = 0
        self._wake = asyncio.Event()
        self._in_flight = ""
        self._bytes_decided = 0
        self._lost: Exception | None = None

    memory: Partition
    head: Head
    cache: Cache
    loader: StoreLoader
    replies: Replies
    flusher: Flusher
    effects: Effects
    checkpoint: log_pb2.Checkpoint

    def wake(self) -> None:
        """Something is to do."""
        self._wake.set()

    def stop(self) -> None:
        """Ends after what is under way: decided, flushed and checkpointed."""
        self.stopping = True
        self.wake()

    async def take(self, tasks: asyncio.TaskGroup) -> None:
        """Takes the partition and starts what runs beside the deciding. Raises Superseded, Contradiction."""
        around = self.around
        taking = await Taker(
            self.id, around.instance, around.build, around.log, around.store, around.clock, around.registry,
            around.topology, around.options,
        ).take()  # fmt: skip
        self.memory, self.head, self.checkpoint = taking.partition, taking.head, taking.checkpoint
        self.memory.poison.update(self.poison)  # type: ignore[arg-type]  # places are as `Work.place` gives them
        self.cache = self.memory.cache
        self.loader = StoreLoader(self.memory, around.store, around.clock, around.options)
        self.replies = Replies(around.bus)
        self.flusher = Flusher(
            self.id, around.store, self.cache, self.replies, around.clock, around.options, tasks, self.wake
        )
        self.effects = Effects(
            self.id, around.topology.deployment_id, around.effects, around.appenders.messages(self.id), around.clock,
            around.options, tasks,
        )  # fmt: skip
        self._note_parked()
        self.flusher.note(())
        self.outbox.begin(sent_by(taking.checkpoint, self.around.topology.partitions()), self.head.sequence)
        self.effects.start(self.memory.agenda)
        self.checkpoint_at = around.clock.monotonic()

    async def run(self) -> None:
        """Decides until stopped (then everything is in the store) or superseded (raises Superseded)."""
        watch = await self.around.log.read(self.id, ("decisions",), self.head.sequence, self._watch, headers_only=True)
        frame = self.head.frame
        await self.inbox.open(frame.decided_sequence, frame.decided_index, self.wake)
        try:
            while not self.stopping:
                await self._wait()
                if self._lost is not None:
                    raise self._lost
                await self._step()
            await self._hand_over()
        finally:
            await self.inbox.close()
            await watch.close()

    async def _wait(self) -> None:
        """Until there is a command to decide or a flush to take."""
        while not (self.stopping or self._lost):
            self._wake.clear()
            if self._has_work():
                return
            due_in = self.flusher.due_in()
            if due_in <= 0:
                return
            if due_in == float("inf"):
                await self._wake.wait()
                continue
            try:
                async with asyncio.timeout(due_in):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _can_take(self) -> bool:
        """Past its limit of changed and parked aggregates an owner takes no more commands; in a log that is nearly full
        it takes them only when all before is checkpointed, and so may be trimmed."""
        if self.is_tight and self._saved().frame < self.head.frame.number:
            return False
        agenda = self.memory.agenda
        if self.flusher.unflushed_bytes + agenda.bytes_used > self.options.unflushed_bytes_max:
            return False
        return len(self.cache.dirty) + len(self.memory.agenda.parked) < self.options.dirty_count_max

    def _has_work(self) -> bool:
        """Whether something may be decided now: what is parked also when no more commands are taken."""
        if self.is_empty_frame_wanted:
            return True
        if self.unpark_wanted and len(self.cache.dirty) < self.options.dirty_count_max:
            return True
        return len(self.inbox) > 0 and self._can_take()

    async def _step(self) -> None:
        """One turn: decide a batch if there is one, then take a flush if one is due."""
        if self._has_work():
            if (
                self.inbox.bytes_waiting < self.options.frame_bytes_max
                and self.around.clock.busy() > self.options.busy_share
            ):
                await asyncio.sleep(self.options.pacing_s)
            await self._decide_batch()
        if self.flusher.due_in() <= 0:
            if self.flusher.is_whole_due():
                self.flusher.take(self._draft_checkpoint())
            else:
                self.flusher.take_awaited()
        self.cache.evict()
        await self.inbox.refill()

    async def _decide_batch(self) -> None:
        works = self.inbox.take(self.options.frame_items_max) if self._can_take() else []
        frame = self._next_frame(works)
        turn = Turn(self.memory, frame, self.loader)
        has_new = bool(works)
        self.flusher.is_settled = False
        works = self._unparked(turn) + works
        for work in works:
            turn.prepare(work)
        self.loader.begin(frame.clock_us)
        await self.loader.prefetch((work.keys, work.context.first) for work in works if work.context is not None)
        undecided = await self._decide_works(turn, works)
        has_unparked = any(decision.HasField("unparked") for decision in frame.decisions)
        self.unpark_wanted = has_unparked and bool(self.memory.agenda.parked)
        self.inbox.put_back(undecided)
        if has_new or frame.decisions or self.is_empty_frame_wanted:
            self.is_empty_frame_wanted = False
            await self._append(turn)
        else:
            self.flusher.is_settled = True

    async def _decide_works(self, turn: Turn, works: list[Work]) -> list[Work]:
        """Decides until the frame is full; gives back the rest."""
        frame = turn.frame
        for number, work in enumerate(works):
            await turn.decide(work)
            if work.unparks is None:
                frame.decided_sequence = work.sequence
                frame.decided_index = -1 if work.is_last else work.index
            self.decided += 1
            if turn.bytes_used > self.options.frame_bytes_max:
                return [rest for rest in works[number + 1 :] if rest.unparks is None]
        return []

    def _unparked(self, turn: Turn) -> list[Work]:
        """Parked commands in their order, when the store may be back; one whose predecessor fails again stays."""
        self.unpark_wanted = False
        found: list[Work] = []
        for entry in self.memory.agenda.parked:
            found.append(parked_work(turn, self.memory, entry))
            if len(found) >= self.options.frame_items_max:
                break
        return found

    def _note_parked(self) -> None:
        """After a recovery: what is parked blocks its keys again before anything is decided."""
        turn = Turn(self.memory, self.head.frame, self.loader)
        for entry in self.memory.agenda.parked:
            parked_work(turn, self.memory, entry)

    def _next_frame(self, works: list[Work]) -> log_pb2.DecisionFrame:
        """A frame that follows the last one, its clock above that of all before and near that of every new id."""
        last = self.head.frame
        now_us = self.around.clock.now_us()
        clock_us = max(last.clock_us + 1, now_us)
        uuid7 = self.memory.registry.uuid7_services
        for work in works:
            if work.envelope.service in uuid7:
                key_us = uuid7_time_us(work.envelope.key) - CLOCK_SKEW_ALLOWED_US
                if clock_us < key_us < now_us + CLOCK_AHEAD_MAX_US:
                    clock_us = key_us
        return log_pb2.DecisionFrame(
            schema=SCHEMA_VERSION, id=self.around.clock.token(16), previous_id=last.id, epoch=last.epoch,
            number=last.number + 1, clock_us=clock_us, decided_sequence=last.decided_sequence,
            decided_index=last.decided_index,
        )  # fmt: skip

    async def _append(self, turn: Turn) -> None:
        """Puts the frame into the log; then, and only then, it has consequences."""
        frame = turn.frame
        self._in_flight = frame.id.hex()
        sequence = await append_decisions(
            self.around.log, self.id, frame, self.head.sequence, self.around.clock, self.options
        )
        self.head.frame, self.head.sequence = frame, sequence
        self.frames += 1
        self.bytes_since_checkpoint += turn.bytes_used
        self._bytes_decided += turn.bytes_used
        self.outbox.add(sequence, frame)
        self.effects.start(self.memory.agenda)
        self.flusher.is_settled = True
        self.flusher.note(self._answer(turn.waiting), turn.bytes_used)

    def _answer(self, waiting: list[Waiting]) -> list[Waiting]:
        """Answers who need not wait for the store; gives back the others."""
        for_store = []
        for one in waiting:
            aggregate = one.aggregate
            if one.durability == log_pb2.DURABILITY_LOGGED:
                self.replies.add(one, LOGGED)
            elif one.refusal is not None or aggregate is None or aggregate.flushed_version == aggregate.version:
                self.replies.add(one, STORED)
            else:
                for_store.append(one)
        self.replies.send()
        return for_store

    def _draft_checkpoint(self) -> log_pb2.Checkpoint | None:
        """What a checkpoint at the last frame would say, if one is due."""
        now = self.around.clock.monotonic()
        is_due = self.stopping or self.is_tight or self.bytes_since_checkpoint >= self.options.checkpoint_bytes
        if not is_due and now - self.checkpoint_at < self.options.checkpoint_interval_s:
            return None
        frame = self.head.frame
        if self.flusher.checkpoint is not None and self.flusher.checkpoint.frame == frame.number:
            return None
        self.checkpoint_at, self.bytes_since_checkpoint = now, 0
        if self._draft.frame == frame.number:
            return (
                self._draft
            )  # one checkpoint a frame: its write time is the frame's, and a tie must be the same bytes
        draft = self._draft = log_pb2.Checkpoint(
            schema=SCHEMA_VERSION, frame_id=frame.id, epoch=frame.epoch, frame=frame.number,
            sequence=self.head.sequence, clock_us=frame.clock_us, decided_sequence=frame.decided_sequence,
            decided_index=frame.decided_index, epoch_ends=self.head.epoch_ends,
            agenda=self.memory.agenda.entries.values(),
        )  # fmt: skip
        for sender, value in self.memory.marks.items():
            source = draft.marks.add().source
            source.group, source.partition = sender
            source.position.epoch, source.position.frame, source.position.index, source.n = value
        for receiver, sequence in self.outbox.sent_through().items():
            draft.sent_through.add(group=receiver.group, partition=receiver.number, sequence=sequence)
        return draft

    async def _hand_over(self) -> None:
        """Leaves nothing to redo: a last flush with a checkpoint, if the store takes it in time. What was weak is
        written again first, for which it may take several."""
        try:
            async with asyncio.timeout(self.options.hand_over_s):
                await self.flusher.drain()
                is_whole = False
                while not is_whole:
                    self.flusher.take(self._draft_checkpoint())
                    await self.flusher.drain()
                    is_whole = not self.flusher.is_catching_up
        except TimeoutError:
            _log.warning("%s: left without a last checkpoint, the store does not answer", self.id)

    def growth(self) -> float:
        """Bytes of decisions per byte of commands, as measured since the taking; a cautious guess before."""
        return self._bytes_decided / self.inbox.bytes_taken if self.inbox.bytes_taken > 1_000_000 else 6.0

    def _saved(self) -> log_pb2.Checkpoint:
        """The newest checkpoint known to be in the store."""
        return self.flusher.checkpoint or self.checkpoint

    def wants_empty_frame(self) -> bool:
        """Whether the last frame is checkpointed, but messages were acknowledged since: a frame has one checkpoint, so
        it takes another frame to tell, and only then may the log be trimmed up to there."""
        saved = self.flusher.checkpoint
        if saved is None or saved.frame != self.head.frame.number:
            return False
        sent = self.outbox.sent_through()
        return any(sent[PartitionId(one.group, one.partition)] > one.sequence for one in saved.sent_through)

    def is_checkpoint_behind(self) -> bool:
        """Whether frames were appended since the last checkpoint and its time has come."""
        saved = self._saved()
        waited_s = self.around.clock.monotonic() - self.checkpoint_at
        return saved.frame < self.head.frame.number and waited_s >= self.options.checkpoint_interval_s

    def _watch(self, stored: Stored) -> None:
        """A decision frame that is not our own means that the partition is lost, even with nothing to append."""
        if stored.sequence > self.head.sequence and stored.frame_id != self._in_flight:
            self._lost = Superseded(f"{self.id} was taken by another owner")
            self.wake()
