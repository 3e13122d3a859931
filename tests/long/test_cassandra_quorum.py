"""The Cassandra store on three nodes, some of which hang or are killed: what is written how, how soon it is known."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
import pytest_asyncio

from ordermesh.adapters import cassandra_pace
from ordermesh.adapters.cassandra import CassandraStore, apply_schema
from ordermesh.adapters.cassandra_options import CassandraOptions
from ordermesh.adapters.cassandra_pace import SUSPECT_S
from ordermesh.core.decider import Key, Row
from ordermesh.order.rows import ORDERS
from ordermesh.runtime.ports import PartitionId, StoredAggregate, StoreUnavailable, Written
from ordermesh.runtime.settings_cassandra import addresses
from ordermesh.testing.cassandra_nodes import Cluster
from tests.cassandra_nodes import points_of
from tests.waiting import eventually

HEALED_S = 120.0
ROWS = 20


def order(number: int, write_time: int = 1) -> Row:
    """An order's row."""
    aggregate = ("default", f"order-{number}", "", 1, 1, 2, 0, b"state" * 100)
    return Row("orders", (*aggregate, "ada", "PLACED", "NONE", "UNALLOCATED", "1 GBP"), write_time)


def key(number: int) -> Key:
    """The key of an order."""
    return Key("order", "default", f"order-{number}")


async def make(nodes: Cluster, **given: Any) -> CassandraStore:
    """A store in a keyspace of its own."""
    points = addresses(points_of(nodes.nodes))
    options = CassandraOptions(contact_points=points, keyspace=f"quorum_{time.time_ns()}", **given)
    await asyncio.to_thread(apply_schema, options, [ORDERS], "test")
    store = CassandraStore(options, [ORDERS], "test")
    await store.open()
    return store


@pytest_asyncio.fixture
async def store(three_nodes: Cluster) -> AsyncIterator[CassandraStore]:
    """With three replicas."""
    store = await make(three_nodes)
    await store.write([order(number) for number in range(200)])
    yield store
    await store.close()


