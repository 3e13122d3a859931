"""One log, store and bus of each adapter; every test of a contract runs on all of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cassandra.cluster import Session

from ordermesh.adapters.cassandra import CassandraStore, apply_schema
from ordermesh.adapters.cassandra_cluster import make_cluster
from ordermesh.adapters.cassandra_options import CassandraOptions
from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.adapters.cassandra_tables import OWN_TABLES, SCHEMA_VERSIONS
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.jetstream_api import stream_name
from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.nats_cluster import cluster_servers
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.core.decider import AGGREGATE_COLUMNS, Table
from ordermesh.runtime.ports import Bus, Log, LogUnavailable, PartitionId, Store
from ordermesh.runtime.settings_cassandra import addresses

LOG_BYTES_MAX = 64 * 1024 * 1024
PARTITION = PartitionId("orders", 0)

THINGS = Table(
    name="things",
    columns=(*AGGREGATE_COLUMNS, ("colour", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
)
THINGS_BY_OWNER = Table(
    name="things_by_owner",
    columns=(("tenant", "text"), ("owner", "text"), ("month", "bigint"), ("thing_id", "text"), ("part", "bigint")),
    partition=("tenant", "owner"),
    clustering=("month", "thing_id"),
    newest_first=True,
)
THINGS_BY_PART = Table(
    name="things_by_part",
    columns=AGGREGATE_COLUMNS,
    partition=("tenant", "sub_key"),
    clustering=("key",),
)
THINGS_BY_ID = Table(
    name="things_by_id",
    columns=(*AGGREGATE_COLUMNS, ("colour", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("key", "thing_id"), ("sub_key", "")),
    overwritten=True,
)
"""With no sub keys, and names of its own where people see it."""
TABLES = (THINGS, THINGS_BY_OWNER, THINGS_BY_PART, THINGS_BY_ID)


ELECTION_MAX_S = 30.0


class PatientLog(JetStreamLog):
    """Appends as the kernel does, again where nothing was done: a server of a cluster may not have heard yet who leads
    a log, and a leader may still be busy with the append before."""

    async def append(self, *which: Any, **how: Any) -> int:
        """See `Log.append`."""
        async with asyncio.timeout(ELECTION_MAX_S):
            while True:
                try:
                    return await super().append(*which, **how)
                except LogUnavailable:
                    if await self._config(stream_name(which[0])) is None:
                        raise
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture(params=["memory", "jetstream", "jetstream of three servers"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """A log that holds one empty partition."""
    if request.param == "memory":
        memory = MemoryLog()
        await memory.create(PARTITION, LOG_BYTES_MAX)
        yield memory
        return
    servers = [NatsServer(tmp_path)] if request.param == "jetstream" else cluster_servers(tmp_path)
    async with AsyncExitStack() as closing:
        for server in servers:
            closing.push_async_callback(server.kill)
        await asyncio.gather(*(server.start() for server in servers))
        make = JetStreamLog if request.param == "jetstream" else PatientLog
        jetstream = make([server.url for server in servers], name="test", replicas=len(servers))
        closing.push_async_callback(jetstream.close)
        await jetstream.open()
        await jetstream.create(PARTITION, LOG_BYTES_MAX)
        yield jetstream


@pytest.fixture(scope="session")
def keyspace(contact_points: str) -> Iterator[tuple[CassandraOptions, Session]]:
    """A keyspace of this process's tests, with the tables of this module; and a session to empty them by."""
    options = CassandraOptions(contact_points=addresses(contact_points), keyspace=f"contract_{os.getpid()}")
    apply_schema(options, TABLES, "test")
    cluster = make_cluster(options, Pace())
    session = cluster.connect()
    yield options, session
    session.execute(f"DROP KEYSPACE {options.keyspace}")
    cluster.shutdown()


@pytest_asyncio.fixture(params=["memory", "sqlite", "cassandra"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store with the tables of this module."""
    if request.param == "memory":
        yield MemoryStore(TABLES)
        return
    if request.param == "cassandra":
        options, session = request.getfixturevalue("keyspace")
        for table in {*OWN_TABLES, *TABLES} - {SCHEMA_VERSIONS}:
            session.execute(f"TRUNCATE {options.keyspace}.{table.name}")
        cassandra = CassandraStore(options, TABLES, "test")
        await cassandra.open()
        yield cassandra
        await cassandra.close()
        return
    sqlite = SqliteStore(tmp_path / "store.sqlite", TABLES)
    await sqlite.open()
    yield sqlite
    await sqlite.close()


@pytest_asyncio.fixture(params=["memory", "nats"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    """A bus that nobody else is on."""
    if request.param == "memory":
        yield MemoryBus()
        return
    async with NatsServer(tmp_path) as server:
        nats = NatsBus([server.url], name="test")
        await nats.open()
        yield nats
        await nats.close()
