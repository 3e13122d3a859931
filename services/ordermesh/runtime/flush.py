"""From memory to the store: changed aggregates in one natural batch after another, then the checkpoint.

The bytes are taken between frames, when memory and log agree; writing them runs beside the deciding. One write is
under way at a time. A checkpoint is taken together with a flush and written only after the flush is in the store at
quorum, so whatever a checkpoint names is there.

What too few replicas took is weak: it stays pinned, and is written again when a quorum is back, which a few of the
oldest weak rows ask for with every flush. Until none is left there is no checkpoint.

What events leave for good goes first, at quorum, so that no stored aggregate is ahead of it: only redoing would make it
again. Without a quorum the aggregates that have it are held back, and all others are stored as ever.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence, Set
from itertools import islice
from typing import NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key, Row
from ordermesh.runtime.cache import Aggregate, Cache
from ordermesh.runtime.memory import Waiting
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Clock, PartitionId, Store, StoreUnavailable, Written
from ordermesh.runtime.replies import LOGGED, STORED, STORED_ONE, Replies

WEAK_TRIED = 20
"""Weak aggregates that go with a flush while there is no quorum: they ask whether it is back, and cost little."""

WEAK_TAKEN = 500
"""The same once it is back: a store that has just come back gets its backlog in parts, each of which is either there at
quorum or tried again."""

LEFT_TAKEN = 2_000
"""Rows that events left and that go with a flush while there are weak aggregates: what gathered since the quorum was
lost is not one write, which would be made anew whenever a replica is late. `WEAK_TRIED` while there is no quorum."""

WEAK_PAUSE_S = 1.0
"""Between two flushes that only ask whether a quorum is back."""


class _Callers(NamedTuple):
    """Who waits for the store since one frame is in the log."""

    since: float
    waiting: list[Waiting]


class _Batch(NamedTuple):
    """What one flush writes and whom it answers."""

    rows: list[Row]
    left: list[Row]
    leaving: dict[Aggregate, int]
    """Whose these are: so many of each, its oldest."""
    behind: list[Row]
    """The own rows of those that leave nothing more."""
    cut: list[tuple[Aggregate, int]]
    """Those of which more is left than had room: they are held back."""
    versions: list[tuple[Aggregate, int]]
    states: dict[Key, bytes]
    callers: deque[_Callers]
    bytes_taken: int
    checkpoint: log_pb2.Checkpoint | None


class Flusher:
    """Writes a partition's changes."""

    def __init__(
        self,
        partition: PartitionId,
        store: Store,
        cache: Cache,
        replies: Replies,
        clock: Clock,
        options: OwnerOptions,
        tasks: asyncio.TaskGroup,
        wake: Callable[[], None],
    ) -> None:
        self._partition = partition
        self._store = store
        self._cache = cache
        self._replies = replies
        self._clock = clock
        self._options = options
        self._tasks = tasks
        self._wake = wake
        self._callers: deque[_Callers] = deque()
        self._under_way: _Batch | None = None
        self._changed_at = float("inf")
        self._task: asyncio.Task[None] | None = None
        self.unflushed_bytes = 0
        """Bytes of decisions whose changes are not in the store at quorum yet."""
        self.is_failing = False
        self.is_settled = True
        """Whether memory and log agree, as they do between frames: what is newer than the log must not be told."""
        self._weak: dict[Key, Aggregate] = {}
        self._weak_until = 0.0
        self._quorum_is_back = True
        self.is_catching_up = False
        """Whether the last flush wrote again, at quorum, what was weak: it had no checkpoint, the next may."""
        self.checkpoint: log_pb2.Checkpoint | None = None
        self.rows_written = 0
        self.flushes = 0

    def note(self, waiting: Sequence[Waiting], bytes_decided: int = 0) -> None:
        """A frame is in the log: its changes are to be flushed, and these callers wait for it."""
        self.unflushed_bytes += bytes_decided
        now = self._clock.monotonic()
        self._changed_at = min(self._changed_at, now)
        if waiting:
            self._callers.append(_Callers(now, list(waiting)))
        if self.is_failing:
            self.answer_late()

    @property
    def is_busy(self) -> bool:
        """Whether a write is under way."""
        return self._under_way is not None

    def due_in(self) -> float:
        """Seconds until a flush should be taken; infinity when nothing is to do or one is under way."""
        if self.is_busy or self._changed_at == float("inf"):
            return float("inf")
        now = self._clock.monotonic()
        if self._callers:
            return 0.0
        if self._weak:
            return max(0.0, self._weak_until - now)
        return max(0.0, self._changed_at + self._gather_s() - now)

    def _gather_s(self) -> float:
        is_busy = self._clock.busy() > self._options.busy_share
        return self._options.flush_gather_busy_s if is_busy else self._options.flush_gather_s

    def is_whole_due(self) -> bool:
        """Whether everything changed is to be written now, and not only what callers wait for."""
        gathered_s = self._clock.monotonic() - self._changed_at
        return not self._callers or gathered_s >= self._gather_s()

    def take_awaited(self) -> None:
        """Takes the bytes of what callers wait for, and starts writing: the rest gathers. Only between frames."""
        self._take(self._awaited(), None, 0)

    def _awaited(self) -> list[Aggregate]:
        """What callers wait for: all of it goes with the flush that answers them."""
        dirty = self._cache.dirty
        keys = dict.fromkeys(one.key for callers in self._callers for one in callers.waiting if one.key is not None)
        return [dirty[key] for key in keys if key in dirty]

    def take(self, checkpoint: log_pb2.Checkpoint | None) -> None:
        """Takes the bytes of everything changed and starts writing. Only between frames."""
        self._changed_at = float("inf")
        dirty = list(self._cache.dirty.values())
        if not self._weak:
            self._take(dirty, checkpoint, self.unflushed_bytes)
            return
        fresh = [aggregate for aggregate in dirty if aggregate.weak_version != aggregate.version]
        weak = islice(self._weak.values(), WEAK_TAKEN if self._quorum_is_back else WEAK_TRIED)
        self._take(list(dict.fromkeys([*fresh, *self._awaited(), *weak])), None, 0)

    def _take(self, aggregates: Sequence[Aggregate], checkpoint: log_pb2.Checkpoint | None, bytes_taken: int) -> None:
        assert self._under_way is None
        rows: list[Row] = []
        left: list[Row] = []
        leaving: dict[Aggregate, int] = {}
        behind: list[Row] = []
        cut: list[tuple[Aggregate, int]] = []
        room = self._left_room()
        versions: list[tuple[Aggregate, int]] = []
        states: dict[Key, bytes] = {}
        for aggregate in aggregates:
            state = aggregate.serialise()
            self._cache.resize(aggregate, len(state))
            states[aggregate.key] = state
            if aggregate.left is not None:
                oldest = aggregate.left[:room]
                room -= len(oldest)
                left.extend(oldest)
                leaving[aggregate] = len(oldest)
                if len(oldest) < len(aggregate.left):
                    cut.append((aggregate, aggregate.version))
                    continue
            (rows if aggregate.left is None else behind).extend(rows_of(aggregate, state))
            versions.append((aggregate, aggregate.version))
        for callers in self._callers:
            for one in callers.waiting:
                if one.aggregate is not None and one.aggregate.key not in states:
                    states[one.aggregate.key] = one.aggregate.serialise()
        self._under_way = _Batch(
            rows, left, leaving, behind, cut, versions, states, self._callers, bytes_taken, checkpoint
        )  # fmt: skip
        self._callers = deque()
        self._task = self._tasks.create_task(self._write(self._under_way))

    def _left_room(self) -> int:
        """How many rows that events left may go with this flush."""
        if not self._weak:
            return sys.maxsize
        return LEFT_TAKEN if self._quorum_is_back else WEAK_TRIED

    async def drain(self) -> None:
        """Waits until no write is under way. Raises what made it fail for good."""
        if self._task is not None:
            await self._task

    def answer_late(self) -> None:
        """Answers LOGGED to whoever has waited too long for the store, or at once while it fails."""
        before = float("inf") if self.is_failing else self._clock.monotonic() - self._options.flush_answer_s
        if (batch := self._under_way) is not None:
            self._answer(batch.callers, before, LOGGED, batch.states)
        if self.is_settled:
            self._answer(self._callers, before, LOGGED, {})

    async def _write(self, batch: _Batch) -> None:
        has_left = await self._write_left(batch)
        rows = [*batch.rows, *batch.behind] if has_left else batch.rows
        written = await self._write_rows(rows)
        if not has_left:
            written = Written.WEAK
        persistence = STORED if written is Written.QUORUM else STORED_ONE
        self._answer(batch.callers, float("inf"), persistence, batch.states)
        self._note_written(batch, written)
        if written is Written.QUORUM:
            self.unflushed_bytes -= batch.bytes_taken
            await self._save(batch.checkpoint)
        self.flushes += 1
        self.rows_written += len(batch.left) + len(rows)
        self._under_way = None
        self._wake()

    def _note_written(self, batch: _Batch, written: Written) -> None:
        """Unpins what is in the store at quorum, and remembers what is there weakly."""
        now, had_weak = self._clock.monotonic(), bool(self._weak)
        self._quorum_is_back = written is Written.QUORUM
        self.is_catching_up = had_weak and self._quorum_is_back
        self._weak_until = now if self._quorum_is_back else now + WEAK_PAUSE_S
        weak = [*batch.versions, *batch.cut]
        if self._quorum_is_back:
            weak = batch.cut
            for aggregate, _ in batch.versions:
                aggregate.queried = True
                self._weak.pop(aggregate.key, None)
            self._cache.flushed(batch.versions)
        for aggregate, version in weak:
            aggregate.weak_version = version
            self._weak[aggregate.key] = aggregate
        if had_weak or self._weak:
            self._changed_at = min(self._changed_at, now)

    async def _write_left(self, batch: _Batch) -> bool:
        """Writes what events left; says whether a quorum has it. Else its aggregates are held back: once these are
        stored their events are not redone, and nothing would make these rows again."""
        has_left = await self._write_rows(batch.left) is Written.QUORUM
        if has_left:
            for aggregate, count in batch.leaving.items():
                aggregate.let_go(count)
        self._hold_back(batch, {one.key for one, _ in batch.cut} if has_left else {one.key for one in batch.leaving})
        return has_left

    def _hold_back(self, batch: _Batch, keys: Set[Key]) -> None:
        """Answers who waits for what is not written now."""
        if not keys:
            return
        for callers in batch.callers:
            for one in callers.waiting:
                if one.key is not None and one.key in keys:
                    self._replies.add(one, LOGGED, batch.states[one.key])
            callers.waiting[:] = [one for one in callers.waiting if one.key not in keys]

    async def _write_rows(self, rows: Sequence[Row]) -> Written:
        """Writes until the store has taken them."""
        pause_s = self._options.retry_min_s
        while True:
            if not rows:
                return Written.QUORUM
            try:
                written = await self._store.write(rows)
            except StoreUnavailable:
                self.is_failing = True
                self.answer_late()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._options.retry_max_s)
            else:
                self.is_failing = False
                return written

    async def _save(self, checkpoint: log_pb2.Checkpoint | None) -> None:
        """Writes the checkpoint; one that fails is left for the next flush."""
        if checkpoint is None:
            return
        try:
            data = checkpoint.SerializeToString(deterministic=True)
            await self._store.save_checkpoint(self._partition, data, checkpoint.clock_us)
        except StoreUnavailable:
            return
        self.checkpoint = checkpoint

    def _answer(self, waiting: deque[_Callers], before: float, persistence: int, states: dict[Key, bytes]) -> None:
        """Answers those who wait since before then, and forgets them; with `states`, else with the newest."""
        if not waiting or waiting[0].since >= before:
            return
        while waiting and waiting[0].since < before:
            for one in waiting.popleft().waiting:
                self._replies.add(one, persistence, None if one.key is None else states.get(one.key))
        self._replies.send()


def rows_of(aggregate: Aggregate, state: bytes) -> list[Row]:
    """The rows of an aggregate: its own, and those of the query tables until a flush of this owner had them."""
    kind, key = aggregate.kind, aggregate.key
    values = (
        key.tenant, key.key, key.sub_key, aggregate.version, aggregate.epoch, aggregate.frame, aggregate.index, state,
        *kind.columns(key, aggregate.state),
    )  # fmt: skip
    rows = [Row(kind.table.name, values, aggregate.write_time)]
    if not aggregate.queried and kind.query_tables:
        rows.extend(kind.query_rows(key, aggregate.state, aggregate.write_time))
    return rows
