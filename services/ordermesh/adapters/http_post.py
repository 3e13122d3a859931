"""POST requests to whom nobody here knows: to the very address that was looked at, bounded in time and size.

HTTP/1.1 by h11 over the loop's own streams, because nothing less says where a connection goes: a name is resolved once,
each of its addresses is checked, and the connection is made to one of these, with the name in SNI and the certificate
checked against it. Redirects are not followed, proxies not used. A connection is kept for the next request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, time
from typing import NamedTuple

import h11

from ordermesh.core.targets import Target, TargetRules, check_address

RESPONSE_BYTES_MAX = 64 * 1024
"""Of an answer's body; what is beyond it is not read."""
BODY_SECONDS = 2.0
"""For an answer's body, once its head is there: the status says all, the body is for people."""
HEADER_BYTES_MAX = 32 * 1024
"""Of an answer's head."""
ADDRESSES_MAX = 3
"""Addresses of a name that are tried."""
CONNECT_SECONDS = 5.0
"""For one address, with TLS."""
IDLE_SECONDS = 20.0
"""A connection that was idle for longer is not used again: its other end may be closing it."""
IDLE_MAX = 256
"""Idle connections in all; the oldest give way."""
RESOLVER_THREADS = 16
"""Names that are resolved at once: a resolver that hangs holds a thread, and must not hold those of others."""


class PostFailed(Exception):
    """There was no answer; the text says why. Whether the request arrived is unknown."""


class Response(NamedTuple):
    """An answer: its status, the beginning of its body, and the seconds that Retry-After asks for, if it does."""

    status: int
    body: bytes
    retry_after_s: float | None


class _Connection:
    """One connection and its HTTP state."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES_MAX)
        self.idle_since = 0.0

    def close(self) -> None:
        """At once."""
        self.writer.transport.abort()

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """What comes next. Raises PostFailed at an early end, h11.RemoteProtocolError for what is no HTTP."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # NEED_DATA is the one that is left
            data = await self.reader.read(16 * 1024)
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise PostFailed("the connection was closed before an answer came")
            self.http.receive_data(data)


class _Answered(NamedTuple):
    """A request that has an answer, of which the body is still to be read."""

    connection: _Connection
    head: h11.Response


