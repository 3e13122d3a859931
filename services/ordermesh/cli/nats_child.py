"""A nats-server as a child of the supervisor: started again on the same port and directory when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from ordermesh.adapters.nats_server import NatsServer, NatsServerError
from ordermesh.cli.child import RESTART_MAX_S, RESTART_MIN_S
from ordermesh.cli.processes import start_time


class NatsChild:
    """The server; `changed` is called after each start, and `say` with a sentence for a person."""

    role = "nats"

    def __init__(self, server: NatsServer, *, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        self.name = server.data_dir.name
        self._server = server
        self._changed = changed
        self._say = say
        self._stopping = asyncio.Event()
        self.ended = asyncio.Event()
        self.started = 0
        self.restarts = 0

    @property
    def pid(self) -> int:
        """Its process; 0 while it does not run."""
        return self._server.pid or 0

    @property
    def url(self) -> str:
        """Where clients connect; known after `start`."""
        return self._server.url

    async def start(self) -> None:
        """Starts it for the first time. Raises NatsServerError."""
        await self._server.start()
        self._note_start()

    def _note_start(self) -> None:
        self.started = start_time(self.pid)
        self._changed()

    async def keep_running(self) -> None:
        """Starts it again whenever it ends, until `stop`."""
        wait_s = RESTART_MIN_S
        try:
            while True:
                status = await self._server.wait()
                if self._stopping.is_set():
                    return
                self._say(f"{self.name} ended ({status}); it is started again in {wait_s:.1f} s")
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._stopping.wait()
                wait_s = await self._start_again(wait_s)
        finally:
            self.ended.set()

    async def _start_again(self, wait_s: float) -> float:
        """Tries once; returns how long to wait before the next time. One of several is not to wait for the others."""
        if self._stopping.is_set():
            return wait_s
        try:
            await self._server.start(alone=True)
        except NatsServerError as error:
            self._say(f"{self.name} does not start: {error}")
            return min(2 * wait_s, RESTART_MAX_S)
        self._note_start()
        self.restarts += 1
        return RESTART_MIN_S

    async def stop(self, timeout_s: float) -> bool:
        """Ends it, and kills it after that time; returns whether it ended by itself."""
        self._stopping.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._server.stop()
        except TimeoutError:
            await self._server.kill()
            return False
        return True

    def kill(self) -> None:
        """Ends it at once, for good: the parent-death signal does it when the supervisor goes."""
        self._stopping.set()
