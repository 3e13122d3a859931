"""The pauses that people make between their calls; once everything is healed nobody takes their time any more.

Most of a run's work would else be done for engines that wait for people: every owner looks after itself twenty times a
second, whether or not anybody asks for anything.
"""

from __future__ import annotations

import asyncio

from ordermesh.testing.simulation.loop import Callback, VirtualLoop

HASTE = 0.1
"""How long a pause is once everything is healed, as a share of what it would be; so everybody keeps their turn."""


class Patience:
    """Everybody's pauses."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._share = 1.0
        self._timers: dict[asyncio.Future[None], Callback] = {}

    async def pause(self, seconds: float) -> None:
        """Waits so long, in virtual seconds, or for a tenth of what is left of it once all is healed."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._set(future, seconds * self._share)
        try:
            await future
        finally:
            del self._timers[future]

    def hurry(self) -> None:
        """Everything is healed."""
        self._share = HASTE
        now_s = self._loop.time()
        for future, timer in list(self._timers.items()):
            if not future.done():
                timer.cancel()
                self._set(future, (timer.when() - now_s) * HASTE)

    def _set(self, future: asyncio.Future[None], seconds: float) -> None:
        self._timers[future] = self._loop.after(seconds, _end, future)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