class HttpPost:
    """Sends requests. One for a process; `ca` are certificates to trust besides the system's."""

    def __init__(self, rules: TargetRules, *, user_agent: str, ca: Path | None = None) -> None:
        """Raises OSError or ssl.SSLError where `ca` cannot be read."""
        self._rules = rules
        self._user_agent = user_agent
        self._tls = ssl.create_default_context()
        if ca is not None:
            self._tls.load_verify_locations(ca)
        self._resolver = ThreadPoolExecutor(RESOLVER_THREADS, "resolve")
        self._idle: dict[tuple[str, str, int], deque[_Connection]] = {}
        self._idle_count = 0

    def close(self) -> None:
        """Closes idle connections; idempotent."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        self._idle_count = 0
        self._resolver.shutdown(wait=False, cancel_futures=True)

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Sends it and reads the answer, which has to begin in time. Raises PostFailed; NotAllowed where the name leads
        to where it may not."""
        try:
            async with asyncio.timeout(timeout_s):
                connection, head = await self._post(target, headers, body)
        except TimeoutError:
            raise PostFailed(f"no answer within {timeout_s:g} s") from None
        try:
            answer = await self._body(connection)
        except BaseException:
            connection.close()
            raise
        self._keep(target, connection)
        return Response(head.status_code, answer, _retry_after_s(head))

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> _Answered:
        connection = self._kept(target)
        if connection is not None:
            # One that was kept may have been closed by the other end meanwhile: then a new one is tried.
            with contextlib.suppress(PostFailed):
                return await self._exchange(connection, target, headers, body)
        return await self._exchange(await self._connect(target), target, headers, body)

    async def _exchange(
        self, connection: _Connection, target: Target, headers: Mapping[str, str], body: bytes
    ) -> _Answered:
        try:
            return _Answered(connection, await self._ask(connection, target, headers, body))
        except (OSError, h11.ProtocolError) as error:
            connection.close()
            raise PostFailed(_said(error)) from error
        except BaseException:
            connection.close()
            raise

    async def _ask(
        self, connection: _Connection, target: Target, headers: Mapping[str, str], body: bytes
    ) -> h11.Response:
        """Sends a request; returns the head of its answer."""
        lines = {
            "host": target.authority,
            "user-agent": self._user_agent,
            "accept": "*/*",
            "content-length": str(len(body)),
            **headers,
        }
        http = connection.http
        request = h11.Request(method="POST", target=target.path, headers=list(lines.items()))
        parts = [http.send(request), http.send(h11.Data(data=body)), http.send(h11.EndOfMessage())]
        connection.writer.write(b"".join(part for part in parts if part))
        await connection.writer.drain()
        while True:
            event = await connection.next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise PostFailed("the connection was closed before an answer came")

    @staticmethod
    async def _body(connection: _Connection) -> bytes:
        """The beginning of the body. An answer is one also where its body breaks off, or does not come."""
        body = bytearray()
        with contextlib.suppress(OSError, h11.RemoteProtocolError, PostFailed):  # a time-out is an OSError
            async with asyncio.timeout(BODY_SECONDS):
                while len(body) < RESPONSE_BYTES_MAX:
                    event = await connection.next_event()
                    if not isinstance(event, h11.Data):
                        break
                    body += event.data
        return bytes(body[:RESPONSE_BYTES_MAX])

    async def _connect(self, target: Target) -> _Connection:
        """A connection to an address that may be. Raises PostFailed, NotAllowed."""
        failure: Exception | None = None
        for address in (await self._addresses(target))[:ADDRESSES_MAX]:
            tls = target.scheme == "https"
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(
                        address, target.port, ssl=self._tls if tls else None,
                        server_hostname=target.host if tls else None,
                    )  # fmt: skip
                return _Connection(reader, writer)
            except TimeoutError:
                failure = PostFailed(f"no connection to {address} within {CONNECT_SECONDS:g} s")
            except OSError as error:
                failure = error
        raise PostFailed(_said(failure or PostFailed("the name has no address"))) from failure

    async def _addresses(self, target: Target) -> Sequence[str]:
        """The addresses of the target's name, all of which may be. Raises PostFailed, NotAllowed."""
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.run_in_executor(self._resolver, resolve, target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise PostFailed(f"the name cannot be resolved: {error}") from error
        for address in addresses:
            check_address(ip_address(address), self._rules)
        return addresses

    def _kept(self, target: Target) -> _Connection | None:
        """An idle connection to the target that is still open."""
        connections = self._idle.get(target[:3])
        while connections:
            connection = connections.pop()
            self._idle_count -= 1
            is_fresh = monotonic() - connection.idle_since < IDLE_SECONDS
            if is_fresh and not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.close()
        return None

    def _keep(self, target: Target, connection: _Connection) -> None:
        """Keeps a connection for the next request, if both ends want that; the oldest gives way."""
        if connection.http.our_state is not h11.DONE or connection.http.their_state is not h11.DONE:
            connection.close()
            return
        connection.http.start_next_cycle()
        connection.idle_since = monotonic()
        self._idle.setdefault(target[:3], deque()).append(connection)
        self._idle_count += 1
        if self._idle_count > IDLE_MAX:
            key = next(key for key, connections in self._idle.items() if connections)
            self._idle[key].popleft().close()
            self._idle_count -= 1
        self._idle = {key: connections for key, connections in self._idle.items() if connections}


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Blocks. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


def _said(error: BaseException) -> str:
    """A failure for a person, in one line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return str(error) or type(error).__name__


def _retry_after_s(response: h11.Response) -> float | None:
    """Seconds from now that a Retry-After names, by a number or a date; None where there is none that can be read."""
    for name, value in response.headers:
        if name == b"retry-after":
            text = value.decode("ascii", "replace").strip()
            if text.isdecimal() and len(text) <= 9:
                return float(text)
            try:
                return max(0.0, parsedate_to_datetime(text).timestamp() - time())
            except (ValueError, OverflowError):
                return None
    return None