class Writing:
    """Writes batches one after the other until it is ended, and notes what came of each and how long it took."""

    def __init__(self, store: CassandraStore) -> None:
        self._store = store
        self._number = 10_000
        self.noted: list[tuple[str, float]] = []
        self._task = asyncio.create_task(self._run())

    async def end(self) -> dict[str, float]:
        """What came of them, with the longest time of each."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        longest: dict[str, float] = {}
        for what, seconds in self.noted:
            longest[what] = max(seconds, longest.get(what, 0.0))
        return longest

    async def _run(self) -> None:
        while True:
            rows = [order(self._number + number) for number in range(ROWS)]
            self._number += ROWS
            what, seconds = await timed(lambda rows=rows: self._store.write(rows))  # type: ignore[misc]  # a default
            self.noted.append((what, seconds))
            await asyncio.sleep(0.02)


async def timed(attempt: Callable[[], Awaitable[Written | object]]) -> tuple[str, float]:
    """What came of it, in a word, and after how many seconds."""
    begun = time.monotonic()
    try:
        result = await attempt()
    except StoreUnavailable:
        return "unavailable", time.monotonic() - begun
    return result.name if isinstance(result, Written) else "answered", time.monotonic() - begun


async def test_rows_go_by_the_nodes_that_have_them_to_one_of_these(three_nodes: Cluster) -> None:
    store = await make(three_nodes, replication={"": 1})
    try:
        asked: list[Any] = []
        live = store._connection.live  # what it is connected by
        store._connection._pace.now = itertools.count(
            0.0, 2 * SUSPECT_S
        ).__next__  # nobody stays suspected, however busy it is
        live.session.add_request_init_listener(asked.append)
        assert await store.write([order(number) for number in range(300)]) is Written.QUORUM
        found = await store.load(ORDERS, [key(number) for number in range(0, 400, 2)])
        assert len(found) == 150
        live.session.remove_request_init_listener(asked.append)
        owners = [live.cluster.metadata.get_replicas(one.query.keyspace, one.query.routing_key) for one in asked]
        assert [one.attempted_hosts[:1] for one in asked] == owners
        assert {str(owner.endpoint) for (owner,) in owners} == set(points_of(three_nodes.nodes).split(","))
        assert store.statistics().batches <= 300 // 20
    finally:
        await store.close()


async def test_a_request_that_three_nodes_answer_is_answered_once(
    store: CassandraStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_pace, "SPECULATE_AFTER_MIN_S", 0.0001)
    monkeypatch.setattr(cassandra_pace, "SPECULATE_AFTER_TIMES", 0.0)
    before = store.statistics().requests.requests
    for number in range(200):
        assert await store.write([order(number, 2)]) is Written.QUORUM
        assert (await store.load(ORDERS, [key(number)]))[key(number)].write_time == 2
    requests = store.statistics().requests
    assert requests.requests - before == 400
    assert requests.in_flight == 0


async def test_a_node_that_hangs_costs_no_write_a_second_and_none_its_quorum(
    three_nodes: Cluster, store: CassandraStore
) -> None:
    writing = Writing(store)
    await eventually(lambda: len(writing.noted) > 50, "it writes")
    await asyncio.to_thread(three_nodes.pause, 1)
    noted = len(writing.noted)
    await asyncio.sleep(12.0)
    longest = await writing.end()
    assert len(writing.noted) - noted > 50
    assert longest.keys() == {"QUORUM"}
    assert longest["QUORUM"] < 1.0


async def test_a_process_starts_while_a_node_hangs(three_nodes: Cluster, store: CassandraStore) -> None:
    await asyncio.to_thread(three_nodes.pause, 1)
    begun = time.monotonic()
    other = CassandraStore(store._connection.options, [ORDERS], "test")  # another process's, the same
    try:
        await other.open()
        assert await other.write([order(number, 2) for number in range(200)]) is Written.QUORUM
        assert time.monotonic() - begun < 15.0
    finally:
        await other.close()


async def test_without_a_quorum_rows_are_weak_at_once_and_with_it_no_more(
    three_nodes: Cluster, store: CassandraStore
) -> None:
    for number in (1, 2):
        await asyncio.to_thread(three_nodes.kill, number)
    writing = Writing(store)
    await eventually(lambda: "WEAK" in dict(writing.noted), "a write finds no quorum")
    del writing.noted[:]
    await eventually(lambda: len(writing.noted) > 100, "it goes on writing", 60.0)
    assert {what for what, _ in writing.noted} == {"WEAK"}
    assert sorted(seconds for _, seconds in writing.noted)[98] < 0.5
    await eventually_lost(store)
    what, seconds = await timed(lambda: store.load(ORDERS, [key(1)]))
    assert (what, seconds < 0.1) == ("unavailable", True)
    assert key(1) in await until_answered(lambda: store.load_weakly(ORDERS, [key(1)]))
    with pytest.raises(StoreUnavailable):
        await store.save_checkpoint(PartitionId("orders", 0), b"checkpoint", 1)

    await asyncio.to_thread(three_nodes.start, 1, 2)
    await eventually(lambda: writing.noted[-1][0] == "QUORUM", "quorums answer again", HEALED_S)
    await writing.end()
    await eventually(lambda: store.statistics().lost_sets[0] == 0, "that is known")
    assert (await until_answered(lambda: store.load(ORDERS, [key(1)])))[key(1)].write_time == 1


async def eventually_lost(store: CassandraStore) -> None:
    """Until reads know that there is no quorum."""
    deadline = time.monotonic() + 60.0
    while not store.statistics().lost_sets[1]:
        assert time.monotonic() < deadline
        await timed(lambda: store.load(ORDERS, [key(1)]))


async def until_answered(load: Callable[[], Awaitable[Mapping[Key, StoredAggregate]]]) -> Mapping[Key, StoredAggregate]:
    """What is loaded, as soon as it can be: a coordinator may ask a node that is not yet known to be dead."""
    deadline = time.monotonic() + HEALED_S
    while True:
        try:
            return await load()
        except StoreUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_without_any_node_everything_fails_at_once_and_comes_back_by_itself(
    three_nodes: Cluster, store: CassandraStore
) -> None:
    for number in (1, 2, 3):
        await asyncio.to_thread(three_nodes.kill, number)
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: store.write([order(1)]),
        lambda: store.load(ORDERS, [key(1)]),
        lambda: store.load_weakly(ORDERS, [key(1)]),
    )
    await asyncio.gather(*map(timed, attempts))
    for attempt in attempts:
        what, seconds = await timed(attempt)
        assert (what, seconds < 0.5) == ("unavailable", True)

    await asyncio.to_thread(three_nodes.start, 1, 2, 3)
    assert (await until_answered(lambda: store.load(ORDERS, [key(1)])))[key(1)].write_time == 1
    writing = Writing(store)
    await eventually(lambda: bool(writing.noted) and writing.noted[-1][0] == "QUORUM", "quorums answer", HEALED_S)
    await writing.end()
