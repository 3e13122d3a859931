"""A real HTTP server that receives webhooks, and does with each what a test tells it to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import h11
from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The event in it."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def name(self) -> str:
        """The event's type and what it is about, in short."""
        return f"{self.document['type'].split('.')[2]} {self.document['subject']}"

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError unless it is signed by that secret."""
        Webhook(secret).verify(self.body.decode(), dict(self.headers))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: with `resets` the connection is cut instead, with `delay_s` later."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    resets: bool = False


OK = Answer()


async def _take(_received: Received) -> Answer:
    return OK


class Receiver:
    """Listens on a port of this machine while it is entered; `decide` says what each request is answered."""

    def __init__(
        self, decide: Callable[[Received], Awaitable[Answer]] = _take, tls: ssl.SSLContext | None = None
    ) -> None:
        self.decide = decide
        self.received: list[Received] = []
        self.connections = 0
        self.in_flight_most = 0
        self.port = 0
        self._tls = tls
        self._in_flight = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Listens."""
        self._closing.clear()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stops to listen, and cuts connections."""
        assert self._server is not None
        self._server.close()
        self._closing.set()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*(task for task in self._serving if task is not None))
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hooks"

    @property
    def names(self) -> list[str]:
        """What was received, in short."""
        return [each.name for each in self.received]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        self._serving.add(asyncio.current_task())
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._exchange(connection, reader, writer):
                connection.start_next_cycle()
        except (OSError, h11.RemoteProtocolError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request and its answer; whether another may follow."""
        received = await _read(connection, reader)
        if received is None:
            return False
        self.received.append(received)
        self._in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self._in_flight)
        try:
            answer = await self.decide(received)
            if answer.delay_s:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), answer.delay_s)
        finally:
            self._in_flight -= 1
        if answer.resets:
            writer.transport.abort()
            return False
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        parts = [
            connection.send(h11.Response(status_code=answer.status, headers=list(headers.items()))),
            connection.send(h11.Data(data=answer.body)) if answer.body else b"",
            connection.send(h11.EndOfMessage()),
        ]
        writer.write(b"".join(part for part in parts if part))
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> Received | None:
    """The next request; None where the connection ends."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            headers = {name.decode(): value.decode() for name, value in request.headers}
            return Received(request.target.decode(), headers, bytes(body))
        else:
            return None
