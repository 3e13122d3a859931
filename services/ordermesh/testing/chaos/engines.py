"""The engine's processes, each started directly and started again whenever it ends, as an orchestrator would."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ordermesh import bootstrap
from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.cli.child import Child, ChildFailed, ChildSpec
from ordermesh.cli.processes import is_alive
from ordermesh.runtime.settings import CONFIG_VARIABLE, Settings

HOST = "127.0.0.1"
STOP_S = 30.0
AGAIN_S = 1.0
"""Before a process that failed before it served is started again: what it needs is in trouble."""
SERVING_S = 120.0


class Engines:
    """`owner-0`, `edge-1` and so on; `settings` but for the ports are the same for all."""

    def __init__(self, settings: Settings, logs: Path, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._logs = logs
        self._say = say
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._count = 0
        self.addresses: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """Those that are kept running."""
        return list(self._children)

    def of_role(self, role: str) -> list[str]:
        """Those of a role."""
        return [name for name in self._children if name.startswith(role)]

    def pids(self) -> dict[int, str]:
        """Those that run now."""
        return {child.pid: name for name, child in self._children.items() if child.pid}

    def add(self, role: str, name: str = "") -> str:
        """Starts one more, or the one of that name again; its name."""
        if not name:
            name = f"{role}-{self._count}"
            self._count += 1
        self._children[name] = self._child(name, role)
        self._tasks[name] = asyncio.create_task(self._keep(name, role))
        return name

    def _child(self, name: str, role: str) -> Child:
        given = {"http": ""}
        if role == "edge":
            if name not in self.addresses:
                self.addresses[name] = f"{HOST}:{free_ports(1)[0]}"
            given = {"grpc": self.addresses[name], "http": f"{HOST}:0"}
        environment = self._settings.model_copy(update=given).environment()
        spec = ChildSpec(
            name=name,
            role=role,
            arguments=(sys.executable, "-m", "ordermesh", "serve", "--role", role),
            environment={**environment, bootstrap.INSTANCE_VARIABLE: name, CONFIG_VARIABLE: ""},
            log=self._logs / f"{name}.log",
        )
        return Child(spec, changed=lambda: None, say=lambda _text: None)

    async def _keep(self, name: str, role: str) -> None:
        while True:
            try:
                await self._children[name].keep_running()
            except ChildFailed:
                self._say(f"{name} ended before it served; it is started again")
                await asyncio.sleep(AGAIN_S)
                self._children[name] = self._child(name, role)
            else:
                return

    async def until_serving(self) -> None:
        """Waits until all of them serve. Raises TimeoutError."""
        async with asyncio.timeout(SERVING_S):
            for name in self.names:
                await self._children[name].serving.wait()

    async def remove(self, name: str) -> None:
        """Ends it cleanly, for good."""
        child, task = self._children.pop(name), self._tasks.pop(name)
        _send(child, signal.SIGCONT)
        if not await child.stop(STOP_S):
            self._say(f"{name} did not end within {STOP_S:g} s and was killed")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def restart(self, number: signal.Signals, *names: str) -> None:
        """Ends them by that signal; they are started again by themselves. Returns when all serve, or after some time:
        what they need may be in trouble too."""
        before = {name: self._children[name].pid for name in names}
        for name in names:
            self.send(name, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                while not all(self._serves_again(name, pid) for name, pid in before.items()):
                    await asyncio.sleep(0.05)

    def _serves_again(self, name: str, before: int) -> bool:
        child = self._children[name]
        return child.pid != before and child.serving.is_set()

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends it a signal, if it runs."""
        if name in self._children:
            _send(self._children[name], number)

    async def stop(self) -> None:
        """Ends all at once."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._children.clear()


def _send(child: Child, number: signal.Signals) -> None:
    if is_alive(child.pid, child.started):
        with suppress(ProcessLookupError):
            os.kill(child.pid, number)
