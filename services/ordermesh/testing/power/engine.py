"""An engine on a disk that may lose power: `ordermesh up`, with a nats-server of its own or one that syncs seldom."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ordermesh.adapters.nats_server import NatsServer, die_with_parent
from ordermesh.cli.data_directory import DataDirectory
from ordermesh.cli.processes import family, is_alive

Sync = Literal["always", "default"]
"""How nats-server syncs: every message before it is acknowledged, as the engine has it; or every two minutes."""

SYNC_INTERVALS: Mapping[Sync, str] = {"always": "always", "default": "2m"}
START_S = 120.0
STOP_S = 60.0
COMMAND_S = 180.0
POLL_S = 0.05
OPTIONS = ("--partitions", "1", "--log-bytes", str(256 << 20), "--workers", "1", "--edges", "1")

_STOPPED = re.compile(r"(\w+/\d+) is stopped: (.*)")


class EngineFailed(Exception):
    """The engine did not start, or a command failed; the text says what it said."""


class PoweredEngine:
    """The engine whose data is in `data`; what a person would keep elsewhere is in `folder`. Use it in one loop."""

    def __init__(self, data: Path, folder: Path, sync: Sync) -> None:
        self._data = data
        self._folder = folder
        self._nats: NatsServer | None = None
        if sync == "default":
            self._nats = NatsServer(data / "nats", sync_interval=SYNC_INTERVALS[sync])
        self._process: asyncio.subprocess.Process | None = None
        self._ready = folder / "ready.json"
        self.address = ""

    async def start(self) -> dict[str, str]:
        """Starts everything. Returns the partitions that stopped instead of being taken, with the reason each gives;
        where there is none, the engine serves. Raises EngineFailed."""
        self._ready.unlink(missing_ok=True)
        if self._nats is not None and self._nats.pid is None:
            await self._nats.start()
        arguments = [*self.settings(), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *OPTIONS]
        with (self._folder / "up.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_command("up", *arguments, "--ready-file", str(self._ready)),
                env=_environment(), stdout=log, stderr=log, preexec_fn=die_with_parent(), start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not self._ready.exists():
            stopped = await self._stopped()
            if stopped:
                return stopped
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise EngineFailed((self._folder / "up.log").read_text()[-4_000:])
            await asyncio.sleep(POLL_S)
        self.address = str(json.loads(self._ready.read_text())["grpc"])
        return await self._stopped()

    def settings(self) -> list[str]:
        """The flags that say where log and store are."""
        nats = [] if self._nats is None else ["--nats", self._nats.url]
        return ["--data", str(self._data), *nats]

    async def _stopped(self) -> dict[str, str]:
        """What the edge says of partitions that are stopped, as soon as it has heard of all partitions."""
        status = DataDirectory(self._data).status()
        if status is None or not status.http or self._process is None or status.pid != self._process.pid:
            return {}
        body = await _get(status.http, "/readyz")
        if body is None:
            return {}
        reasons = [*body["reasons"], *body["degraded"]]
        if any("no owner known" in reason or reason == "starting" for reason in reasons):
            return {}
        return {found[1]: found[2] for reason in reasons if (found := _STOPPED.search(reason)) is not None}

    def freeze(self) -> None:
        """Stops every process where it is, as lost power does."""
        for pid in self._pids():
            _signal(pid, signal.SIGSTOP)

    async def kill(self) -> None:
        """Ends every process at once, and waits until all are gone."""
        running = [stat for pid in self._roots() for stat in family(pid)]
        for stat in running:
            _signal(stat.pid, signal.SIGKILL)
        if self._nats is not None:
            await self._nats.kill()
        if self._process is not None:
            await self._process.wait()
        deadline = time.monotonic() + STOP_S
        while any(is_alive(stat.pid, stat.started) for stat in running):
            if time.monotonic() > deadline:
                raise EngineFailed("killed processes do not end")
            await asyncio.sleep(POLL_S)

    async def stop(self, *, keep_nats: bool = False) -> None:
        """Ends it cleanly; the nats-server, where it is apart, stays if told."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), STOP_S)
        if self._nats is not None and not keep_nats:
            await self._nats.stop()

    async def command(self, *arguments: str) -> Any:
        """Runs a command of `ordermesh` with --output json, and returns its answer. Raises EngineFailed."""
        process = await asyncio.create_subprocess_exec(
            *_command(*arguments, "--output", "json"), env=_environment(), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, preexec_fn=die_with_parent(),
        )  # fmt: skip
        said, error = await asyncio.wait_for(process.communicate(), COMMAND_S)
        if process.returncode:
            raise EngineFailed(f"{' '.join(arguments)}: {error.decode(errors='replace')[-4_000:]}")
        return json.loads(said)

    def _roots(self) -> list[int]:
        roots = [] if self._process is None or self._process.returncode is not None else [self._process.pid]
        return [*roots, *([self._nats.pid] if self._nats is not None and self._nats.pid is not None else [])]

    def _pids(self) -> Sequence[int]:
        return [stat.pid for root in self._roots() for stat in family(root)]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ordermesh", *arguments]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMESH_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


async def _get(address: str, path: str) -> Any:
    """The JSON at a path; None where nobody answers."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(2.0):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read()
            finally:
                writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])
    except (OSError, TimeoutError, ValueError):
        return None
