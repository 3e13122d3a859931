"""Integration events in memory: the `EventPublisher` and the `EventStream` for simulation and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time_ns

from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.relay import IntegrationEvent

WINDOW_US = 120_000_000
"""How long an id is remembered: the stream's duplicate window."""


class MemoryEvents:
    """Keeps what is published, each id once within its window. `now_us` gives microseconds since 1970."""

    def __init__(self, now_us: Callable[[], int] = lambda: time_ns() // 1_000) -> None:
        self.events: list[IntegrationEvent] = []
        self._window: dict[str, int] = {}
        self._times_us: list[int] = []
        self._first = 1
        self._now_us = now_us

    async def publish(self, events: Sequence[IntegrationEvent]) -> None:
        """As the port says."""
        for event in events:
            self.append(event)

    def append(self, event: IntegrationEvent) -> None:
        """Takes one event, unless it had one of that id within the window."""
        now_us = self._now_us()
        known_us = self._window.get(event.id)
        if known_us is None or now_us - known_us >= WINDOW_US:
            self._window[event.id] = now_us
            self.events.append(event)
            self._times_us.append(now_us)

    def forget_window(self) -> None:
        """Forgets the ids: what arrives again is taken again."""
        self._window.clear()

    def forget(self, through: int) -> None:
        """Lets go of the oldest, as a stream does that is full."""
        self._first = through + 1

    def read(self, after: int, count_max: int) -> list[StreamEvent]:
        """The next events after a place, in order."""
        start = max(after, self._first - 1)
        return [
            StreamEvent(start + n, self._times_us[start + n - 1], _headers(event), event.data)
            for n, event in enumerate(self.events[start : start + count_max], start=1)
        ]

    def place_since(self, time_us: int) -> int:
        """The place of the first event published at that time or later; 1 past the last where there is none."""
        later = (n for n, each_us in enumerate(self._times_us, start=1) if each_us >= time_us and n >= self._first)
        return next(later, len(self.events) + 1)

    def ends(self) -> Bounds:
        """Its ends now."""
        return Bounds(min(self._first, len(self.events) + 1), len(self.events), self._now_us())

    async def bounds(self) -> Bounds:
        """See `EventStream.bounds`."""
        return self.ends()

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """See `EventStream.page`."""
        return self.read(after, count_max)

    async def first_since(self, time_us: int) -> int:
        """See `EventStream.first_since`."""
        return self.place_since(time_us)


def _headers(event: IntegrationEvent) -> dict[str, str]:
    lines = event.headers.decode("ascii").split("\r\n")[:-1]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
