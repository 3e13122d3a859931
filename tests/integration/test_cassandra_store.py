"""The Cassandra store where it is more than any store: batches, threads, chunks, and a cluster that is not there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from cassandra.cluster import Session

from ordermesh.adapters.cassandra import CassandraStore, apply_schema
from ordermesh.adapters.cassandra_cluster import make_cluster
from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit
from ordermesh.adapters.cassandra_pace import Pace
from ordermesh.adapters.cassandra_requests import Requests
from ordermesh.adapters.cassandra_writer import BATCH_ROWS_MAX
from ordermesh.core.decider import Key, Row
from ordermesh.order.rows import ORDERS
from ordermesh.runtime.ports import PartitionId, StoreUnavailable, Written
from ordermesh.runtime.settings_cassandra import addresses
from tests.waiting import eventually

HERE = PartitionId("orders", 7)
DEAD_PORT = 1
"""Where nobody listens."""


def order(number: int, *, version: int = 1, state: bytes = b"state") -> Row:
    """An order's row."""
    values = (
        "default",
        f"order-{number}",
        "",
        version,
        1,
        2,
        0,
        state,
        "ada",
        "PLACED",
        "NONE",
        "UNALLOCATED",
        "1 GBP",
    )
    return Row("orders", values, version)


def keys(numbers: Sequence[int]) -> list[Key]:
    """The keys of orders."""
    return [Key("order", "default", f"order-{number}") for number in numbers]


@pytest.fixture(scope="module")
def session(contact_points: str) -> Iterator[Session]:
    """To look into the cluster with."""
    cluster = make_cluster(CassandraOptions(contact_points=addresses(contact_points)), Pace())
    yield cluster.connect()
    cluster.shutdown()


@pytest.fixture
def keyspace(session: Session) -> Iterator[Callable[[str], str]]:
    """Gives a name for a keyspace of the test; it is gone afterwards."""
    names = []

    def name(what: str) -> str:
        names.append(f"test_{what}_{os.getpid()}")
        return names[-1]

    yield name
    for each in names:
        session.execute(f"DROP KEYSPACE IF EXISTS {each}", timeout=60)


@pytest.fixture(scope="module")
def options(contact_points: str, session: Session) -> Iterator[CassandraOptions]:
    """Of a keyspace with the table of orders; shared, so each test writes orders of its own numbers."""
    options = CassandraOptions(contact_points=addresses(contact_points), keyspace=f"test_store_{os.getpid()}")
    apply_schema(options, [ORDERS], "test")
    yield options
    session.execute(f"DROP KEYSPACE {options.keyspace}", timeout=60)


