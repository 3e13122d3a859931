"""Waiting for a condition, with a deadline: tests never sleep and hope."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DEADLINE_SECONDS = 20.0
_PAUSE_SECONDS = 0.005


async def eventually(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_SECONDS) -> None:
    """Returns as soon as the condition holds; fails with `what` when it does not within the deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end, f"not within {deadline_s:g} s: {what}"
        await asyncio.sleep(_PAUSE_SECONDS)
