"""Makes a recording: the engine lives twice on one data directory, and is killed the second time.

The first life ends cleanly, so the checkpoints cover it. The second writes none: what it decided has to be redone, its
rows are ahead of the checkpoints, a payment is under way, an order is acknowledged and not yet decided.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ordermesh import bootstrap
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.nats_server import NatsServer, die_with_parent
from ordermesh.adapters.sandbox_payments import TOKEN_SLOW
from ordermesh.adapters.stores import make_store
from ordermesh.admin.stored import key_of
from ordermesh.cli.processes import is_alive
from ordermesh.core.decider import Row, Table
from ordermesh.runtime.host import all_services
from ordermesh.runtime.ports import PartitionId, Store
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.settings import Settings
from ordermesh.runtime.topology import Topology, new_deployment
from ordermesh.testing.golden import recording as files
from ordermesh.testing.golden.meaning import Recovery
from ordermesh.testing.golden.parts import trade_in_parts
from ordermesh.testing.golden.shop import Shop
from ordermesh.testing.golden.waiting import until

PARTITIONS = 2
FLAGS = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--no-dispatch-automatically", "--log-bytes", str(16 << 20))
IMPATIENT = ("--webhook-disable-after-s", "1", "--webhook-retry-scale", "0.0001")
"""An endpoint is found to be dead within seconds."""
NO_CHECKPOINT = ("--kernel-checkpoint-interval-s", "86400")
START_S = 90.0
STOP_S = 60.0
PAGE = 500


async def record(folder: Path, scratch: Path, groups: Mapping[str, Sequence[str]]) -> str:
    """Records a deployment of these groups into the folder; says in a line what is in it. Raises on anything odd."""
    data = scratch / "data"
    settings = Settings(data=data)
    async with _opened(settings) as store:
        deployment = new_deployment(f"golden-{folder.name}", PARTITIONS, groups)
        await store.create_deployment(deployment.SerializeToString(deterministic=True))
    journal = await asyncio.to_thread(_live, data)
    shutil.copytree(data, scratch / "copy")
    recording = await capture(scratch / "copy")
    files.save(recording, journal, data, folder)
    messages = sum(len(log) for log in recording.logs.values())
    return f"{len(journal)} orders, {messages} messages in {len(recording.logs)} logs"


def registry() -> Registry:
    """The services of this build."""
    return Registry(all_services(bootstrap.services(Settings())))


def tables() -> list[Table]:
    """The tables of this build."""
    return bootstrap.tables(bootstrap.services(Settings()))


async def capture(data: Path) -> files.Recording:
    """Reads a data directory that nobody runs any more, and notes what its logs mean to this build."""
    recording = files.Recording()
    async with _opened(Settings(data=data)) as store:
        recording.deployment.ParseFromString(await store.load_deployment() or b"")
        partitions = Topology(recording.deployment).partitions()
        recording.rows = await _rows(store)
        for partition in partitions:
            recording.checkpoints[partition] = await store.load_checkpoint(partition) or b""
    async with NatsServer(data / "nats") as server:
        log = JetStreamLog([server.url], name="golden")
        await log.open()
        for partition in partitions:
            recording.logs[partition] = await log.fetch(partition, ("commands", "messages", "decisions"), 0, 100_000)
        await log.close()
    await _note_meaning(recording)
    return recording


async def _note_meaning(recording: files.Recording) -> None:
    """From the start of each log, and checked against the checkpoint with what is redone after it."""
    recovery = Recovery(recording.deployment, registry())
    for partition in recording.logs:
        empty = files.Recording(recording.deployment)
        meaning = await recovery.meaning(partition, await recording.log(), await empty.store(tables()))
        again = await recovery.meaning(partition, await recording.log(), await recording.store(tables()))
        if meaning != again:
            raise ValueError(f"{partition}: redone from the checkpoint it is not what it is from the log's start")
        recording.meanings[partition] = meaning


async def _rows(store: Store) -> list[Row]:
    """The rows of all aggregates."""
    rows = []
    for kind in registry().kinds.values():
        found = (await store.scan(kind.table, count_max=PAGE)).rows
        by_key = {key_of(kind, row): row for row in found}
        for key, stored in (await store.load(kind.table, list(by_key))).items():
            values = by_key[key]
            rows.append(Row(kind.table.name, tuple(values[name] for name, _ in kind.table.columns), stored.write_time))
    return rows


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Any]:
    store = make_store(settings, bootstrap.tables(bootstrap.services(settings)), bootstrap.build())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class _Life:
    """`ordermesh up` in a process."""

    def __init__(self, data: Path, *flags: str) -> None:
        ready = data.with_name("ready.json")
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "ordermesh", "up", "--data", str(data), "--ready-file", str(ready)]
        self.process = subprocess.Popen([*command, *FLAGS, *IMPATIENT, *flags], preexec_fn=die_with_parent())  # noqa: PLW1509 # alone
        until(lambda: ready.exists() or self.process.poll() is not None, "the engine serves", START_S)
        self.ready = json.loads(ready.read_text())
        self.shop = Shop(self.ready["grpc"])

    def end(self, number: int) -> None:
        """Sends that signal, and waits until every process of it is gone."""
        self.shop.channel.close()
        self.process.send_signal(number)
        self.process.wait(STOP_S)
        started = {process["pid"]: process["started"] for process in self.ready["processes"]}
        until(lambda: not any(is_alive(pid, at) for pid, at in started.items()), "all processes are gone", STOP_S)


def _live(data: Path) -> list[dict[str, Any]]:
    """Both lives; gives the journal."""
    first = _Life(data)
    first.shop.stock_up()
    asyncio.run(_garbage(first.ready["nats"], data))
    first.shop.trade("first")
    first.shop.tell("first")
    trade_in_parts(first.shop, "first")
    first.shop.discard(first.shop.dead_letters(2)[0])
    first.end(signal.SIGTERM)
    second = _Life(data, *NO_CHECKPOINT)
    second.shop.trade("second")
    trade_in_parts(second.shop, "second")
    second.shop.tell("second")
    asyncio.run(_garbage(second.ready["nats"], data))
    second.shop.dead_letters(3)
    second.shop.paying(second.shop.order("second pays", token=TOKEN_SLOW))
    for process in second.ready["processes"]:
        if process["role"] == "owner":
            os.kill(process["pid"], signal.SIGSTOP)
    second.shop.order("second undecided")
    if second.shop.journal[-1]["persistence"] != "ACCEPTED":
        raise ValueError("the last order was to be acknowledged undecided")
    second.end(signal.SIGKILL)
    return [*first.shop.journal, *second.shop.journal]


async def _garbage(nats: str, data: Path) -> None:
    """Appends what nobody can read as commands: it becomes dead letters."""
    async with _opened(Settings(data=data)) as store:
        deployment = new_deployment("", 0)
        deployment.ParseFromString(await store.load_deployment())
    log = JetStreamLog([nats], name="golden")
    await log.open()
    for number in range(PARTITIONS):
        partition = PartitionId(deployment.groups[0].name, number)
        await log.append(partition, "commands", b"\xff\xfe no frame", frame_id=f"garbage {number}", dedupe=False)
    await log.close()
