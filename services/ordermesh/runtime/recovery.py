"""Taking a partition: fence out the owner before, load its checkpoint, and redo the decisions after it.

Nothing is decided again: recorded events are applied, so new code cannot rewrite history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from oms.log.v1 import log_pb2
from ordermesh.core.decider import AggregateType, Key
from ordermesh.runtime.agenda import EntryId
from ordermesh.runtime.cache import Cache, Contradiction
from ordermesh.runtime.memory import Partition, Work, mark_of
from ordermesh.runtime.options import EPOCH_ENDS_MAX, SCHEMA_VERSION, OwnerOptions
from ordermesh.runtime.ports import (
    Clock,
    Fenced,
    Log,
    LogFull,
    LogUnavailable,
    OutcomeUnknown,
    PartitionId,
    Store,
    Stored,
    StoredAggregate,
    StoreUnavailable,
)
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology
from ordermesh.runtime.turn import Turn

PAGE = 32
"""Decision frames redone at once: their aggregates are loaded together."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Superseded(Exception):
    """Another process took the partition meanwhile."""


class _StartOver(Exception):
    """A late owner may have checkpointed and trimmed: load the checkpoint again."""


@dataclass(slots=True)
class Head:
    """Where the log of decisions stands: the last frame in it and what the next one follows."""

    frame: log_pb2.DecisionFrame
    sequence: int
    epoch_ends: list[log_pb2.EpochEnd] = field(default_factory=list)


@dataclass(slots=True)
class Taking:
    """What a taking found: the partition's memory as of the last frame, and where to go on."""

    partition: Partition
    head: Head
    checkpoint: log_pb2.Checkpoint


