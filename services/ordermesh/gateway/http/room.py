"""How much an edge does for HTTP at a time. Beyond it a call is refused at once, so that others of the loop go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from ordermesh.core.limits import CALL_BYTES_MAX
from ordermesh.gateway.http.errors import too_large, too_slow
from ordermesh.runtime.problems import Problem, overloaded

CALLS_MAX = 256
"""Calls under way: each waits about a second at most, so these are more calls a second than a process can parse."""
STREAMS_MAX = 256
"""Streams of events: each keeps a connection and a place in a partition's feed."""
BODIES_BYTES_MAX = 16 * 1024 * 1024
"""Bodies of calls under way: four of the largest. As Python's objects they may take thirty times that."""
DISCARDED_BYTES_MAX = 4 * 1024 * 1024
"""What is read and thrown away of a body that is too long: a client that still sends sees no answer. One that says that
its body is longer than that is cut off."""
BODY_S = 10.0
"""Time for a body to come: the largest in that time is 3 Mbit/s."""
RETRY_AFTER_S = 1.0
"""After what time there is probably room again."""


class Room:
    """The places for calls, streams and bodies, and who has them."""

    def __init__(self) -> None:
        self.calls = 0
        self.streams = 0
        self.body_bytes = 0
        self._leaving = False
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A place for a call. Raises Problem where there is none, or no more calls are taken."""
        self._check(self.calls, CALLS_MAX, "calls")
        self.calls += 1
        self._empty.clear()
        try:
            yield
        finally:
            self.calls -= 1
            if not self.calls:
                self._empty.set()

    def take_stream(self) -> None:
        """A place for a stream, until it is given back. Raises Problem as for calls."""
        self._check(self.streams, STREAMS_MAX, "streams")
        self.streams += 1

    def give_stream(self) -> None:
        """Gives a stream's place back."""
        self.streams -= 1

    @contextmanager
    def body(self) -> Iterator[Body]:
        """A body to be read; what it takes is given back at the end."""
        body = Body(self)
        try:
            yield body
        finally:
            self.body_bytes -= body.taken

    async def leave(self, grace_s: float) -> None:
        """Takes no more, and waits that long for the calls under way."""
        self._leaving = True
        try:
            await asyncio.wait_for(self._empty.wait(), grace_s)
        except TimeoutError:
            return

    def _check(self, number: int, most: int, what: str) -> None:
        if self._leaving:
            raise Problem("SHUTTING_DOWN", "The server is about to stop; try again elsewhere.", retry_after_s=0.1)
        if number >= most:
            raise overloaded(f"{most} {what} by HTTP are under way", RETRY_AFTER_S)


class Body:
    """A request's body while it is read and used."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    async def read(self, request: Request) -> bytes:
        """The body. Raises Refused where it is too long or too slow, Problem where too much is being read."""
        told = request.headers.get("content-length", "")
        if told.isdecimal() and int(told) > CALL_BYTES_MAX + DISCARDED_BYTES_MAX:
            raise too_large("The body", CALL_BYTES_MAX)
        chunks, size = [], 0
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > CALL_BYTES_MAX + DISCARDED_BYTES_MAX:
                        break
                    if size <= CALL_BYTES_MAX:
                        self._take(len(chunk))
                        chunks.append(chunk)
        except TimeoutError:
            raise too_slow(BODY_S) from None
        if size > CALL_BYTES_MAX:
            raise too_large("The body", CALL_BYTES_MAX)
        return b"".join(chunks)

    def _take(self, size: int) -> None:
        self.taken += size
        self._room.body_bytes += size
        if self._room.body_bytes > BODIES_BYTES_MAX:
            raise overloaded(f"{BODIES_BYTES_MAX} bytes of bodies are being read", RETRY_AFTER_S)
