"""What an owner remembers of its partition between frames, and the commands on their way through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Context, Key
from ordermesh.core.ids import is_order_id
from ordermesh.runtime.agenda import Agenda, EntryId
from ordermesh.runtime.cache import Aggregate, Cache, Contradiction, uuid7_time_us
from ordermesh.runtime.options import CLOCK_SKEW_ALLOWED_US
from ordermesh.runtime.ports import PartitionId, StoredAggregate
from ordermesh.runtime.registry import Bound, Registry
from ordermesh.runtime.topology import Topology

SourceKey = tuple[str, int]
"""A sending partition: group and number."""

MarkValue = tuple[int, int, int, int]
"""The highest message taken from it: epoch, frame, index, n."""


@dataclass(slots=True)
class Work:
    """A command on its way to being decided. `sequence` is 0 for one that was parked under `unparks`.

    `is_last`: of its frame. The rest is filled by `Turn.prepare`; `error` says why it could not be. `mark` is that of a
    message from another partition, `closes` the agenda entry that a due timer or a finished effect closes.
    """

    envelope: log_pb2.Envelope
    reply_to: str
    sequence: int
    index: int
    unparks: EntryId | None = None
    bound: Bound | None = None
    command: Any = None
    context: Context | None = None
    keys: Sequence[Key] = ()
    error: str = ""
    is_last: bool = False
    mark: tuple[SourceKey, MarkValue] | None = None
    closes: EntryId | None = None

    @property
    def place(self) -> tuple[int, int, EntryId | None]:
        """What names the command within its partition."""
        return self.sequence, self.index, self.unparks


class Waiting(NamedTuple):
    """A caller to be answered: with the state of `key`, or with the refusal.

    `aggregate` is what `key` named when it was decided (None: it did not exist); the cache may have evicted it since.
    """

    reply_to: str
    correlation: int
    durability: int
    key: Key | None
    refusal: log_pb2.Refusal | None
    dead_letter: bool = False
    aggregate: Aggregate | None = None


def mark_of(source: log_pb2.Source) -> tuple[SourceKey, MarkValue]:
    """A source as a mark."""
    position = source.position
    return (source.group, source.partition), (position.epoch, position.frame, position.index, source.n)


@dataclass(slots=True)
class Partition:
    """What an owner remembers of its partition between frames."""

    id: PartitionId
    topology: Topology
    registry: Registry
    cache: Cache
    agenda: Agenda = field(default_factory=Agenda)
    marks: dict[SourceKey, MarkValue] = field(default_factory=dict)
    poison: dict[tuple[int, int, EntryId | None], str] = field(default_factory=dict)
    parked_by_key: dict[Key, list[EntryId]] = field(default_factory=dict)
    keys_of_parked: dict[EntryId, Sequence[Key]] = field(default_factory=dict)
    epoch_ends: dict[int, int] = field(default_factory=dict)
    epoch: int = 0
    reincarnated_us: int = 0
    """The log clock at which the partition was last begun anew without the tail of its log; 0 for never."""

    def raise_mark(self, sender: SourceKey, value: MarkValue) -> None:
        """Remembers that a message was taken."""
        self.marks[sender] = value

    def check(self, key: Key, stored: StoredAggregate) -> None:
        """A row that comes from after the end of its epoch was decided in a frame that the log has lost.

        Raises Contradiction.
        """
        if is_past_its_end(stored.epoch, stored.frame, self.epoch_ends, self.epoch):
            end = self.epoch_ends.get(stored.epoch, "no frame that the log has")
            raise Contradiction(
                f"{key} was stored by frame {stored.frame}, but epoch {stored.epoch} ends at {end}: "
                "the log's tail is lost"
            )

    def is_doubtful(self, *names: str) -> bool:
        """Whether something may have been decided, and lost, before the partition was reincarnated: unless one of the
        names is an order id of after that. Then nobody's word that it is new is taken."""
        if not self.reincarnated_us:
            return False
        after_us = self.reincarnated_us + CLOCK_SKEW_ALLOWED_US
        return not any(is_order_id(name) and uuid7_time_us(name) > after_us for name in names)

    def park(self, entry: EntryId, keys: Sequence[Key]) -> None:
        """Whatever names one of these keys from now on queues behind that entry."""
        self.keys_of_parked[entry] = keys
        for key in keys:
            self.parked_by_key.setdefault(key, []).append(entry)

    def unpark(self, entry: EntryId) -> None:
        """The entry is decided: what queues behind it may go on."""
        for key in self.keys_of_parked.pop(entry, ()):
            queue = self.parked_by_key[key]
            queue.remove(entry)
            if not queue:
                del self.parked_by_key[key]

    def is_blocked(self, keys: Sequence[Key], entry: EntryId | None) -> bool:
        """Whether something parked before (this entry) names one of the keys."""
        if not self.parked_by_key:
            return False
        return any((queue := self.parked_by_key.get(key)) is not None and queue[0] != entry for key in keys)


def is_past_its_end(epoch: int, frame: int, epoch_ends: Mapping[int, int], epoch_now: int) -> bool:
    """Whether a place in the chain was lost with the log's tail: past the end of its epoch, or in an epoch that the log
    has lost whole. What is later than the present epoch is another owner's; what is earlier than all ends is old."""
    end = epoch_ends.get(epoch)
    if end is not None:
        return frame > end
    return bool(epoch_ends) and min(epoch_ends) < epoch < epoch_now
