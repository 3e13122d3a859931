"""Three nats-servers as a cluster: leaders and followers killed and paused while clients append and read."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.jetstream_api import call, stream_name
from ordermesh.adapters.log_sizes import grow_logs
from ordermesh.adapters.nats_cluster import cluster_servers
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.runtime.ports import LogState, LogUnavailable, Stored
from tests.integration.appending import ALL, PARTITION, Appender, assert_kept
from tests.waiting import eventually

pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <function StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning"
)
"""nats-py leaves a socket to the garbage collector where a server goes away in the middle of connecting to it."""

MIB = 1 << 20
RECOVERY_S = 90.0
"""Bounds what takes 4 to 8 s on a quiet machine: an election, and clients that notice it."""
PROGRESS = 30


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[NatsServer]]:
    """Three running servers that know each other."""
    servers = cluster_servers(tmp_path)
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.kill() for server in servers))
        gc.collect()  # what nats-py left is said here, and not in another test


@pytest_asyncio.fixture
async def log(cluster: list[NatsServer]) -> AsyncIterator[JetStreamLog]:
    """A log with one partition of three replicas that gives up waiting for an acknowledgement soon."""
    log = JetStreamLog([server.url for server in cluster], name="test", replicas=3, append_timeout_s=1.0)
    await log.open()
    await log.create(PARTITION, 256 * MIB)
    yield log
    await log.close()


@pytest_asyncio.fixture
async def operator(cluster: list[NatsServer]) -> AsyncIterator[Requests]:
    """Somebody else on the cluster."""
    connection = Connection([server.url for server in cluster], "operator")
    requests = Requests(connection)
    await connection.open()
    await requests.start()
    yield requests
    await connection.close()


async def led_and_current(operator: Requests) -> dict[str, Any] | None:
    """What the cluster says of the stream once it has a leader and two followers that have everything."""
    try:
        info = await call(operator, f"STREAM.INFO.{stream_name(PARTITION)}", {}, 2.0)
    except LogUnavailable:
        return None
    members: dict[str, Any] = info["cluster"]
    followers = members.get("replicas") or []
    whole = len(followers) == 2 and all(one["current"] and not one.get("offline") for one in followers)
    return members if members.get("leader") and whole else None


async def until_something(ask: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Waits until the question has an answer, and returns it."""
    async with asyncio.timeout(RECOVERY_S):
        while (answer := await ask()) is None:
            await asyncio.sleep(0.1)
    assert answer, what
    return answer


async def leader_and_followers(operator: Requests, cluster: list[NatsServer]) -> tuple[NatsServer, list[NatsServer]]:
    """Of the partition's stream, once all three are whole."""
    members = await until_something(lambda: led_and_current(operator), "a whole cluster")
    by_name = {server.data_dir.name: server for server in cluster}
    return by_name[members["leader"]], [by_name[one["name"]] for one in members["replicas"]]


class Load:
    """Three appenders and a reader at work."""

    def __init__(self, log: JetStreamLog) -> None:
        self.appenders = [
            Appender(log, "commands", "c1"),
            Appender(log, "commands", "c2"),
            Appender(log, "decisions", "d"),
        ]
        self._log = log
        self._got: list[Stored] = []
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        """Begins."""
        self._reader = await self._log.read(PARTITION, ALL, 0, self._got.append)
        self._running = [asyncio.create_task(appender.run()) for appender in self.appenders]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Ends what still runs."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._reader.close()

    async def progress(self, when: str = "") -> None:
        """Waits until each has got further, and says how long that took; fails where an appender did."""
        begun = asyncio.get_running_loop().time()
        counts = [len(appender.acknowledged) for appender in self.appenders]

        def is_further() -> bool:
            for task in self._running:
                if task.done():
                    task.result()
            return all(len(a.acknowledged) >= n + PROGRESS for a, n in zip(self.appenders, counts, strict=True))

        await eventually(is_further, "appends", RECOVERY_S)
        if when:
            sys.stdout.write(f"appends went on {when} after {asyncio.get_running_loop().time() - begun:.1f} s\n")

    async def assert_nothing_lost(self) -> None:
        """Ends the appenders, and compares what they were told with the log and with what the reader got."""
        for appender in self.appenders:
            appender.stopping = True
        async with asyncio.timeout(RECOVERY_S):
            await asyncio.gather(*self._running)
        last = await assert_kept(self._log, self.appenders)
        await eventually(lambda: bool(self._got) and self._got[-1].sequence == last, "the reader", RECOVERY_S)
        assert [stored.sequence for stored in self._got] == list(range(1, last + 1))


