"""A nats-server cut off from the other two by proxies: what it goes on telling is old, and is not believed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.jetstream_api import call, stream_name
from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.nats_server import ClusterMember, NatsServer
from ordermesh.runtime.ports import LogError, LogUnavailable, PartitionId
from ordermesh.testing.chaos.links import Links, Trouble
from ordermesh.testing.chaos.proxy import Identify, Proxy

pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <function StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning"
)
"""nats-py leaves a socket to the garbage collector where a server goes away in the middle of connecting to it."""

PARTITION = PartitionId("orders", 0)
RECOVERY_S = 90.0
NOBODY = "127.0.0.1:1"
"""Where no server listens: what is handed on as an address, so that nobody finds a way round a proxy."""
NAMES = ("a", "b", "c")


def always(name: str) -> Identify:
    """A proxy for one caller only need not look who calls."""
    return lambda _near, _far: name


class Divided:
    """Three servers, every pair with a proxy of its own each way; `links` says what passes."""

    def __init__(self, folder: Path) -> None:
        self.links = Links()
        self._folder = folder
        self._proxies: dict[tuple[str, str], Proxy] = {}
        self._logs: list[JetStreamLog] = []
        self.servers: dict[str, NatsServer] = {}

    async def log_on(self, *names: str) -> JetStreamLog:
        """A log that is connected to these servers only."""
        urls = [self.servers[name].url for name in names]
        log = JetStreamLog(urls, name="test", replicas=3, append_timeout_s=1.0)
        self._logs.append(log)
        await log.open()
        return log

    async def start(self) -> None:
        """Starts proxies and servers."""
        ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        for source, target in itertools.permutations(NAMES, 2):
            proxy = Proxy(target, ("127.0.0.1", ports[target]), self.links, always(source))
            await proxy.start(("127.0.0.1", 0))
            self._proxies[source, target] = proxy
        for name in NAMES:
            routes = [proxy.port for (source, _target), proxy in self._proxies.items() if source == name]
            member = ClusterMember(
                server_name=name,
                cluster_name="divided",
                listen=f"127.0.0.1:{ports[name]}",
                routes=tuple(f"nats-route://127.0.0.1:{port}" for port in routes),
                advertise=NOBODY,
            )
            self.servers[name] = NatsServer(self._folder / name, member=member)
        await asyncio.gather(*(server.start() for server in self.servers.values()))

    async def stop(self) -> None:
        """Ends all."""
        for log in self._logs:
            await log.close()
        await asyncio.gather(*(server.kill() for server in self.servers.values()))
        for proxy in self._proxies.values():
            await proxy.stop()

    def cut_off(self, name: str) -> None:
        """Breaks every connection of that server with the others, and every new one."""
        for other in NAMES:
            if other != name:
                self.links.trouble(name, other, Trouble.RESET)


@pytest_asyncio.fixture
async def divided(tmp_path: Path) -> AsyncIterator[Divided]:
    """Three servers that reach each other by proxies alone."""
    three = Divided(tmp_path)
    try:
        await three.start()
        yield three
    finally:
        await three.stop()
        gc.collect()  # what nats-py left is said here, and not in another test


async def append_until_done(log: JetStreamLog, frame_id: str) -> int:
    """Appends a command, again until its outcome is known."""
    async with asyncio.timeout(RECOVERY_S):
        while True:
            try:
                return await log.append(PARTITION, "commands", b"x", frame_id=frame_id, dedupe=True)
            except LogError:
                await asyncio.sleep(0.1)


async def last_frame_id(log: JetStreamLog) -> str:
    """Of the commands, as soon as somebody is believed to know it."""
    async with asyncio.timeout(RECOVERY_S):
        while True:
            try:
                newest = await log.last(PARTITION, "commands")
            except LogUnavailable:
                await asyncio.sleep(0.1)
                continue
            return newest.frame_id if newest is not None else ""


async def appends(log: JetStreamLog, frame_id: str) -> bool:
    """Whether an append is acknowledged."""
    try:
        await log.append(PARTITION, "commands", b"x", frame_id=frame_id, dedupe=True)
    except LogError:
        await asyncio.sleep(0.2)
        return False
    return True


async def cut_off_felt_by(divided: Divided, log: JetStreamLog) -> None:
    """Cuts off server a, and waits until an append by way of it is not acknowledged any more."""
    divided.cut_off("a")
    async with asyncio.timeout(RECOVERY_S):
        while await appends(log, secrets.token_hex(8)):
            continue


@contextlib.asynccontextmanager
async def operator(server: NatsServer) -> AsyncIterator[Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]]:
    """Asks that server about the partition's stream: an operation and its body."""
    connection = Connection([server.url], "operator")
    requests = Requests(connection)
    await connection.open()
    await requests.start()
    try:
        yield lambda operation, body: call(requests, f"STREAM.{operation}.{stream_name(PARTITION)}", body, 5.0)
    finally:
        await connection.close()


