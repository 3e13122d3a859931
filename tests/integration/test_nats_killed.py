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
from ordermesh.runtime.ports import Fenced, Kind, LogUnavailable, OutcomeUnknown, PartitionId, Stored
from tests.waiting import eventually

PARTITION = PartitionId("orders", 0)
ALL: tuple[Kind, ...] = ("commands", "messages", "decisions")
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


class Appender:
    """Appends one frame after another, each again until its outcome is known, as the kernel does."""

    def __init__(self, log: JetStreamLog, kind: Kind, name: str) -> None:
        self._log = log
        self._kind = kind
        self._name = name
        self._unknown = False
        self.acknowledged: list[tuple[int, str]] = []
        self.retries = 0
        self.stopping = False

    async def run(self) -> None:
        """Until `stopping`."""
        while not self.stopping:
            frame_id = f"{self._name}-{len(self.acknowledged)}"
            sequence = await self._append(frame_id)
            self.acknowledged.append((sequence, frame_id))

    async def _append(self, frame_id: str) -> int:
        self._unknown = False
        while True:
            try:
                return await self._attempt(frame_id)
            except OutcomeUnknown:
                self._unknown = True
            except LogUnavailable:
                pass
            self.retries += 1
            await asyncio.sleep(0.02)

    async def _attempt(self, frame_id: str) -> int:
        data = (frame_id * 50).encode()
        if self._kind != "decisions":
            return await self._log.append(PARTITION, self._kind, data, frame_id=frame_id, dedupe=True)
        expected = self.acknowledged[-1][0] if self.acknowledged else 0
        try:
            return await self._log.append(
                PARTITION, self._kind, data, frame_id=frame_id, dedupe=False, expected=expected
            )
        except Fenced:
            assert self._unknown, "fenced though nobody else appends"
            last = await self._log.last(PARTITION, self._kind)
            assert last is not None
            assert last.frame_id == frame_id
            return last.sequence


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

    last = (await log.state(PARTITION)).last_sequence
    kept = await log.fetch(PARTITION, ALL, 0, 100_000)
    assert [stored.sequence for stored in kept] == list(range(1, last + 1))
    by_sequence = {stored.sequence: stored.frame_id for stored in kept}
    acknowledged = [pair for appender in appenders for pair in appender.acknowledged]
    assert [pair for pair in acknowledged if by_sequence.get(pair[0]) != pair[1]] == []
    assert len(set(by_sequence.values())) == len(kept), "a frame was appended twice"
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
    assert (await log.state(PARTITION)).last_sequence == 1
