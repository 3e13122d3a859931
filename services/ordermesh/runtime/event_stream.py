"""What who delivers needs of the stream of integration events: its ends, and what stands at which place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class StreamEvent(NamedTuple):
    """An integration event in the stream. `headers` are those of CloudEvents, with small names; `time_us` is when it
    was published."""

    sequence: int
    time_us: int
    headers: Mapping[str, str]
    data: bytes


class Bounds(NamedTuple):
    """The first sequence that the stream still has, and its last; `first` is 1 past `last` where it is empty. `time_us`
    is when that was, by the clock that events are published by: the clock of who asks may be another."""

    first: int
    last: int
    time_us: int


class EventStream(Protocol):
    """Integration events by their place, which counts from 1 and never goes back. All methods raise LogError."""

    async def bounds(self) -> Bounds:
        """The ends of the stream now."""

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """The next events after a place, in order; none at the end. A replica that lags may give fewer than there
        are."""

    async def first_since(self, time_us: int) -> int:
        """The place of the first event published at that time or later; 1 past the last where there is none."""
