"""Waiting for what a process needs at its start, instead of ending and being started again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from ordermesh.runtime.settings import OutOfReach

PAUSE_S = 1.0
"""Between two tries; a try itself takes seconds where nothing answers."""
REPEAT_S = 30.0
"""How often a reason that stays the same is logged."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Patience:
    """Tries again what is out of reach, for so many seconds in all; `tell` hears each reason."""

    def __init__(self, wait_s: float, stop: asyncio.Event, tell: Callable[[str], None]) -> None:
        self._wait_s = wait_s
        self._stop = stop
        self._tell = tell
        self._ends_at = asyncio.get_running_loop().time() + wait_s
        self._said = ""
        self._said_at = 0.0

    async def until_there(self, attempt: Callable[[], Awaitable[T]]) -> T | None:
        """What `attempt` gives; None when the process is told to stop before. Raises OutOfReach when the time is up,
        and at once whatever else `attempt` raises."""
        while not self._stop.is_set():
            try:
                return await self._unless_stopped(attempt)
            except OutOfReach as error:
                now = asyncio.get_running_loop().time()
                if now >= self._ends_at:
                    raise
                self._say(str(error), now)
            await self._unless_stopped(lambda: asyncio.sleep(PAUSE_S))
        return None

    async def _unless_stopped(self, attempt: Callable[[], Awaitable[T]]) -> T | None:
        trying, asked = asyncio.ensure_future(attempt()), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({trying, asked}, return_when=asyncio.FIRST_COMPLETED)
            return trying.result() if trying.done() else None
        finally:
            for one in (trying, asked):
                one.cancel()
            await asyncio.wait({trying, asked})

    def _say(self, reason: str, now: float) -> None:
        self._tell(reason)
        if reason != self._said or now - self._said_at >= REPEAT_S:
            self._said, self._said_at = reason, now
            _log.warning("waiting", reason=reason, seconds_left=round(self._ends_at - now))
