"""The decision of one command, being written down: events happen to their aggregates here, messages get their source,
agenda entries their ids.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Context, Decision, Key, Outgoing, State
from ordermesh.core.limits import TEXT_CHARACTERS_MAX
from ordermesh.runtime.agenda import EntryId, entry_id, timer_name, write_id
from ordermesh.runtime.kernel_service import DEAD_LETTER
from ordermesh.runtime.memory import Partition, Waiting, Work
from ordermesh.runtime.registry import Bound

DEAD_LETTER_BYTES_MAX = 1024 * 1024
"""Size of a command that is kept whole as a dead letter: twice what an edge takes. It stands in its decision twice, and
the decision has to fit into a message of the log, or the partition could never get past it."""


class Recorder:
    """The decision of one command, being written down."""

    def __init__(self, partition: Partition, frame: log_pb2.DecisionFrame, work: Work) -> None:
        self.partition = partition
        self.frame = frame
        self.work = work
        self.bytes_used = 0
        self.position = (frame.epoch, frame.number, len(frame.decisions))
        self.decision = frame.decisions.add(command_sequence=work.sequence, command_index=work.index)
        if work.envelope.traceparent:
            self.decision.traceparent = work.envelope.traceparent
        self.chain: deque[Outgoing] = deque()
        self.evolved = False
        self._has_taken = False
        self.parked_whole = False
        self.dropped = False
        self.answer_key: Key | None = None

    def take(self, bound: Bound, command: Any, states: Mapping[Key, State], context: Context) -> None:
        """Decides on the states and evolves them."""
        decided = bound.handler.decide(states, command, context)
        if decided.refusal is not None:
            self._refuse(decided)
            return
        self._has_taken = True
        for key, event in decided.events:
            self.evolve(key, event)
        for timer in decided.timers:
            self._timer(timer.owner, timer.name, timer.service, timer.due_us, timer.message)
        for effect in decided.effects:
            entry = self._open().effect
            entry.service, entry.tenant, entry.key = effect.service, effect.tenant, effect.key
            entry.type = effect.request.DESCRIPTOR.full_name
            entry.payload = effect.request.SerializeToString()
            self.bytes_used += len(entry.payload)
            entry.open_us = context.now_us
        for out in decided.messages:
            self._send(out._replace(first=False) if context.is_doubtful else out)

    def _refuse(self, decided: Decision) -> None:
        """Only the command itself can be refused; a message of its chain that is, is left without effect."""
        assert decided.refusal is not None
        if not self._has_taken:
            refusal = self.decision.refusal
            refusal.reason, refusal.message = decided.refusal.reason, decided.refusal.message
            refusal.metadata.update(decided.refusal.metadata)

    def evolve(self, key: Key, event: Message) -> None:
        """Makes an event happen to its aggregate and writes it down."""
        partition, frame = self.partition, self.frame
        self.evolved = True
        aggregate = partition.cache.change(key, partition.registry.kinds[key.kind], frame.clock_us)
        aggregate.evolve(event, frame.clock_us, *self.position)
        payload = event.SerializeToString()  # once and for all: only states have to come out the same twice
        self.bytes_used += len(payload) + 120
        written = self.decision.events.add()  # filled field by field: a fifth faster than by arguments
        written.kind, written.tenant, written.key, written.sub_key = key
        written.version = aggregate.version
        written.type = event.DESCRIPTOR.full_name
        written.payload = payload

    def _fill(self, envelope: log_pb2.Envelope, out: Outgoing) -> None:
        """Writes a message into an envelope; its source is left empty."""
        envelope.service, envelope.tenant, envelope.key = out.service, out.tenant, out.key
        envelope.type, envelope.payload = out.message.DESCRIPTOR.full_name, out.message.SerializeToString()
        if out.first:
            envelope.first = True
        if self.decision.traceparent:
            envelope.traceparent = self.decision.traceparent

    def _send(self, out: Outgoing) -> None:
        """To the own partition: decided next, in this frame. To another: written down, and sent once this is logged."""
        partition = self.partition
        target = partition.topology.partition_of(out.service, out.tenant, out.key)
        if target == partition.id and not out.by_log:
            self.chain.append(out)
            return
        message = self.decision.messages.add(group=target.group, partition=target.number)
        self._fill(message.envelope, out)
        source = message.envelope.source
        source.group, source.partition = partition.id
        source.position.epoch, source.position.frame, source.position.index = self.position
        source.n = len(self.decision.messages) - 1
        self.bytes_used += len(message.envelope.payload) + 120

    def _open(self) -> log_pb2.AgendaEntry:
        entry = self.decision.opened.add()
        write_id(entry.id, EntryId(*self.position, len(self.decision.opened) - 1))
        self.bytes_used += 100
        return entry

    def _timer(self, owner: Key, name: str, service: str, due_us: int, message: Message | None) -> None:
        full_name = timer_name(owner, name)
        self._replace(full_name)
        if message is None:
            return
        timer = self._open().timer
        timer.due_us, timer.owner = due_us, full_name
        envelope = timer.envelope
        envelope.service, envelope.tenant, envelope.key = service, owner.tenant, owner.key
        envelope.type, envelope.payload = message.DESCRIPTOR.full_name, message.SerializeToString()

    def _replace(self, full_name: str) -> None:
        """Closes the timer of that name, whether it was opened before or by this very decision."""
        for number, entry in enumerate(self.decision.opened):
            if entry.WhichOneof("entry") == "timer" and entry.timer.owner == full_name:
                # Ids count the entries, so the place stays: an entry that is already due for nobody.
                entry.Clear()
                write_id(entry.id, EntryId(*self.position, number))
        current = self.partition.agenda.timers.get(full_name)
        if current is not None:
            write_id(self.decision.closed.add(), current)

    def park_whole(self, *, is_query: bool) -> None:
        """The command waits on the agenda until its states can be had; a query is told to ask again."""
        self.parked_whole = True
        if is_query or self.work.unparks is not None:
            self.dropped = True
            return
        entry = self._open()
        entry.parked.envelope.CopyFrom(self.work.envelope)
        entry.parked.reply_to = self.work.reply_to
        self.bytes_used += entry.ByteSize()
        self.partition.park(entry_id(entry.id), self.work.keys)

    def park_chained(self, out: Outgoing, keys: Sequence[Key]) -> None:
        """A message of the chain waits alone; what came before it stands."""
        entry = self._open()
        self._fill(entry.parked.envelope, out)
        self.bytes_used += entry.ByteSize()
        self.partition.park(entry_id(entry.id), keys)

    def dead_letter(self, error: str) -> None:
        """Nothing happened but this: the command is kept with its error."""
        envelope = _kept(self.work.envelope)
        for opened in self.decision.opened:
            if opened.HasField("parked"):
                self.partition.unpark(entry_id(opened.id))
        for part in ("events", "messages", "opened", "closed", "refusal"):
            self.decision.ClearField(part)
        self.chain.clear()
        self.decision.dead_letter.envelope.CopyFrom(envelope)
        self.decision.dead_letter.error = error
        self.bytes_used += envelope.ByteSize()
        name = ".".join(str(part) for part in self.position)
        state = log_pb2.DeadLetterState(
            dead_letter_id=name, dead_letter=self.decision.dead_letter, create_us=self.frame.clock_us
        )
        key = Key(DEAD_LETTER, "", str(self.partition.id), name)
        self.evolve(key, log_pb2.DeadLettered(state=state))

    def not_yet_known(self) -> Waiting:
        """The answer to a query whose aggregate cannot be loaded, or is named by something parked."""
        refusal = log_pb2.Refusal(
            reason="STATE_NOT_YET_KNOWN", message="The store does not answer, or answers not yet for this; ask again."
        )
        return Waiting(self.work.reply_to, self.work.envelope.correlation, log_pb2.DURABILITY_LOGGED, None, refusal)

    def waiting(self) -> Waiting:
        """Whom to answer, and with what."""
        envelope, decision = self.work.envelope, self.decision
        refusal = decision.refusal if decision.HasField("refusal") else None
        return Waiting(
            self.work.reply_to, envelope.correlation, envelope.durability, self.answer_key, refusal,
            decision.HasField("dead_letter"),
            None if self.answer_key is None else self.partition.cache.get(self.answer_key),
        )  # fmt: skip


def _kept(envelope: log_pb2.Envelope) -> log_pb2.Envelope:
    """The command as it is kept; one that is too large is cut, and its type says so: it cannot be replayed then."""
    if envelope.ByteSize() <= DEAD_LETTER_BYTES_MAX:
        return envelope
    service, tenant, key, type_name = (
        text[:TEXT_CHARACTERS_MAX] for text in (envelope.service, envelope.tenant, envelope.key, envelope.type)
    )
    payload = envelope.payload[: DEAD_LETTER_BYTES_MAX // 2]
    return log_pb2.Envelope(service=service, tenant=tenant, key=key, type=f"{type_name} (cut)", payload=payload)
