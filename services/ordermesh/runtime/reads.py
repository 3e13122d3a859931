"""Reads of aggregates in four consistencies, each saying what it really gives.

EVENTUAL is any replica's row, or one read within the last second. QUORUM is a quorum's row; where no quorum answers it
is any replica's, and says so. AT_LEAST is a quorum's row if it is at that version, else a query through the log.
LINEARIZABLE is a query through the log. What no row has is looked for through the log too: only then is it absent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, cast

from oms.common.v1 import consistency_pb2
from ordermesh.core.decider import AggregateType, Key, State, Table
from ordermesh.runtime.gate import Gate, Overloaded
from ordermesh.runtime.ports import Clock, LogError, Store, StoredAggregate, StoreUnavailable
from ordermesh.runtime.problems import Violation, invalid, not_yet_known, overloaded

EVENTUAL_AGE_MAX_S = 1.0
"""How old a cached row may be that answers an EVENTUAL read; nothing stronger is answered from a cache."""
EVENTUAL_ROWS_MAX = 10_000
"""Rows in that cache."""
BATCH_MAX = 256
"""Keys of one multi-get."""
QUORUM_TIMEOUT_SHARE = 0.4
"""Share of a read's time for each kind of row, so that there is time left to fall back."""

_EVENTUAL = consistency_pb2.READ_CONSISTENCY_EVENTUAL
_QUORUM = consistency_pb2.READ_CONSISTENCY_QUORUM
_AT_LEAST = consistency_pb2.READ_CONSISTENCY_AT_LEAST
_LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE


class Readable(NamedTuple):
    """A kind of aggregate that can be read: whose it is, and where its state keeps its version."""

    service: str
    aggregate: AggregateType
    version: Callable[[State], int]


class Wanted(NamedTuple):
    """How fresh an answer has to be, and how long it may take in seconds."""

    consistency: int
    min_version: int
    timeout_s: float


class Found(NamedTuple):
    """A state and how fresh it is."""

    state: State
    freshness: consistency_pb2.Freshness


def wanted(consistency: int, min_version: int, timeout_s: float) -> Wanted:
    """What a request asks for; unspecified is QUORUM. Raises Problem for what it cannot mean."""
    violations = []
    if consistency not in consistency_pb2.ReadConsistency.values():
        violations.append(Violation("read_consistency", f"{consistency} is none of its values"))
    if consistency == _AT_LEAST and min_version < 1:
        violations.append(Violation("min_version", "must be at least 1 with READ_CONSISTENCY_AT_LEAST"))
    if consistency != _AT_LEAST and min_version != 0:
        violations.append(Violation("min_version", "is only used with READ_CONSISTENCY_AT_LEAST"))
    if violations:
        raise invalid(violations)
    return Wanted(consistency or _QUORUM, min_version, timeout_s)


