"""What an owner does by the clock: timers that fall due, parked commands, late answers, trimming, telling how it is."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from oms.log.v1 import log_pb2
from ordermesh.runtime import subjects
from ordermesh.runtime.agenda import write_id
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.owner import Owner
from ordermesh.runtime.ports import LogState, LogUnavailable

EXTENTS_MAX = 1_000
"""Remembered points of a log's growth: they tell what is older than the retention."""

BEHIND_SHARE = 0.5
"""Of `dirty_count_max`: more that is not in the store means that the store is not kept up with. An owner that lets it
come to the whole has to stop deciding, for as long as the store takes for all of it."""

_log = logging.getLogger(__name__)


class Care:
    """Looks after one owner, tick by tick."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._around = owner.around
        self._options: OwnerOptions = owner.options
        self._status_at = 0.0
        self.relay_through = 0
        self._extents: deque[tuple[float, int]] = deque()
        self.status = log_pb2.PartitionStatus(group=owner.id.group, partition=owner.id.number, intake_open=True)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._fire_timers()
            self._unpark()
            self._owner.flusher.answer_late()
            if self._owner.is_checkpoint_behind():
                self._owner.flusher.note(())
                self._owner.wake()
            now = self._around.clock.monotonic()
            if now - self._status_at >= self._options.status_interval_s:
                self._status_at = now
                await self._tell()
            await asyncio.sleep(self._options.tick_s)

    def _fire_timers(self) -> None:
        """A due timer becomes a command of the own log; it counts only if it is still open when that is decided. The
        agenda is looked at between frames: what a frame opens has not happened before it is logged."""
        if not self._owner.flusher.is_settled:
            return
        now_us = max(self._around.clock.now_us(), self._owner.head.frame.clock_us)
        for entry, timer in self._owner.memory.agenda.due(now_us):
            envelope = log_pb2.Envelope()
            envelope.CopyFrom(timer.envelope)
            write_id(envelope.agenda_id, entry)
            self._around.appenders.messages(self._owner.id).put(envelope)

    def _unpark(self) -> None:
        if self._owner.memory.agenda.parked and not self._owner.loader.is_silent:
            self._owner.unpark_wanted = True
            self._owner.wake()

    async def _tell(self) -> None:
        """Reads the log's extent, trims, and publishes the partition's status."""
        owner, status = self._owner, self.status
        try:
            state = await self._around.log.state(owner.id)
            state = await self._trim(state)
            self._decide_intake(state)
            owner.is_tight = state.bytes_used > self._options.tight_share * state.bytes_max
        except LogUnavailable:
            _log.warning("%s: the log does not answer", owner.id)
        frame, saved = owner.head.frame, owner.flusher.checkpoint or owner.checkpoint
        status.instance, status.epoch = self._around.instance, frame.epoch
        status.last_sequence = max(owner.inbox.last_sequence, owner.head.sequence)
        status.decided_through = frame.decided_sequence
        status.lag = len(owner.inbox)
        status.lag_ms = int(owner.inbox.lag_s() * 1000)
        status.checkpoint_sequence = saved.sequence
        status.agenda = len(owner.memory.agenda)
        self._around.bus.publish(subjects.STATUS, status.SerializeToString())

    async def _trim(self, state: LogState) -> LogState:
        """Removes what nobody needs and is past its retention, which gives way once the log gets full; only by a
        checkpoint that this owner saved."""
        saved = self._owner.flusher.checkpoint
        old_through = self._old_through(state.last_sequence)
        if saved is None:
            return state
        decided = saved.decided_sequence - (1 if saved.decided_index >= 0 else 0)
        limits = [decided, saved.sequence - 1, *(sent.sequence for sent in saved.sent_through)]
        if self._options.relay_required:
            limits.append(self.relay_through)
        is_short_of_room = state.bytes_used >= self._options.trim_share * state.bytes_max
        if not is_short_of_room:
            limits.append(old_through)
        through = min(limits)
        if is_short_of_room and through < saved.sequence - 1 and self._owner.wants_empty_frame():
            self._owner.is_empty_frame_wanted = True
            self._owner.wake()
        if through < state.first_sequence:
            return state
        await self._around.log.trim(self._owner.id, through)
        return await self._around.log.state(self._owner.id)

    def _old_through(self, last_sequence: int) -> int:
        """The sequence up to which the log is older than the retention, as far as this owner has seen it grow."""
        now = self._around.clock.monotonic()
        step_s = max(self._options.status_interval_s, self._options.retention_s / EXTENTS_MAX)
        if not self._extents or now - self._extents[-1][0] >= step_s:
            self._extents.append((now, last_sequence))
        too_old = now - self._options.retention_s
        while len(self._extents) > 1 and self._extents[1][0] < too_old:
            self._extents.popleft()
        seen_at, sequence = self._extents[0]
        return sequence if seen_at < too_old else 0

    def _decide_intake(self, state: LogState) -> None:
        """Whether clients' commands are taken: there must be room for what they will lead to, and no long queue."""
        owner, status = self._owner, self.status
        extent = max(1, state.last_sequence - state.first_sequence + 1)
        behind = max(0, state.last_sequence - max(owner.head.frame.decided_sequence, owner.head.sequence))
        undecided = state.bytes_used * behind / extent * owner.growth()
        can_decide = not (owner.flusher.is_failing or owner.loader.is_silent)
        status.retry_after_ms = 1_000
        if state.bytes_used + undecided > self._options.intake_share * state.bytes_max:
            status.intake_open, status.intake_reason = False, "the partition's log is nearly full"
        elif can_decide and owner.inbox.lag_s() > self._options.lag_target_s:
            status.intake_open, status.intake_reason = False, "the partition has more to decide than it can in time"
        elif can_decide and len(owner.cache.dirty) > BEHIND_SHARE * self._options.dirty_count_max:
            status.intake_open, status.intake_reason = False, "the partition has more to store than it can in time"
        else:
            status.intake_open, status.intake_reason = True, ""
