"""Deliberate breaks of the kernel, put in from outside: the drill that shows what the simulation would catch.

Each takes away one rule of the log, the owner or the store. Seeds that catch it are noted; a break that no seed catches
is a hole in the simulation.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key, Row, Stamp
from ordermesh.runtime import owner as owner_module
from ordermesh.runtime import recovery
from ordermesh.runtime.agenda import Agenda
from ordermesh.runtime.cache import Aggregate, Cache
from ordermesh.runtime.care import Care
from ordermesh.runtime.effects import Effects
from ordermesh.runtime.flush import Flusher
from ordermesh.runtime.loader import StoreLoader
from ordermesh.runtime.memory import Partition
from ordermesh.runtime.outbox import Outbox
from ordermesh.runtime.owner import Owner
from ordermesh.runtime.ports import EffectHandler, Fenced, LogError, LogState, LogUnavailable, Written
from ordermesh.runtime.recovery import Taker
from ordermesh.runtime.turn import ChainFailed, Turn
from ordermesh.testing.simulation.breaks import mutation
from ordermesh.testing.simulation.links import LogLink, StoreLink


@mutation("a decision frame is appended only behind the one it follows")
def forget_the_fence() -> AbstractContextManager[Any]:
    """Decisions are appended whatever the last one is."""
    append = LogLink.append

    async def unfenced(self: LogLink, *arguments: Any, **named: Any) -> int:
        return await append(self, *arguments, **{**named, "expected": None})

    return patch.object(LogLink, "append", unfenced)


@mutation("a refused frame after an unknown outcome is ours only if the last frame has its id")
def take_any_last_frame_for_ours() -> AbstractContextManager[Any]:
    """Whatever is last counts as the own frame."""
    append = recovery.append_decisions

    async def trusting(log: Any, partition: Any, frame: Any, expected: int, clock: Any, options: Any) -> int:
        try:
            return await append(log, partition, frame, expected, clock, options)
        except recovery.Superseded:
            last = await log.last(partition, "decisions")
            return int(last.sequence) if last is not None else expected + 1

    return _both(recovery, owner_module, "append_decisions", trusting)


@mutation("an owner whose frame is refused steps down")
def ignore_the_step_down() -> AbstractContextManager[Any]:
    """It goes on behind the other's frame."""

    async def stubborn(log: Any, partition: Any, frame: Any, expected: int, _clock: Any, options: Any) -> int:
        data, frame_id = frame.SerializeToString(deterministic=True), frame.id.hex()
        while True:
            try:
                sequence: int = await log.append(
                    partition, "decisions", data, frame_id=frame_id, dedupe=False, expected=expected
                )
                return sequence
            except Fenced:
                try:
                    last = await log.last(partition, "decisions")
                except LogUnavailable:
                    continue
                expected = last.sequence if last is not None else 0
            except LogError:
                await asyncio.sleep(options.retry_min_s)

    return _both(recovery, owner_module, "append_decisions", stubborn)


@mutation("only what is in the log is flushed")
def flush_before_the_append() -> AbstractContextManager[Any]:
    """Changed aggregates are written while their frame is on its way."""
    append = Owner._append

    async def early(self: Owner, turn: Turn) -> None:
        if not self.flusher.is_busy:
            self.flusher.take(None)
        await append(self, turn)

    return patch.object(Owner, "_append", early)


@mutation("effects start only when their decision is in the log")
def start_effects_before_the_append() -> AbstractContextManager[Any]:
    """They start as soon as they are decided."""
    append = Owner._append

    async def early(self: Owner, turn: Turn) -> None:
        self.effects.start(self.memory.agenda)
        await append(self, turn)

    return patch.object(Owner, "_append", early)


@mutation("callers are answered only when the decision is in the log")
def answer_before_the_append() -> AbstractContextManager[Any]:
    """They are answered as soon as it is decided."""
    append = Owner._append

    async def early(self: Owner, turn: Turn) -> None:
        waiting = self._answer(turn.waiting)
        turn.waiting.clear()
        await append(self, turn)
        self.flusher.note(waiting)

    return patch.object(Owner, "_append", early)


