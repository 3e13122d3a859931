"""A stream of messages as server-sent events: `id` is the version, `event` the event's name, `data` the message.

A reader that comes back says the last id that it has, in `Last-Event-ID`, as browsers do by themselves.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from google.protobuf.message import Message
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from ordermesh.gateway.http.errors import STATUSES, error_body
from ordermesh.gateway.http.fields import merge
from ordermesh.gateway.http.text import as_json
from ordermesh.runtime.problems import Problem, Violation, invalid

HEARTBEAT_S = 15.0
"""Between two signs of life where nothing happens: below the idle time-outs of common balancers."""
OPENING_S = 1.5
"""How long the answer's status is held back, for a failure to become it: a read takes a second at most."""
SENDING_S = 30.0
"""How long a reader may take nothing, before the stream is ended."""
LIFETIME_S = 3600.0
"""After that the reader is asked to come back, so that streams spread over edges that were added."""
RETRY_MS = 1000
"""What readers are told to wait before they come back."""
RESUME_FIELD = "after_version"
"""The request's field that `Last-Event-ID` fills; the messages' field `version` is the id."""
PROBLEM_EVENT = "problem"
"""The event that ends a stream which failed; its data is an error's body. (`error` is the browser's own.)"""
CONTENT_TYPE = "text/event-stream"
_HEADERS = {"content-type": CONTENT_TYPE, "cache-control": "no-store", "x-accel-buffering": "no"}

_log = structlog.get_logger()


def take_last_event_id(headers: Headers, request: Message) -> None:
    """Puts the id of a reader that comes back into the request; it is newer than what its address says."""
    last = headers.get("last-event-id", "")
    if last:
        if not (last.isascii() and last.isdecimal()):
            raise invalid([Violation("Last-Event-ID", "is no version")])
        merge(request, RESUME_FIELD, last)


class EventStream:
    """The answer that sends the messages of a generator. `end` is called when it is over, however that comes."""

    def __init__(self, messages: AsyncIterator[Message], end: Callable[[], None]) -> None:
        self._messages = messages
        self._end = end
        self._next = self._take()

    def _take(self) -> asyncio.Task[Message | None]:
        async def take() -> Message | None:
            return await anext(self._messages, None)

        return asyncio.create_task(take(), name="http stream")

    async def open(self) -> None:
        """Waits until the stream has something to say, or a little. Raises Problem where it failed by then."""
        try:
            await asyncio.wait({self._next}, timeout=OPENING_S)
            if self._next.done() and (error := self._next.exception()) is not None:
                raise error
        except BaseException:
            await self._close()
            raise

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until the generator ends, the reader is gone or takes nothing, or the stream's time is over."""
        gone = asyncio.create_task(_disconnected(receive), name="http reader")
        try:
            headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for chunk in self._chunks(gone):
                async with asyncio.timeout(SENDING_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            _log.info("a reader of events takes nothing; its stream ends")
        finally:
            gone.cancel()
            await self._close()

    async def _chunks(self, gone: asyncio.Task[None]) -> AsyncIterator[bytes]:
        ends_at = asyncio.get_running_loop().time() + LIFETIME_S
        yield f"retry: {RETRY_MS}\n\n".encode()
        while asyncio.get_running_loop().time() < ends_at:
            await asyncio.wait({self._next, gone}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return
            if not self._next.done():
                yield b":\n\n"
                continue
            try:
                message = self._next.result()
            except Problem as problem:
                yield _problem_event(problem)
                return
            if message is None:
                return
            self._next = self._take()
            yield event_of(message)

    async def _close(self) -> None:
        self._next.cancel()
        await asyncio.wait({self._next})
        if not self._next.cancelled():
            self._next.exception()  # it was told, or comes too late to be
        try:
            await self._messages.aclose()  # type: ignore[attr-defined]  # it is a generator
        finally:
            self._end()


def event_of(message: Any) -> bytes:
    """A message that has a version and an event's name, as an event."""
    return f"id: {message.version}\nevent: {message.event}\ndata: {as_json(message)}\n\n".encode()


def _problem_event(problem: Problem) -> bytes:
    data = json.dumps(error_body(problem, STATUSES[problem.code]), ensure_ascii=False)
    return f"event: {PROBLEM_EVENT}\ndata: {data}\n\n".encode()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
