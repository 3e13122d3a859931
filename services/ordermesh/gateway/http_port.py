"""The HTTP port: /livez, /readyz with reasons, /metrics. It runs in the process's own loop and is closed with it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ordermesh.runtime.readiness import Readiness

HEADERS_BYTES_MAX = 16 * 1024
"""Size of a request's headers: a probe needs a hundred bytes."""
CONNECTIONS_MAX = 256
"""Requests at once: beyond it uvicorn answers 503, so that scrapers cannot starve the calls of the same loop."""


def probes(readiness: Callable[[], Awaitable[Readiness]], registry: CollectorRegistry) -> Starlette:
    """The routes. /readyz is 200 or 503 with {"ready", "reasons", "degraded"}."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        state = await readiness()
        body = {"ready": state.ready, "reasons": list(state.reasons), "degraded": list(state.degraded)}
        return JSONResponse(body, status_code=200 if state.ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


class _Server(uvicorn.Server):
    """Leaves signals to the process that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


def listen(address: str, *, reuse_port: bool = False) -> socket.socket:
    """A bound TCP socket for `HOST:PORT` (port 0: any free). Raises OSError, ValueError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, int(port)))
    except BaseException:
        bound.close()
        raise
    return bound


class HttpPort:
    """Serves an ASGI application at an address until stopped."""

    def __init__(self, application: Starlette) -> None:
        config = uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=HEADERS_BYTES_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self, address: str, *, reuse_port: bool = False) -> str:
        """Listens at `HOST:PORT` and returns it with the port that it got. Raises OSError if it is taken."""
        bound = listen(address, reuse_port=reuse_port)
        host, port = bound.getsockname()[:2]
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name="http port")
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)
        if self._task.done():
            bound.close()
            self._task.result()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def stop(self) -> None:
        """Answers what is under way, for at most two seconds, and closes; idempotent."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None