@mutation("a late answer tells nothing that is newer than the log")
def answer_late_from_open_memory() -> AbstractContextManager[Any]:
    """Late answers take the newest state, decided or not."""
    answer_late = Flusher.answer_late

    def open_minded(self: Flusher) -> None:
        self.is_settled = True
        answer_late(self)

    return patch.object(Flusher, "answer_late", open_minded)


@mutation("messages go out only when their decision is in the log")
def send_before_the_append() -> AbstractContextManager[Any]:
    """They go out as soon as they are decided."""
    append = Owner._append

    async def early(self: Owner, turn: Turn) -> None:
        self.outbox.add(self.head.sequence + 1, turn.frame)
        await append(self, turn)

    return patch.object(Owner, "_append", early)


@mutation("a message from another partition raises the mark of its source")
def drop_the_mark() -> AbstractContextManager[Any]:
    """No mark is raised: what is sent again is taken again."""
    return patch.object(Partition, "raise_mark", lambda _self, _sender, _value: None)


@mutation("the redo rebuilds the marks")
def no_marks_on_redo() -> AbstractContextManager[Any]:
    """A new owner knows only the checkpoint's marks."""
    apply = Taker._apply

    def forgetful(self: Taker, partition: Partition, *arguments: Any) -> None:
        marks = dict(partition.marks)
        apply(self, partition, *arguments)
        partition.marks.clear()
        partition.marks.update(marks)

    return patch.object(Taker, "_apply", forgetful)


@mutation("the redo applies an event only if it is the next one")
def skip_the_redo_guard() -> AbstractContextManager[Any]:
    """Every event is applied, whatever the row's version is."""

    def unguarded(self: Cache, event: Any, parsed: Any, kind: Any, at: Any) -> None:
        aggregate = self.change(Key(event.kind, event.tenant, event.key, event.sub_key), kind, at[0])
        aggregate.evolve(parsed, *at)

    return patch.object(Cache, "redo", unguarded)


@mutation("what a redone event names is written again before the first checkpoint")
def trust_rows_on_redo() -> AbstractContextManager[Any]:
    """A row that is ahead of the redo counts as stored."""
    redo = Cache.redo

    def trusting(self: Cache, event: Any, parsed: Any, kind: Any, at: Any) -> None:
        key = Key(event.kind, event.tenant, event.key, event.sub_key)
        known = self.get(key)
        is_stored = known is not None and event.version <= known.version
        redo(self, event, parsed, kind, at)
        if is_stored and known is not None:
            self.flushed([(known, known.version)])

    return patch.object(Cache, "redo", trusting)


@mutation("rows at one replica alone are written again, and the checkpoint waits for them")
def trust_weak_rows() -> AbstractContextManager[Any]:
    """A write at one replica counts as stored."""
    write = StoreLink.write

    async def trusting(self: StoreLink, rows: Sequence[Row]) -> Written:
        await write(self, rows)
        return Written.QUORUM

    return patch.object(StoreLink, "write", trusting)


@mutation("a checkpoint is written when its rows are stored")
def checkpoint_too_early() -> AbstractContextManager[Any]:
    """It is written before them."""
    write = Flusher._write

    async def hasty(self: Flusher, batch: Any) -> None:
        await self._save(batch.checkpoint)
        await write(self, batch)

    return patch.object(Flusher, "_write", hasty)


@mutation("a frame has one checkpoint")
def two_checkpoints_on_a_frame() -> AbstractContextManager[Any]:
    """Each draft is a new one."""
    draft = Owner._draft_checkpoint

    def again(self: Owner) -> log_pb2.Checkpoint | None:
        self._draft = log_pb2.Checkpoint()
        return draft(self)

    return patch.object(Owner, "_draft_checkpoint", again)


def _trim_by(limits: Callable[[Care], Sequence[int]], named: str) -> AbstractContextManager[Any]:
    """Trims by other limits than the kernel's."""

    async def trim(self: Care, state: LogState) -> LogState:
        through = min(limits(self))
        if through >= state.first_sequence:
            await self._around.log.trim(self._owner.id, through)
            return await self._around.log.state(self._owner.id)
        return state

    trim.__name__ = named
    return patch.object(Care, "_trim", trim)


@mutation("the log is trimmed only up to the checkpoint")
def trim_past_the_checkpoint() -> AbstractContextManager[Any]:
    """It is trimmed up to the newest frame."""
    return _trim_by(lambda care: [care._owner.head.sequence - 1], "trim_past_the_checkpoint")


