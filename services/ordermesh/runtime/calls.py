"""From bytes on the wire to a method and back: parsing, failures, deadlines and metrics, in one place for all methods.

A servicer is a plain object with one coroutine method (or async generator) per RPC, named as in its proto, that takes
the parsed request and a `Call`. It raises `Problem` for what it refuses; it never sees gRPC.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any, Protocol

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from ordermesh.runtime.problems import Problem, Violation, invalid
from ordermesh.runtime.telemetry import CallMetrics, MethodMetrics

ANSWER_TIMEOUT_MAX_S = 1.0
"""How long a call waits for owner and store before it says what is known so far."""
ANSWER_DEADLINE_SHARE = 0.8
"""Share of a caller's deadline that may be waited; the rest is for the way back."""

TRACEPARENT_LENGTH_MAX = 128
"""What is kept of a trace context: it goes into the log with every command; version 00 has 55 characters."""

_log = structlog.get_logger()


class CallContext(Protocol):
    """What the way by which a call came knows of it; gRPC's context is one."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None where that was not said."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What came with the call beside the request, by name."""


class Call:
    """What a method may know of its call beside the request. Raises Problem for one whose deadline has passed."""

    __slots__ = ("_context", "traceparent")

    def __init__(self, context: CallContext) -> None:
        remaining_s = context.time_remaining()
        if remaining_s is not None and remaining_s <= 0:
            raise Problem("DEADLINE_EXCEEDED", "The deadline had passed when the request came; nothing was done.")
        self._context = context
        self.traceparent = _traceparent(context)
        """The W3C trace context of the call, empty if it has none."""

    @property
    def tenant(self) -> str:
        """Whose data it is about."""
        return "default"

    @property
    def actor(self) -> str:
        """Who calls; empty while authentication is off."""
        return ""

    @property
    def answer_timeout_s(self) -> float:
        """How long to wait for an answer: at most a second and 80 % of what is left of the deadline."""
        remaining = self._context.time_remaining()
        if remaining is None:
            return ANSWER_TIMEOUT_MAX_S
        return max(0.0, min(ANSWER_TIMEOUT_MAX_S, remaining * ANSWER_DEADLINE_SHARE))


def _traceparent(context: CallContext) -> str:
    for name, value in context.invocation_metadata() or ():
        if name == "traceparent" and isinstance(value, str):
            return value[:TRACEPARENT_LENGTH_MAX]
    return ""


def handlers(service: ServiceDescriptor, servicer: object, metrics: CallMetrics) -> grpc.GenericRpcHandler:
    """Binds a servicer to its service. Raises AttributeError if a method of the contract is missing."""
    bound = {}
    for method in service.methods:
        name = f"{service.full_name}/{method.name}"
        bound[method.name] = _bind(method, getattr(servicer, method.name), metrics.method(name))
    return grpc.method_handlers_generic_handler(service.full_name, bound)


def _bind(method: MethodDescriptor, behave: Any, metrics: MethodMetrics) -> grpc.RpcMethodHandler[bytes, bytes]:
    parse = _parser(GetMessageClass(method.input_type))
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_bidirectional(parse, behave, metrics))
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_server_stream(parse, behave, metrics))
    return grpc.unary_unary_rpc_method_handler(_unary(parse, behave, metrics))


def _parser(request_type: type[Message]) -> Callable[[bytes], Any]:
    def parse(data: bytes) -> Message:
        try:
            return request_type.FromString(data)
        except DecodeError:
            name = request_type.DESCRIPTOR.full_name
            raise invalid([Violation("", f"The bytes are no {name}.")]) from None

    return parse


def _unary(
    parse: Callable[[bytes], Any], behave: Callable[[Any, Call], Awaitable[Message]], metrics: MethodMetrics
) -> Any:
    async def answer(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        started = perf_counter()
        metrics.in_flight += 1
        code = "CANCELLED"
        try:
            response = (await behave(parse(data), Call(context))).SerializeToString()
            code = "OK"
            return response
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place where whatever a method raises becomes a status
            problem = problem_of(error, metrics)
            code = problem.code.name
            return await _abort(context, problem)
        finally:
            metrics.in_flight -= 1
            metrics.ended(code, perf_counter() - started)

    return answer


def _server_stream(
    parse: Callable[[bytes], Any], behave: Callable[[Any, Call], AsyncIterator[Message]], metrics: MethodMetrics
) -> Any:
    async def answer(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        async for response in _responses(lambda: behave(parse(data), Call(context)), context, metrics):
            yield response

    return answer


def _bidirectional(
    parse: Callable[[bytes], Any],
    behave: Callable[[AsyncIterator[Any], Call], AsyncIterator[Message]],
    metrics: MethodMetrics,
) -> Any:
    async def requests(frames: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for data in frames:
            yield parse(data)

    async def answer(
        frames: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        async for response in _responses(lambda: behave(requests(frames), Call(context)), context, metrics):
            yield response

    return answer


async def _responses(
    begin: Callable[[], AsyncIterator[Message]],
    context: grpc.aio.ServicerContext[bytes, bytes],
    metrics: MethodMetrics,
) -> AsyncIterator[bytes]:
    """The stream's messages, serialised; its failure as a status; counted when it ends, however it ends."""
    started = perf_counter()
    metrics.in_flight += 1
    code = "CANCELLED"
    stream: Any = None
    try:
        stream = begin()
        async for response in stream:
            yield response.SerializeToString()
        code = "OK"
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except Exception as error:  # noqa: BLE001 - as for unary methods
        problem = problem_of(error, metrics)
        code = problem.code.name
        await _abort(context, problem)
    finally:
        metrics.in_flight -= 1
        metrics.ended(code, perf_counter() - started)
        if stream is not None:
            await stream.aclose()


def problem_of(error: Exception, metrics: MethodMetrics) -> Problem:
    """The problem itself; or for a bug, a problem that tells the caller nothing but where to look."""
    if isinstance(error, Problem):
        return error
    correlation_id = uuid.uuid4().hex
    _log.error("call failed", method=metrics.name, correlation_id=correlation_id, exc_info=error)
    message = f"The server failed; its log has the cause under {correlation_id}."
    return Problem("INTERNAL", message, metadata={"correlation_id": correlation_id})


async def _abort(context: grpc.aio.ServicerContext[bytes, bytes], problem: Problem) -> bytes:
    """Ends the call with the problem's status and its details; never returns."""
    status = problem.status()
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(problem.code, problem.message, trailers)
    raise AssertionError
