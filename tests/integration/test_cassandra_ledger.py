"""The ledger of a SKU on a real Cassandra: written twice it is there once, and it is read by pages, newest first."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest_asyncio

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from ordermesh.adapters.cassandra import CassandraStore, apply_schema
from ordermesh.adapters.cassandra_cluster import make_cluster
from ordermesh.adapters.cassandra_options import CassandraOptions
from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.core.decider import Row, Stamp
from ordermesh.inventory.ledger import STOCK_MOVEMENTS, movement_of_row, movement_rows
from ordermesh.inventory.model import stock_key
from ordermesh.runtime.ports import Written
from ordermesh.runtime.settings_cassandra import addresses

KEY = stock_key("default", "TEA")
COUNT = 25


@pytest_asyncio.fixture
async def store(contact_points: str) -> AsyncIterator[CassandraStore]:
    """A store that has the ledger's table alone."""
    options = CassandraOptions(contact_points=addresses(contact_points), keyspace=f"ledger_{os.getpid()}")
    apply_schema(options, (STOCK_MOVEMENTS,), "test")
    found = CassandraStore(options, (STOCK_MOVEMENTS,), "test")
    await found.open()
    yield found
    await found.close()
    cluster = make_cluster(options, Pace())
    cluster.connect().execute(f"DROP KEYSPACE {options.keyspace}")
    cluster.shutdown()


def rows() -> list[Row]:
    """One receipt after another."""
    state = StoredStock()
    made: list[Row] = []
    for version in range(1, COUNT + 1):
        state.stock.on_hand += 1
        stamp = Stamp(version, 1_000 * version)
        made += movement_rows(KEY, events.StockReceived(sku="TEA", quantity=1), state, stamp, 1_000 * version)
    return made


async def test_the_ledger_is_there_once_and_in_order(store: CassandraStore) -> None:
    for _ in range(2):
        assert await store.write(rows()) is Written.QUORUM

    found, after = [], b""
    while True:
        page = await store.query(STOCK_MOVEMENTS, ("default", "TEA", 0), after=after, count_max=7)
        found += [movement_of_row(row) for row in page.rows]
        after = page.next_token
        if not after:
            break

    assert [each.version for each in found] == list(range(COUNT, 0, -1))
    assert [each.on_hand for each in found] == list(range(COUNT, 0, -1))
    assert (await store.query(STOCK_MOVEMENTS, ("default", "TEA", 1), count_max=7)).rows == []
