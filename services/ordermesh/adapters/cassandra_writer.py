"""Rows in unlogged batches, each for one set of replicas, at quorum or else at one replica.

A batch costs the client and the server a fraction of its rows one by one, as long as one node has them all and its size
stays below what the server takes. Not all of a batch may be applied when it fails: each of its rows may be written
again at any time, because the newest write time wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement

from ordermesh.adapters.cassandra_connection import Connection, TooFewReplicas, TooLarge, level
from ordermesh.adapters.cassandra_encoding import EncodedRow, RowEncoder
from ordermesh.adapters.cassandra_quorum import Quorum
from ordermesh.adapters.cassandra_ring import Ring
from ordermesh.adapters.cassandra_tables import TableCql
from ordermesh.core.decider import Row
from ordermesh.runtime.ports import StoreUnavailable, Written

BATCH_ROWS_MAX = 50
"""Rows of a batch: half of them cost a fifth more each, twice as many hardly less."""

BATCH_BYTES_MAX = 40 * 1024
"""Bytes of a batch as the server counts them, with some to spare: it refuses 50 KiB (`batch_size_fail_threshold`)."""

ROWS_PER_TURN = 200
"""Rows put into batches before the event loop gets its turn: a few milliseconds."""

BATCHES_WAITING_MAX = 32
"""Batches of one write that wait for an answer, or for their turn to be sent: bounds what is encoded and held."""


@dataclass(slots=True)
class Batch:
    """Rows of one replica set."""

    replicas: Hashable
    rows: list[EncodedRow] = field(default_factory=list)
    size: int = 0

    def halves(self) -> Iterator[Batch]:
        """The same rows in two batches."""
        middle = len(self.rows) // 2
        for rows in (self.rows[:middle], self.rows[middle:]):
            yield Batch(self.replicas, rows, sum(row.size for row in rows))


class _Upsert(BoundStatement):  # type: ignore[misc]  # the driver has no types
    """A row whose values are bytes already."""

    is_idempotent = True
    fetch_size = None
    routing_key = None

    def __init__(self, prepared: PreparedStatement, row: EncodedRow, keyspace: str) -> None:
        self.prepared_statement = prepared
        self.values = row.values
        self.routing_key = row.routing_key
        self.keyspace = keyspace


class Writer:
    """Writes rows of the given tables. Make it on the running event loop."""

    def __init__(self, connection: Connection, tables: Sequence[TableCql]) -> None:
        options = connection.options
        self._connection = connection
        self._keyspace = options.keyspace
        self._encoders = {cql.table.name: RowEncoder(cql) for cql in tables}
        self._upserts = {cql.table.name: f"{cql.table.name}.upsert" for cql in tables}
        self._strong, self._weak = level(options.consistency), level(options.weak_consistency)
        self._ring = Ring(options.keyspace, is_local=options.consistency == "LOCAL_QUORUM")
        self.quorum = Quorum("writes")
        self.batch_bytes_max = BATCH_BYTES_MAX
        self.batches = self.rows = self.weak_rows = 0

    async def write(self, rows: Sequence[Row]) -> Written:
        """See `Store.write`: WEAK where one batch of them was only written to one replica."""
        if not rows:
            return Written.QUORUM
        self._ring.look(self._connection.live, asyncio.get_running_loop().time())
        waiting: set[asyncio.Task[Written]] = set()
        gathering: dict[Hashable, Batch] = {}
        weakest = Written.QUORUM
        try:
            for start in range(0, len(rows), ROWS_PER_TURN):
                for batch in self._gather(gathering, rows[start : start + ROWS_PER_TURN]):
                    waiting.add(asyncio.create_task(self._write(batch)))
                while len(waiting) >= BATCHES_WAITING_MAX:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    weakest = _weakest(weakest, done)
                await asyncio.sleep(0)
            waiting |= {asyncio.create_task(self._write(batch)) for batch in gathering.values()}
            done, waiting = await asyncio.wait(waiting) if waiting else (set(), waiting)
            return _weakest(weakest, done)
        finally:
            for task in waiting:
                task.cancel()

    async def write_strongly(self, rows: Sequence[Row]) -> None:
        """Writes at quorum, each row alone. Raises StoreUnavailable where no quorum took it."""
        for row in rows:
            await self._put(Batch(None, [self._encoders[row.table].encode(row)]), self._strong)

    def _gather(self, gathering: dict[Hashable, Batch], rows: Sequence[Row]) -> Iterator[Batch]:
        """Adds rows to the batches of their replicas, and gives those that are full. A large row goes alone."""
        encoders, ring, bytes_max = self._encoders, self._ring, self.batch_bytes_max
        for row in rows:
            encoded = encoders[row.table].encode(row)
            replicas = ring.replicas(encoded.routing_key)
            batch = gathering.get(replicas)
            if batch is not None and batch.size + encoded.size > bytes_max:
                yield gathering.pop(replicas)
                batch = None
            if batch is None:
                batch = gathering[replicas] = Batch(replicas)
            batch.rows.append(encoded)
            batch.size += encoded.size
            if len(batch.rows) >= BATCH_ROWS_MAX:
                yield gathering.pop(replicas)

    async def _write(self, batch: Batch) -> Written:
        """At quorum; at one replica where a quorum does not answer, or was not there a moment ago."""
        if not self.quorum.is_lost(batch.replicas):
            try:
                await self._put(batch, self._strong)
            except TooFewReplicas as error:
                self.quorum.failed(batch.replicas, error, is_certain=error.is_certain)
            else:
                self.quorum.answered(batch.replicas)
                return Written.QUORUM
        self.quorum.try_beside(batch.replicas, lambda: self._put(batch, self._strong))
        await self._put(batch, self._weak)
        self.weak_rows += len(batch.rows)
        return Written.WEAK

    async def _put(self, batch: Batch, consistency: int) -> None:
        """Writes it; in two halves where the server finds it too large."""
        try:
            await self._connection.write(self._statement(batch, consistency))
        except TooLarge:
            if len(batch.rows) == 1:
                raise
            self.batch_bytes_max = min(self.batch_bytes_max, max(batch.size // 2, 1))
            for half in batch.halves():
                await self._put(half, consistency)
            return
        self.batches += 1
        self.rows += len(batch.rows)

    def _statement(self, batch: Batch, consistency: int) -> BatchStatement | BoundStatement:
        """One row is a statement of its own, without a batch's bounds."""
        prepared, upserts = self._connection.live.prepared, self._upserts
        statements = [_Upsert(prepared[upserts[row.table]], row, self._keyspace) for row in batch.rows]
        if len(statements) == 1:
            statement = statements[0]
        else:
            statement = BatchStatement(BatchType.UNLOGGED)
            statement.is_idempotent = True
            for each in statements:
                statement.add(each)
        statement.consistency_level = consistency
        return statement


def _weakest(weakest: Written, done: set[asyncio.Task[Written]]) -> Written:
    """The weakest of what was done, all of which is looked at. Raises StoreUnavailable where one failed."""
    errors = [error for task in done if (error := task.exception()) is not None]
    if errors:
        raise next((error for error in errors if not isinstance(error, StoreUnavailable)), errors[0])
    return min([weakest, *(task.result() for task in done)], key=lambda written: written.value)
