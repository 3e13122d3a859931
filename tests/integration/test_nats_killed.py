"""A nats-server killed by SIGKILL while clients append, read and talk: nothing acknowledged is lost, all go on."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.runtime.ports import LogUnavailable, OutcomeUnknown, Stored
from tests.integration.appending import ALL, PARTITION, Appender, assert_kept, last_sequence
from tests.waiting import eventually

KILLS = 5


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server; it keeps its port and directory when it is started again."""
    async with NatsServer(tmp_path / "nats") as running:
        yield running


@pytest_asyncio.fixture
async def log(server: NatsServer) -> AsyncIterator[JetStreamLog]:
    """A log with one partition that gives up waiting for an acknowledgement soon."""
    log = JetStreamLog([server.url], name="test", append_timeout_s=1.0)
    await log.open()
    await log.create(PARTITION, 256 * 1024 * 1024)
    yield log
    await log.close()


async def kill_and_restart(server: NatsServer, appenders: list[Appender]) -> None:
    """Kills it while appends are under way; returns when all appenders have got further."""
    counts = [len(appender.acknowledged) for appender in appenders]
    await eventually(
        lambda: all(len(a.acknowledged) > n + 30 for a, n in zip(appenders, counts, strict=True)), "appends"
    )
    await asyncio.sleep(random.random() * 0.02)
    await server.kill()
    await server.start()


def is_paused(server: NatsServer) -> bool:
    """Whether every thread of it has stopped."""
    threads = Path(f"/proc/{server.pid}/task").iterdir()
    return all((thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


async def test_a_kill_during_appends_loses_nothing_acknowledged(server: NatsServer, log: JetStreamLog) -> None:
    got: list[Stored] = []
    reader = await log.read(PARTITION, ALL, 0, got.append)
    appenders = [Appender(log, "commands", "c1"), Appender(log, "commands", "c2"), Appender(log, "decisions", "d")]
    running = [asyncio.create_task(appender.run()) for appender in appenders]
    for _ in range(KILLS):
        await kill_and_restart(server, appenders)
    for appender in appenders:
        appender.stopping = True
    await asyncio.gather(*running)

    last = await assert_kept(log, appenders)
    assert sum(appender.retries for appender in appenders) >= KILLS
    await eventually(lambda: bool(got) and got[-1].sequence == last, "the reader")
    assert [stored.sequence for stored in got] == list(range(1, last + 1))
    await reader.close()


async def test_the_bus_is_heard_again_after_a_kill(server: NatsServer) -> None:
    bus, got = NatsBus([server.url], name="test"), list[bytes]()
    await bus.open()
    await bus.subscribe("om.test", got.append)
    await server.kill()
    bus.publish("om.test", b"lost")
    await server.start()

    def heard() -> bool:
        bus.publish("om.test", b"again")
        return b"again" in got

    await eventually(heard, "the bus")
    await bus.close()


async def test_without_a_server_appends_and_reads_fail_at_once_and_come_back(
    server: NatsServer, log: JetStreamLog
) -> None:
    await server.kill()
    await eventually(lambda: not log.is_up, "the loss")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    results = await asyncio.gather(
        log.append(PARTITION, "commands", b"", frame_id="a", dedupe=True),
        log.last(PARTITION, "commands"),
        log.state(PARTITION),
        log.fetch(PARTITION, ALL, 0, 1),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [LogUnavailable] * 4
    assert loop.time() - begun < 1
    await server.start()
    await eventually(lambda: log.is_up, "the connection")
    assert await log.append(PARTITION, "commands", b"", frame_id="a", dedupe=True) == 1


async def test_a_paused_server_makes_outcomes_unknown_and_dedupe_mends_it(
    server: NatsServer, log: JetStreamLog
) -> None:
    """SIGSTOP: the bytes are taken, no answer comes; the frame sent again is the frame once."""
    server.signal(signal.SIGSTOP)
    await eventually(lambda: is_paused(server), "the pause")
    try:
        result = await asyncio.gather(
            log.append(PARTITION, "commands", b"x", frame_id="a", dedupe=True), return_exceptions=True
        )
    finally:
        server.signal(signal.SIGCONT)
    assert isinstance(result[0], OutcomeUnknown)
    assert await log.append(PARTITION, "commands", b"x", frame_id="a", dedupe=True) == 1
    assert await last_sequence(log) == 1
