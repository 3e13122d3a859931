"""The `Store` in one SQLite file, shared by all processes of one machine: the embedded default.

A write never waits alone: what gathers while one transaction is under way goes as the next one. Its statements run in
the event loop's thread (a thread of their own would fight the loop for the interpreter), only COMMIT, which syncs, runs
in another. Another process's transaction is waited for by asking again, off the loop. Every write is in the
write-ahead log and synced before it is acknowledged; the log is copied into the file in the background.

A row is found by its key with one prepared statement a key: 5 us, where a list of keys in one statement is not looked
up by index (SQLite 3.40: 200 us a key).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog

from ordermesh.adapters.page_tokens import kinds_of, next_token, token_values
from ordermesh.adapters.sqlite_schema import (
    CHECKPOINT_SQL,
    DEPLOYMENT_REPLACE_SQL,
    DEPLOYMENT_SQL,
    Statements,
    create_tables,
)
from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.ports import Page, PartitionId, StoredAggregate, StoreUnavailable, Written

BUSY_SECONDS_MAX = 10.0
"""How long another process's transaction is waited for; it takes a few milliseconds."""
BUSY_PAUSE_SECONDS = (0.0005, 0.01)
"""The first and the longest pause before it is asked for again."""
ROWS_PER_TURN = 200
"""Rows written before the event loop gets its turn, about a millisecond."""

ROWS_IN_LOOP_MAX = 50
"""A transaction of so few rows is committed in the loop's thread: a lone order would otherwise wait for two changes of
thread, a third of its time in the store."""

COMMIT_IN_LOOP_SECONDS_MAX = 0.002
"""Unless commits have lately taken longer than this on average: the loop must not wait for a slow disk."""

COMMIT_WEIGHT = 0.2
"""Of the newest commit in that average."""

WAL_BYTES_MAX = 16 * 1024 * 1024
"""Past this size the write-ahead log is copied into the file, most of it beside the writing, so that it begins anew."""

WAL_PAUSE_SECONDS = 0.25
"""The least time between two copies: a reader or another process's write may be in the way of beginning anew."""

_Result = TypeVar("_Result")
_log = structlog.get_logger(__name__)


class _Work(NamedTuple):
    """What one caller wants written, and who waits for it."""

    batches: Sequence[tuple[str, Sequence[Sequence[Any]]]]
    done: asyncio.Future[None]