@mutation("the log is trimmed only up to what is decided")
def trim_past_the_decided() -> AbstractContextManager[Any]:
    """It is trimmed up to the checkpoint's frame, decided or not."""

    def limits(care: Care) -> Sequence[int]:
        saved = care._owner.flusher.checkpoint
        return [0] if saved is None else [saved.sequence - 1, *(sent.sequence for sent in saved.sent_through)]

    return _trim_by(limits, "trim_past_the_decided")


@mutation("the log is trimmed only up to what every receiver has acknowledged")
def trim_past_the_sent() -> AbstractContextManager[Any]:
    """It is trimmed up to the checkpoint, sent or not."""

    def limits(care: Care) -> Sequence[int]:
        saved = care._owner.flusher.checkpoint
        return [0] if saved is None else [saved.sequence - 1, saved.decided_sequence - 1]

    return _trim_by(limits, "trim_past_the_sent")


@mutation("the log is trimmed only by a checkpoint that this owner saw acknowledged")
def trim_by_a_checkpoint_read() -> AbstractContextManager[Any]:
    """A checkpoint that was merely read will do."""

    def limits(care: Care) -> Sequence[int]:
        saved = care._owner.flusher.checkpoint or care._owner.checkpoint
        return [saved.sequence - 1, saved.decided_sequence - 1, *(sent.sequence for sent in saved.sent_through)]

    return _trim_by(limits, "trim_by_a_checkpoint_read")


@mutation("an effect has one idempotency key over all its attempts")
def key_effects_by_attempt() -> AbstractContextManager[Any]:
    """Every attempt has a key of its own."""
    begin = Effects.__init__

    def numbered(handler: EffectHandler) -> EffectHandler:
        attempts: Counter[str] = Counter()

        async def execute(request: Message, key: str) -> Message:
            attempts[key] += 1
            return await handler(request, f"{key}:{attempts[key]}")

        return execute

    def anew(self: Effects, *arguments: Any) -> None:
        begin(self, *arguments)
        self._handlers = {name: numbered(handler) for name, handler in self._handlers.items()}

    return patch.object(Effects, "__init__", anew)


@mutation("a due timer or a finished effect counts only while its entry is open")
def do_not_check_the_agenda() -> AbstractContextManager[Any]:
    """It always counts."""
    decide = Turn.decide

    async def careless(self: Turn, work: Any) -> Any:
        if work.closes is not None and work.closes not in self.partition.agenda:
            work.closes = None
        return await decide(self, work)

    return patch.object(Turn, "decide", careless)


@mutation("after a recovery messages are sent again from the checkpoint's cursor")
def do_not_send_again() -> AbstractContextManager[Any]:
    """What was not acknowledged at the crash is forgotten."""
    begin = Outbox.begin

    def forgetful(self: Outbox, receivers: Any, last_sequence: int) -> None:
        begin(self, dict.fromkeys(receivers, last_sequence), last_sequence)

    return patch.object(Outbox, "begin", forgetful)


@mutation("after a recovery the effects on the agenda run")
def do_not_start_again() -> AbstractContextManager[Any]:
    """Open effects are forgotten."""
    start = Effects.start
    running: set[int] = set()

    def forgetful(self: Effects, agenda: Agenda) -> None:
        if id(self) in running:
            start(self, agenda)
        else:
            running.add(id(self))
            agenda.take_effects()

    return patch.object(Effects, "start", forgetful)


@mutation("absence in the cache is absence only where the cache is complete")
def trust_the_cache() -> AbstractContextManager[Any]:
    """What is not in the cache does not exist."""
    return patch.object(Cache, "known_absent", lambda _self, _key, kind, first, now_us: kind.key_is_uuid7 or first)  # noqa: ARG005 # its signature


@mutation("the cache is complete only since the newest aggregate it evicted")
def forget_what_was_evicted() -> AbstractContextManager[Any]:
    """Eviction does not move that time."""
    evict = Cache.evict

    def forgetful(self: Cache) -> None:
        since_us = self.complete_since_us
        evict(self)
        self.complete_since_us = since_us

    return patch.object(Cache, "evict", forgetful)


@mutation("the log clock never lies further behind a new id than the allowed skew")
def no_skew_rule() -> AbstractContextManager[Any]:
    """The clock follows the process's own clock alone."""
    return patch.object(owner_module, "uuid7_time_us", lambda _key: 0)


