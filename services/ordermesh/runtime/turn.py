"""One frame in the making: decides commands one after another and writes down what was decided.

Deciding is sequential and touches only memory; the one thing it may wait for is the store, for an aggregate that a
message to the own partition names and the cache lacks. What is evolved here has not happened until the owner has the
frame in the log: if it never gets there, the owner drops its memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Context, Key, Outgoing, State
from ordermesh.runtime.agenda import EntryId, entry_id, write_id
from ordermesh.runtime.cache import Contradiction, uuid7_time_us
from ordermesh.runtime.memory import Partition, Waiting, Work, mark_of
from ordermesh.runtime.options import CHAIN_LENGTH_MAX, CLOCK_SKEW_ALLOWED_US
from ordermesh.runtime.recorder import Recorder


class ChainFailed(Exception):
    """A decision raised after something was evolved: memory is spoilt, and this command is a dead letter."""

    def __init__(self, work: Work, error: str) -> None:
        super().__init__(error)
        self.work = work
        self.error = error


class Loader(Protocol):
    """Brings aggregates into the cache."""

    async def ensure(self, keys: Sequence[Key], *, first: bool) -> bool:
        """True: each of them is in the cache or known not to exist. False: the store is silent about one."""


class Turn:
    """Decides commands for one decision frame."""

    def __init__(self, partition: Partition, frame: log_pb2.DecisionFrame, loader: Loader) -> None:
        self.partition = partition
        self.frame = frame
        self.loader = loader
        self.waiting: list[Waiting] = []
        self.bytes_used = 0

    def prepare(self, work: Work) -> None:
        """Reads a command and names its aggregates, so that a whole batch is loaded at once."""
        envelope = work.envelope
        if work.error:
            return
        if work.context is not None:  # it was put back by an earlier turn
            work.context = work.context._replace(now_us=self.frame.clock_us)
            return
        try:
            work.bound = self.partition.registry.handlers[envelope.type]
            work.command = work.bound.parse.FromString(envelope.payload)
            work.context = Context(
                self.frame.clock_us, envelope.tenant, envelope.key, envelope.actor, envelope.first,
                self.partition.topology.slot,
            )  # fmt: skip
            work.keys = work.bound.handler.keys(work.command, work.context)
            if not work.bound.is_query and self._leads_the_clock(envelope):
                work.error = "its id lies further ahead of the log clock than clocks may differ; are they synchronised?"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - an unreadable command is a dead letter, whatever is wrong with it
            work.error = describe(error)

    def _leads_the_clock(self, envelope: log_pb2.Envelope) -> bool:
        """Whether a new aggregate of this key could later be taken for absent: its id must not lead the log clock."""
        if envelope.service not in self.partition.registry.uuid7_services:
            return False
        return uuid7_time_us(envelope.key) - CLOCK_SKEW_ALLOWED_US > self.frame.clock_us

    async def decide(self, work: Work) -> log_pb2.Decision | None:
        """Decides one command and all it leads to here. None: it was taken before, or counts no more."""
        envelope = work.envelope
        has_source = envelope.HasField("source")
        if has_source and work.unparks is None:
            sender, value = mark_of(envelope.source)
            if value <= self.partition.marks.get(sender, (0, 0, 0, -1)):
                return None
        if envelope.HasField("agenda_id") and entry_id(envelope.agenda_id) not in self.partition.agenda:
            return self._close_parked(work)
        recorder = Recorder(self.partition, self.frame, work)
        error = work.error or self.partition.poison.get(work.place)
        if error:
            recorder.dead_letter(error)
        else:
            await self._decide_chain(recorder)
        return self._record(recorder)

    def _close_parked(self, work: Work) -> log_pb2.Decision | None:
        """A parked timer or result whose entry was closed meanwhile: nothing but its own entry is left to close."""
        if work.unparks is None:
            return None
        decision = self.frame.decisions.add()
        write_id(decision.unparked, work.unparks)
        self.partition.unpark(work.unparks)
        self.partition.agenda.apply(decision)
        return decision

    def _record(self, recorder: Recorder) -> log_pb2.Decision | None:
        """Puts the decision into the frame, raises the mark and turns the agenda's page."""
        decision, work = recorder.decision, recorder.work
        if recorder.dropped:
            del self.frame.decisions[-1]
            if work.unparks is None and work.envelope.correlation:
                self.waiting.append(recorder.not_yet_known())
            return None
        if work.envelope.HasField("source") and work.unparks is None:
            decision.source.CopyFrom(work.envelope.source)
            self.partition.raise_mark(decision.source)
        if work.envelope.HasField("agenda_id") and not recorder.parked_whole:
            write_id(decision.closed.add(), entry_id(work.envelope.agenda_id))
        if work.unparks is not None:
            write_id(decision.unparked, work.unparks)
            self.partition.unpark(work.unparks)
        if work.envelope.correlation and not recorder.parked_whole:
            self.waiting.append(recorder.waiting())
        self.bytes_used += recorder.bytes_used
        self.partition.agenda.apply(decision)
        return decision

    async def _decide_chain(self, recorder: Recorder) -> None:
        """Decides the command, then the messages to the own partition that it led to, in order."""
        work = recorder.work
        assert work.bound is not None
        assert work.context is not None
        try:
            states = await self._states(work.keys, work.context, work.unparks)
            if states is None:
                recorder.park_whole(is_query=work.bound.is_query)
                return
            recorder.answer_key = work.keys[0] if work.keys else None
            recorder.take(work.bound, work.command, states, work.context)
            length = 0
            while recorder.chain:
                length += 1
                if length > CHAIN_LENGTH_MAX:
                    raise RecursionError(
                        f"one command led to more than {CHAIN_LENGTH_MAX} messages to its own partition"
                    )
                await self._decide_chained(recorder, recorder.chain.popleft())
        except (MemoryError, Contradiction):
            raise
        except Exception as error:  # whatever a decider raises is a dead letter, not a stopped partition
            if recorder.evolved:
                raise ChainFailed(work, describe(error)) from error
            recorder.dead_letter(describe(error))

    async def _decide_chained(self, recorder: Recorder, out: Outgoing) -> None:
        bound = self.partition.registry.handlers[out.message.DESCRIPTOR.full_name]
        slot = self.partition.topology.slot
        context = Context(self.frame.clock_us, out.tenant, out.key, "", out.first, slot)
        keys = bound.handler.keys(out.message, context)
        states = await self._states(keys, context, recorder.work.unparks)
        if states is None:
            recorder.park_chained(out, keys)
        else:
            recorder.take(bound, out.message, states, context)

    async def _states(
        self, keys: Sequence[Key], context: Context, unparks: EntryId | None
    ) -> Mapping[Key, State] | None:
        """The states of the keys, loaded if need be. None: something is parked for one, or the store is silent."""
        if self.partition.is_blocked(keys, unparks):
            return None
        get = self.partition.cache.get
        states: dict[Key, State] = {}
        missing = False
        for key in keys:
            found = get(key)
            if found is None:
                missing = True
            else:
                states[key] = found.state
        if not missing:
            return states
        if not await self.loader.ensure(keys, first=context.first):
            return None
        return {key: found.state for key in keys if (found := get(key)) is not None}


def describe(error: BaseException) -> str:
    """An error in one line, for a dead letter."""
    return f"{type(error).__name__}: {error}"[:2_000]
