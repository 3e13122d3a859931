"""`ordermesh up`, at work: starts nats-servers and a process or more of every role, keeps them running, and ends them.

The order of ending is edges (no new calls), owners (flush, checkpoint, hand over), relay, webhooks, nats-servers. The
supervisor holds both ports open without listening, so that they stay the same while edges come and go.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ordermesh import bootstrap
from ordermesh.adapters.nats_cluster import own_servers
from ordermesh.cli.child import Child, ChildFailed, ChildSpec
from ordermesh.cli.data_directory import DataDirectory, ProcessRecord, Status, write_whole
from ordermesh.cli.nats_child import NatsChild
from ordermesh.cli.output import say
from ordermesh.cli.serve import configure_logging
from ordermesh.deployment import replicas_wanted
from ordermesh.runtime.settings import CONFIG_VARIABLE, Settings, servers_in
from ordermesh.runtime.settings_secrets import without_secrets
from ordermesh.runtime.topology import numbers_of

READY_POLL_S = 0.05
"""Between two looks whether every process serves."""
READY_TIMEOUT_S = 60.0
"""A start that takes longer has failed: taking a large log takes seconds."""
STOP_SHARES = {"edge": 0.3, "owner": 0.34, "relay": 0.1, "webhooks": 0.1, "nats": 0.16}
"""How the time for a clean stop is divided, in the order of stopping."""


class StartFailed(Exception):
    """The engine cannot start; the text says why and what to do."""


class Kept(Protocol):
    """What the supervisor keeps running: `Child`, `NatsChild`."""

    started: int
    restarts: int

    @property
    def pid(self) -> int:
        """The process; 0 while there is none."""

    async def keep_running(self) -> None:
        """Runs it until stopped."""

    async def stop(self, timeout_s: float) -> bool:
        """Ends it within that time."""

    def kill(self) -> None:
        """Ends it at once."""


class Supervisor:
    """Runs a deployment on this machine; the data directory is held already."""

    def __init__(self, settings: Settings, directory: DataDirectory) -> None:
        self._settings = settings
        self._directory = directory
        self._status = Status(pid=os.getpid())
        self._nats = ""
        self._kept: list[tuple[str, str, Kept]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ports: list[socket.socket] = []
        self._stop = asyncio.Event()
        self._signals = 0

    async def run(self) -> None:
        """Runs until SIGTERM or SIGINT. Raises StartFailed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        try:
            if not await self._unless_stopped(self._start()):
                return
            await self._until_stopped()
        finally:
            await self._end()

    async def _start(self) -> None:
        """Starts everything and waits until it serves."""
        if self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)
        bootstrap.check_payments(self._settings)
        self._status.grpc = self._hold_port(self._settings.grpc, "--grpc")
        self._status.http = self._hold_port(self._settings.http, "--http")
        self._nats = self._settings.nats or await self._start_nats()
        self._status.nats = ",".join(map(without_secrets, servers_in(self._nats)))
        deployment = await bootstrap.prepare(self._settings, self._nats)
        partitions = ", ".join(f"{group.name} x {len(numbers_of(group))}" for group in deployment.groups)
        say(f"Data in {self._directory.path}; partitions: {partitions}; NATS on {self._status.nats}")
        self._start_children()
        await self._until_ready()
        self._status.ready = True
        self._write_status()
        if self._settings.ready_file is not None:
            write_whole(self._settings.ready_file, json.dumps(self._status.as_json(), indent=2) + "\n")
        say(f"Ready: gRPC on {self._status.grpc}, HTTP on {self._status.http}. Authentication is off. Ctrl-C stops it.")

    async def _start_nats(self) -> str:
        """Starts them at the same time, because a cluster needs a majority; returns their URLs."""
        servers = own_servers(
            self._directory.path,
            replicas=replicas_wanted(self._settings),
            port=self._settings.nats_port,
            store_bytes_max=bootstrap.log_bytes_limit(self._settings),
        )
        children = [NatsChild(server, changed=self._write_status, say=say) for server in servers]
        self._kept.extend((nats.name, nats.role, nats) for nats in children)
        started = await asyncio.gather(*(nats.start() for nats in children), return_exceptions=True)
        for failure in filter(None, started):
            raise failure
        for nats in children:
            self._keep(nats)
        return ",".join(nats.url for nats in children)

    def _start_children(self) -> None:
        numbers = {"owner": self._settings.workers, "relay": 1, "webhooks": 1, "edge": self._settings.edges}
        given = {"grpc": self._status.grpc, "nats": self._nats, "data": self._directory.path}
        for role, number in numbers.items():
            # Edges share the port; what an owner would say there, edges say of all owners.
            http = self._status.http if role == "edge" else ""
            environment = self._settings.model_copy(update={**given, "http": http}).environment()
            for index in range(number):
                name = f"{role}-{index}"
                spec = ChildSpec(
                    name=name,
                    role=role,
                    arguments=(sys.executable, "-m", "ordermesh", "serve", "--role", role),
                    environment={**environment, bootstrap.INSTANCE_VARIABLE: name, CONFIG_VARIABLE: ""},
                    log=self._directory.logs / f"{name}.log",
                )
                child = Child(spec, changed=self._write_status, say=say)
                self._kept.append((name, role, child))
                self._keep(child)

    def _keep(self, kept: Kept) -> None:
        task = asyncio.create_task(kept.keep_running())
        self._tasks.add(task)

    async def _until_ready(self) -> None:
        """Waits until every child says that it serves, and an edge that log, store and owners are there."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                for _name, _role, kept in self._kept:
                    if isinstance(kept, Child):
                        await kept.serving.wait()
                while not await answers_ready(self._status.http):
                    await asyncio.sleep(READY_POLL_S)
        except TimeoutError:
            raise StartFailed(
                f"not ready within {READY_TIMEOUT_S:g} s; see http://{self._status.http}/readyz, {self._directory.logs}"
            ) from None

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Does the work; gives it up (False) when asked to stop. Raises StartFailed, also when a child fails."""
        task = asyncio.ensure_future(work)
        asked = asyncio.create_task(self._stop.wait())
        try:
            while not task.done() and not asked.done():
                await asyncio.wait({task, asked, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
                self._raise_failure()
            if task.done():
                task.result()
            return task.done()
        finally:
            for one in (task, asked):
                one.cancel()
            await asyncio.wait({task, asked})

    async def _until_stopped(self) -> None:
        while not self._stop.is_set():
            asked = asyncio.create_task(self._stop.wait())
            await asyncio.wait({asked, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            self._raise_failure()

    def _raise_failure(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            error = task.exception()
            if isinstance(error, ChildFailed):
                raise StartFailed(str(error)) from error
            if error is not None:
                raise error

    async def _end(self) -> None:
        """Ends everything in order, within the time for a clean stop."""
        for role, share in STOP_SHARES.items():
            ending = [(name, kept) for name, kind, kept in self._kept if kind == role]
            timeout_s = share * self._settings.stop_timeout_s
            clean = await asyncio.gather(*(kept.stop(timeout_s) for _name, kept in ending))
            for (name, _kept), ended in zip(ending, clean, strict=True):
                if not ended:
                    say(f"{name} did not end within {timeout_s:.0f} s; it was killed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._kept.clear()
        self._status.ready = False
        self._write_status()
        for port in self._ports:
            port.close()
        if self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)

    def _asked_to_stop(self) -> None:
        self._signals += 1
        if self._signals == 1:
            say("Stopping")
        elif self._signals == 2:
            say("Asked again: killing")
            for _name, _role, kept in self._kept:
                kept.kill()
        self._stop.set()

    def _write_status(self) -> None:
        self._status.processes = [
            ProcessRecord(name, role, kept.pid, kept.started, kept.restarts)
            for name, role, kept in self._kept
            if kept.pid
        ]
        self._directory.write_status(self._status)

    def _hold_port(self, address: str, flag: str) -> str:
        """Binds the port for the edges to share, and returns the address with its number."""
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            if int(port):
                # First without sharing: another program that shares its port would else be joined silently.
                with socket.socket(family, socket.SOCK_STREAM) as alone:
                    alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    alone.bind((host.strip("[]"), int(port)))
                    alone.listen(1)
            shared = socket.socket(family, socket.SOCK_STREAM)
            self._ports.append(shared)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            shared.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise StartFailed(f"cannot listen on {address}: {error.strerror}. Give another {flag} HOST:PORT") from error
        return f"{host}:{shared.getsockname()[1]}"


async def answers_ready(address: str) -> bool:
    """Whether /readyz at that address answers 200."""
    host, _, port = address.rpartition(":")
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(3.0):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(f"GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False


def supervise(settings: Settings, path: Path) -> Sequence[str]:
    """Runs the deployment in that directory until it is told to stop. Raises DirectoryHeld, StartFailed, OSError."""
    directory = DataDirectory(path)
    directory.hold()
    try:
        leftovers = directory.end_leftovers()
        for process in leftovers:
            say(f"Ended {process.name} (process {process.pid}), left running by a killed predecessor")
        configure_logging(settings.log_level, "supervisor")
        asyncio.run(Supervisor(settings, directory).run())
        return [process.name for process in leftovers]
    finally:
        directory.release()
