"""An engine of its own for hostile callers, and what is looked at after they called: processes, logs, memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.cli.data_directory import DataDirectory, ProcessRecord

START_S = 150.0
STOP_S = 60.0
POLL_S = 0.05
RSS_BYTES_MAX = 1024 * 1024 * 1024
"""Memory that no process may ever have needed: four times what an owner has after a million calls."""

_DEFECT = re.compile(r"Traceback \(most recent call last\)|never retrieved|was never awaited|call failed")


class DeploymentFailed(Exception):
    """The engine did not start or did not end; the text says what it said."""


class Deployment:
    """`ordermesh up` in a directory, with two partitions of each group. As a context manager it is ended."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._began: Mapping[str, tuple[int, int]] = {}
        self.address = self.http = self.nats = ""

    def __enter__(self) -> Self:
        """Starts it and waits until it serves."""
        ready, said = self._folder / "ready.json", self._folder / "up.log"
        command = [
            sys.executable, "-m", "ordermesh", "up", "--data", str(self._data), "--grpc", "127.0.0.1:0",
            "--http", "127.0.0.1:0", "--nats-port", "0", "--partitions", "2", "--ready-file", str(ready),
            *self._options,
        ]  # fmt: skip
        roots = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMESH_")}
        with said.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**environment, "PYTHONPATH": roots}, stderr=log, stdout=log, process_group=0,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread holds a lock while it starts
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise DeploymentFailed(said.read_text())
            time.sleep(POLL_S)
        addresses = json.loads(ready.read_text())
        self.address, self.http, self.nats = (str(addresses[name]) for name in ("grpc", "http", "nats"))
        self._began = {one.name: (one.pid, one.restarts) for one in self.processes()}
        return self

    def __exit__(self, *_error: object) -> None:
        """Ends it, however it is."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_S)

    def processes(self) -> list[ProcessRecord]:
        """The processes as `status.json` has them."""
        status = DataDirectory(self._data).status()
        return status.processes if status is not None else []

    def peak_bytes(self) -> dict[str, int]:
        """The most memory that each process ever had."""
        return {one.name: _peak_bytes(one.pid) for one in self.processes()}

    def troubles(self) -> list[str]:
        """What is wrong with its processes: died, started again, grown past the limit, or an error in a log."""
        ended = [
            f"process {one.name} died or was started again ({one.restarts} times)"
            for one in self.processes()
            if not one.is_alive() or self._began.get(one.name) != (one.pid, one.restarts)
        ]
        grown = [
            f"process {name} needed {size >> 20} MiB"
            for name, size in self.peak_bytes().items()
            if size > RSS_BYTES_MAX
        ]
        return ended + grown + list(self._logged())

    def _logged(self) -> Iterator[str]:
        for path in sorted((self._data / "logs").iterdir()):
            lines = path.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if _DEFECT.search(line) is not None:
                    yield f"{path.name}: " + " | ".join(lines[number : number + 30])[:3_000]
                    break


def _peak_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found: Any = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found is not None else 0
