"""A deployment's data directory: who holds it, which processes it has, and what a killed predecessor left running.

The lock is a flock on `ordermesh.pid`, so it ends with the process that holds it, however that ends. `status.json`
names the processes and addresses; each process with its start time, so that a number used again is never mistaken.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from ordermesh.cli.processes import is_alive

PID_FILE = "ordermesh.pid"
STATUS_FILE = "status.json"


class DirectoryHeld(Exception):
    """Another `up` holds the directory; the text says which process and where it listens."""


@dataclass(slots=True)
class ProcessRecord:
    """A process: `started` is its start time in clock ticks since boot, which with the pid names it for good."""

    name: str
    role: str
    pid: int
    started: int
    restarts: int = 0

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return is_alive(self.pid, self.started)


@dataclass(slots=True)
class Status:
    """What runs: the supervisor's pid, the addresses, the processes, and whether all of them serve."""

    pid: int
    grpc: str = ""
    http: str = ""
    nats: str = ""
    ready: bool = False
    processes: list[ProcessRecord] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For `status.json` and the ready file; `pids` gives the processes by name."""
        record = asdict(self)
        record["pids"] = {process.name: process.pid for process in self.processes}
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Of what `as_json` gave. Raises KeyError, TypeError if it is something else."""
        processes = [ProcessRecord(**process) for process in record["processes"]]
        return cls(record["pid"], record["grpc"], record["http"], record["nats"], record["ready"], processes)


class DataDirectory:
    """The directory; `hold` it before writing anything in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """Where the processes log."""
        return self.path / "logs"

    def hold(self) -> None:
        """Takes the lock and writes the own pid. Raises DirectoryHeld, OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        descriptor = os.open(self.path / PID_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DirectoryHeld(self._holder()) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def release(self) -> None:
        """Gives the lock up; the pid file stays, empty, because removing a locked file is a race."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def held_by(self) -> int | None:
        """The pid of the process that holds it; None when nobody does, 0 when it has not said yet."""
        try:
            descriptor = os.open(self.path / PID_FILE, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            return int(text) if text.isdigit() else 0
        else:
            return None
        finally:
            os.close(descriptor)

    def status(self) -> Status | None:
        """What the holder last wrote, or its killed predecessor; None if there is nothing readable."""
        try:
            return Status.from_json(json.loads((self.path / STATUS_FILE).read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_status(self, status: Status) -> None:
        """Replaces `status.json`, whole."""
        write_whole(self.path / STATUS_FILE, json.dumps(status.as_json(), indent=2) + "\n")

    def end_leftovers(self, timeout_s: float = 10.0) -> list[ProcessRecord]:
        """Ends what a killed predecessor left running, and returns it; only with the lock held.

        They are killed at once: nothing that counts is in their memory only.
        """
        status = self.status()
        leftovers = [process for process in status.processes if process.is_alive()] if status else []
        for process in leftovers:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _wait_for_end(leftovers, timeout_s)
        return leftovers

    def _holder(self) -> str:
        status, pid = self.status(), self.held_by()
        where = ""
        if status is not None and status.pid == pid:
            where = f" (gRPC {status.grpc}, HTTP {status.http}, NATS {status.nats})"
        return (
            f"{self.path} is held by process {pid}{where}. "
            f"Use it, or stop it with: ordermesh down --data {self.path}, or give another --data"
        )


def _wait_for_end(processes: Iterable[ProcessRecord], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for process in processes:
        while process.is_alive():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"process {process.pid} ({process.name}) of an earlier run does not end; end it by hand"
                )
            time.sleep(0.02)


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that a reader sees either the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
