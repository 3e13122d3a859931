"""What is true: every log folded from its start, as it grows, and checked frame by frame.

The truth never forgets: it keeps what the logs have trimmed. It is the yardstick for everything else: rows,
checkpoints, answers, effects, the owners' memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from ordermesh.core import errors
from ordermesh.core.decider import AggregateType, Context, Key, Row, Stamp
from ordermesh.runtime.agenda import EntryId, entry_id
from ordermesh.runtime.cache import uuid7_time_us
from ordermesh.runtime.options import CLOCK_SKEW_ALLOWED_US
from ordermesh.runtime.ports import PartitionId, Stored
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology
from ordermesh.testing.simulation.findings import Findings
from ordermesh.testing.simulation.probe import PROBE
from ordermesh.testing.simulation.telling import told

QUERY = log_pb2.Query.DESCRIPTOR.full_name
"""The one command that may be dropped without a decision: its caller asks again."""

SourceName = tuple[str, int, int, int, int, int]
"""A message between partitions: group, partition, epoch, frame, index, n."""


def source_name(source: log_pb2.Source) -> SourceName:
    """A source as a value; names of one sender are ordered as it sent them."""
    position = source.position
    return (source.group, source.partition, position.epoch, position.frame, position.index, source.n)


class Moment(NamedTuple):
    """An aggregate at one version: after the decision of that number in that frame."""

    epoch: int
    frame: int
    number: int
    write_time: int
    state: bytes


class TrueAggregate:
    """An aggregate with all its versions."""

    def __init__(self, key: Key, kind: AggregateType) -> None:
        self.key = key
        self.kind = kind
        self.state: Any = kind.state()
        self.moments: list[Moment] = []
        self.frames: list[int] = []
        self.left: list[Row] = []
        """What its events left for good."""

    @property
    def version(self) -> int:
        """The newest version."""
        return len(self.moments)

    def evolve(self, event: Any, clock_us: int, position: tuple[int, int, int]) -> None:
        """Applies the next event."""
        before = self.moments[-1].write_time if self.moments else 0
        stamp, write_time = Stamp(self.version + 1, clock_us), max(before + 1, clock_us)
        self.kind.evolve(self.state, event, stamp)
        if self.kind.event_rows is not None:
            self.left += self.kind.event_rows(self.key, event, self.state, stamp, write_time)
        state = self.state.SerializeToString(deterministic=True)
        self.moments.append(Moment(*position, write_time, state))
        self.frames.append(position[1])

    def at(self, version: int) -> Moment | None:
        """The aggregate at a version that it had."""
        return self.moments[version - 1] if 0 < version <= len(self.moments) else None

    def version_at(self, position: tuple[int, int, int]) -> int:
        """Its version after that decision."""
        return bisect_right(self.moments, position, key=lambda moment: moment[:3])

    def version_at_frame(self, number: int) -> int:
        """Its version after that frame of the chain."""
        return bisect_right(self.frames, number)


class Decided(NamedTuple):
    """Where a command was decided, the decision, and the aggregate that answers it."""

    position: tuple[int, int, int]
    decision: log_pb2.Decision
    answer_key: Key | None


class Books:
    """Agenda and marks of a partition, by decisions alone."""

    def __init__(self) -> None:
        self.agenda: dict[EntryId, log_pb2.AgendaEntry] = {}
        self.marks: dict[tuple[str, int], SourceName] = {}

    def apply(self, decision: log_pb2.Decision) -> Iterable[EntryId]:
        """Turns the page; returns what was closed without being open."""
        closed = dict.fromkeys(map(entry_id, decision.closed))
        wrong = [entry for entry in closed if self.agenda.pop(entry, None) is None]
        if decision.HasField("unparked") and self.agenda.pop(entry_id(decision.unparked), None) is None:
            wrong.append(entry_id(decision.unparked))
        for entry in decision.opened:
            if entry.WhichOneof("entry") is not None:
                self.agenda[entry_id(entry.id)] = entry
        if decision.HasField("source"):
            self.marks[decision.source.group, decision.source.partition] = source_name(decision.source)
        return wrong


class TruePartition:
    """One partition's log from its start."""

    def __init__(self, partition: PartitionId) -> None:
        self.id = partition
        self.commands: dict[int, log_pb2.CommandFrame | None] = {}
        self.command_sequences: list[int] = []
        self.decided_count = 0
        self.frames: list[log_pb2.DecisionFrame] = []
        self.sequences: list[int] = []
        self.decided = (0, -1)
        self.books = Books()
        self.effects: dict[EntryId, log_pb2.Effect] = {}
        self.sent: dict[PartitionId, list[tuple[int, SourceName]]] = {}
        self.arrived: set[SourceName] = set()
        self.taken: set[SourceName] = set()
        self.last_decision = (0, -1)
        self.parked: dict[EntryId, frozenset[Key]] = {}

    @property
    def newest(self) -> log_pb2.DecisionFrame | None:
        """The last frame of the chain."""
        return self.frames[-1] if self.frames else None

    def envelope(self, sequence: int, index: int) -> log_pb2.Envelope | None:
        """A command by its place; None where the frame cannot be read."""
        frame = self.commands.get(sequence)
        return frame.envelopes[index] if frame is not None and index < len(frame.envelopes) else None


