"""The `Store` in a Cassandra cluster.

Every row is written whole, with its write time as its timestamp, so the newest wins whatever the order of arrival, and
anything may be written again. The parts: `cassandra_connection` (the driver, in the background), `cassandra_requests`
(answers of its threads to the event loop), `cassandra_writer` (batches), `cassandra_reader`, `cassandra_checkpoints`,
`cassandra_quorum` (what is done while too few replicas answer), `cassandra_schema`, `cassandra_tables`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ordermesh.adapters.cassandra_checkpoints import (
    CREATE_DEPLOYMENT_NAME,
    DELETE_CHUNKS_NAME,
    REPLACE_DEPLOYMENT_NAME,
    Checkpoints,
)
from ordermesh.adapters.cassandra_cluster import connect
from ordermesh.adapters.cassandra_connection import DRIVER_ERRORS, Connection, said
from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit
from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.adapters.cassandra_reader import Reader
from ordermesh.adapters.cassandra_requests import RequestStatistics
from ordermesh.adapters.cassandra_schema import Applied, Schema
from ordermesh.adapters.cassandra_tables import (
    CREATE_DEPLOYMENT,
    DELETE_CHUNKS,
    REPLACE_DEPLOYMENT,
    SCHEMA_VERSIONS,
)
from ordermesh.adapters.cassandra_writer import Writer
from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.ports import Page, PartitionId, StoredAggregate, StoreUnavailable, Written


class CassandraStatistics(NamedTuple):
    """What the store did so far. `lost_sets` are replica sets without a quorum now, of writes and of reads."""

    requests: RequestStatistics
    batches: int
    rows_written: int
    weak_rows: int
    rows_loaded: int
    lost_sets: tuple[int, int]


class CassandraStore:
    """The store in the keyspace of `options`, with `tables`. Make it on the running event loop; `open` first."""

    def __init__(self, options: CassandraOptions, tables: Sequence[Table], build: str) -> None:
        """Raises Misfit. The tables are made by `apply_schema`."""
        schema = Schema(options, tables, build)
        self._connection = Connection(options, _statements(options.keyspace, schema), schema.check)
        self._writer = Writer(self._connection, schema.tables)
        self._reader = Reader(self._connection, schema.tables)
        self._checkpoints = Checkpoints(self._connection, self._reader, self._writer)

    async def open(self) -> None:
        """Begins to connect: a cluster that is not there yet is waited for in the background, with everything raising
        StoreUnavailable. Raises Misfit for what waiting does not mend."""
        await self._connection.open()

    async def close(self) -> None:
        """See `Store.close`."""
        await self._writer.quorum.close()
        await self._reader.quorum.close()
        await self._connection.close()

    def statistics(self) -> CassandraStatistics:
        """What it did so far."""
        writer, reader = self._writer, self._reader
        lost = (writer.quorum.lost_sets, reader.quorum.lost_sets)
        return CassandraStatistics(
            self._connection.requests.statistics(), writer.batches, writer.rows, writer.weak_rows, reader.rows, lost
        )

    async def write(self, rows: Sequence[Row]) -> Written:
        """See `Store.write`."""
        return await self._writer.write(rows)

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load`."""
        return await self._reader.load(table, keys, quorum=True)

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load_weakly`."""
        return await self._reader.load(table, keys, quorum=False)

    async def query(
        self, table: Table, partition: Sequence[object], *, after: bytes = b"", count_max: int, quorum: bool = True
    ) -> Page:
        """See `Store.query`. Raises ValueError where `after` is not a token of this table."""
        return await self._reader.query(table, partition, after=after, count_max=count_max, quorum=quorum)

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """See `Store.scan`. Raises ValueError where `after` is not a token of this table."""
        return await self._reader.scan(table, after=after, count_max=count_max)

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """See `Store.load_checkpoint`."""
        return await self._checkpoints.load(partition)

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """See `Store.save_checkpoint`."""
        await self._checkpoints.save(partition, checkpoint, write_time)

    async def load_deployment(self) -> bytes | None:
        """See `Store.load_deployment`."""
        return await self._checkpoints.load_deployment()

    async def create_deployment(self, deployment: bytes) -> bytes:
        """See `Store.create_deployment`."""
        return await self._checkpoints.create_deployment(deployment)

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """See `Store.replace_deployment`."""
        return await self._checkpoints.replace_deployment(known, deployment)


def _statements(keyspace: str, schema: Schema) -> dict[str, str]:
    """Everything a store says, by name."""
    statements = {CREATE_DEPLOYMENT_NAME: CREATE_DEPLOYMENT.format(keyspace)}
    statements[REPLACE_DEPLOYMENT_NAME] = REPLACE_DEPLOYMENT.format(keyspace)
    statements[DELETE_CHUNKS_NAME] = DELETE_CHUNKS.format(keyspace)
    for cql in schema.tables:
        if cql.table is not SCHEMA_VERSIONS:
            named = cql.statements(keyspace).items()
            statements |= {f"{cql.table.name}.{name}": text for name, text in named}
    return statements


def apply_schema(options: CassandraOptions, tables: Sequence[Table], build: str) -> Applied:
    """Makes the keyspace and the tables where they are missing; blocks. Raises Misfit, StoreUnavailable."""
    schema = Schema(options, tables, build)
    applied: list[Applied] = []
    try:
        live = connect(options, {}, lambda session: applied.append(schema.apply(session)), Pace())
    except (Misfit, StoreUnavailable):
        raise
    except DRIVER_ERRORS as error:
        raise StoreUnavailable(f"Cassandra at {options} does not answer: {said(error)}") from error
    live.cluster.shutdown()
    return applied[0]
