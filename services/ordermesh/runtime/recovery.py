"""Taking a partition: fence out the owner before, load its checkpoint, and redo the decisions after it.

Nothing is decided again: recorded events are applied, so new code cannot rewrite history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.agenda import EntryId
from ordermesh.runtime.cache import Cache, Contradiction
from ordermesh.runtime.memory import Partition, Work
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
            raise Contradiction(f"the checkpoint was written by a newer build (schema {checkpoint.schema})")
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
        before, after = await self._start(checkpoint)
        while True:
            page = await self._fetch(after, PAGE)
            frames = [self._read(stored) for stored in page]
            await self._load(partition, frames)
            for stored, frame in zip(page, frames, strict=True):
                if frame.previous_id != before:
                    raise _StartOver(f"decision frame {frame.number} does not follow the one before it")
                before, after = frame.id, stored.sequence
                self._apply(partition, frame, head)
                if frame.id == head.frame.id:
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
            partition.raise_mark(mark.source)

    def _apply(self, partition: Partition, frame: log_pb2.DecisionFrame, head: Head) -> None:
        """Applies one frame to memory: marks, agenda, events."""
        if frame.HasField("taken") and frame.taken.previous.epoch:
            head.epoch_ends.append(frame.taken.previous)
            partition.epoch_ends[frame.taken.previous.epoch] = frame.taken.previous.frame
            del head.epoch_ends[:-EPOCH_ENDS_MAX]
        for index, decision in enumerate(frame.decisions):
            if decision.HasField("source"):
                partition.raise_mark(decision.source)
            partition.agenda.apply(decision)
            for event in decision.events:
                kind = self._registry.kinds[event.kind]
                parsed = self._registry.events[event.type].FromString(event.payload)
                partition.cache.redo(event, parsed, kind, (frame.clock_us, frame.epoch, frame.number, index))

    async def _load(self, partition: Partition, frames: list[log_pb2.DecisionFrame]) -> None:
        """Loads the aggregates that the frames' events name, unless they are here already or begin here."""
        cache = partition.cache
        wanted: dict[str, dict[Key, None]] = {}
        for frame in frames:
            for decision in frame.decisions:
                for event in decision.events:
                    key = Key(event.kind, event.tenant, event.key, event.sub_key)
                    if cache.get(key) is None:
                        wanted.setdefault(event.kind, {})[key] = None
        for kind_name, keys in wanted.items():
            kind = self._registry.kinds[kind_name]
            found = await self._patiently(partial(self._store.load, kind.table, list(keys)))
            for key, stored in found.items():
                partition.check(key, stored)
                aggregate = cache.change(key, kind, 0)
                size = aggregate.size
                aggregate.load(stored)
                cache.bytes_used += aggregate.size - size
                aggregate.flushed_version = 0  # perhaps one replica alone has that row: it is written again

    def _read(self, stored: Stored) -> log_pb2.DecisionFrame:
        """An unreadable decision frame, or one of a newer build, stops the partition."""
        try:
            frame = log_pb2.DecisionFrame.FromString(stored.data)
        except Exception as error:
            raise Contradiction(f"the decision frame at sequence {stored.sequence} cannot be read: {error}") from error
        if frame.schema > SCHEMA_VERSION:
            raise Contradiction(f"the decision frame at sequence {stored.sequence} is of a newer build")
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


async def append_decisions(
    log: Log,
    partition: PartitionId,
    frame: log_pb2.DecisionFrame,
    expected: int,
    clock: Clock,
    options: OwnerOptions,
) -> int:
    """Appends a decision frame behind the fence and returns its sequence; repeats until the outcome is known.

    Raises Superseded when another owner's frame is in its place. A refusal after an unknown outcome may mean our own
    frame: then the subject's last message tells.
    """
    data, frame_id = frame.SerializeToString(deterministic=True), frame.id.hex()
    pause_s, unknown = options.retry_min_s, False
    while True:
        try:
            return await log.append(partition, "decisions", data, frame_id=frame_id, dedupe=False, expected=expected)
        except Fenced:
            if not unknown:
                raise Superseded(f"{partition} was taken by another owner") from None
            last = await _last(log, partition)
            if last is not None and last.frame_id == frame_id:
                return last.sequence
            if last is not None:
                raise Superseded(f"{partition} was taken by another owner") from None
        except (LogUnavailable, LogFull, OutcomeUnknown) as error:
            unknown = unknown or isinstance(error, OutcomeUnknown)
            _log.warning("%s: decisions are not appended yet: %s", partition, error)
        await asyncio.sleep(pause_s * (0.5 + clock.random()))
        pause_s = min(pause_s * 2, options.retry_max_s)


async def _last(log: Log, partition: PartitionId) -> Stored | None:
    """The last decision frame; None when it cannot be had now."""
    try:
        return await log.last(partition, "decisions")
    except LogUnavailable:
        return None


def parked_work(turn: Turn, partition: Partition, entry: EntryId) -> Work:
    """A parked command, ready to be decided again; notes its keys if they are not known yet."""
    parked = partition.agenda.read(entry).parked
    work = Work(parked.envelope, parked.reply_to, 0, 0, entry)
    turn.prepare(work)
    if entry not in partition.keys_of_parked:
        partition.park(entry, work.keys)
    return work