class SqliteStore:
    """The store in the file `path`, with `tables`. Make it on the running event loop; `open` first."""

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        """`tables` are made by `open` where they are missing."""
        self._path = path
        self._tables = tuple(tables)
        self._statements = {table.name: Statements(table) for table in tables}
        self._gathered: list[_Work] = []
        self._writer: asyncio.Task[None] | None = None
        self._copying: asyncio.Future[None] | None = None
        self._copied_at = 0.0
        self._commit_seconds = 0.0
        self._threads = ThreadPoolExecutor(2, "sqlite")
        self._write: sqlite3.Connection | None = None
        self._read: sqlite3.Connection | None = None
        self.transactions = 0
        self.rows_written = 0

    async def open(self) -> None:
        """Opens or makes the file. Raises StoreUnavailable; ValueError where a table has other columns."""
        try:
            await asyncio.to_thread(create_tables, self._path, self._tables)
            self._write = self._connect()
            self._read = self._connect()
            self._read.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        connection.execute("PRAGMA cache_size = -16384")
        return connection

    async def close(self) -> None:
        """Ends cleanly; idempotent. What was to be written is written first."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])
        if self._copying is not None:
            await asyncio.wait([self._copying])
        for connection in (self._read, self._write):
            if connection is not None:
                connection.close()
        self._read = self._write = None
        self._threads.shutdown()

    async def write(self, rows: Sequence[Row]) -> Written:
        """See `Store.write`."""
        by_table: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for table, values, write_time in rows:
            by_table[table].append((*values, write_time))
        await self._submit([(self._statements[table].upsert, values) for table, values in by_table.items()])
        return Written.QUORUM

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """See `Store.save_checkpoint`."""
        await self._submit([(CHECKPOINT_SQL.upsert, [(partition.group, partition.number, checkpoint, write_time)])])

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """See `Store.load_checkpoint`."""
        row = await self._reading(
            lambda read: read.execute(CHECKPOINT_SQL.select, (partition.group, partition.number)).fetchone()
        )
        return None if row is None else row[0]

    async def create_deployment(self, deployment: bytes) -> bytes:
        """See `Store.create_deployment`."""
        await self._submit([(DEPLOYMENT_SQL.upsert, [(deployment,)])])
        return await self._recorded()

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """See `Store.replace_deployment`."""
        await self._submit([(DEPLOYMENT_REPLACE_SQL, [(deployment, known)])])
        return await self._recorded()

    async def _recorded(self) -> bytes:
        recorded = await self.load_deployment()
        if recorded is None:
            raise StoreUnavailable("the deployment just recorded is not there")
        return recorded

    async def load_deployment(self) -> bytes | None:
        """See `Store.load_deployment`."""
        row = await self._reading(lambda read: read.execute(DEPLOYMENT_SQL.select).fetchone())
        return None if row is None else row[0]

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load`."""
        select = self._statements[table.name].select_aggregate

        def find(read: sqlite3.Connection) -> dict[Key, StoredAggregate]:
            found: dict[Key, StoredAggregate] = {}
            for key in keys:
                row = read.execute(select, (key.tenant, key.key, key.sub_key)).fetchone()
                if row is not None:
                    found[key] = StoredAggregate(*row)
            return found

        return await self._reading(find)

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load_weakly`; there is one replica, so it is never weaker than `load`."""
        return await self.load(table, keys)

    async def query(
        self,
        table: Table,
        partition: Sequence[object],
        *,
        after: bytes = b"",
        count_max: int,
        quorum: bool = True,  # noqa: ARG002 - one replica is always a quorum
    ) -> Page:
        """See `Store.query`. Raises ValueError where `after` is not a token of this table."""
        statements = self._statements[table.name]
        position = token_values(after, kinds_of(table, table.clustering)) if after else ()
        sql = statements.query_after if after else statements.query
        return await self._page(table, table.clustering, sql, (*partition, *position), count_max)

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """See `Store.scan`. Raises ValueError where `after` is not a token of this table."""
        statements = self._statements[table.name]
        key = table.partition + table.clustering
        position = token_values(after, kinds_of(table, key)) if after else ()
        sql = statements.scan_after if after else statements.scan
        return await self._page(table, key, sql, position, count_max)

    async def _page(
        self, table: Table, position: Sequence[str], sql: str, values: Sequence[object], count_max: int
    ) -> Page:
        found = await self._reading(lambda read: read.execute(sql, (*values, count_max + 1)).fetchall())
        names = [name for name, _ in table.columns]
        rows: list[Mapping[str, object]] = [dict(zip(names, row, strict=True)) for row in found[:count_max]]
        more = len(found) > count_max and bool(position)
        return Page(rows, next_token([rows[-1][name] for name in position]) if more else b"")

    async def _reading(self, read: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Reads in the loop's thread: a point read is a few microseconds, and readers never wait for writers."""

        def attempt() -> _Result:
            if self._read is None:
                raise StoreUnavailable("the store is closed")
            return read(self._read)

        return await self._unless_busy(attempt)

    async def _unless_busy(self, attempt: Callable[[], _Result]) -> _Result:
        """Tries again while another connection is in the way, up to a limit. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BUSY_SECONDS_MAX
        pause, pause_max = BUSY_PAUSE_SECONDS
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or loop.time() > deadline:
                    raise StoreUnavailable(f"{self._path}: {error}") from error
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(1.5 * pause, pause_max)

    async def _submit(self, batches: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Has it written by the writer, together with what others submit. Cancelling the caller changes nothing."""
        if self._write is None:
            raise StoreUnavailable("the store is closed")
        done = asyncio.get_running_loop().create_future()
        self._gathered.append(_Work(batches, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_gathered())
        await done

    async def _write_gathered(self) -> None:
        while self._gathered:
            work, self._gathered = self._gathered, []
            error = await self._try_transaction(work)
            if error is not None and not isinstance(error, StoreUnavailable) and len(work) > 1:
                for one in work:
                    _resolve([one], await self._try_transaction([one]))
            else:
                _resolve(work, error)
            await self._bound_wal()

    async def _try_transaction(self, work: Sequence[_Work]) -> Exception | None:
        """Writes it all in one transaction; the error if nothing of it, or nobody knows what of it, was written."""
        try:
            await self._transaction(work)
        except StoreUnavailable as error:
            return error
        except sqlite3.OperationalError as error:
            return StoreUnavailable(f"{self._path}: {error}")
        except Exception as error:  # noqa: BLE001 - a row that cannot be written is its caller's error
            return error
        return None

    async def _transaction(self, work: Sequence[_Work]) -> None:
        write = self._write
        if write is None:
            raise StoreUnavailable("the store is closed")
        await self._unless_busy(lambda: write.execute("BEGIN IMMEDIATE"))
        try:
            for sql, values in _merged(work):
                for start in range(0, len(values), ROWS_PER_TURN):
                    write.executemany(sql, values[start : start + ROWS_PER_TURN])
                    self.rows_written += min(ROWS_PER_TURN, len(values) - start)
                    await asyncio.sleep(0)
            await self._commit(write, sum(len(values) for one in work for _, values in one.batches))
        finally:
            if write.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    write.execute("ROLLBACK")
        self.transactions += 1

    async def _commit(self, write: sqlite3.Connection, rows: int) -> None:
        """Syncs what was written: a few rows here while the disk is quick, everything else in another thread."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if rows <= ROWS_IN_LOOP_MAX and self._commit_seconds <= COMMIT_IN_LOOP_SECONDS_MAX:
            write.execute("COMMIT")
        else:
            await loop.run_in_executor(self._threads, write.execute, "COMMIT")
        self._commit_seconds += COMMIT_WEIGHT * (loop.time() - begun - self._commit_seconds)

    async def _bound_wal(self) -> None:
        """Between two transactions: has a long write-ahead log copied, beside the writing.

        Only what came in meanwhile is copied while writing waits; then the next transaction begins the log anew.
        """
        loop = asyncio.get_running_loop()
        copying = self._copying
        if copying is not None:
            if copying.done():
                self._copying = None
                self._copied_at = loop.time()
                await loop.run_in_executor(self._threads, self._copy_wal)
        elif loop.time() - self._copied_at > WAL_PAUSE_SECONDS and self._wal_bytes() > WAL_BYTES_MAX:
            self._copying = loop.run_in_executor(self._threads, self._copy_wal)

    def _wal_bytes(self) -> int:
        try:
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        except OSError:
            return 0

    def _copy_wal(self) -> None:
        """In a thread, on a connection of its own."""
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=2, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            _log.warning("the write-ahead log was not copied", error=str(error))


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection's lock was in the way (the low byte is the primary code)."""
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _merged(work: Sequence[_Work]) -> list[tuple[str, Sequence[Sequence[Any]]]]:
    """The work by statement, so that each is run once with all its rows."""
    merged: dict[str, list[Sequence[Any]]] = {}
    for one in work:
        for sql, values in one.batches:
            merged.setdefault(sql, []).extend(values)
    return list(merged.items())


def _resolve(work: Sequence[_Work], error: Exception | None) -> None:
    for one in work:
        if one.done.done():
            continue
        if error is None:
            one.done.set_result(None)
        else:
            one.done.set_exception(error)
