"""Runs the engine as a person would, by `ordermesh up`, and the other commands against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.cli.data_directory import DataDirectory

ROOT = Path(__file__).parents[2]
MONTH = ROOT / "data" / "online-retail-2010-12.csv.xz"
START_S = 150.0
STOP_S = 30.0
COMMAND_S = 300.0


def environment() -> dict[str, str]:
    """For child processes: the roots of the code, and nothing of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMESH_")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "services"), str(ROOT / "gen")])}


def ordermesh(*arguments: str | Path, timeout_s: float = COMMAND_S) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    command = [sys.executable, "-m", "ordermesh", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False)


def until(condition: Callable[[], Any], what: str, timeout_s: float = START_S) -> Any:
    """Waits until the condition gives something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)
    return value


class Engine:
    """`ordermesh up` on a directory; started again it goes on where it was. As a context manager it is ended."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.process: subprocess.Popen[str] | None = None
        self.ready: Mapping[str, Any] = {}
        self.grpc = "127.0.0.1:0"

    def __enter__(self) -> Self:
        """Starts it."""
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Ends it, however it is."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            finally:
                self.process.kill()

    def start(self) -> None:
        """Starts it and waits until it serves; the ports stay those of the first start."""
        ready_file = self.data.with_name(self.data.name + "-ready.json")
        ready_file.unlink(missing_ok=True)
        http = self.ready.get("http", "127.0.0.1:0")
        addresses = ("--grpc", self.grpc, "--http", http, "--ready-file", str(ready_file))
        command = [sys.executable, "-m", "ordermesh", "up", "--data", str(self.data), *addresses, *self.options]
        log = self.data.with_name(self.data.name + "-up.log").open("a")
        with log:
            self.process = subprocess.Popen(
                command,
                env=environment(),
                stderr=log,
                text=True,
                process_group=0,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
            )
        until(lambda: ready_file.exists() or self.process.poll() is not None, "the engine serves")  # type: ignore[union-attr]  # set above
        assert self.process.poll() is None, self.said()
        self.ready = json.loads(ready_file.read_text())
        self.grpc = self.ready["grpc"]

    def said(self) -> str:
        """What it told people so far."""
        return self.data.with_name(self.data.name + "-up.log").read_text()

    def pids(self, *roles: str) -> list[int]:
        """The processes of these roles that run now."""
        status = DataDirectory(self.data).status()
        assert status is not None
        return [process.pid for process in status.processes if process.role in roles and process.is_alive()]

    def kill(self, *roles: str) -> None:
        """Ends processes of these roles at once; `supervisor` for the one of `up`."""
        assert self.process is not None
        for pid in [self.process.pid] if roles == ("supervisor",) else self.pids(*roles):
            os.kill(pid, signal.SIGKILL)
        if roles == ("supervisor",):
            self.process.wait(STOP_S)

    def stop(self) -> int:
        """Ends it cleanly, and returns its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def call(self, *arguments: str | Path, timeout_s: float = COMMAND_S) -> subprocess.CompletedProcess[str]:
        """Runs a client command against it."""
        return ordermesh(*arguments, "--server", self.grpc, timeout_s=timeout_s)

    def json(self, *arguments: str | Path) -> Any:
        """Runs a client command, which has to succeed, and returns its answer."""
        done = self.call(*arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ledger(self) -> Iterator[dict[str, Any]]:
        """What the payment provider says took effect."""
        path = self.data / "provider-ledger.jsonl"
        yield from (json.loads(line) for line in path.read_text().splitlines()) if path.exists() else ()


def journal_lines(path: Path) -> Sequence[dict[str, Any]]:
    """The calls that a replay's journal says were acknowledged."""
    return [json.loads(line) for line in path.read_text().splitlines()]
