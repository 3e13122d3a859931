"""The HTTP/JSON API of an edge, as one ASGI application: every method that has a path, by the same objects as gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple

from google.protobuf.message import Message
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ordermesh.gateway.http.errors import Refused, answer_of, no_such_path, wrong_media, wrong_verb
from ordermesh.gateway.http.events import EventStream, take_last_event_id
from ordermesh.gateway.http.fields import request_of
from ordermesh.gateway.http.headers import HttpContext, etag_of, take_idempotency_key, take_if_match
from ordermesh.gateway.http.pages import pages
from ordermesh.gateway.http.room import Room
from ordermesh.gateway.http.routes import Found, Routes
from ordermesh.gateway.http.text import as_json
from ordermesh.runtime.calls import Call, problem_of
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.server import Api
from ordermesh.runtime.telemetry import CallMetrics, MethodMetrics

GZIP_BYTES_MIN = 1024
"""Shorter answers fit into a packet as they are."""
GZIP_LEVEL = 4
"""Half of the time of the highest level, for a few percent more bytes."""
THREAD_BYTES_MIN = 64 * 1024
"""From that size on JSON is read and written in a thread: it takes longer than other calls should wait (about 5 ms)."""
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Answers are about somebody's orders, and JSON."""


class Method(NamedTuple):
    """A method's implementation, and what is counted of it."""

    behave: Any
    metrics: MethodMetrics


class HttpApi:
    """Answers HTTP calls of these services. `build` is the version that /openapi.json tells."""

    def __init__(self, apis: Sequence[Api], metrics: CallMetrics, build: str) -> None:
        self._routes = Routes(api.descriptor for api in apis)
        self._methods: Mapping[str, Method] = {
            method.full_name: Method(
                getattr(api.servicer, method.name), metrics.method(f"{api.descriptor.full_name}/{method.name}")
            )
            for api in apis
            for method in api.descriptor.methods
        }
        self.room = Room()
        self._pages = pages(self._routes.bindings, build)

    def application(self) -> ASGIApp:
        """The API with compressed answers for those who take them."""
        return GZipMiddleware(self._serve, minimum_size=GZIP_BYTES_MIN, compresslevel=GZIP_LEVEL)

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls, and waits that long for those under way. Streams end by themselves."""
        await self.room.leave(grace_s)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except (Problem, Refused) as error:
            answer = answer_of(error)
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response | EventStream:
        raw_path = request.scope["raw_path"].decode("latin-1")
        if raw_path in self._pages:
            if request.method != "GET":
                raise wrong_verb(request.method, ["GET"])
            return self._pages[raw_path]()
        verbs = self._routes.find(raw_path)
        if request.method not in verbs:
            raise wrong_verb(request.method, sorted(verbs)) if verbs else no_such_path(raw_path[:128])
        found = verbs[request.method]
        method = self._methods[found.binding.method.full_name]
        if found.binding.method.server_streaming:
            return await self._stream(found, method, request)
        return await self._unary(found, method, request)

    async def _unary(self, found: Found, method: Method, request: Request) -> Response:
        with self.room.call(), self.room.body() as room:
            body = await room.read(request) if found.binding.body else b""
            with _counted(method.metrics):
                context = HttpContext(request.headers)
                message = await _beside(len(body), lambda: _request(found, request, body))
                response = await _within(context, method, message)
                text = await _beside(response.ByteSize(), lambda: as_json(response).encode())
        etag = etag_of(response)
        headers = {**HEADERS, "etag": etag} if etag else HEADERS
        return Response(text, headers=headers, media_type="application/json")

    async def _stream(self, found: Found, method: Method, request: Request) -> EventStream:
        message = _request(found, request, b"")
        take_last_event_id(request.headers, message)
        self.room.take_stream()
        stream = EventStream(_messages(method, message, HttpContext(request.headers)), self.room.give_stream)
        await stream.open()
        return stream


def _request(found: Found, request: Request, body: bytes) -> Message:
    """The method's request. Raises Problem, Refused."""
    if found.binding.body:
        _check_media(request)
    message = request_of(found, request.query_params.multi_items(), body)
    take_idempotency_key(found.binding, request.headers, message)
    take_if_match(found.binding, request.headers, message)
    return message


def _check_media(request: Request) -> None:
    """Raises Refused for a body that is no JSON as it is. An empty one has to be JSON too: what a page of another site
    may send without being asked is not."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() != "application/json":
        raise wrong_media("the method takes application/json; say so in content-type, also of an empty body")
    if parameters and parameters.strip().lower().replace('"', "") != "charset=utf-8":
        raise wrong_media("JSON is taken in UTF-8")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise wrong_media("compressed bodies are not taken")


async def _beside(size: int, work: Callable[[], Any]) -> Any:
    """Does it in a thread if it is about that many bytes."""
    return work() if size < THREAD_BYTES_MIN else await asyncio.to_thread(work)


async def _within(context: HttpContext, method: Method, message: Message) -> Message:
    """What the method answers before the caller's deadline. Raises Problem."""
    call = Call(context)
    try:
        async with asyncio.timeout(context.time_remaining()) as deadline:
            response: Message = await method.behave(message, call)
            return response
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise Problem("DEADLINE_EXCEEDED", "The deadline passed; a mutation may still be done.") from error


async def _messages(method: Method, message: Message, context: HttpContext) -> AsyncIterator[Message]:
    """What the method sends, counted as one call."""
    with _counted(method.metrics):
        stream = method.behave(message, Call(context))
        try:
            async for response in stream:
                yield response
        finally:
            await stream.aclose()


@contextmanager
def _counted(metrics: MethodMetrics) -> Iterator[None]:
    """Counts a call with its code, as for gRPC. Raises Problem for whatever fails in it."""
    started = perf_counter()
    metrics.in_flight += 1
    code = "CANCELLED"
    try:
        yield
        code = "OK"
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except Refused as refused:
        code = refused.problem.code.name
        raise
    except Exception as error:
        problem = problem_of(error, metrics)
        code = problem.code.name
        if problem is error:
            raise
        raise problem from error
    finally:
        metrics.in_flight -= 1
        metrics.ended(code, perf_counter() - started)
