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
from ordermesh.core.ids import is_order_id
from ordermesh.runtime.agenda import EntryId, entry_id, write_id
from ordermesh.runtime.cache import Contradiction, uuid7_time_us
from ordermesh.runtime.memory import Partition, Waiting, Work, mark_of
from ordermesh.runtime.options import CHAIN_LENGTH_MAX, CLOCK_SKEW_ALLOWED_US
from ordermesh.runtime.recorder import Recorder
from ordermesh.runtime.registry import Bound
from ordermesh.runtime.topology import KERNEL


class ChainFailed(Exception):
    """A decision raised after something was evolved: memory is spoilt, and this command is a dead letter."""

    def __init__(self, work: Work, error: str) -> None:
        super().__init__(error)
        self.work = work
        self.error = error


_NO_MARK = (0, 0, 0, -1)
"""Below the mark of every message."""


class Loader(Protocol):
    """Brings aggregates into the cache."""

    def is_absent(self, key: Key, *, first: bool) -> bool:
        """Whether a key that is not in the cache is known not to exist."""

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
            if envelope.HasField("source"):
                work.mark = mark_of(envelope.source)
            if envelope.HasField("agenda_id"):
                work.closes = entry_id(envelope.agenda_id)
            work.bound = self.partition.registry.handlers[envelope.type]
            work.command = work.bound.parse.FromString(envelope.payload)
            context = Context(
                self.frame.clock_us, envelope.tenant, envelope.key, envelope.actor, envelope.first,
                self.partition.topology.slot, self.partition.is_doubtful(envelope.key),
            )  # fmt: skip
            keys = work.bound.handler.keys(work.command, context)
            for key in keys:
                self.partition.registry.kinds[key.kind]  # a query may name one that only a newer build knows
            work.keys, work.context = keys, context
            work.error = self._misplaced(envelope, work.bound) or self._scattered(work.bound, keys)
            if not work.bound.is_query and self._leads_the_clock(envelope):
                work.error = "its id lies further ahead of the log clock than clocks may differ; are they synchronised?"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - an unreadable command is a dead letter, whatever is wrong with it
            work.error = describe(error)

    def _misplaced(self, envelope: log_pb2.Envelope, bound: Bound) -> str:
        """Why a command cannot be for this partition: no edge and no owner sends it here, but a log takes anything.

        Decided nevertheless it would make an aggregate that no reader finds, or whose rows cannot be written."""
        if bound.service == KERNEL:
            return ""
        if envelope.service != bound.service:
            return f"it is a command of service {bound.service}, and is sent to another"
        if self.partition.topology.partition_of(bound.service, envelope.tenant, envelope.key) != self.partition.id:
            return "its key does not live in this partition"
        if bound.service in self.partition.registry.uuid7_services and not is_order_id(envelope.key):
            return "its key is no UUIDv7"
        return ""

    def _scattered(self, bound: Bound, keys: Sequence[Key]) -> str:
        """Why a command of several keys cannot be for this partition: it was made when all of them lived in one, became
        a dead letter, and is replayed after a repartition."""
        topology = self.partition.topology
        if not topology.is_repartitioned or bound.service == KERNEL or bound.is_query:
            return ""
        if all(topology.partition_of(bound.service, key.tenant, key.key) == self.partition.id for key in keys):
            return ""
        return "its keys have not lived in one partition since the deployment was repartitioned; who sent it asks again"

    def _leads_the_clock(self, envelope: log_pb2.Envelope) -> bool:
        """Whether a new aggregate of this key could later be taken for absent: its id must not lead the log clock."""
        if envelope.service not in self.partition.registry.uuid7_services:
            return False
        return uuid7_time_us(envelope.key) - CLOCK_SKEW_ALLOWED_US > self.frame.clock_us

    async def decide(self, work: Work) -> log_pb2.Decision | None:
        """Decides one command and all it leads to here. None: it was taken before, or counts no more."""
        if work.mark is not None and work.unparks is None:
            sender, value = work.mark
            if value <= self.partition.marks.get(sender, _NO_MARK):
                return None
        if work.closes is not None and work.closes not in self.partition.agenda:
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
        if work.mark is not None and work.unparks is None:
            decision.source.CopyFrom(work.envelope.source)
            self.partition.raise_mark(*work.mark)
        if work.closes is not None and not recorder.parked_whole:
            decision.closed.append(work.envelope.agenda_id)
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
            states = self._remembered(work.keys, work.context, work.unparks)
            if states is None:
                states = await self._loaded(work.keys, work.context, work.unparks)
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
        is_doubtful = self.partition.is_doubtful(out.key)
        context = Context(self.frame.clock_us, out.tenant, out.key, "", out.first, slot, is_doubtful)
        keys = bound.handler.keys(out.message, context)
        states = self._remembered(keys, context, recorder.work.unparks)
        if states is None:
            states = await self._loaded(keys, context, recorder.work.unparks)
        if states is None:
            recorder.park_chained(out, keys)
        else:
            recorder.take(bound, out.message, states, context)

    def _remembered(self, keys: Sequence[Key], context: Context, unparks: EntryId | None) -> Mapping[Key, State] | None:
        """The states of the keys without a look into the store, as nearly always. None: it takes more than that."""
        if self.partition.is_blocked(keys, unparks):
            return None
        get = self.partition.cache.get
        states: dict[Key, State] = {}
        for key in keys:
            found = get(key)
            if found is not None:
                states[key] = found.state
            elif not self.loader.is_absent(key, first=context.first):
                return None
        return states

    async def _loaded(
        self, keys: Sequence[Key], context: Context, unparks: EntryId | None
    ) -> Mapping[Key, State] | None:
        """The states of the keys, loaded. None: something is parked for one, or the store is silent."""
        if self.partition.is_blocked(keys, unparks) or not await self.loader.ensure(keys, first=context.first):
            return None
        get = self.partition.cache.get
        return {key: found.state for key in keys if (found := get(key)) is not None}


def describe(error: BaseException) -> str:
    """An error in one line, for a dead letter."""
    return f"{type(error).__name__}: {error}"[:2_000]
