"""One log, store and bus of each adapter; every test of a contract runs on all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.core.decider import AGGREGATE_COLUMNS, Table
from ordermesh.runtime.ports import Bus, Log, PartitionId, Store

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
TABLES = (THINGS, THINGS_BY_OWNER)


@pytest_asyncio.fixture(params=["memory", "jetstream"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """A log that holds one empty partition."""
    if request.param == "memory":
        memory = MemoryLog()
        await memory.create(PARTITION, LOG_BYTES_MAX)
        yield memory
        return
    async with NatsServer(tmp_path) as server:
        jetstream = JetStreamLog([server.url], name="test")
        await jetstream.open()
        await jetstream.create(PARTITION, LOG_BYTES_MAX)
        yield jetstream
        await jetstream.close()


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store with the tables of this module."""
    if request.param == "memory":
        yield MemoryStore(TABLES)
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