class Taker:
    """Takes one partition for one owner process."""

    def __init__(
        self,
        partition: PartitionId,
        instance: str,
        build: str,
        log: Log,
        store: Store,
        clock: Clock,
        registry: Registry,
        topology: Topology,
        options: OwnerOptions,
    ) -> None:
        self._partition = partition
        self._instance = instance
        self._build = build
        self._log = log
        self._store = store
        self._clock = clock
        self._registry = registry
        self._topology = topology
        self._options = options

    async def take(self) -> Taking:
        """Appends `Taken` and redoes. Raises Superseded, Contradiction."""
        checkpoint = await self._load_checkpoint()
        head = await self._append_taken(checkpoint)
        checkpoint = await self._load_checkpoint()
        while True:
            try:
                return await self._redo(checkpoint, head)
            except _StartOver as reason:
                newer = await self._load_checkpoint()
                if newer.frame_id == checkpoint.frame_id:
                    raise Contradiction(str(reason)) from reason
                checkpoint = newer

    async def _load_checkpoint(self) -> log_pb2.Checkpoint:
        data = await self._patiently(lambda: self._store.load_checkpoint(self._partition))
        checkpoint = log_pb2.Checkpoint() if data is None else log_pb2.Checkpoint.FromString(data)
        if checkpoint.schema > SCHEMA_VERSION:
            raise Contradiction(f"the checkpoint {_newer(checkpoint.schema)}")
        return checkpoint

    async def _append_taken(self, checkpoint: log_pb2.Checkpoint) -> Head:
        """Fences: from here on no earlier owner can append."""
        last = await self._patiently(lambda: self._log.last(self._partition, "decisions"))
        before = log_pb2.DecisionFrame() if last is None else self._read(last)
        if before.number < checkpoint.frame:
            raise Contradiction(
                f"the log ends at decision frame {before.number}, before the checkpoint's {checkpoint.frame}: "
                "its tail is lost"
            )
        now_us = self._clock.now_us()
        frame = log_pb2.DecisionFrame(
            schema=SCHEMA_VERSION, id=self._clock.token(16), previous_id=before.id, number=before.number + 1,
            epoch=max(before.epoch + 1, checkpoint.epoch + 1, now_us // 1_000_000),
            clock_us=max(before.clock_us + 1, checkpoint.clock_us + 1, now_us),
            decided_sequence=before.decided_sequence, decided_index=before.decided_index if before.number else -1,
        )  # fmt: skip
        frame.taken.instance, frame.taken.build = self._instance, self._build
        frame.taken.previous.epoch, frame.taken.previous.frame = before.epoch, before.number
        sequence = await append_decisions(
            self._log, self._partition, frame, 0 if last is None else last.sequence, self._clock, self._options
        )
        return Head(frame, sequence)

    async def _redo(self, checkpoint: log_pb2.Checkpoint, head: Head) -> Taking:
        """Applies every decision after the checkpoint."""
        if checkpoint.frame > head.frame.number:
            raise Superseded(f"{self._partition} was taken by another owner")
        cache = Cache(self._options.cache_bytes_max, head.frame.clock_us)
        partition = Partition(self._partition, self._topology, self._registry, cache)
        self._restore(partition, checkpoint)
        head.epoch_ends = list(checkpoint.epoch_ends)
        partition.epoch_ends = {end.epoch: end.frame for end in (*head.epoch_ends, head.frame.taken.previous)}
        partition.epoch = head.frame.epoch
        partition.reincarnated_us = max((end.reincarnated_us for end in head.epoch_ends), default=0)
        before, after = await self._start(checkpoint)
        found: dict[Key, StoredAggregate] = {}
        while True:
            page = await self._fetch(after, PAGE)
            frames = [self._read(stored) for stored in page]
            found.update(await self._load(partition, frames))
            for stored, frame in zip(page, frames, strict=True):
                if frame.previous_id != before:
                    raise _StartOver(f"decision frame {frame.number} does not follow the one before it")
                before, after = frame.id, stored.sequence
                self._apply(partition, frame, head)
                if frame.id == head.frame.id:
                    _check_places(partition, found)
                    return Taking(partition, head, checkpoint)
            if not page:
                raise _StartOver("the log ends before this taking's own frame")

    async def _start(self, checkpoint: log_pb2.Checkpoint) -> tuple[bytes, int]:
        """The id and sequence after which to redo: the checkpoint's frame must be the one it names."""
        if not checkpoint.frame:
            return b"", 0
        page = await self._fetch(checkpoint.sequence - 1, 1)
        if not page or page[0].sequence != checkpoint.sequence or self._read(page[0]).id != checkpoint.frame_id:
            raise _StartOver("the frame at the checkpoint's position is not the one it names: the log's tail was lost")
        return checkpoint.frame_id, checkpoint.sequence

    async def _fetch(self, after: int, count_max: int) -> list[Stored]:
        """The next decision frames after a sequence."""
        return await self._patiently(lambda: self._log.fetch(self._partition, ("decisions",), after, count_max))

    def _restore(self, partition: Partition, checkpoint: log_pb2.Checkpoint) -> None:
        partition.agenda.restore(checkpoint.agenda)
        for mark in checkpoint.marks:
            partition.raise_mark(*mark_of(mark.source))

    def _apply(self, partition: Partition, frame: log_pb2.DecisionFrame, head: Head) -> None:
        """Applies one frame to memory: marks, agenda, events."""
        if frame.taken.previous.reincarnated_us:
            raise Contradiction("its reincarnation was broken off: run `ordermesh partitions reincarnate` again")
        if frame.HasField("taken") and frame.taken.previous.epoch:
            head.epoch_ends.append(frame.taken.previous)
            partition.epoch_ends[frame.taken.previous.epoch] = frame.taken.previous.frame
            forget_old_ends(head.epoch_ends)
        for index, decision in enumerate(frame.decisions):
            if decision.HasField("source"):
                partition.raise_mark(*mark_of(decision.source))
            partition.agenda.apply(decision)
            for event in decision.events:
                kind, parsed = self._known(event, frame)
                partition.cache.redo(event, parsed, kind, (frame.clock_us, frame.epoch, frame.number, index))

    async def _load(self, partition: Partition, frames: list[log_pb2.DecisionFrame]) -> dict[Key, StoredAggregate]:
        """Loads the aggregates that the frames' events name, unless they are here already or begin here.

        Gives their rows without the states: where a row's epoch ends may be known only when all is redone.
        """
        cache = partition.cache
        places: dict[Key, StoredAggregate] = {}
        wanted: dict[str, dict[Key, None]] = {}
        for frame in frames:
            for decision in frame.decisions:
                for event in decision.events:
                    key = Key(event.kind, event.tenant, event.key, event.sub_key)
                    if event.kind in self._registry.kinds and cache.get(key) is None:
                        wanted.setdefault(event.kind, {})[key] = None
        for kind_name, keys in wanted.items():
            kind = self._registry.kinds[kind_name]
            found = await self._patiently(partial(self._store.load, kind.table, list(keys)))
            for key, stored in found.items():
                places[key] = stored._replace(state=b"")
                aggregate = cache.change(key, kind, 0)
                size = aggregate.size
                aggregate.load(stored)
                cache.bytes_used += aggregate.size - size
                aggregate.flushed_version = 0  # perhaps one replica alone has that row: it is written again
        return places

    def _known(self, event: log_pb2.Event, frame: log_pb2.DecisionFrame) -> tuple[AggregateType, Message]:
        """What an event happened to, and the event. Raises Contradiction where this build cannot read it."""
        try:
            return self._registry.kinds[event.kind], self._registry.events[event.type].FromString(event.payload)
        except (KeyError, DecodeError) as error:
            raise Contradiction(
                f"decision frame {frame.number} has the event {event.type} of {event.kind} {event.key}, which this "
                "build cannot read: start the build that wrote it, or a later one"
            ) from error

    def _read(self, stored: Stored) -> log_pb2.DecisionFrame:
        """An unreadable decision frame, or one of a newer build, stops the partition."""
        try:
            frame = log_pb2.DecisionFrame.FromString(stored.data)
        except Exception as error:
            raise Contradiction(f"the decision frame at sequence {stored.sequence} cannot be read: {error}") from error
        if frame.schema > SCHEMA_VERSION:
            raise Contradiction(f"the decision frame at sequence {stored.sequence} {_newer(frame.schema)}")
        return frame

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeats until log and store answer: a taking has nothing better to do."""
        pause_s = self._options.retry_min_s
        while True:
            try:
                return await attempt()
            except (StoreUnavailable, LogUnavailable):
                await asyncio.sleep(pause_s * (0.5 + self._clock.random()))
                pause_s = min(pause_s * 2, self._options.retry_max_s)


def _check_places(partition: Partition, found: Mapping[Key, StoredAggregate]) -> None:
    """Raises Contradiction for a row that was stored by a frame which the log has lost."""
    for key, stored in found.items():
        partition.check(key, stored)


def forget_old_ends(ends: list[log_pb2.EpochEnd]) -> None:
    """Keeps the newest ends, and the last one after which a log's tail was lost."""
    while len(ends) > EPOCH_ENDS_MAX:
        is_last_loss = ends[0].reincarnated_us and not any(end.reincarnated_us for end in ends[1:])
        del ends[1 if is_last_loss else 0]


def _newer(schema: int) -> str:
    """Why this build must not go on, and what to do."""
    return (
        f"was written by a newer build (schema {schema}, this one knows {SCHEMA_VERSION}): "
        "start that build, or a later one"
    )


async def append_decisions(
    log: Log,
    partition: PartitionId,
    frame: log_pb2.DecisionFrame,
    expected: int,
    clock: Clock,
    options: OwnerOptions,
) -> int:
    """Appends a decision frame behind the fence and returns its sequence; repeats until the outcome is known.

    Raises Superseded when another owner's frame is in its place. A refusal alone does not say so: it may be to a second
    sending of our own frame, or come from a leader that was deposed and does not know; a cluster hands each append to
    that one too. So the subject's last message tells.
    """
    data, frame_id = frame.SerializeToString(deterministic=True), frame.id.hex()
    pause_s = options.retry_min_s
    while True:
        try:
            return await log.append(partition, "decisions", data, frame_id=frame_id, dedupe=False, expected=expected)
        except Fenced as error:
            sequence = await _ours(log, partition, frame_id, expected)
            if sequence:
                return sequence
            _log.warning("%s: decisions are refused, and nothing is in their place: %s", partition, error)
        except (LogUnavailable, LogFull, OutcomeUnknown) as error:
            _log.warning("%s: decisions are not appended yet: %s", partition, error)
        await asyncio.sleep(pause_s * (0.5 + clock.random()))
        pause_s = min(pause_s * 2, options.retry_max_s)


async def _ours(log: Log, partition: PartitionId, frame_id: str, expected: int) -> int:
    """The sequence of our refused frame; 0 where nothing has followed what it expects yet, or nobody can tell now.

    Raises Superseded where anything else is the subject's last.
    """
    try:
        last = await log.last(partition, "decisions")
    except LogUnavailable:
        return 0
    if last is not None and last.frame_id == frame_id:
        return last.sequence
    if (0 if last is None else last.sequence) != expected:
        raise Superseded(f"{partition} was taken by another owner")
    return 0


def parked_work(turn: Turn, partition: Partition, entry: EntryId) -> Work:
    """A parked command, ready to be decided again; notes its keys if they are not known yet."""
    parked = partition.agenda.read(entry).parked
    work = Work(parked.envelope, parked.reply_to, 0, 0, entry)
    turn.prepare(work)
    if entry not in partition.keys_of_parked:
        partition.park(entry, work.keys)
    return work