def _parks(decision: log_pb2.Decision, envelope: log_pb2.Envelope) -> bool:
    """Whether the decision puts the command off until its aggregates can be loaded."""
    parked = [entry.parked.envelope for entry in decision.opened if entry.WhichOneof("entry") == "parked"]
    return any((one.type, one.payload, one.correlation) == (envelope.type, envelope.payload, envelope.correlation)
               for one in parked)  # fmt: skip


class Truth:
    """All partitions."""

    def __init__(self, topology: Topology, registry: Registry, findings: Findings) -> None:
        self.topology = topology
        self.partitions = {partition: TruePartition(partition) for partition in topology.partitions()}
        self.aggregates: dict[Key, TrueAggregate] = {}
        self.changed: dict[PartitionId, dict[Key, TrueAggregate]] = {partition: {} for partition in self.partitions}
        self.decided: dict[tuple[str, int], list[Decided]] = {}
        self.reply_subjects: set[str] = set()
        self.messages: dict[SourceName, log_pb2.Envelope] = {}
        self.dead_letters: dict[Key, PartitionId] = {}
        self.registry = registry
        self.findings = findings
        self.after_decision: list[Any] = []
        self._with_etag = {
            name
            for name, bound in registry.handlers.items()
            if "etag" in bound.handler.command.DESCRIPTOR.fields_by_name
        }

    def appended(self, partition: PartitionId, stored: Stored) -> None:
        """A message is in the log."""
        true = self.partitions[partition]
        if stored.kind == "decisions":
            self._decision_frame(true, stored)
        else:
            self._command_frame(true, stored)

    def _command_frame(self, true: TruePartition, stored: Stored) -> None:
        true.command_sequences.append(stored.sequence)
        try:
            frame = log_pb2.CommandFrame.FromString(stored.data)
        except DecodeError:
            true.commands[stored.sequence] = None
            return
        true.commands[stored.sequence] = frame
        if frame.reply_to:
            self.reply_subjects.add(frame.reply_to)
        for envelope in frame.envelopes:
            if envelope.HasField("source"):
                self._message_arrived(true, envelope)

    def _message_arrived(self, true: TruePartition, envelope: log_pb2.Envelope) -> None:
        name = source_name(envelope.source)
        sent = self.messages.get(name)
        self.findings.require(sent == envelope, "I6", "{} got a message {} that nobody decided to send", true.id, name)
        true.arrived.add(name)

    def _decision_frame(self, true: TruePartition, stored: Stored) -> None:
        frame = log_pb2.DecisionFrame.FromString(stored.data)
        if not self._follows(true, frame):
            return
        true.frames.append(frame)
        true.sequences.append(stored.sequence)
        for index, decision in enumerate(frame.decisions):
            self._decision(true, frame, index, decision)
        self._decided_through(true, (frame.decided_sequence, frame.decided_index))

    def _follows(self, true: TruePartition, frame: log_pb2.DecisionFrame) -> bool:
        """Whether the frame is the next one of the chain."""
        before = true.newest or log_pb2.DecisionFrame()
        require = self.findings.require
        good = require(
            frame.previous_id == before.id and frame.number == before.number + 1,
            "I6", "the decisions of {} fork: frame {} of epoch {} does not follow frame {} of epoch {}",
            true.id, frame.number, frame.epoch, before.number, before.epoch,
        )  # fmt: skip
        if frame.HasField("taken"):
            end = frame.taken.previous
            good &= require(frame.epoch > before.epoch, "I6", "{} is taken at epoch {} again", true.id, frame.epoch)
            good &= require(
                (end.epoch, end.frame) == (before.epoch, before.number),
                "I6", "{} is taken with a wrong end of the taking before: {}", true.id, end,
            )  # fmt: skip
        else:
            good &= require(frame.epoch == before.epoch, "I6", "{} has a frame without a taking", true.id)
        good &= require(frame.schema >= before.schema, "I6", "an older build goes on in {} behind a newer", true.id)
        good &= require(frame.clock_us > before.clock_us, "I6", "the log clock of {} went back", true.id)
        return good

    def _decision(
        self, true: TruePartition, frame: log_pb2.DecisionFrame, index: int, decision: log_pb2.Decision
    ) -> None:
        position = (frame.epoch, frame.number, index)
        envelope, reply_to = self._command_of(true, decision)
        if self.findings.is_traced:
            self.findings.tell(told(true.id, position, envelope, decision))
        if envelope is not None and envelope.correlation and not _parks(decision, envelope):
            key = None if decision.HasField("dead_letter") else self._answer_key(envelope)
            self.decided.setdefault((reply_to, envelope.correlation), []).append(Decided(position, decision, key))
        if envelope is not None and envelope.HasField("agenda_id"):
            due = entry_id(envelope.agenda_id)
            nothing = not decision.events and not decision.messages and not decision.opened
            self.findings.require(
                due in true.books.agenda or nothing, "I6", "{} decided for the closed agenda entry {}", true.id, due
            )
        if decision.HasField("source"):
            name = source_name(decision.source)
            mark = true.books.marks.get((name[0], name[1]))
            self.findings.require(mark is None or mark < name, "I6", "{} took the message {} twice", true.id, name)
            true.taken.add(name)
        if decision.HasField("dead_letter"):
            letter = decision.dead_letter
            is_poison = letter.envelope.service == PROBE or letter.envelope.type not in self.registry.handlers
            self.findings.require(is_poison, "I5", "{} could not decide: {}", true.id, letter)
        if envelope is not None and envelope.type in self._with_etag:
            self._check_etag(envelope, decision)
        for event in decision.events:
            self._event(true, frame, position, event)
        if true.parked and envelope is not None:
            self._check_overtaking(true, envelope, decision)
        wrong = list(true.books.apply(decision))
        self.findings.require(not wrong, "I6", "{} closed {} which were not open", true.id, wrong)
        self._note_opened(true, decision)
        for n, message in enumerate(decision.messages):
            self._message_sent(true, position, n, message)
        for check in self.after_decision:
            check(decision)

    def _check_etag(self, envelope: log_pb2.Envelope, decision: log_pb2.Decision) -> None:
        """What is asked for one version is done at that version only, and refused for that at others only."""
        command: Any = self.registry.handlers[envelope.type].parse.FromString(envelope.payload)
        if not command.etag:
            return
        key = self._keys(envelope)[0]
        aggregate = self.aggregates.get(key)
        version = "0" if aggregate is None else str(aggregate.version)
        refused = decision.refusal.reason == errors.ETAG_MISMATCH
        good = command.etag != version if refused else command.etag == version or not decision.events
        self.findings.require(good, "I7", "{} at version {}: {} for version {} is {}", key, version, envelope.type,
                              command.etag, "refused" if refused else "done")  # fmt: skip

    def _note_opened(self, true: TruePartition, decision: log_pb2.Decision) -> None:
        """Keeps what effects may start, and which keys have something parked."""
        for entry in decision.opened:
            if entry.WhichOneof("entry") == "effect":
                true.effects[entry_id(entry.id)] = entry.effect
            elif entry.WhichOneof("entry") == "parked":
                true.parked[entry_id(entry.id)] = frozenset(self._keys(entry.parked.envelope))
        if decision.HasField("unparked"):
            true.parked.pop(entry_id(decision.unparked), None)

    def _check_overtaking(self, true: TruePartition, envelope: log_pb2.Envelope, decision: log_pb2.Decision) -> None:
        """What names a key with something parked queues behind it."""
        if decision.HasField("dead_letter") or _parks(decision, envelope):
            return
        own = entry_id(decision.unparked) if decision.HasField("unparked") else None
        keys = None
        for entry, parked in true.parked.items():
            if entry == own:
                return
            keys = frozenset(self._keys(envelope)) if keys is None else keys
            if envelope.HasField("agenda_id") and not decision.events:
                return
            self.findings.require(
                not keys & parked, "I6", "{} decided {} before {}, which is parked", true.id, envelope.type, entry
            )

    def _command_of(self, true: TruePartition, decision: log_pb2.Decision) -> tuple[log_pb2.Envelope | None, str]:
        """The command that was decided, and where its answer goes; checks that no command is decided twice."""
        if decision.HasField("unparked"):
            entry = true.books.agenda.get(entry_id(decision.unparked))
            known = entry is not None and entry.WhichOneof("entry") == "parked"
            self.findings.require(known, "I6", "{} unparks what is not parked: {}", true.id, decision.unparked)
            return (entry.parked.envelope, entry.parked.reply_to) if entry is not None else (None, "")
        place = (decision.command_sequence, decision.command_index)
        self.findings.require(place > true.last_decision, "I6", "{} decided the command {} twice", true.id, place)
        self._skipped(true, true.last_decision, place)
        true.last_decision = place
        self.findings.require(place[0] in true.commands, "I6", "{} decided {}, which is no command", true.id, place)
        frame = true.commands.get(place[0])
        return true.envelope(*place), "" if frame is None else frame.reply_to

    def _skipped(self, true: TruePartition, after: tuple[int, int], before: tuple[int, int]) -> None:
        """Whatever lies between two decided commands must have had a reason to be passed over."""
        sequences = true.command_sequences
        while true.decided_count < len(sequences) and sequences[true.decided_count] <= before[0]:
            sequence = sequences[true.decided_count]
            frame = true.commands[sequence]
            for index, envelope in enumerate(frame.envelopes if frame is not None else ()):
                if after < (sequence, index) < before:
                    self._passed_over(true, (sequence, index), envelope)
            if frame is None and after < (sequence, 0) < before:
                self.findings.report("I6", f"{true.id} skipped the unreadable frame {sequence}")
            if sequence == before[0]:
                return
            true.decided_count += 1

    def _passed_over(self, true: TruePartition, place: tuple[int, int], envelope: log_pb2.Envelope) -> None:
        if envelope.type == QUERY:
            return
        reason = False
        if envelope.HasField("source"):
            reason = source_name(envelope.source) in true.taken
        elif envelope.HasField("agenda_id"):
            reason = entry_id(envelope.agenda_id) not in true.books.agenda
        self.findings.require(reason, "I6", "{} skipped the command {} ({})", true.id, place, envelope.type)

    def _decided_through(self, true: TruePartition, decided: tuple[int, int]) -> None:
        sequence, index = decided
        end = (sequence, 1 << 30) if index < 0 else (sequence, index + 1)
        start = true.decided
        self.findings.require(end >= start, "I6", "decided through of {} went back to {}", true.id, decided)
        self.findings.require(
            true.last_decision < end, "I6", "{} decided {} beyond its end {}", true.id, true.last_decision, end
        )
        self._skipped(true, true.last_decision, end)
        true.last_decision = max(true.last_decision, (end[0], end[1] - 1))
        true.decided = end

    def _event(
        self, true: TruePartition, frame: log_pb2.DecisionFrame, position: tuple[int, int, int], event: log_pb2.Event
    ) -> None:
        key = Key(event.kind, event.tenant, event.key, event.sub_key)
        aggregate = self.aggregates.get(key)
        if aggregate is None:
            aggregate = self.aggregates[key] = TrueAggregate(key, self.registry.kinds[event.kind])
        good = self.findings.require(
            event.version == aggregate.version + 1,
            "I6", "{} at version {} gets an event of version {}", key, aggregate.version, event.version,
        )  # fmt: skip
        if good:
            parsed = self.registry.events[event.type].FromString(event.payload)
            aggregate.evolve(parsed, frame.clock_us, position)
            self.changed[true.id][key] = aggregate
            if event.version == 1:
                self._check_new(frame, key, aggregate)
            if event.kind == "dead_letter":
                self.dead_letters[key] = true.id

    def _check_new(self, frame: log_pb2.DecisionFrame, key: Key, aggregate: TrueAggregate) -> None:
        """A new aggregate whose id led the log clock could later be taken for absent."""
        if aggregate.kind.key_is_uuid7:
            ahead_us = uuid7_time_us(key.key) - CLOCK_SKEW_ALLOWED_US - frame.clock_us
            self.findings.require(ahead_us <= 0, "I1", "{} is new, and leads the log clock by {} us", key, ahead_us)

    def _message_sent(
        self, true: TruePartition, position: tuple[int, int, int], n: int, message: log_pb2.Message
    ) -> None:
        name = source_name(message.envelope.source)
        self.findings.require(
            name == (*true.id, *position, n), "I6", "{} sends {} under a wrong name {}", true.id, position, name
        )
        self.messages[name] = message.envelope
        true.sent.setdefault(PartitionId(message.group, message.partition), []).append((true.sequences[-1], name))

    def _answer_key(self, envelope: log_pb2.Envelope) -> Key | None:
        """The aggregate whose state answers a command."""
        keys = self._keys(envelope)
        return keys[0] if keys else None

    def _keys(self, envelope: log_pb2.Envelope) -> Sequence[Key]:
        """The aggregates that a command names."""
        bound = self.registry.handlers[envelope.type]
        command: Any = bound.parse.FromString(envelope.payload)
        context = Context(0, envelope.tenant, envelope.key, envelope.actor, envelope.first, self.topology.slot)
        return bound.handler.keys(command, context)

    def state_of(self, key: Key) -> Any:
        """The newest state; None where it does not exist."""
        found = self.aggregates.get(key)
        return None if found is None else found.state

    def of_kind(self, kind: str) -> Mapping[Key, TrueAggregate]:
        """All aggregates of a kind."""
        return {key: found for key, found in self.aggregates.items() if key.kind == kind}
