"""Checks at the servers, at the moment something happens there, against the truth.

A row may hold only what is decided; a checkpoint only what is stored; a trim may take only what nobody needs again; an
answer may say only what is so; an effect may start only when its decision is in the log.
"""

from __future__ import annotations

from collections.abc import Callable

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key, Row
from ordermesh.runtime.agenda import EntryId, entry_id
from ordermesh.runtime.ports import PartitionId, Stored
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology
from ordermesh.testing.simulation.findings import Findings
from ordermesh.testing.simulation.loop import Process
from ordermesh.testing.simulation.servers import Servers
from ordermesh.testing.simulation.truth import Books, Decided, TruePartition, Truth, source_name

STORED = 4
"""`oms.common.v1.Persistence`: stored at a quorum."""

NOT_YET_KNOWN = "STATE_NOT_YET_KNOWN"
"""The refusal of a query that is given up, undecided: its caller asks again."""


class CheckedBooks:
    """The books of a partition as of the newest checkpoint checked."""

    def __init__(self) -> None:
        self.books = Books()
        self.frames = 0


class Audit:
    """The watcher of the servers."""

    def __init__(
        self, servers: Servers, truth: Truth, registry: Registry, topology: Topology, findings: Findings
    ) -> None:
        self.servers = servers
        self.truth = truth
        self.registry = registry
        self.topology = topology
        self.findings = findings
        self.kind_of_table = {kind.table.name: kind.kind for kind in registry.kinds.values()}
        self.checked = {partition: CheckedBooks() for partition in truth.partitions}
        self.sent_checked: dict[tuple[PartitionId, PartitionId], int] = {}
        self.on_trim: Callable[[PartitionId, int], None] = lambda _partition, _through: None
        self.on_append: Callable[[PartitionId, Stored], None] = lambda _partition, _stored: None

    def appended(self, partition: PartitionId, stored: Stored) -> None:
        """A message is in a log."""
        self.truth.appended(partition, stored)
        self.on_append(partition, stored)

    def row_offered(self, row: Row) -> None:
        """A row of an aggregate must be what was decided, to the byte."""
        kind = self.kind_of_table.get(row.table)
        if kind is None:
            return
        tenant, key, sub_key, version, epoch, frame, index, state = row.values[:8]
        name = Key(kind, tenant, key, sub_key)
        true = self.truth.aggregates.get(name)
        moment = None if true is None else true.at(version)
        self.findings.require(moment is not None, "I6", "{} is stored at the undecided version {}", name, version)
        if moment is None:
            return
        same = (moment.epoch, moment.frame, moment.number, moment.write_time) == (epoch, frame, index, row.write_time)
        self.findings.require(same, "I6", "{} version {} is stored as {} at {}, but is {}", name, version,
                              (epoch, frame, index), row.write_time, moment[:4])  # fmt: skip
        self.findings.require(moment.state == state, "I6", "{} version {} is stored with other bytes", name, version)

    def row_stored(self, row: Row) -> None:
        """A row is the newest at a quorum."""
        kind = self.kind_of_table.get(row.table)
        if kind is not None:
            name = Key(kind, *row.values[:3])
            true = self.truth.aggregates.get(name)
            if true is not None and true.version == row.values[3]:
                self.truth.changed[self.partition_of(name)].pop(name, None)

    def partition_of(self, key: Key) -> PartitionId:
        """Where an aggregate lives."""
        if key.kind == "dead_letter":
            return self.truth.dead_letters[key]
        return self.topology.partition_of(self.service_of(key.kind), key.tenant, key.key)

    def service_of(self, kind: str) -> str:
        """The service of a kind of aggregate."""
        for service in self.registry.services.values():
            if any(aggregate.kind == kind for aggregate in service.aggregates):
                return service.name
        raise KeyError(kind)

    def stored_version(self, key: Key) -> int:
        """The version that a quorum has; 0 for none."""
        found = self.servers.store.tables[self.registry.kinds[key.kind].table.name].aggregate(key)
        return 0 if found is None else found[1].version

    def checkpoint_stored(self, partition: PartitionId, checkpoint: bytes) -> None:
        """All that a checkpoint says must be so."""
        said = log_pb2.Checkpoint.FromString(checkpoint)
        true = self.truth.partitions[partition]
        if not self._names_a_frame(true, said):
            return
        for key, aggregate in self.truth.changed[partition].items():
            needed, stored = aggregate.version_at_frame(said.frame), self.stored_version(key)
            self.findings.require(
                stored >= needed, "I6", "a checkpoint of {} at frame {} needs version {} of {}, the store has {}",
                partition, said.frame, needed, key, stored,
            )  # fmt: skip
        self._books_agree(true, said)
        for entry in said.sent_through:
            self._sent(true, PartitionId(entry.group, entry.partition), entry.sequence, "a checkpoint says it was sent")

    def _names_a_frame(self, true: TruePartition, said: log_pb2.Checkpoint) -> bool:
        frame = true.frames[said.frame - 1] if 0 < said.frame <= len(true.frames) else log_pb2.DecisionFrame()
        at = (frame.id, frame.epoch, frame.clock_us, frame.decided_sequence, frame.decided_index)
        named = (said.frame_id, said.epoch, said.clock_us, said.decided_sequence, said.decided_index)
        return self.findings.require(
            at == named and true.sequences[said.frame - 1] == said.sequence,
            "I6", "a checkpoint of {} names frame {} wrongly", true.id, said.frame,
        )  # fmt: skip

    def _books_agree(self, true: TruePartition, said: log_pb2.Checkpoint) -> None:
        """Agenda and marks must be those after the checkpoint's frame."""
        checked = self.checked[true.id]
        if said.frame < checked.frames:
            return
        for frame in true.frames[checked.frames : said.frame]:
            for decision in frame.decisions:
                checked.books.apply(decision)
        checked.frames = said.frame
        entries = [log_pb2.AgendaEntry.FromString(data) for data in said.agenda]
        agenda = {entry_id(entry.id): entry for entry in entries}
        wrong = sorted(agenda.keys() ^ checked.books.agenda.keys())
        self.findings.require(
            agenda == checked.books.agenda, "I6", "a checkpoint of {} has a wrong agenda: {}", true.id, wrong
        )
        marks = {(mark.source.group, mark.source.partition): source_name(mark.source) for mark in said.marks}
        self.findings.require(marks == checked.books.marks, "I6", "a checkpoint of {} has wrong marks", true.id)

    def _sent(self, true: TruePartition, receiver: PartitionId, through: int, why: str) -> None:
        """All messages decided up to that frame's sequence must be in the receiver's log."""
        sent = true.sent.get(receiver, [])
        arrived = self.truth.partitions[receiver].arrived
        at = self.sent_checked.get((true.id, receiver), 0)
        while at < len(sent) and sent[at][0] <= through:
            if not self.findings.require(sent[at][1] in arrived, "I6", "{} lost {}: {}", receiver, sent[at][1], why):
                return
            at += 1
        self.sent_checked[true.id, receiver] = at

    def trimmed(self, partition: PartitionId, through: int) -> None:
        """What is trimmed may not be needed again by whoever starts from the stored checkpoint."""
        stored = self.servers.store.checkpoints.get(partition)
        said = log_pb2.Checkpoint() if stored is None else log_pb2.Checkpoint.FromString(stored[1])
        self.findings.require(
            through <= said.sequence, "I6", "{} is trimmed through {}, past its checkpoint at {}", partition, through,
            said.sequence,
        )  # fmt: skip
        decided = said.decided_sequence - (said.decided_index >= 0)
        late = [
            sequence for sequence in self.truth.partitions[partition].command_sequences if decided < sequence <= through
        ]
        self.findings.require(not late, "I1", "{} is trimmed past commands not decided: {}", partition, late)
        for receiver in self.truth.partitions[partition].sent:
            self._sent(self.truth.partitions[partition], receiver, through, "its frame is trimmed")
        self.on_trim(partition, through)

    def published(self, process: Process, subject: str, data: bytes) -> None:
        """An answer must be about what is decided, and as durable as it says."""
        if subject not in self.truth.reply_subjects:
            return
        for reply in log_pb2.ReplyFrame.FromString(data).replies:
            if reply.refusal.reason == NOT_YET_KNOWN:
                continue
            refused = reply.HasField("refusal")
            known = self.truth.decided.get((subject, reply.correlation), [])
            decided = next((one for one in known if one.decision.HasField("refusal") == refused), None)
            self.findings.require(
                decided is not None, "I7", "{} answers {} (refused={}), which is not decided", process.name,
                reply.correlation, refused,
            )  # fmt: skip
            if decided is not None and not refused:
                self._answer(decided, reply)

    def _answer(self, decided: Decided, reply: log_pb2.Reply) -> None:
        key = decided.answer_key
        if reply.dead_letter or key is None:
            return
        true = self.truth.aggregates.get(key)
        if true is None:
            self.findings.require(not reply.state, "I7", "an answer has a state of {}, which does not exist", key)
            return
        version = next((n + 1 for n, moment in enumerate(true.moments) if moment.state == reply.state), 0)
        enough = true.version_at(decided.position)
        self.findings.require(
            version >= enough and bool(version) == bool(reply.state),
            "I7", "an answer about {} has {}, but version {} was decided",
            key, f"version {version}" if version else "a state that was never decided", enough,
        )  # fmt: skip
        if reply.persistence == STORED and version:
            self.findings.require(
                self.stored_version(key) >= enough, "I7", "an answer says version {} of {} is stored; {} is",
                enough, key, self.stored_version(key),
            )  # fmt: skip

    def effect_started(self, partition: PartitionId, entry: EntryId, payload: bytes) -> None:
        """The decision of an effect must be in the log before it starts."""
        effect = self.truth.partitions[partition].effects.get(entry)
        same = effect is not None and effect.payload == payload
        self.findings.require(same, "I6", "the effect {} of {} started before it was decided", entry, partition)