async def test_each_leader_killed_in_turn_loses_nothing_acknowledged(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests
) -> None:
    async with Load(log) as load:
        for _ in cluster:
            await load.progress()
            leader, _followers = await leader_and_followers(operator, cluster)
            await leader.kill()
            await load.progress("without its leader")
            await leader.start()
        assert sum(appender.retries for appender in load.appenders) >= len(cluster)
        await load.assert_nothing_lost()


async def test_a_leader_that_hangs_is_replaced_and_does_no_harm_when_it_goes_on(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests
) -> None:
    async with Load(log) as load:
        await load.progress()
        leader, _followers = await leader_and_followers(operator, cluster)
        leader.signal(signal.SIGSTOP)
        try:
            await load.progress("while its leader hangs")
        finally:
            leader.signal(signal.SIGCONT)
        await load.progress()
        await leader_and_followers(operator, cluster)
        await load.assert_nothing_lost()


async def test_a_leader_that_hands_over_again_and_again_loses_nothing(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests
) -> None:
    """Frames under way are refused or forgotten by the old leader, and sent again to the new one."""
    async with Load(log) as load:
        for _ in range(6):
            await load.progress()
            await leader_and_followers(operator, cluster)
            await call(operator, f"STREAM.LEADER.STEPDOWN.{stream_name(PARTITION)}", {}, 5.0)
        await load.progress()
        await load.assert_nothing_lost()


async def test_a_killed_follower_is_not_missed_and_catches_up(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests
) -> None:
    async with Load(log) as load:
        await load.progress()
        _leader, (follower, _other) = await leader_and_followers(operator, cluster)
        await follower.kill()
        for _ in range(5):
            await load.progress()
        await follower.start()
        await leader_and_followers(operator, cluster)
        await load.assert_nothing_lost()


async def test_without_a_majority_nothing_is_acknowledged_or_read_and_all_comes_back(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests
) -> None:
    await leader_and_followers(operator, cluster)

    async def append(frame_id: str) -> int | None:
        try:
            return await log.append(PARTITION, "commands", frame_id.encode(), frame_id=frame_id, dedupe=True)
        except Exception:  # noqa: BLE001 # any refusal is tried again until the deadline
            return None

    async def fetched() -> list[Stored] | None:
        try:
            return await log.fetch(PARTITION, ALL, 0, 9)
        except LogUnavailable:
            return None

    assert await until_something(partial(append, "a"), "an append") == 1
    await leader_and_followers(operator, cluster)
    await asyncio.gather(cluster[0].kill(), cluster[1].kill())
    await eventually(lambda: log.is_up, "the connection to the last server")

    results = await asyncio.gather(
        log.append(PARTITION, "commands", b"b", frame_id="b", dedupe=True),
        log.last(PARTITION, "commands"),
        log.fetch(PARTITION, ALL, 0, 1),
        return_exceptions=True,
    )
    assert all(isinstance(result, Exception) for result in results), results

    await cluster[0].start()

    assert await until_something(partial(append, "b"), "an append") == 2
    assert [stored.data for stored in await until_something(fetched, "what is there")] == [b"a", b"b"]


async def test_the_address_of_one_server_of_the_cluster_is_enough_while_another_is_down(
    cluster: list[NatsServer], log: JetStreamLog
) -> None:
    await cluster[0].kill()
    second = JetStreamLog([server.url for server in cluster], name="second", replicas=3)
    await second.open()
    await second.create(PARTITION, 256 * MIB)

    async def state() -> LogState | None:
        try:
            return await second.state(PARTITION)
        except LogUnavailable:
            return None

    assert (await until_something(state, "the log's state")).last_sequence == 0
    await second.close()


async def test_replicated_logs_grow_and_stay_replicated(
    cluster: list[NatsServer], log: JetStreamLog, operator: Requests, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="bytes free"):
        await grow_logs(log, [PARTITION], 1 << 50, tmp_path, 3)
    assert await grow_logs(log, [PARTITION], 300 * MIB, tmp_path, 3) == 1
    assert (await log.state(PARTITION)).bytes_max == 300 * MIB
    await leader_and_followers(operator, cluster)
