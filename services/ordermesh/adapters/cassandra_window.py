"""How many requests may be under way: as many as are answered soon.

A cluster that is slow, after an outage say, is not helped by more requests. What it is given beyond what it can do runs
into time-outs, is done all the same, and is asked for again. So the window closes when answers take long, and opens
again, slowly, while they do not; what waits, waits here.
"""

from __future__ import annotations

import asyncio
from collections import deque

WINDOW_MIN, WINDOW_START = 2.0, 4.0
"""With two batches of fifty rows a slow cluster has enough to do, and four are more than a process can fill at first: a
cluster that comes back to a long backlog with cold caches answers each of them in time."""

SLOW_S = 0.5
"""An answer that took longer says that there is too much under way: far more than one alone takes, far less than the
time-out."""

NARROWER, NARROWEST = 0.8, 0.5
"""What is left of the window after a slow answer, and after none: once for all that was under way then."""


class Window:
    """At most so many at once, in the order of asking. Make it on the running event loop."""

    def __init__(self, limit_max: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit_max = float(limit_max)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._narrowed_at = float("-inf")
        self.limit = min(WINDOW_START, self._limit_max)
        self.in_flight = 0

    async def enter(self) -> float:
        """Waits for a place; the time from which it is taken."""
        if self.in_flight >= int(self.limit) or self._waiting:
            place = self._loop.create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if not place.cancelled():
                    self._release()
                elif place in self._waiting:  # else it was passed over already
                    self._waiting.remove(place)
                raise
        else:
            self.in_flight += 1
        return self._loop.time()

    def leave(self, entered_at: float, *, is_late: bool) -> None:
        """Gives the place to who waits for one; `is_late` where there was no answer in time."""
        now = self._loop.time()
        if is_late or now - entered_at > SLOW_S:
            if entered_at >= self._narrowed_at:
                self.limit = max(self.limit * (NARROWEST if is_late else NARROWER), min(WINDOW_MIN, self._limit_max))
                self._narrowed_at = now
        elif self.in_flight >= self.limit / 2:
            self.limit = min(self.limit + 1.0 / self.limit, self._limit_max)
        self._release()

    def _release(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
