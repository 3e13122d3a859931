"""What a JetStream reader does when its consumer, its subscription or its server's memory of it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ordermesh.adapters import jetstream_reader
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.jetstream_api import call
from ordermesh.adapters.jetstream_reader import StreamReader
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.nats_server import NatsServer, NatsServerError
from ordermesh.runtime.ports import LogError, LogFull, LogUnavailable, PartitionId, Stored
from tests.waiting import eventually

PARTITION = PartitionId("orders", 0)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server."""
    async with NatsServer(tmp_path / "nats") as running:
        yield running


@pytest_asyncio.fixture
async def log(server: NatsServer) -> AsyncIterator[JetStreamLog]:
    """A log with one partition."""
    log = JetStreamLog([server.url], name="test")
    await log.open()
    await log.create(PARTITION, 64 * 1024 * 1024)
    yield log
    await log.close()


@pytest_asyncio.fixture
async def operator(server: NatsServer) -> AsyncIterator[Requests]:
    """Somebody else on the server."""
    connection = Connection([server.url], "operator")
    requests = Requests(connection)
    await connection.open()
    await requests.start()
    yield requests
    await connection.close()


async def consumers(operator: Requests) -> list[str]:
    """The names of the partition's consumers."""
    answer = await call(operator, "CONSUMER.NAMES.OM_ORDERS_000", {}, 2)
    return list(answer["consumers"] or [])


async def append(log: JetStreamLog, count: int) -> None:
    """Appends so many commands."""
    first = (await log.state(PARTITION)).last_sequence
    for i in range(first, first + count):
        await log.append(PARTITION, "commands", b"x", frame_id=str(i), dedupe=True)


async def test_a_reader_whose_consumer_was_deleted_makes_another(
    log: JetStreamLog, operator: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream_reader, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(jetstream_reader, "SILENCE_SECONDS_MAX", 0.6)
    got: list[Stored] = []
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    await append(log, 5)
    await eventually(lambda: len(got) == 5, "the first five")
    for name in await consumers(operator):
        await call(operator, f"CONSUMER.DELETE.OM_ORDERS_000.{name}", {}, 2)
    await append(log, 5)
    await eventually(lambda: len(got) >= 10, "the next five")
    assert [stored.sequence for stored in got] == list(range(1, 11))
    await reader.close()


async def test_a_reader_whose_consumer_only_beats_makes_another(
    log: JetStreamLog, operator: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paused consumer sends heartbeats and no messages: only the stream's own last sequence tells."""
    monkeypatch.setattr(jetstream_reader, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(jetstream_reader, "AUDIT_SECONDS", 0.5)
    got: list[Stored] = []
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    await append(log, 5)
    await eventually(lambda: len(got) == 5, "the first five")
    for name in await consumers(operator):
        pause = {"pause_until": "2100-01-01T00:00:00Z"}
        await call(operator, f"CONSUMER.PAUSE.OM_ORDERS_000.{name}", pause, 2)
    await append(log, 5)
    await eventually(lambda: len(got) >= 10, "the next five")
    assert [stored.sequence for stored in got] == list(range(1, 11))
    await reader.close()


async def test_a_gap_in_what_the_consumer_sends_makes_another(log: JetStreamLog, operator: Requests) -> None:
    """A message comes whose predecessors never came: it is dropped, and all is read again from the position."""
    got: list[Stored] = []
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    assert isinstance(reader, StreamReader)
    await append(log, 5)
    await eventually(lambda: len(got) == 5, "the first five")
    (name,) = await consumers(operator)
    info = await call(operator, f"CONSUMER.INFO.OM_ORDERS_000.{name}", {}, 2)
    reply = f"forged.ACK.OM_ORDERS_000.{name}.1.9.9.1700000000000000000.0"
    await operator.connection.publish(info["config"]["deliver_subject"], b"out of turn", reply)
    await eventually(lambda: reader.restarts == 1, "another consumer")
    await append(log, 5)
    await eventually(lambda: len(got) >= 10, "the next five")
    assert [(stored.sequence, stored.data) for stored in got] == [(i, b"x") for i in range(1, 11)]
    await reader.close()


async def test_readers_and_pages_leave_no_consumer_behind(log: JetStreamLog, operator: Requests) -> None:
    await append(log, 5)
    got: list[Stored] = []
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    await eventually(lambda: len(got) == 5, "five")
    assert len(await log.fetch(PARTITION, ["commands"], 0, 3)) == 3
    await reader.close()
    names = await consumers(operator)
    for _ in range(200):
        if not names:
            break
        await asyncio.sleep(0.01)
        names = await consumers(operator)
    assert names == []


async def test_forty_megabytes_reach_a_reader_by_flow_control(log: JetStreamLog) -> None:
    got: list[Stored] = []
    for i in range(40):
        await log.append(PARTITION, "commands", bytes(1024 * 1024), frame_id=str(i), dedupe=True)
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    await eventually(lambda: len(got) == 40, "forty messages")
    assert [stored.sequence for stored in got] == list(range(1, 41))
    assert isinstance(reader, StreamReader)
    assert reader.restarts == 0
    page = await log.fetch(PARTITION, ["commands"], 0, 40)
    assert 20 < len(page) <= 40
    await reader.close()


async def test_a_log_too_large_for_the_server_is_refused_with_the_sums(tmp_path: Path) -> None:
    async with NatsServer(tmp_path, store_bytes_max=100_000_000) as server:
        log = JetStreamLog([server.url], name="test")
        await log.open()
        await log.create(PARTITION, 70_000_000)
        with pytest.raises(LogFull, match=r"40,000,000 bytes on 1 server.s., and 70,000,000 are reserved"):
            await log.create(PartitionId("orders", 1), 40_000_000)
        await log.close()


async def test_a_message_past_the_limit_is_refused_and_harms_nothing(log: JetStreamLog) -> None:
    with pytest.raises(LogError, match="do not fit"):
        await log.append(PARTITION, "commands", bytes(8 * 1024 * 1024), frame_id="a", dedupe=True)
    await append(log, 1)


async def test_without_a_server_opening_fails_in_time(server: NatsServer) -> None:
    await server.stop()
    log = JetStreamLog([server.url], name="test")
    with pytest.raises(LogUnavailable):
        await log.open(timeout_s=0.5)
    await log.close()


async def test_a_server_that_cannot_start_says_why(server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(NatsServerError, match="address already in use"):
        await NatsServer(tmp_path / "second", port=server.port).start()


async def test_a_server_started_again_keeps_its_port_and_streams(server: NatsServer, log: JetStreamLog) -> None:
    await append(log, 3)
    url = server.url
    await server.stop()
    await server.stop()
    await server.start()
    assert server.url == url
    await eventually(lambda: log.is_up, "the connection")
    assert (await log.state(PARTITION)).last_sequence == 3