async def make_leader(server: NatsServer) -> None:
    """Has the partition's stream led by that server."""
    name = server.data_dir.name
    async with operator(server) as ask, asyncio.timeout(RECOVERY_S):
        while (await ask("INFO", {}))["cluster"].get("leader") != name:
            with contextlib.suppress(LogError):
                await ask("LEADER.STEPDOWN", {"placement": {"preferred": name}})
            await asyncio.sleep(0.2)


async def whole(server: NatsServer) -> None:
    """Waits until the stream has a leader that both others follow, as that server is told."""
    async with operator(server) as ask, asyncio.timeout(RECOVERY_S):
        while True:
            with contextlib.suppress(LogError):
                members = (await ask("INFO", {}))["cluster"]
                followers = [one for one in members.get("replicas") or () if one["current"]]
                if members.get("leader") and len(followers) == len(NAMES) - 1:
                    return
            await asyncio.sleep(0.2)


async def test_a_leader_that_is_cut_off_is_never_believed_to_know_the_end_of_the_log(divided: Divided) -> None:
    inside, outside = await divided.log_on("a"), await divided.log_on("b", "c")
    await inside.create(PARTITION, 1 << 24)
    assert await append_until_done(outside, "before") == 1
    await make_leader(divided.servers["a"])
    await cut_off_felt_by(divided, inside)
    await append_until_done(outside, "after")

    for _ in range(8):
        asked = (
            inside.last(PARTITION, "commands"),
            inside.fetch(PARTITION, ["commands"], 1, 9),
            inside.state(PARTITION),
        )
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(result, LogUnavailable) for result in results), results
        await asyncio.sleep(0.2)
    with pytest.raises(LogError):
        await inside.append(PARTITION, "commands", b"y", frame_id="lost", dedupe=True)

    divided.links.mend_all()
    await append_until_done(inside, "mended")
    assert await last_frame_id(inside) == "mended"


async def test_clients_leave_a_server_that_is_cut_off(divided: Divided) -> None:
    """They are connected to it as before, only nothing is served; of twelve connections some are to it."""
    logs = [await divided.log_on(*NAMES) for _ in range(6)]
    await logs[0].create(PARTITION, 1 << 24)
    divided.cut_off("a")
    await asyncio.gather(*(append_until_done(log, f"by-{number}") for number, log in enumerate(logs)))
    assert {await last_frame_id(log) for log in logs} <= {f"by-{number}" for number in range(len(logs))}


async def test_servers_that_came_back_find_no_way_round_the_proxies(divided: Divided) -> None:
    """They tell each other whom they know; an address that leads past a proxy would make the next cut a pretence."""
    inside = await divided.log_on("a")
    await inside.create(PARTITION, 1 << 24)
    for number in range(3):
        await cut_off_felt_by(divided, inside)
        assert [await appends(inside, f"cut-{number}-{attempt}") for attempt in range(10)] == [False] * 10
        divided.links.mend_all()
        await append_until_done(inside, f"mended-{number}")
        await whole(divided.servers["a"])
