"""The connection of one process to a cluster: made in the background, made anew when every node is gone, asked through.

A process starts whether Cassandra is there or not; until it is, everything asked of it is StoreUnavailable at once.
The driver finds nodes again by the addresses it knows. Where all of them are gone for long, they may have come back
under others, and the contact points are looked up again.

A request that fails because its coordinator went away is asked of another one, once; that is the only place where
anything is repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from cassandra import (
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unavailable,
    UnresolvableContactPoints,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage, IsBootstrappingErrorMessage, OverloadedErrorMessage, ServerError
from cassandra.query import BoundStatement, Statement

from ordermesh.adapters.cassandra_cluster import Live, connect
from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit
from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.adapters.cassandra_requests import Note, Requests
from ordermesh.adapters.cassandra_window import Window
from ordermesh.runtime.ports import StoreUnavailable

OPEN_TIMEOUT_S = 15.0
"""How long opening waits for the first try to connect: then the process goes on without."""

RETRY_MIN_S, RETRY_MAX_S = 0.2, 5.0
"""Pauses between tries to connect."""

WATCH_S = 1.0
"""Between two looks whether any node is there."""

GONE_S = 20.0
"""After so long without any node the contact points are looked up again: more than a node takes to come back."""

_ELSEWHERE = (ConnectionException, OverloadedErrorMessage, IsBootstrappingErrorMessage, ServerError)
TOO_FEW = (Unavailable, WriteTimeout, ReadTimeout, WriteFailure, ReadFailure, OperationTimedOut)
"""What `TooFewReplicas` stands for."""
DRIVER_ERRORS = (DriverException, ErrorMessage, NoHostAvailable, ConnectionException, OSError)
"""Whatever the driver raises: its exceptions have no common base."""

_log = structlog.get_logger(__name__)


class TooFewReplicas(StoreUnavailable):
    """Not as many replicas answered in time as were asked for; fewer might. `is_certain` where a server says so."""

    def __init__(self, error: Exception) -> None:
        super().__init__(said(error))
        self.is_certain = not isinstance(error, OperationTimedOut)


class TooLarge(StoreUnavailable):
    """The cluster takes no batch of that size."""


class Connection:
    """Make it on the running event loop. `check` looks at a keyspace when connecting, in a thread; it raises Misfit for
    what waiting does not mend."""

    def __init__(
        self, options: CassandraOptions, statements: Mapping[str, str], check: Callable[[Session], None]
    ) -> None:
        self.options = options
        self._pace = Pace()
        self.requests = Requests(options.in_flight_max, self._pace)
        self._statements = statements
        self._check = check
        self._threads = ThreadPoolExecutor(1, "cassandra-connect")
        self._live: Live | None = None
        self._why = "it was not opened"
        self._misfit: Misfit | None = None
        self._tried = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begins to connect, and waits for the first try. Raises Misfit; an unreachable cluster is tried again."""
        self._keeper = asyncio.create_task(self._keep(), name="connection to Cassandra")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._tried.wait()
        if self._misfit is not None:
            misfit = self._misfit
            await self.close()
            raise misfit

    async def close(self) -> None:
        """Disconnects; idempotent."""
        self._why = "the store is closed"
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        await self._disconnect()
        self._threads.shutdown(wait=False)

    @property
    def live(self) -> Live:
        """What is connected. Raises StoreUnavailable with the reason why nothing is."""
        if self._live is None:
            raise StoreUnavailable(f"Cassandra at {self.options}: {self._why}")
        return self._live

    def bound(self, name: str, consistency: int, *values: Any, whose: bytes | None = None) -> BoundStatement:
        """A prepared statement with its values; `whose` is the routing key where the driver cannot tell it."""
        statement = _Routed(self.live.prepared[name]).bind(values)
        statement.consistency_level = consistency
        statement.fetch_size = None
        statement.whose = whose
        return statement

    async def write(self, statement: Statement, timeout_s: float | None = None) -> None:
        """Has something changed. Raises StoreUnavailable, TooFewReplicas, TooLarge."""
        await self._ask(statement, timeout_s or self.options.timeout_s, self.requests.writes)

    async def read(self, statement: Statement, timeout_s: float, note: Note | None = None) -> Any:
        """The rows of the answer. Raises StoreUnavailable, TooFewReplicas. `note` as of `Requests.run`."""
        return await self._ask(statement, timeout_s, self.requests.reads, note)

    async def _ask(self, statement: Statement, timeout_s: float, window: Window, note: Note | None = None) -> Any:
        try:
            try:
                return await self.requests.run(self.live.session, statement, timeout_s, window, note)
            except _ELSEWHERE:
                return await self.requests.run(self.live.session, statement, timeout_s, window, note)
        except TOO_FEW as error:
            raise TooFewReplicas(error) from error
        except InvalidRequest as error:
            raise (TooLarge if "Batch too large" in str(error) else StoreUnavailable)(said(error)) from error
        except DRIVER_ERRORS as error:
            raise StoreUnavailable(said(error)) from error

    async def _keep(self) -> None:
        """Connects, watches, connects again."""
        pause_s = RETRY_MIN_S
        while True:
            if await self._try_to_connect():
                pause_s = RETRY_MIN_S
                await self._until_gone()
                _log.warning("no Cassandra node is there; its contact points are looked up again")
                await self._disconnect()
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _try_to_connect(self) -> bool:
        loop = asyncio.get_running_loop()
        made = loop.run_in_executor(self._threads, connect, self.options, self._statements, self._check, self._pace)
        try:
            self._live = await asyncio.shield(made)
        except asyncio.CancelledError:
            made.add_done_callback(_shut_down)
            raise
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, it is tried again
            self._misfit = error if isinstance(error, Misfit) else None
            self._tell(said(error))
            return False
        finally:
            self._tried.set()
        self._misfit, self._why = None, "its nodes are looked for"
        _log.info("connected to Cassandra", contact_points=str(self.options), keyspace=self.options.keyspace)
        return True

    def _tell(self, why: str) -> None:
        """Once for each reason, however often it is met."""
        if why != self._why:
            _log.warning("not connected to Cassandra", contact_points=str(self.options), reason=why)
        self._why = why

    async def _until_gone(self) -> None:
        """Until no node was there for a while."""
        loop = asyncio.get_running_loop()
        seen_at = loop.time()
        while loop.time() - seen_at < GONE_S:
            await asyncio.sleep(WATCH_S)
            if self.live.is_any_node_up():
                seen_at = loop.time()

    async def _disconnect(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, live.cluster.shutdown)


class _Routed(BoundStatement):  # type: ignore[misc]  # the driver has no types
    """A statement that says itself whose rows it is about: the driver cannot tell of a list of keys."""

    whose: bytes | None = None

    @property
    def routing_key(self) -> bytes | None:
        """What the nodes that have the rows are found by."""
        return super().routing_key if self.whose is None else self.whose


def _shut_down(made: asyncio.Future[Live]) -> None:
    """What was connected too late for anybody to use it."""
    if not made.cancelled() and made.exception() is None:
        made.result().cluster.shutdown()


def said(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, UnresolvableContactPoints):
        return "none of these names can be resolved"
    if isinstance(error, NoHostAvailable):
        problems = error.errors if isinstance(error.errors, dict) else {}
        return "; ".join(sorted(f"{node}: {problem}" for node, problem in problems.items())) or "no node is up"
    return " ".join(str(error).split()) or type(error).__name__


def level(name: str) -> int:
    """The driver's number of a consistency level."""
    number: int = ConsistencyLevel.name_to_value[name]
    return number
