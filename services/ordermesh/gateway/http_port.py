"""The HTTP port: /livez, /readyz and /startupz with reasons, /metrics, and at edges the HTTP API. It runs in the
process's own loop, from before the process has what it needs until after everything else has ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ordermesh.gateway.slow_headers import PatientProtocol
from ordermesh.runtime.readiness import Readiness

HEADERS_BYTES_MAX = 16 * 1024
"""Size of a request's headers: a probe needs a hundred bytes, a call with a token and a page token two thousand."""
CONNECTIONS_MAX = 768
"""Connections at once: beyond it uvicorn answers 503. Calls and streams of the HTTP API are at most 512, so that there
is room for probes; a process may usually have 1,024 files open."""


class Probes:
    """What is answered about a process, from before it has anything until it ends."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._check: Callable[[], Awaitable[Readiness]] | None = None
        self._was_ready = False
        self.waits_for = "starting"
        self.api: ASGIApp | None = None
        """What answers all other paths, at an edge that serves."""
        self.webhooks: Mapping[str, Callable[[Request], Awaitable[Response]]] = {}
        """What takes the webhooks of others, by the last part of the path, at an edge that serves."""

    def begin(self, check: Callable[[], Awaitable[Readiness]]) -> None:
        """The process has what it needs to say by itself whether it is ready."""
        self._check = check

    def application(self) -> Starlette:
        """The routes: /livez, /metrics, and two that are 200 or 503 with {"ready", "reasons", "degraded"}: /readyz, and
        /startupz, which stays 200 once the process was ready. And /webhooks/NAME, by POST."""
        routes = {"/livez": _livez, "/readyz": self._readyz, "/startupz": self._startupz, "/metrics": self._metrics}
        application = Starlette(routes=[Route(path, answer) for path, answer in routes.items()])
        application.router.routes.append(Route("/webhooks/{name}", self._webhook, methods=["POST"]))
        application.router.default = self._others
        return application

    async def _readiness(self) -> Readiness:
        state = Readiness(False, (self.waits_for,), ()) if self._check is None else await self._check()
        self._was_ready = self._was_ready or state.ready
        return state

    async def _readyz(self, _request: Request) -> Response:
        state = await self._readiness()
        return _told(state, ok=state.ready)

    async def _startupz(self, _request: Request) -> Response:
        state = await self._readiness()
        return _told(state, ok=self._was_ready)

    async def _others(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The API; before it is there, none of its paths is said not to exist."""
        answer: ASGIApp
        if self.api is not None:
            answer = self.api
        elif self._check is None:
            answer = PlainTextResponse(f"{self.waits_for}\n", 503, headers={"retry-after": "1"})
        else:
            answer = PlainTextResponse("Not Found\n", 404)
        await answer(scope, receive, send)

    async def _webhook(self, request: Request) -> Response:
        """A webhook; before there is an edge, its sender comes again."""
        take = self.webhooks.get(request.path_params["name"])
        if take is not None:
            return await take(request)
        if self._check is None:
            return PlainTextResponse(f"{self.waits_for}\n", 503, headers={"retry-after": "1"})
        return PlainTextResponse("Not Found\n", 404)

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


async def _livez(_request: Request) -> Response:
    """Answered by the loop that does the work: it turns."""
    return PlainTextResponse("ok\n")


def _told(state: Readiness, *, ok: bool) -> Response:
    body = {"ready": state.ready, "reasons": list(state.reasons), "degraded": list(state.degraded)}
    return JSONResponse(body, status_code=200 if ok else 503)


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
            http=PatientProtocol,
            ws="none",
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
