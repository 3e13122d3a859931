"""What the payment provider sends by itself: POST /webhooks/NAME. It hurries a question, and answers none.

A signed notice that names an order of ours has the order's payment ask the provider what became of what is under way.
What the notice says happened is not believed: it may be old, out of order, or come again. So nothing is lost with one
that never comes either; the payment asks by itself, only later.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from oms.payment.v1.payment_commands_pb2 import Check
from ordermesh.core import ids
from ordermesh.gateway.http.headers import HttpContext
from ordermesh.payment.model import SERVICE, payment_key
from ordermesh.payment.provider import Notice, NoticeReader, Unsigned
from ordermesh.runtime.backend import Backend, decided
from ordermesh.runtime.calls import Call
from ordermesh.runtime.ports import LogError
from ordermesh.runtime.problems import Problem

BODY_BYTES_MAX: Final = 256 * 1024
"""Of a notice: Stripe's have a few kilobytes."""
BODY_S: Final = 10.0
"""Time for it to come."""
READING_MAX: Final = 128
"""Bodies that come at once, 32 MiB. Anybody may send one, so they take no place of notices that are signed."""
AT_ONCE_MAX: Final = 32
"""Signed notices under way; beyond that the provider is told to come again."""
REMEMBERED_MAX: Final = 10_000
"""Notices that are known when they come again: half an hour of a busy shop. An older one asks once more, which does
nothing."""

_log = structlog.get_logger(__name__)


class Notices:
    """Takes the provider's notices at an edge."""

    def __init__(self, backend: Backend, reader: NoticeReader, registry: CollectorRegistry) -> None:
        self._backend = backend
        self._reader = reader
        self._known: OrderedDict[str, None] = OrderedDict()
        self._reading = 0
        self._under_way = 0
        self._counted = Counter(
            "ordermesh_provider_notices",
            "Notices of the payment provider, by what became of them.",
            ("outcome",),
            registry=registry,
        )

    @property
    def reading_count(self) -> int:
        """Bodies that are coming."""
        return self._reading

    async def answer(self, request: Request) -> Response:
        """The answer to a POST: 200 for what is done with, 400 for what is not the provider's, 503 for coming again."""
        if self._backend.stopping.is_set() or self._reading >= READING_MAX:
            return self._told("not_taken", 503, "Come again.")
        self._reading += 1
        try:
            body = await _body(request)
        except ClientDisconnect:
            return self._told("not_taken", 400, "It was not sent whole.")
        finally:
            self._reading -= 1
        if body is None:
            return self._told("refused", 413, f"It has more than {BODY_BYTES_MAX} bytes, or does not come.")
        try:
            notice = self._reader.read(body, request.headers)
        except (Unsigned, ValueError) as error:
            _log.warning("a notice of the payment provider is refused", reason=type(error).__name__)
            return self._told("refused", 400, "It is not signed as it should be.")
        return await self._take(notice, request)

    async def _take(self, notice: Notice, request: Request) -> Response:
        """The answer to what the provider signed."""
        if not _is_order(notice.order_id):
            return self._told("ignored", 200, "It is about nothing here.")
        if notice.event_id in self._known:
            return self._told("repeated", 200, "It is known.")
        if self._under_way >= AT_ONCE_MAX:
            return self._told("not_taken", 503, "Come again.")
        self._under_way += 1
        try:
            await self._hurry(notice.order_id, request)
        except (Problem, LogError) as problem:
            return self._told("not_taken", 503, getattr(problem, "reason", "LOG_UNAVAILABLE"))
        finally:
            self._under_way -= 1
        self._remember(notice.event_id)
        return self._told("taken", 200, "The payment asks.")

    async def _hurry(self, order_id: str, request: Request) -> None:
        """Has the payment ask, once that is durable. Raises Problem, LogError."""
        call = Call(HttpContext(request.headers))
        pending = self._backend.post(SERVICE, payment_key(call.tenant, order_id), Check(), call)
        (answer,) = await self._backend.gate.settle([pending], call.answer_timeout_s)
        decided(answer)

    def _remember(self, event_id: str) -> None:
        self._known[event_id] = None
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def _told(self, outcome: str, status: int, text: str) -> Response:
        self._counted.labels(outcome).inc()
        headers = {"retry-after": "5"} if outcome == "not_taken" else None
        return PlainTextResponse(f"{text}\n", status, headers=headers)


def _is_order(order_id: str) -> bool:
    """Whether it is an order's id in its one form: only then it may go into a log."""
    try:
        return ids.canonical_order_id(order_id) == order_id
    except ids.InvalidIdentifier:
        return False


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too long or too slow."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > BODY_BYTES_MAX:
                    return None
                chunks.append(chunk)
    except TimeoutError:
        return None
    return b"".join(chunks)
