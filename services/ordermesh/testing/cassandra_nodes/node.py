"""One node: a JVM of its own session, found again by the folder that its arguments name.

So there is no pid file that could be stale: whoever started it, and however that ended, the node is found.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path

from ordermesh.cli.processes import PROC, command_line, is_alive, listeners, process_stat
from ordermesh.testing.cassandra_nodes.config import jvm_arguments, marker, node_yaml
from ordermesh.testing.cassandra_nodes.errors import ClusterError
from ordermesh.testing.cassandra_nodes.options import ClusterOptions
from ordermesh.testing.cassandra_nodes.probe import answers

STOP_SECONDS_MAX = 40.0
KILL_SECONDS_MAX = 20.0
PORT_SECONDS_MAX = 5.0
LOG_TAIL_LINES = 25
_PAUSE_SECONDS = 0.05
_BRIEFLY_SECONDS = 0.005
_PRIVATE_PREFIXES = ("CASSANDRA_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
"""Of environment variables that would change what the JVM does."""


class Node:
    """Node `number` (from 1) of a cluster, in the folder; it may run or not."""

    def __init__(self, options: ClusterOptions, number: int, folder: Path, jars: Path) -> None:
        self.options = options
        self.number = number
        self.folder = folder.absolute()
        self._jars = jars.absolute()

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.options.addresses[self.number - 1]

    @property
    def log_file(self) -> Path:
        """What Cassandra says."""
        return self.folder / "logs" / "system.log"

    @property
    def pid(self) -> int | None:
        """Its process, if it runs; a zombie does not."""
        return next(iter(find_nodes(self.folder)), None)

    @property
    def state(self) -> str:
        """In a word: down, paused, starting or up."""
        if self.pid is None:
            return "down"
        if self.is_paused:
            return "paused"
        return "up" if self.answers() else "starting"

    @property
    def is_paused(self) -> bool:
        """Whether it hangs by `pause`."""
        stat = process_stat(pid) if (pid := self.pid) is not None else None
        return stat is not None and stat.state == "T"

    @property
    def address_before(self) -> str | None:
        """Where it listened when it was last started; None if it never was."""
        try:
            return str(json.loads(self._yaml.read_text())["listen_address"])
        except FileNotFoundError:
            return None

    @property
    def _yaml(self) -> Path:
        return self.folder / "cassandra.yaml"

    def answers(self) -> bool:
        """Whether it answers in CQL's protocol now."""
        return answers(self.address, self.options.port)

    def start(self, java: Path) -> None:
        """Starts it if it does not run, and does not wait for it. Raises ClusterError if its ports are taken."""
        if self.pid is not None:
            return
        self._check_ports()
        for name in ("logs", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._yaml.write_text(node_yaml(self.options, self.number))
        self.log_file.unlink(missing_ok=True)
        arguments = [str(java), *jvm_arguments(self.options, self.number, self.folder, self._jars)]
        output = str(self.folder / "logs" / "output.log")
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            _environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        wait_until_found(pid, self.folder)

    def stop(self) -> None:
        """Ends it by SIGTERM, a paused one too, and by SIGKILL if it has not ended in STOP_SECONDS_MAX."""
        self.terminate()
        self.wait_for_end()

    def terminate(self) -> None:
        """Asks it to end, and does not wait."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def wait_for_end(self) -> None:
        """Waits until it has ended, and kills it when it takes too long."""
        if not self._ended(STOP_SECONDS_MAX):
            self.kill()

    def kill(self) -> None:
        """Ends it at once, by SIGKILL."""
        self._signal(signal.SIGKILL)
        if not self._ended(KILL_SECONDS_MAX):
            raise ClusterError(f"node {self.number}, process {self.pid}, does not end though it was killed")

    def pause(self) -> None:
        """Lets it hang: its connections stay, nothing is answered (SIGSTOP). Waits until it does."""
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + KILL_SECONDS_MAX
        while self.pid is not None and not self.is_paused:
            if time.monotonic() > deadline:
                raise ClusterError(f"node {self.number}, process {self.pid}, does not hang though it was told to")
            time.sleep(_BRIEFLY_SECONDS)

    def resume(self) -> None:
        """Lets a paused one go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def log_tail(self) -> str:
        """The end of what it said, for error messages."""
        for file in (self.log_file, self.folder / "logs" / "output.log"):
            with contextlib.suppress(OSError):
                if lines := file.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]:
                    return "\n".join([f"{file} ends with:", *lines])
        return f"it has said nothing; its folder is {self.folder}"

    def _signal(self, number: int) -> None:
        for pid in find_nodes(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _ended(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        processes = {pid: stat.started for pid in find_nodes(self.folder) if (stat := process_stat(pid))}
        while any(is_alive(pid, started) for pid, started in processes.items()):
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        _reap(processes)
        return True

    def _check_ports(self) -> None:
        ports = [self.options.port, self.options.storage_port]
        ends = [(self.address, port) for port in ports]
        if self.options.jmx_port:
            ends.append(("127.0.0.1", self.options.jmx_port + self.number - 1))
        for address, port in ends:
            _wait_for_port(address, port, f"node {self.number}")


def _wait_for_port(address: str, port: int, who: str) -> None:
    """Raises ClusterError if it stays taken: a process that was killed frees its ports some time after its end."""
    deadline = time.monotonic() + PORT_SECONDS_MAX
    while True:
        try:
            with socket.socket() as attempt:
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                attempt.bind((address, port))
        except OSError as error:
            found = [f"process {pid} ({name[:80]})" for pid, name in _who_listens(port, address)]
            if found or time.monotonic() > deadline:
                has_it = f"; on it listens {', '.join(found)}" if found else ""
                raise ClusterError(f"{who} cannot listen on {address}:{port}: {error.strerror}{has_it}") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _who_listens(port: int, address: str) -> list[tuple[int, str]]:
    """Processes with their arguments; one that is just ending has none any more."""
    return [(pid, " ".join(words)) for pid in sorted(listeners(port, address)) if (words := command_line(pid))]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE_PREFIXES)}
    return {**kept, "MALLOC_ARENA_MAX": "2"}


def find_nodes(folder: Path) -> list[int]:
    """The processes of the node in that folder: none or one, unless something went wrong."""
    wanted = marker(folder)
    return [
        int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and wanted in command_line(int(entry.name))
    ]


def wait_until_found(pid: int, folder: Path) -> None:
    """Until a process just started is found by its arguments, or has ended.

    While it becomes the program, Linux shows its parent's arguments for a moment, and then none.
    """
    wanted = marker(folder)
    while wanted not in command_line(pid) and (stat := process_stat(pid)) is not None and stat.state != "Z":
        time.sleep(_BRIEFLY_SECONDS)


def _reap(pids: dict[int, int]) -> None:
    """Collects the exit status of those that this process started; others are their parents' business."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
