"""Makes planned calls, many at once, over raw bytes, and says of each how it ended and what is wrong with that."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from ordermesh.runtime.server import ServerOptions
from ordermesh.testing.fuzz.judge import Refusal, refusal_of, wrong_with
from ordermesh.testing.fuzz.methods import Method
from ordermesh.testing.fuzz.plan import METADATA_BYTES_FINE, PlannedCall

PATIENCE_S = 60.0
"""A unary call without an answer after that long counts as a failure, on a busy machine too."""
STREAM_S = 0.3
"""How long a stream is listened to that need not end."""
INGEST_S = 30.0
"""How long a stream of requests may take to be answered."""
RESPONSES_MAX = 64
"""Messages of a stream that are looked at before it is cut off."""
TOKENS_MAX = 64
"""Page tokens that are kept to be sent."""
REQUEST_SHOWN = 400
"""Hexadecimal digits of a request that a failure is shown with."""
RESPONSE_BYTES_MAX = 24 * 1024 * 1024
"""Size of an answer: a thousand orders come back six times as large as they went, at the most."""
CUT_WHILE_WRITING = frozenset({"Internal error from Core", "Locally cancelled by application!"})
"""What the client library makes of a status that comes while it writes."""
_CALL_BYTES_MAX = ServerOptions().call_bytes_max + ServerOptions().framing_bytes


@dataclass(slots=True)
class Tally:
    """What calls came to: `codes` by name, `items` by the codes inside batches and streams, `failures` by fault, with
    the number of the first call that had it."""

    calls: int = 0
    messages: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)


class Caller:
    """Calls over a channel and counts in a tally. `page_tokens` gets those that answers have."""

    def __init__(self, channel: grpc.aio.Channel, tally: Tally, page_tokens: list[str]) -> None:
        self._channel = channel
        self._tally = tally
        self._page_tokens = page_tokens
        self._bound: dict[str, Any] = {}

    async def make(self, call: PlannedCall) -> None:
        """One call, judged."""
        tally = self._tally
        tally.calls += 1
        tally.messages += len(call.requests)
        tally.methods[f"{call.method.service.split('.')[1]}.{call.method.name}"] += 1
        try:
            await self._send(call)
            code = "OK"
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not call.method.takes_stream or task is None or task.cancelling():
                raise
            code = "CANCELLED by gRPC"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            details = next(
                (value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"), b""
            )
            assert isinstance(details, bytes)
            refusal = Refusal(code, error.details() or "", details)
            if _is_by_grpc(call, refusal):
                code = f"{code} by gRPC"
            else:
                self._judge(call, refusal)
        tally.codes[code] += 1

    def _judge(self, call: PlannedCall, refusal: Refusal) -> None:
        wrong = wrong_with(refusal)
        if wrong:
            self.fail(call, wrong)

    def fail(self, call: PlannedCall, wrong: str) -> None:
        """Counts a failure, by method and fault."""
        name = f"{call.method.name}: {wrong}"
        request = call.requests[0].hex()[:REQUEST_SHOWN] if call.requests else ""
        first = {"call": call.number, "kind": call.kind, "request": request, "count": 0}
        self._tally.failures.setdefault(name, first)["count"] += 1

    def _method(self, method: Method) -> Any:
        bound = self._bound.get(method.path)
        if bound is None:
            shape = ("stream" if method.takes_stream else "unary") + ("_stream" if method.gives_stream else "_unary")
            bound = self._bound[method.path] = getattr(self._channel, shape)(method.path)
        return bound

    async def _send(self, call: PlannedCall) -> None:
        """Raises AioRpcError."""
        method = call.method
        options: dict[str, Any] = {"metadata": tuple(call.metadata), "timeout": call.deadline_s or PATIENCE_S}
        if call.is_compressed:
            options["compression"] = grpc.Compression.Gzip
        if not method.gives_stream:
            self._look(call, await self._method(method)(call.requests[0], **options))
            return
        options["timeout"] = call.deadline_s or (INGEST_S if method.takes_stream else STREAM_S)
        argument = _each(call) if method.takes_stream else call.requests[0]
        stream = self._method(method)(argument, **options)
        try:
            count = 0
            while (data := await stream.read()) is not grpc.aio.EOF:
                self._look(call, data)
                count += 1
                if count >= RESPONSES_MAX:
                    return
            await _ended(stream)
        finally:
            stream.cancel()

    def _look(self, call: PlannedCall, data: bytes) -> None:
        """At an answer: its size, its page token, the statuses of its items."""
        if len(data) > RESPONSE_BYTES_MAX:
            self.fail(call, f"an answer of {len(data) >> 20} MiB")
        response = GetMessageClass(call.method.response).FromString(data)
        token = getattr(response, "next_page_token", "")
        if token and token not in self._page_tokens:
            self._page_tokens.append(token)
            del self._page_tokens[:-TOKENS_MAX]
        for status in _statuses(response):
            refusal = refusal_of(status)
            self._tally.items[refusal.code] += 1
            self._judge(call, refusal)


async def _ended(stream: Any) -> None:
    """Raises AioRpcError if the stream did not end well."""
    code = await stream.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await stream.initial_metadata(), await stream.trailing_metadata(), await stream.details()
        )


async def _each(call: PlannedCall) -> AsyncIterator[bytes]:
    for request in call.requests:
        yield request
        await asyncio.sleep(0)


def _statuses(response: Message) -> Iterator[status_pb2.Status]:
    """The failures inside an answer: its own status, or those of its results."""
    fields = response.DESCRIPTOR.fields_by_name
    if (
        "status" in fields
        and fields["status"].message_type is status_pb2.Status.DESCRIPTOR
        and response.HasField("status")
    ):
        yield response.status  # type: ignore[attr-defined]  # just looked up
    for result in getattr(response, "results", ()):
        yield from _statuses(result)


def _is_by_grpc(call: PlannedCall, refusal: Refusal) -> bool:
    """Whether gRPC itself ended the call, before or without the engine: too large, out of the time it had, or a stream
    of requests that the engine had answered while it was still being written."""
    if refusal.details:
        return False
    if refusal.code == "DEADLINE_EXCEEDED":
        return call.deadline_s is not None or call.method.gives_stream
    if call.method.takes_stream and refusal.message in CUT_WHILE_WRITING:
        return True
    metadata_bytes = sum(len(name) + len(value) + 32 for name, value in call.metadata)
    is_large = call.bytes_max > _CALL_BYTES_MAX or metadata_bytes > METADATA_BYTES_FINE
    return refusal.code == "RESOURCE_EXHAUSTED" and is_large
