"""The gRPC server of an edge process: its methods, their limits, health, reflection, and how it ends.

Ending is in this order: health says NOT_SERVING, so that balancers look elsewhere; long streams are told to resume
elsewhere; what has arrived is taken; calls under way have the grace period to end; then they are cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from ordermesh.runtime.calls import handlers
from ordermesh.runtime.telemetry import CallMetrics

CATCH_UP_SHARE = 0.5
"""Of the grace period, at most, for taking what has arrived before the server stops; the rest is for answering."""

TURN_S, TURNS_ON_TIME = 0.02, 10
"""The process keeps up when so many pauses of that length in a row end on time. Three were too few where gRPC's own
thread waited for a core while this one had one."""

REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
"""New tools ask for it first. Its messages are v1alpha's, byte for byte; grpcio-reflection has only those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Limits of the gRPC server."""

    call_bytes_max: int = 4 * 1024 * 1024
    """Size of a request: a batch of a thousand orders of four lines takes about 700 KiB."""
    framing_bytes: int = 64 * 1024
    """What is let in above that, so that the documented size itself fits and is judged by its content."""
    streams_per_connection_max: int = 1000
    """Calls at once on one connection; a client with more waits, or opens another connection."""
    metadata_bytes_max: int = 16 * 1024
    """Size of a call's metadata: a trace context and a token."""
    keepalive_s: float = 60.0
    """Silence after which the server asks whether the client is there: below the idle time-out of common balancers."""
    keepalive_timeout_s: float = 20.0
    """How long the client may take to answer that."""
    reflection: bool = True
    """Whether tools may ask which services there are."""
    reuse_port: bool = True
    """Whether several edge processes share the port; the kernel spreads connections over them."""
    credentials: grpc.ServerCredentials | None = None
    """The certificate, and whether clients need one; without it no TLS is spoken."""

    def channel_arguments(self) -> list[tuple[str, int]]:
        """The same, in gRPC's words."""
        return [
            ("grpc.max_receive_message_length", self.call_bytes_max + self.framing_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_concurrent_streams", self.streams_per_connection_max),
            ("grpc.max_metadata_size", self.metadata_bytes_max),
            ("grpc.absolute_max_metadata_size", 2 * self.metadata_bytes_max),
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_s * 1000)),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.so_reuseport", int(self.reuse_port)),
        ]


class Api(NamedTuple):
    """A service of the contract and the object that has its methods."""

    descriptor: ServiceDescriptor
    servicer: object


class GrpcServer:
    """Serves these APIs at one address."""

    def __init__(self, apis: Sequence[Api], options: ServerOptions, metrics: CallMetrics) -> None:
        self._options = options
        self._names = [api.descriptor.full_name for api in apis]
        self._handlers = tuple(handlers(api.descriptor, api.servicer, metrics) for api in apis)
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None

    def _make(self) -> grpc.aio.Server:
        """The server, which belongs to the loop that it is made in."""
        server = grpc.aio.server(options=self._options.channel_arguments())
        server.add_generic_rpc_handlers(self._handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._options.reflection:
            self._add_reflection(server)
        return server

    def _add_reflection(self, server: grpc.aio.Server) -> None:
        names = [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME, REFLECTION_V1]
        servicer = reflection.aio.ReflectionServicer(names)
        method = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        for name in (reflection.SERVICE_NAME, REFLECTION_V1):
            generic = grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method})
            server.add_generic_rpc_handlers((generic,))

    async def start(self, address: str) -> str:
        """Listens at `HOST:PORT` (port 0: any free) and returns the bound address. Raises OSError if it is taken."""
        server = self._server = self._make()
        try:
            if (credentials := self._options.credentials) is None:
                port = server.add_insecure_port(address)
            else:
                port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {error}") from error
        await self.set_serving(False)
        await server.start()
        return f"{address.rpartition(':')[0]}:{port}"

    async def set_serving(self, serving: bool) -> None:
        """What health says of the server and of each service."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)

    async def leave(self) -> None:
        """Health says NOT_SERVING from now on, whatever else is set."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls, waits that long for those under way, and cancels the rest."""
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_s
        await _caught_up(loop.time() + CATCH_UP_SHARE * grace_s)
        await self._server.stop(max(0.0, end - loop.time()))


async def _caught_up(deadline: float) -> None:
    """Waits until the process keeps up, or until then. Calls that have arrived and are not taken yet when a server
    stops are reset, and their clients see CANCELLED, which nobody repeats: a busy process has many of these."""
    loop, on_time = asyncio.get_running_loop(), 0
    while on_time < TURNS_ON_TIME and (now := loop.time()) < deadline:
        await asyncio.sleep(TURN_S)
        on_time = on_time + 1 if loop.time() - now < 2 * TURN_S else 0
