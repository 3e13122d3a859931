"""The stream of integration events for all endpoints of a process: each event is read once for those that are at its
end together, and kept for a while for those that try again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog

from ordermesh.runtime.event_stream import Bounds, EventStream, StreamEvent
from ordermesh.runtime.ports import LogError, LogUnavailable

KEPT_BYTES_MAX = 32 * 1024 * 1024
"""Of events in memory."""
EVENT_BYTES = 3_000
"""What an event takes in memory besides its data: its headers, mostly."""
PAGE_EVENTS = 256
"""Events that are read together."""
POLL_S = 0.2
"""Between two looks whether there are new events: one question for all endpoints."""

_log = structlog.get_logger(__name__)


class EventFeed:
    """Events by their place, from memory or from the stream. `changed` is called when there are new ones."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._kept: OrderedDict[int, StreamEvent] = OrderedDict()
        self._kept_bytes = 0
        self._reading = asyncio.Lock()
        self.bounds = Bounds(1, 0, 0)
        """The ends of the stream when last looked at: what was published before is within them."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Looks for new events until cancelled."""
        is_silent = False
        while True:
            try:
                bounds = await self._stream.bounds()
                is_silent = False
            except LogError as error:
                if not is_silent:
                    _log.warning("the stream of events cannot be read yet", reason=str(error))
                is_silent = True
            else:
                before, self.bounds = self.bounds, bounds
                if bounds.last < before.last:
                    self._forget()
                if (bounds.first, bounds.last) != (before.first, before.last):
                    changed()
            await asyncio.sleep(POLL_S)

    async def page(self, after: int) -> Sequence[StreamEvent]:
        """Some of the next events after a place, in order; none at the end. Raises LogError, LogUnavailable where a
        replica lags that was asked."""
        if after >= self.bounds.last:
            return ()
        async with self._reading:  # who asks for the same waits for the first to have read it
            found: list[StreamEvent] = []
            while len(found) < PAGE_EVENTS and (event := self._kept.get(after + 1 + len(found))) is not None:
                found.append(event)
            if found:
                return found
            page = await self._stream.page(after, PAGE_EVENTS)
            for event in page:
                self._keep(event)
            if not page and after < self.bounds.last:
                raise LogUnavailable(f"events after {after} do not come yet")
            return page

    async def event(self, sequence: int) -> StreamEvent | None:
        """The event at a place; None where the stream no longer has it. Raises LogError."""
        event = self._kept.get(sequence)
        if event is None:
            page = await self._stream.page(sequence - 1, 1)
            event = page[0] if page and page[0].sequence == sequence else None
        if event is None and sequence >= (await self._stream.bounds()).first:
            raise LogUnavailable(f"event {sequence} does not come yet")  # from a replica that lags
        return event

    async def look(self) -> Bounds:
        """The ends of the stream now. Raises LogError."""
        return await self._stream.bounds()

    async def first_since(self, time_us: int) -> int:
        """See `EventStream.first_since`."""
        return await self._stream.first_since(time_us)

    def _forget(self) -> None:
        """The stream may be another than the one that was read."""
        self._kept.clear()
        self._kept_bytes = 0

    def _keep(self, event: StreamEvent) -> None:
        if event.sequence in self._kept:
            return
        self._kept[event.sequence] = event
        self._kept_bytes += _bytes_of(event)
        while self._kept_bytes > KEPT_BYTES_MAX and len(self._kept) > 1:
            self._kept_bytes -= _bytes_of(self._kept.popitem(last=False)[1])


def _bytes_of(event: StreamEvent) -> int:
    """About what an event takes in memory."""
    return EVENT_BYTES + len(event.data)