class _Loads:
    """Loads by natural batches: what is asked while one multi-get is under way goes together as the next.

    A load begins after it was asked for, so it is as fresh as one alone.
    """

    def __init__(self, load: Callable[[Table, Sequence[Key]], Awaitable[Mapping[Key, StoredAggregate]]]) -> None:
        self._load = load
        self._waiting: dict[str, dict[Key, asyncio.Future[StoredAggregate | Exception | None]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def load(self, table: Table, key: Key) -> StoredAggregate | None:
        """The row, or None if there is none. Raises StoreUnavailable."""
        waiting = self._waiting.setdefault(table.name, {})
        future = waiting.get(key)
        if future is None:
            future = waiting[key] = asyncio.get_running_loop().create_future()
        if table.name not in self._running:
            self._running[table.name] = asyncio.create_task(self._run(table), name=f"loads of {table.name}")
        result = await asyncio.shield(future)
        if isinstance(result, Exception):
            raise result
        return result

    async def _run(self, table: Table) -> None:
        waiting = self._waiting[table.name]
        try:
            while waiting:
                keys = list(waiting)[:BATCH_MAX]
                batch = {key: waiting.pop(key) for key in keys}
                await self._answer(table, batch)
        finally:
            del self._running[table.name]

    async def _answer(
        self, table: Table, batch: Mapping[Key, asyncio.Future[StoredAggregate | Exception | None]]
    ) -> None:
        try:
            found = await self._load(table, list(batch))
        except Exception as error:  # noqa: BLE001 - raised where it was asked for
            for future in batch.values():
                future.set_result(error)
            return
        for key, future in batch.items():
            future.set_result(found.get(key))


class Reads:
    """The reads of one edge process."""

    def __init__(self, *, gate: Gate, store: Store, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._quorum = _Loads(store.load)
        self._weak = _Loads(store.load_weakly)
        self._eventual: dict[Key, tuple[float, StoredAggregate]] = {}

    async def read(self, readable: Readable, key: Key, want: Wanted) -> Found | None:
        """The aggregate, or None if it does not exist. Raises Problem STATE_NOT_YET_KNOWN where neither can be said."""
        ends_at = self._clock.monotonic() + want.timeout_s
        if want.consistency == _LINEARIZABLE:
            return await self._query(readable, key, want, ends_at)
        if want.consistency == _EVENTUAL:
            found = await self._read_weak(readable, key, want)
        else:
            found = await self._read_quorum(readable, key, want)
        if found is not None:
            return found
        return await self._query(readable, key, want, ends_at)

    async def _read_quorum(self, readable: Readable, key: Key, want: Wanted) -> Found | None:
        """A quorum's row; for QUORUM another where none answers. None where the log must be asked."""
        read_us = self._clock.now_us()
        try:
            async with asyncio.timeout(want.timeout_s * QUORUM_TIMEOUT_SHARE):
                row = await self._quorum.load(readable.aggregate.table, key)
        except (StoreUnavailable, TimeoutError):
            if want.consistency == _AT_LEAST:
                return None
            return await self._read_weak(readable, key, want, reason="no quorum of the store answers")
        if row is None or row.version < want.min_version:
            return None
        return _found(readable, row, want.consistency, read_us)

    async def _read_weak(self, readable: Readable, key: Key, want: Wanted, reason: str = "") -> Found | None:
        """Any replica's row, or one of the last second; None if none is had."""
        read_us = self._clock.now_us()
        now = self._clock.monotonic()
        cached = self._eventual.get(key)
        if cached is not None and now - cached[0] <= EVENTUAL_AGE_MAX_S and not reason:
            age_us = int((now - cached[0]) * 1_000_000)
            return _found(readable, cached[1], _EVENTUAL, read_us - age_us)
        try:
            async with asyncio.timeout(want.timeout_s * QUORUM_TIMEOUT_SHARE):
                row = await self._weak.load(readable.aggregate.table, key)
        except (StoreUnavailable, TimeoutError):
            return None
        if row is None:
            return None
        if len(self._eventual) >= EVENTUAL_ROWS_MAX:
            del self._eventual[next(iter(self._eventual))]
        self._eventual.pop(key, None)
        self._eventual[key] = (now, row)
        return _found(readable, row, _EVENTUAL, read_us, reason)

    async def _query(self, readable: Readable, key: Key, want: Wanted, ends_at: float) -> Found | None:
        """Through the log: decided after everything that was acknowledged before. None: it does not exist."""
        read_us = self._clock.now_us()
        try:
            answer = await self._gate.query(
                readable.service, key, timeout_s=max(0.01, ends_at - self._clock.monotonic())
            )
        except Overloaded as error:
            raise overloaded(error.reason, error.retry_after_s) from error
        except (LogError, TimeoutError) as error:
            message = "The partition's log or owner does not answer; ask again."
            raise not_yet_known(message, key=key.key) from error
        if answer.dead_letter or answer.refusal is not None:
            raise not_yet_known("The partition could not answer the query; ask again.", key=key.key)
        if not answer.state:
            return None
        state = readable.aggregate.state.FromString(answer.state)
        version = readable.version(state)
        if version < want.min_version:
            message = f"It is at version {version}, not yet at {want.min_version}; ask again."
            raise not_yet_known(message, key=key.key, version=str(version))
        return Found(state, _freshness(_LINEARIZABLE, version, read_us))


def _found(readable: Readable, row: StoredAggregate, consistency: int, read_us: int, reason: str = "") -> Found:
    state = readable.aggregate.state.FromString(row.state)
    return Found(state, _freshness(consistency, row.version, read_us, reason))


def _freshness(consistency: int, version: int, read_us: int, reason: str = "") -> consistency_pb2.Freshness:
    freshness = consistency_pb2.Freshness(
        consistency=cast("consistency_pb2.ReadConsistency", consistency),
        version=version,
        degraded=bool(reason),
        reason=reason,
    )
    freshness.read_time.FromMicroseconds(read_us)
    return freshness