@contextlib.asynccontextmanager
async def opened(options: CassandraOptions) -> AsyncIterator[CassandraStore]:
    """A store that is connected, if it can be."""
    store = CassandraStore(options, [ORDERS], "test")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_rows_go_in_few_batches_and_answers_come_with_few_wake_ups(options: CassandraOptions) -> None:
    async with opened(options) as store:
        assert await store.write([order(number) for number in range(500)]) is Written.QUORUM
        statistics = store.statistics()
        assert (statistics.batches, statistics.rows_written) == (500 // BATCH_ROWS_MAX, 500)
        assert len(await store.load(ORDERS, keys(range(500)))) == 500
        requests = store.statistics().requests
        assert requests.requests == 500 // BATCH_ROWS_MAX + 10
        assert requests.wake_ups <= requests.requests
        assert (requests.in_flight, requests.failures) == (0, 0)


async def test_a_batch_that_the_server_finds_too_large_goes_in_parts(options: CassandraOptions) -> None:
    async with opened(options) as store:
        store._writer.batch_bytes_max = 1_000_000  # as if this server took less than others
        rows = [order(1_000 + number, state=b"x" * 4_000) for number in range(40)]
        assert await store.write(rows) is Written.QUORUM
        assert store.statistics().batches > 1
        found = await store.load(ORDERS, keys(range(1_000, 1_040)))
        assert {len(row.state) for row in found.values()} == {4_000}
        assert len(found) == 40
        failures = store.statistics().requests.failures
        await store.write(rows)
        assert store.statistics().requests.failures == failures, "the next batches are as large as the server takes"


async def test_what_nobody_waits_for_any_more_harms_nobody(options: CassandraOptions) -> None:
    async with opened(replace(options, in_flight_max=2)) as store:
        loads = [asyncio.create_task(store.load(ORDERS, keys([number]))) for number in range(40)]
        await asyncio.sleep(0)
        writes = asyncio.create_task(store.write([order(2_000 + number) for number in range(300)]))
        await asyncio.sleep(0.002)
        for task in (*loads, writes):
            task.cancel()
        await asyncio.gather(*loads, writes, return_exceptions=True)
        await eventually(lambda: store.statistics().requests.in_flight == 0, "every place is free again")
        assert await store.write([order(2_000)]) is Written.QUORUM
        assert len(await store.load(ORDERS, keys([2_000]))) == 1


async def test_what_came_of_a_request_is_noted_also_when_nobody_waits_for_it_any_more(session: Session) -> None:
    """So it becomes known that a quorum was lost where every reader gives up before the time-out."""
    requests = Requests(1, Pace())
    noted: list[Exception | None] = []
    statement = session.prepare("SELECT key FROM system.local WHERE key = ?").bind(["local"])
    sent = asyncio.create_task(requests.run(session, statement, 5.0, requests.reads, noted.append))
    waits = asyncio.create_task(requests.run(session, statement, 5.0, requests.reads, noted.append))
    while not requests.statistics().requests:
        await asyncio.sleep(0)
    sent.cancel()
    waits.cancel()
    await asyncio.gather(sent, waits, return_exceptions=True)
    await eventually(lambda: requests.statistics().in_flight == 0, "its place is free again")
    assert noted == [None], "what was not sent is not noted"


async def test_never_more_requests_are_under_way_than_the_limit(options: CassandraOptions) -> None:
    async with opened(replace(options, in_flight_max=3)) as store:
        most = 0

        async def load(number: int) -> None:
            nonlocal most
            await store.load(ORDERS, keys([number]))
            most = max(most, store.statistics().requests.in_flight)

        await asyncio.gather(*(load(number) for number in range(60)))
        assert 1 <= most <= 3
        assert store.statistics().requests.requests == 60


async def test_the_chunks_of_old_checkpoints_are_removed(options: CassandraOptions, session: Session) -> None:
    def chunks() -> set[int]:
        rows = session.execute(f"SELECT write_time FROM {options.keyspace}.checkpoint_chunks").all()
        return {row[0] for row in rows}

    large = b"c" * 1_200_000
    async with opened(options) as store, opened(options) as late:
        await store.save_checkpoint(HERE, large, 10)
        assert chunks() == {10}
        await store.save_checkpoint(HERE, large, 20)
        assert chunks() == {20}
        await late.save_checkpoint(HERE, large, 15)
        assert chunks() == {20}, "a late one takes its own away again"
        assert await late.load_checkpoint(HERE) == large
        await late.save_checkpoint(HERE, b"small", 30)
        assert chunks() == set()
        assert await store.load_checkpoint(HERE) == b"small"


async def test_a_checkpoint_that_lost_a_chunk_is_not_taken_for_whole(
    options: CassandraOptions, session: Session
) -> None:
    here = PartitionId("orders", 8)
    async with opened(options) as store:
        await store.save_checkpoint(here, b"c" * 1_200_000, 10)
        session.execute(
            f"DELETE FROM {options.keyspace}.checkpoint_chunks WHERE group_name = 'orders' AND partition_number = 8"
            " AND write_time = 10 AND chunk = 1"
        )
        with pytest.raises(StoreUnavailable, match="a part of it is missing"):
            await store.load_checkpoint(here)


async def test_of_deployments_created_at_once_one_counts(options: CassandraOptions) -> None:
    async with opened(options) as one, opened(options) as other:
        names = [f"deployment {number}".encode() for number in range(6)]
        made = await asyncio.gather(
            *((one, other)[number % 2].create_deployment(name) for number, name in enumerate(names))
        )
        assert len(set(made)) == 1
        assert made[0] in names
        assert await one.load_deployment() == made[0]


def pool(thread: threading.Thread) -> str:
    """The name that the threads of one pool begin with."""
    return thread.name.rpartition("_")[0]


async def test_closing_ends_the_drivers_threads(options: CassandraOptions) -> None:
    before = set(threading.enumerate())
    # The pool of the test's own session may begin a thread at any time.
    pools = {pool(thread) for thread in before} - {""}
    async with opened(options) as store:
        await store.write([order(3_000)])
        assert any(thread not in before and pool(thread) not in pools for thread in threading.enumerate())

    def left() -> list[str]:
        # What the driver's one reactor waits for are time-outs of requests that were answered long ago.
        return [
            thread.name
            for thread in threading.enumerate()
            if thread not in before and pool(thread) not in pools and thread.name != "event_loop"
        ]

    try:
        await eventually(lambda: not left(), "no thread of the driver but its reactor is left")
    except AssertionError:
        pytest.fail(f"threads of the driver are left: {left()}")
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.load(ORDERS, keys([3_000]))


async def test_a_cluster_that_is_not_there_is_unavailable_with_its_address_and_found_when_it_comes(
    options: CassandraOptions,
) -> None:
    host, port = options.contact_points[0]
    absent = replace(options, contact_points=[(host, DEAD_PORT)])
    async with opened(absent) as store:
        for attempt in (store.load(ORDERS, keys([1])), store.write([order(1)]), store.load_deployment()):
            with pytest.raises(StoreUnavailable, match=f"{host}:{DEAD_PORT}.*refused"):
                await attempt
    relay = Relay(host, port)
    await relay.start(0)
    await relay.stop()
    late = replace(options, contact_points=[("127.0.0.1", relay.port), (host, DEAD_PORT)])
    async with opened(late) as store:
        with pytest.raises(StoreUnavailable):
            await store.load(ORDERS, keys([1]))
        await relay.start(relay.port)
        await eventually(lambda: _is_connected(store), "it connects once somebody listens")
        assert await store.write([order(4_000)]) is Written.QUORUM
    await relay.stop()


class Relay:
    """Listens where nobody did, and passes everything on."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._passing: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self, port: int) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends when those have ended that it passes on for."""
        assert self._server is not None
        self._server.close()
        await asyncio.gather(*self._passing)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        for source, sink in ((reader, back), (there, writer)):
            self._passing.append(asyncio.create_task(_copy(source, sink)))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()
    with contextlib.suppress(ConnectionError):
        await sink.wait_closed()


def _is_connected(store: CassandraStore) -> bool:
    try:
        return store._connection.live is not None  # what its methods look at first
    except StoreUnavailable:
        return False


async def test_a_name_that_is_no_hosts_is_told(options: CassandraOptions) -> None:
    async with opened(replace(options, contact_points=[("no-such-host.invalid", 9042)])) as store:
        with pytest.raises(StoreUnavailable, match="names can be resolved"):
            await store.load_deployment()


async def test_a_keyspace_that_is_not_there_yet_is_waited_for(
    options: CassandraOptions, keyspace: Callable[[str], str]
) -> None:
    mine = replace(options, keyspace=keyspace("waited"))
    async with opened(mine) as store:
        with pytest.raises(StoreUnavailable, match="ordermesh schema apply"):
            await store.load_deployment()
        await asyncio.to_thread(apply_schema, mine, [ORDERS], "test")
        await eventually(lambda: _is_connected(store), "it connects once the tables are there")
        assert await store.load_deployment() is None


def test_more_replicas_than_nodes_are_refused_with_what_to_give(
    options: CassandraOptions, keyspace: Callable[[str], str]
) -> None:
    mine = replace(options, keyspace=keyspace("replicas"), replication={"": 99})
    with pytest.raises(Misfit, match=r"99 replicas are wanted .* give --cassandra-replication"):
        apply_schema(mine, [ORDERS], "test")


def test_a_name_that_no_keyspace_can_have_is_refused(options: CassandraOptions) -> None:
    with pytest.raises(Misfit, match="cannot be the name"):
        apply_schema(replace(options, keyspace="Drop; table"), [ORDERS], "test")
