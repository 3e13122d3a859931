"""The partition's open timers, effects and parked commands.

It changes only by decisions, live and redone by the same function, so that memory, log and checkpoint agree. Entries
are named by the decision that opened them; a timer also by its owner and name, so that setting it again replaces it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key

HERE = -1
"""Stands for the partition that has the entry, as the one that opened it."""


class EntryId(NamedTuple):
    """An `AgendaId`, hashable and ordered: older entries first. `opened_by` is the number of the partition that opened
    the entry, where a repartition has moved it."""

    epoch: int
    frame: int
    index_in_frame: int
    n: int
    opened_by: int = HERE


def entry_id(message: log_pb2.AgendaId) -> EntryId:
    """Reads an id."""
    position = message.position
    opened_by = message.partition if message.HasField("partition") else HERE
    return EntryId(position.epoch, position.frame, position.index, message.n, opened_by)


def write_id(into: log_pb2.AgendaId, entry: EntryId) -> None:
    """Writes an id."""
    position = into.position
    position.epoch, position.frame, position.index = entry.epoch, entry.frame, entry.index_in_frame
    into.n = entry.n
    if entry.opened_by != HERE:
        into.partition = entry.opened_by


def timer_name(owner: Key, name: str) -> str:
    """How a timer is found again."""
    return "\x1f".join((*owner, name))


class Agenda:
    """What is open, and what of it is new since somebody asked.

    Entries are kept serialised: most are closed without having been looked at again, and a message would keep the
    whole frame in memory that it came in.
    """

    def __init__(self) -> None:
        self.entries: dict[EntryId, bytes] = {}
        self.bytes_used = 0
        self.timers: dict[str, EntryId] = {}
        self.parked: dict[EntryId, None] = {}
        self._timer_names: dict[EntryId, str] = {}
        self._due: list[tuple[int, EntryId]] = []
        self._opened_effects: list[EntryId] = []

    def __len__(self) -> int:
        """How many entries are open."""
        return len(self.entries)

    def __contains__(self, entry: object) -> bool:
        """Whether it is still open."""
        return entry in self.entries

    def read(self, entry: EntryId) -> log_pb2.AgendaEntry:
        """An open entry, whole."""
        return log_pb2.AgendaEntry.FromString(self.entries[entry])

    def restore(self, entries: Iterable[bytes]) -> None:
        """Takes over what a checkpoint kept."""
        for data in entries:
            self._open(log_pb2.AgendaEntry.FromString(data))

    def apply(self, decision: log_pb2.Decision) -> None:
        """What a decision closed and opened, in this order."""
        for closed in decision.closed:
            self._close(entry_id(closed))
        if decision.HasField("unparked"):
            self._close(entry_id(decision.unparked))
        for entry in decision.opened:
            self._open(entry)

    def due(self, now_us: int) -> Iterator[tuple[EntryId, log_pb2.Timer]]:
        """Timers that have fallen due, each once."""
        while self._due and self._due[0][0] <= now_us:
            _, entry = heapq.heappop(self._due)
            if entry in self.entries:
                yield entry, self.read(entry).timer

    def take_effects(self) -> list[EntryId]:
        """Effects opened since the last call, to be started."""
        opened, self._opened_effects = self._opened_effects, []
        return [entry for entry in opened if entry in self.entries]

    def _open(self, message: log_pb2.AgendaEntry) -> None:
        kind = message.WhichOneof("entry")
        if kind is None:  # a timer that its own decision set anew
            return
        entry = entry_id(message.id)
        data = self.entries[entry] = message.SerializeToString()
        self.bytes_used += len(data)
        if kind == "timer":
            name = message.timer.owner
            self.timers[name] = entry
            self._timer_names[entry] = name
            heapq.heappush(self._due, (message.timer.due_us, entry))
        elif kind == "effect":
            self._opened_effects.append(entry)
        else:
            self.parked[entry] = None

    def _close(self, entry: EntryId) -> None:
        data = self.entries.pop(entry, None)
        if data is None:
            return
        self.bytes_used -= len(data)
        self.parked.pop(entry, None)
        name = self._timer_names.pop(entry, None)
        if name is not None and self.timers.get(name) == entry:
            del self.timers[name]
            self._shrink()

    def _shrink(self) -> None:
        """Keeps the heap from filling with closed timers: most are closed long before they are due."""
        if len(self._due) > 1_000 and len(self._due) > 4 * len(self.timers):
            self._due = [item for item in self._due if item[1] in self.entries]
            heapq.heapify(self._due)