@mutation("the log clock is strictly increasing, whoever owns")
def follow_the_wall_clock() -> AbstractContextManager[Any]:
    """The clock of a frame is the process's own."""
    next_frame = Owner._next_frame

    def simple(self: Owner, works: Any) -> log_pb2.DecisionFrame:
        frame = next_frame(self, works)
        frame.clock_us = self.around.clock.now_us()
        return frame

    return patch.object(Owner, "_next_frame", simple)


@mutation("what cannot be loaded is parked, not decided as absent")
def decide_without_the_store() -> AbstractContextManager[Any]:
    """When the store is silent, what is not in the cache counts as absent."""
    prefetch = StoreLoader.prefetch

    async def bold(self: StoreLoader, wanted: Any) -> bool:
        await prefetch(self, wanted)
        return True

    return patch.object(StoreLoader, "prefetch", bold)


@mutation("whatever names a key with something parked queues behind it")
def overtake_the_parked() -> AbstractContextManager[Any]:
    """It goes ahead."""
    return patch.object(Partition, "is_blocked", lambda _self, _keys, _entry: False)


@mutation("memory is dropped when a decision fails after something evolved")
def keep_spoilt_memory() -> AbstractContextManager[Any]:
    """The command becomes a dead letter, and memory stays as it is."""
    decide_chain = Turn._decide_chain

    async def careless(self: Turn, recorder: Any) -> None:
        try:
            await decide_chain(self, recorder)
        except ChainFailed as failed:
            recorder.dead_letter(failed.error)

    return patch.object(Turn, "_decide_chain", careless)


@mutation("an event's write time is above the aggregate's last")
def write_time_of_the_wall() -> AbstractContextManager[Any]:
    """The write time is the frame's clock alone: two events of a frame tie."""

    def evolve(self: Aggregate, event: Any, clock_us: int, epoch: int, frame: int, index: int) -> None:
        self.version += 1
        self.epoch, self.frame, self.index = epoch, frame, index
        self.write_time = clock_us
        self._happen(event, Stamp(self.version, clock_us))

    return patch.object(Aggregate, "evolve", evolve)


@mutation("what events leave is stored before the aggregate is")
def store_what_events_left_beside_it() -> AbstractContextManager[Any]:
    """Both go in one write, of which a part may be done."""
    take = Flusher._take

    def beside(self: Flusher, *arguments: Any) -> None:
        take(self, *arguments)
        assert self._under_way is not None
        self._under_way.behind.extend(self._under_way.left)
        self._under_way.left.clear()

    return patch.object(Flusher, "_take", beside)


@mutation("parked commands survive a recovery")
def forget_the_parked() -> AbstractContextManager[Any]:
    """The agenda is restored without them."""
    restore = Agenda.restore

    def forgetful(self: Agenda, entries: Any) -> None:
        kept = [data for data in entries if log_pb2.AgendaEntry.FromString(data).WhichOneof("entry") != "parked"]
        restore(self, kept)

    return patch.object(Agenda, "restore", forgetful)


@mutation("aggregates are evicted only between frames")
def evict_inside_a_frame() -> AbstractContextManager[Any]:
    """They are evicted whenever something is loaded, whatever the turn has loaded before."""
    load = StoreLoader._load

    async def hasty(self: StoreLoader, kind_name: str, keys: Sequence[Key]) -> None:
        await load(self, kind_name, keys)
        self._cache.evict()

    return patch.object(StoreLoader, "_load", hasty)


@mutation("a row seen during the redo may be one replica's alone, and does not count as stored")
def answer_stored_from_the_redo() -> AbstractContextManager[Any]:
    """What the redo loads counts as flushed."""
    load = Taker._load

    async def trusting(self: Taker, partition: Partition, frames: Any) -> None:
        await load(self, partition, frames)
        for aggregate in partition.cache.dirty.values():
            aggregate.flushed_version = max(aggregate.flushed_version, aggregate.version)

    return patch.object(Taker, "_load", trusting)


@contextmanager
def _both(first: object, second: object, name: str, new: object) -> Iterator[None]:
    """Replaces a name that was imported into another module too."""
    with patch.object(first, name, new), patch.object(second, name, new):
        yield
