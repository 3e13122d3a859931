"""Logs of an earlier start get more room on a running nats-server, and never less."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.log_sizes import grow_logs
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.runtime.ports import LogFull, PartitionId

MIB = 1 << 20
PARTITIONS = [PartitionId("orders", 0), PartitionId("stock", 0)]


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[JetStreamLog]:
    """Two logs of 32 MiB on a server that has room for 128."""
    async with NatsServer(tmp_path / "nats", store_bytes_max=128 * MIB) as server:
        jetstream = JetStreamLog([server.url], name="test")
        await jetstream.open()
        for partition in PARTITIONS:
            await jetstream.create(partition, 32 * MIB)
        yield jetstream
        await jetstream.close()


async def sizes(log: JetStreamLog) -> list[int]:
    """What is reserved for each log."""
    return [(await log.state(partition)).bytes_max for partition in PARTITIONS]


async def test_logs_grow_and_keep_what_is_in_them(log: JetStreamLog, tmp_path: Path) -> None:
    first = await log.append(PARTITIONS[0], "commands", b"kept", frame_id="1", dedupe=True)

    assert await grow_logs(log, PARTITIONS, 48 * MIB, tmp_path) == 2

    assert await sizes(log) == [48 * MIB] * 2
    assert [stored.data for stored in await log.fetch(PARTITIONS[0], ["commands"], 0, 9)] == [b"kept"]
    again = await log.append(PARTITIONS[0], "commands", b"kept", frame_id="1", dedupe=True)
    assert again == first
    assert await log.append(PARTITIONS[0], "commands", b"more", frame_id="2", dedupe=True) > first
    assert await grow_logs(log, PARTITIONS, 48 * MIB, tmp_path) == 0


async def test_logs_that_are_there_never_shrink(log: JetStreamLog, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"never shrink.*at least 33554432"):
        await grow_logs(log, PARTITIONS, 16 * MIB, tmp_path)

    assert await sizes(log) == [32 * MIB] * 2


async def test_what_the_server_has_no_room_for_is_refused_with_the_sums(log: JetStreamLog, tmp_path: Path) -> None:
    with pytest.raises(LogFull, match=f"OM_STOCK_000: it would reserve {120 * MIB:,} bytes"):
        await grow_logs(log, [PARTITIONS[1], PARTITIONS[0]], 120 * MIB, tmp_path)
    with pytest.raises(ValueError, match="bytes free"):
        await grow_logs(log, PARTITIONS, 1 << 60, tmp_path)

    assert await sizes(log) == [32 * MIB] * 2
