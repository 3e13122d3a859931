"""Requests to a driver session as awaitables, bounded, with one wake-up of the event loop for many answers.

The driver has threads of its own. Its callbacks only append to a deque; the first of a batch wakes the loop, which then
takes all that has come (a wake-up costs more than an answer). A callback may run twice, because a speculative attempt
may be answered after the first one was: the first answer counts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from cassandra import OperationTimedOut, Timeout
from cassandra.cluster import ResponseFuture, Session
from cassandra.protocol import OverloadedErrorMessage
from cassandra.query import Statement

from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.adapters.cassandra_window import Window

Note = Callable[[Exception | None], None]
"""Is told the error of a request, or that there was none."""

LATE = (OperationTimedOut, Timeout, OverloadedErrorMessage)
"""Errors that may mean that there is too much to do."""


class RequestStatistics(NamedTuple):
    """What a store's requests came to so far. `usual_s` is the median of the last ones' seconds; the windows are how
    many writes and how many reads may be under way."""

    in_flight: int
    requests: int
    failures: int
    wake_ups: int
    usual_s: float
    write_window: float
    read_window: float


class _Request:
    """One request; `future` is resolved by the first answer. `response` is the driver's, once it is sent."""

    __slots__ = ("future", "is_over", "note", "response", "started", "window")

    def __init__(self, future: asyncio.Future[Any], window: Window, started: float, note: Note | None) -> None:
        self.note = note
        self.future = future
        self.window = window
        self.started = started
        self.is_over = False
        self.response: ResponseFuture = None


class Requests:
    """The requests of one process. Make it on the running event loop."""

    def __init__(self, in_flight_max: int, pace: Pace) -> None:
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self.writes, self.reads = Window(in_flight_max), Window(in_flight_max)
        self._arrived: deque[tuple[_Request, Any, bool]] = deque()
        self._is_woken = False
        self._requests = self._failures = self._wake_ups = 0

    def statistics(self) -> RequestStatistics:
        """What came of them so far."""
        writes, reads = self.writes, self.reads
        counts = (writes.in_flight + reads.in_flight, self._requests, self._failures, self._wake_ups)
        return RequestStatistics(*counts, self._pace.usual_s, writes.limit, reads.limit)

    async def run(
        self, session: Session, statement: Statement, timeout_s: float, window: Window, note: Note | None = None
    ) -> Any:
        """The rows of the answer, or None. Raises whatever the driver says. The time-out runs from being sent; what is
        sent tells `note` what came of it, also when nobody waits for it any more."""
        entered_at = await window.enter()
        self._requests += 1
        request = _Request(self._loop.create_future(), window, entered_at, note)
        try:
            request.response = session.execute_async(statement, timeout=timeout_s)
        except BaseException:
            self._end(request, is_late=False)
            raise
        request.response.add_callbacks(
            self._answered, self._answered, callback_args=(request, False), errback_args=(request, True)
        )
        return await request.future

    def _answered(self, answer: Any, request: _Request, is_error: bool) -> None:
        """In a thread of the driver."""
        self._arrived.append((request, answer, is_error))
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._take)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

    def _take(self) -> None:
        """In the event loop: everything that has come. What comes from here on wakes it again."""
        self._is_woken = False
        self._wake_ups += 1
        now = self._loop.time()
        while self._arrived:
            request, answer, is_error = self._arrived.popleft()
            if request.is_over:
                continue
            self._note(request, now - request.started, is_error)
            self._end(request, is_late=is_error and isinstance(answer, LATE))
            if request.note is not None:
                request.note(answer if is_error else None)
            if request.future.done():
                continue
            if is_error:
                request.future.set_exception(answer)
            else:
                request.future.set_result(answer)

    def _note(self, request: _Request, seconds: float, is_error: bool) -> None:
        """What it says of how fast nodes are."""
        self._failures += is_error
        self._pace.answered(seconds)
        asked = request.response.attempted_hosts
        if len(asked) > 1 and request.response.coordinator_host is not asked[0]:
            self._pace.overtaken(asked[0])

    def _end(self, request: _Request, *, is_late: bool) -> None:
        """Its place is free only now, also where nobody waits for it any more."""
        request.is_over = True
        request.window.leave(request.started, is_late=is_late)
