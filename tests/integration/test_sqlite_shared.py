"""One SQLite file and several processes: writers wait without blocking their loop, and deaths lose nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from ordermesh.adapters import sqlite as sqlite_adapter
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.core.decider import Key, Row
from ordermesh.runtime.ports import PartitionId, StoreUnavailable
from tests.contract.conftest import TABLES, THINGS

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import asyncio, sys
from pathlib import Path
from ordermesh.adapters.sqlite import SqliteStore
from tests.contract.conftest import TABLES
from tests.contract.test_store import thing

async def main(path, name, count):
    store = SqliteStore(Path(path), TABLES)
    await store.open()
    for i in range(int(count)):
        await store.write([thing(f"{name}-{i}-{n}", 1, 1) for n in range(10)])
        sys.stdout.write(f"{i}\\n")
        sys.stdout.flush()
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    store = SqliteStore(tmp_path / "store.sqlite", TABLES)
    await store.open()
    yield store
    await store.close()


def thing(name: str, version: object = 1) -> Row:
    """A row; `version` may be of a wrong type."""
    return Row("things", ("default", name, "", version, 1, 1, 0, b"s" * 500, "red"), 1)


async def spawn(path: Path, name: str, count: int) -> asyncio.subprocess.Process:
    """A process that writes ten rows at a time and says so after each."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}/services:{ROOT}/gen:{ROOT}"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), name, str(count), stdout=asyncio.subprocess.PIPE, env=environment
    )


async def acknowledged(process: asyncio.subprocess.Process) -> int:
    """How many writes it said were acknowledged, until its end."""
    assert process.stdout is not None
    lines = (await process.stdout.read()).split()
    await process.wait()
    return len(lines)


async def test_three_processes_write_at_once_and_every_row_is_there(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    writers = [await spawn(path, name, 100) for name in ("a", "b", "c")]
    ours = [store.write([thing(f"ours-{i}")]) for i in range(100)]
    results = await asyncio.gather(*ours, *(acknowledged(writer) for writer in writers))
    assert results[-3:] == [100, 100, 100]
    keys = [Key("thing", "default", f"{name}-{i}-{n}") for name in "abc" for i in range(100) for n in range(10)]
    keys += [Key("thing", "default", f"ours-{i}") for i in range(100)]
    assert len(await store.load(THINGS, keys)) == len(keys)


async def test_a_killed_writer_loses_nothing_acknowledged_and_blocks_nobody(store: SqliteStore, tmp_path: Path) -> None:
    for round_number in range(3):
        writer = await spawn(tmp_path / "store.sqlite", f"w{round_number}", 1_000_000)
        assert writer.stdout is not None
        for _ in range(20):
            await writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        count = 20 + await acknowledged(writer)
        keys = [Key("thing", "default", f"w{round_number}-{i}-{n}") for i in range(count) for n in range(10)]
        assert len(await store.load(THINGS, keys)) == len(keys)
        await store.write([thing(f"after-{round_number}")])


async def test_while_another_process_writes_the_loop_goes_on_and_the_write_follows(
    store: SqliteStore, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    slowest = 0.0
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(store.write([thing("a")]))
        end = loop.time() + 0.5
        while loop.time() < end:
            begun = loop.time()
            await asyncio.sleep(0)
            slowest = max(slowest, loop.time() - begun)
            assert await store.load(THINGS, [Key("thing", "default", "a")]) == {}
        assert not write.done()
        other.execute("COMMIT")
        await write
    assert slowest < 0.1
    assert len(await store.load(THINGS, [Key("thing", "default", "a")])) == 1


async def test_a_file_locked_for_too_long_is_unavailable(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_adapter, "BUSY_SECONDS_MAX", 0.2)
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.write([thing("a")])
    await store.write([thing("a")])


async def test_what_gathers_is_written_in_one_transaction(store: SqliteStore) -> None:
    await asyncio.gather(
        *(store.write([thing(f"a{i}")]) for i in range(50)),
        *(store.save_checkpoint(PartitionId("orders", i), b"c", 1) for i in range(50)),
    )
    assert store.transactions <= 2
    assert await store.load_checkpoint(PartitionId("orders", 49)) == b"c"


async def test_a_row_that_cannot_be_written_fails_alone(store: SqliteStore) -> None:
    results = await asyncio.gather(
        store.write([thing("a")]),
        store.write([thing("b", version="?")]),
        store.write([thing("c")]),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    found = await store.load(THINGS, [Key("thing", "default", name) for name in "abc"])
    assert {key.key for key in found} == {"a", "c"}


async def test_a_cancelled_caller_harms_nobody(store: SqliteStore) -> None:
    writes = [asyncio.create_task(store.write([thing(f"a{i}")])) for i in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    await store.write([thing("b")])
    names = [f"a{i}" for i in range(1, 20, 2)]
    assert len(await store.load(THINGS, [Key("thing", "default", name) for name in names])) == len(names)


async def test_the_write_ahead_log_stays_short_while_writing_goes_on(store: SqliteStore, tmp_path: Path) -> None:
    sizes: list[int] = []
    for i in range(150):
        await store.write([thing(f"a{i}-{n}") for n in range(1000)])
        sizes.append((tmp_path / "store.sqlite-wal").stat().st_size)
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as other:
        ((pages,),) = other.execute("PRAGMA page_count")
        ((page_bytes,),) = other.execute("PRAGMA page_size")
    assert pages * page_bytes > 4 * sqlite_adapter.WAL_BYTES_MAX  # of which some may still be in the log
    assert max(sizes) < 4 * sqlite_adapter.WAL_BYTES_MAX


async def test_a_table_with_other_columns_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    await store.close()
    other = replace(THINGS, columns=(*THINGS.columns, ("weight", "bigint")))
    with pytest.raises(ValueError, match="things"):
        await SqliteStore(tmp_path / "store.sqlite", [other]).open()
