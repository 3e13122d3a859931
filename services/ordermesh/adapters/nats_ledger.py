"""The sandbox provider's truth on NATS: a message of the stream `OM_SANDBOX` for each operation that took effect.

Owners on several machines share it. Every idempotency key has a subject of its own, and a message is stored only if its
subject has none yet: that is one decision of the server, so a key takes effect once, whoever asks and however often. A
message is a line as the file of one machine has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import structlog
from nats.aio.msg import Msg

from ordermesh.adapters.jetstream_api import (
    EXPECTED_HEADER,
    NAME_IN_USE,
    ApiError,
    StreamMissing,
    append_error,
    call,
)
from ordermesh.adapters.jetstream_leader import check_is_led, through_election
from ordermesh.adapters.nats_access import OPEN, NatsAccess
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.provider_ledger import LedgerBusy, LedgerEntry, entry_of
from ordermesh.runtime.ports import Fenced, LogError, LogUnavailable

STREAM = "OM_SANDBOX"
SUBJECT = "om.sandbox.v1"
"""With the key's digest behind it."""
BYTES_MAX_DEFAULT = 512 * 1024 * 1024
"""What is kept; past it nothing takes effect any more, because a truth must not forget."""
OPERATIONS_MAX = 1_000_000
"""Subjects are held in the server's memory, about 200 bytes each."""
ENTRY_BYTES_MAX = 4096
"""Of one operation: its texts are ids."""
ADD_SECONDS = 5.0
"""For the acknowledgement of an operation; after that it is asked again, under the same key."""
ADD_PAUSE_SECONDS = 0.05
"""Before an operation that nothing became of is offered again."""
API_SECONDS = 10.0
"""For looking at the stream, and for making it."""
PAGE_ENTRIES = 500
"""Operations that are read at once."""
PAGE_SECONDS = 10.0
"""For one page of them."""
PAGE_PAUSE_SECONDS = 0.1
"""Before a page that was empty is asked for again."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class NatsLedger:
    """The ledger on a NATS server or cluster, for one process among several. Call `open` first."""

    def __init__(self, servers: Sequence[str], *, name: str, replicas: int = 1, access: NatsAccess = OPEN) -> None:
        """`servers` are URLs, `name` names the process in the server's monitoring, `replicas` is for a new stream."""
        self._connection = Connection(servers, f"{name} sandbox", access)
        self._requests = Requests(self._connection)
        self._replicas = replicas
        self._loop = asyncio.get_running_loop()

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connects and makes the stream if it does not exist. Raises LogUnavailable, or LogError where it cannot."""
        await self._connection.open(timeout_s)
        await self._requests.start()
        await through_election(self._ensure_stream, self._replicas)

    async def close(self) -> None:
        """Disconnects; idempotent."""
        await self._connection.close()

    async def add(self, entry: LedgerEntry) -> bool:
        """Adds the operation unless its key is there; returns whether it was added. Raises LedgerBusy where that is
        not known, or the ledger is full."""
        line = entry.line()
        if len(line) > ENTRY_BYTES_MAX:
            raise ValueError(f"an operation of {len(line)} bytes is larger than {ENTRY_BYTES_MAX}")
        try:
            async with asyncio.timeout(ADD_SECONDS):
                while True:
                    try:
                        return await self._add(_subject(entry.idempotency_key), line)
                    except LogUnavailable as error:
                        _log.debug("the sandbox's ledger is asked again", reason=str(error))
                    await asyncio.sleep(ADD_PAUSE_SECONDS)
        except (TimeoutError, LogError) as error:
            raise LedgerBusy(f"{STREAM}: {str(error) or f'no answer in {ADD_SECONDS:g} s'}") from error

    async def _add(self, subject: str, line: bytes) -> bool:
        """One try. Raises LogUnavailable where nothing was done: no leader, or another is at work on the same key."""
        answer = await self._requests.ask(subject, line, ADD_SECONDS, f"{EXPECTED_HEADER}: 0\r\n".encode())
        error = json.loads(answer.data).get("error")
        failure = None if error is None else append_error(error)
        if failure is not None and not isinstance(failure, Fenced):
            raise failure
        return failure is None

    def entries(self) -> Iterator[LedgerEntry]:
        """Every operation that took effect before the call, in order, and perhaps later ones. Read it in a thread that
        is not the loop's. Raises LogUnavailable."""
        last = self._wait_for(self._last())
        after = 0
        while after < last:
            lines = self._wait_for(self._page(after))
            yield from map(entry_of, lines)
            after += len(lines)

    def _wait_for(self, answer: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result()

    async def _last(self) -> int:
        """The number of operations, which is the last one's sequence: nothing is ever removed. By the leader."""
        info = await call(self._requests, f"STREAM.INFO.{STREAM}", {}, API_SECONDS)
        check_is_led(info)
        return int(info["state"]["last_seq"])

    async def _page(self, after: int) -> list[bytes]:
        """The next lines, at least one. A replica that has not got there yet is asked again."""
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                while not (lines := await self._ask_for_page(after)):
                    await asyncio.sleep(PAGE_PAUSE_SECONDS)
        except TimeoutError as error:
            raise LogUnavailable(f"{STREAM}: no page after {after} in {PAGE_SECONDS:g} s") from error
        return lines

    async def _ask_for_page(self, after: int) -> list[bytes]:
        page = _Page(after)
        subscription = await self._connection.subscribe(page.inbox, page.receive)
        body = {"seq": after + 1, "next_by_subj": f"{SUBJECT}.>", "batch": PAGE_ENTRIES}
        try:
            await self._connection.publish(f"$JS.API.DIRECT.GET.{STREAM}", json.dumps(body).encode(), page.inbox)
            await page.ended.wait()
        finally:
            await subscription.close()
        if page.failure:
            raise LogUnavailable(f"{STREAM}: {page.failure}")
        return page.lines

    async def _ensure_stream(self) -> None:
        with contextlib.suppress(StreamMissing):
            await call(self._requests, f"STREAM.INFO.{STREAM}", {}, API_SECONDS)
            return
        config = {
            "name": STREAM,
            "subjects": [f"{SUBJECT}.>"],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "max_bytes": BYTES_MAX_DEFAULT,
            "max_msgs": OPERATIONS_MAX,
            "max_msg_size": ENTRY_BYTES_MAX + 1024,
            "num_replicas": self._replicas,
            "deny_delete": True,
            "deny_purge": True,
            "allow_direct": True,
        }
        try:
            await call(self._requests, f"STREAM.CREATE.{STREAM}", config, API_SECONDS)
        except ApiError as error:
            if error.code != NAME_IN_USE:
                raise


class _Page:
    """What a batched direct get sends: messages, and at the end a status without content."""

    def __init__(self, after: int) -> None:
        self.inbox = "_INBOX." + secrets.token_hex(11)
        self.lines: list[bytes] = []
        self.failure = ""
        self._after = after
        self.ended = asyncio.Event()

    def receive(self, message: Msg) -> None:
        """Takes a message, or the end: 204 after the last one, 404 where there is none. A gap, from a connection that
        was lost, ends it too: what is before it counts."""
        headers: dict[str, Any] = message.headers or {}
        status = headers.get("Status", "")
        if not status:
            if int(headers["Nats-Sequence"]) == self._after + len(self.lines) + 1:
                self.lines.append(message.data)
            else:
                self.ended.set()
            return
        if status not in ("204", "404"):
            self.failure = f"{status} {headers.get('Description', '')}".strip()
        self.ended.set()


def _subject(key: str) -> str:
    """The subject of an idempotency key, whatever characters it has."""
    return f"{SUBJECT}.{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
