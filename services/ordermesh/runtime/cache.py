"""The owner's memory of aggregates: the write cache between deciding and the store.

An aggregate that changed is pinned until a flush has it in the store at quorum; what is clean goes when the bytes pass
the limit, the longest unused first. The cache also knows since when it is complete: a key whose UUIDv7 is younger than
that and which is not here does not exist, so a new order needs no look into the store.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from oms.log.v1 import log_pb2
from ordermesh.core.decider import AggregateType, Key, Row, Stamp
from ordermesh.runtime.options import CLOCK_SKEW_ALLOWED_US
from ordermesh.runtime.ports import StoredAggregate

EVENT_OUT_OF_ORDER = "an event of version {found} follows version {version} of {key}"
_new = tuple.__new__
"""Makes a named tuple in half the time of its constructor; worth it where it is done for every event."""
STATE_OVERHEAD_BYTES = 1_500
"""What an aggregate costs in memory beside its serialised state: object, key, message; measured over 200,000 orders."""


class Contradiction(Exception):
    """Log and store do not fit together: the partition must stop."""


@lru_cache(16_384)  # each id is asked for some ten times while its order is young
def uuid7_time_us(text: str) -> int:
    """The time in a UUIDv7's text, in microseconds; 0 where it is none."""
    try:
        return int(text[:8] + text[9:13], 16) * 1000
    except ValueError:
        return 0


class Aggregate:
    """One aggregate in memory: its state and what the store's row says beside it."""

    __slots__ = (
        "created_us", "epoch", "flushed_version", "frame", "index", "key", "kind", "left", "queried", "size", "state",
        "version", "weak_version", "write_time",
    )  # fmt: skip

    def __init__(self, key: Key, kind: AggregateType) -> None:
        self.key = key
        self.kind = kind
        self.state: Any = kind.state()
        self.version = 0
        self.epoch = 0
        self.frame = 0
        self.index = 0
        self.write_time = 0
        self.flushed_version = 0
        self.weak_version = 0
        self.created_us = 0
        self.size = STATE_OVERHEAD_BYTES
        self.queried = False
        self.left: list[Row] | None = None
        """What its events left, and is not in the store at quorum yet; the oldest first."""

    def evolve(self, event: Any, clock_us: int, epoch: int, frame: int, index: int) -> None:
        """Applies the next event; live and when redone, with the same result to the byte."""
        version = self.version = self.version + 1
        self.epoch, self.frame, self.index = epoch, frame, index
        self.write_time = clock_us if clock_us > self.write_time else self.write_time + 1
        self._happen(event, _new(Stamp, (version, clock_us)))

    def _happen(self, event: Any, stamp: Stamp) -> None:
        """Has the state changed, and keeps what the event leaves."""
        kind = self.kind
        kind.evolve(self.state, event, stamp)
        if kind.event_rows is not None:
            rows = kind.event_rows(self.key, event, self.state, stamp, self.write_time)
            if rows:
                if self.left is None:
                    self.left = []
                self.left.extend(rows)

    def let_go(self, count: int) -> None:
        """The store has so many of the oldest rows that its events left."""
        assert self.left is not None, "rows were taken"
        self.left = self.left[count:] or None

    def load(self, stored: StoredAggregate) -> None:
        """Takes what the store has."""
        self.version, self.epoch, self.frame, self.index, self.write_time, state = stored
        self.state.ParseFromString(state)
        self.flushed_version = self.version
        self.size = len(state) + STATE_OVERHEAD_BYTES

    def serialise(self) -> bytes:
        """The state's bytes: equal for equal states."""
        state: bytes = self.state.SerializeToString(deterministic=True)
        return state


class Cache:
    """Aggregates by key, bounded by bytes; not for use by two tasks at once."""

    def __init__(self, bytes_max: int, complete_since_us: int) -> None:
        self._bytes_max = bytes_max
        self._clean: OrderedDict[Key, Aggregate] = OrderedDict()
        self.dirty: dict[Key, Aggregate] = {}
        self.bytes_used = 0
        self.complete_since_us = complete_since_us
        self.misses = 0
        """Keys that had to be looked up in the store."""

    def get(self, key: Key) -> Aggregate | None:
        """The aggregate, if it is here."""
        found = self.dirty.get(key)
        if found is None:
            found = self._clean.get(key)
            if found is not None:
                self._clean.move_to_end(key)
        return found

    def has(self, key: Key) -> bool:
        """Whether the aggregate is here; does not count as a use."""
        return key in self.dirty or key in self._clean

    def known_absent(self, key: Key, kind: AggregateType, *, first: bool, now_us: int) -> bool:
        """Whether a key that is not here cannot be in the store either; `now_us` is the log clock."""
        if first and kind.absent_when_first:
            return True
        return kind.key_is_uuid7 and (self.complete_since_us < uuid7_time_us(key.key) - CLOCK_SKEW_ALLOWED_US <= now_us)

    def change(self, key: Key, kind: AggregateType, clock_us: int) -> Aggregate:
        """The aggregate, to be changed: pinned from now on, made if it is not here."""
        found = self.dirty.get(key)
        if found is None:
            found = self._clean.pop(key, None)
            if found is None:
                found = Aggregate(key, kind)
                found.created_us = clock_us
                self.bytes_used += found.size
            self.dirty[key] = found
        return found

    def keep(self, key: Key, kind: AggregateType, stored: StoredAggregate) -> Aggregate:
        """Remembers what was loaded, unless something newer is here."""
        found = self.get(key)
        if found is None:
            found = Aggregate(key, kind)
            found.load(stored)
            self._clean[key] = found
            self.bytes_used += found.size
        return found

    def resize(self, aggregate: Aggregate, state_bytes: int) -> None:
        """Notes the size of a state just serialised."""
        size = state_bytes + STATE_OVERHEAD_BYTES
        self.bytes_used += size - aggregate.size
        aggregate.size = size

    def flushed(self, aggregates: Iterable[tuple[Aggregate, int]]) -> None:
        """Unpins what the store has at quorum, in the version that it has."""
        for aggregate, version in aggregates:
            aggregate.flushed_version = max(aggregate.flushed_version, version)
            if aggregate.flushed_version == aggregate.version and self.dirty.pop(aggregate.key, None) is not None:
                self._clean[aggregate.key] = aggregate

    def evict(self) -> None:
        """Drops what is clean and longest unused, past the limit; only between frames: turns rely on it."""
        while self.bytes_used > self._bytes_max and self._clean:
            _, evicted = self._clean.popitem(last=False)
            self.bytes_used -= evicted.size
            self.complete_since_us = max(self.complete_since_us, evicted.created_us)

    def redo(self, event: log_pb2.Event, parsed: Any, kind: AggregateType, at: tuple[int, int, int, int]) -> None:
        """Applies a logged event if it is the next one, skips it if the store was ahead; `at` is (clock, epoch, frame,
        index). Either way the aggregate is to be written again. Raises Contradiction."""
        clock_us, epoch, frame, index = at
        aggregate = self.change(Key(event.kind, event.tenant, event.key, event.sub_key), kind, clock_us)
        if event.version == aggregate.version + 1:
            aggregate.evolve(parsed, clock_us, epoch, frame, index)
        elif event.version > aggregate.version:
            raise Contradiction(
                EVENT_OUT_OF_ORDER.format(found=event.version, version=aggregate.version, key=aggregate.key)
            )

    def statistics(self) -> dict[str, int]:
        """What it holds, for metrics and tests."""
        return {
            "clean": len(self._clean),
            "dirty": len(self.dirty),
            "bytes": self.bytes_used,
            "misses": self.misses,
        }
