"""Uvicorn's HTTP protocol with a limit on the time that a request's headers take: without one, a peer that sends a byte
now and then, or none, keeps its connection for ever, and few such peers are enough to keep everybody else out."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0
"""From the connection, or the end of the request before, to the end of a request's headers. A connection that is silent
after an answer is closed sooner."""


class PatientProtocol(H11Protocol):
    """A connection that is closed when its next request does not come."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its parent has it
        """The time begins."""
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        """The time ends with the headers, and begins again when the next request may come."""
        super().handle_events()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._wait()
        else:
            self._end_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._end_wait()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADERS_S, self._close)

    def _end_wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _close(self) -> None:
        self._waiting = None
        self.transport.close()
