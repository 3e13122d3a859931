"""When a benchmark gives up: once nothing that it asked for was answered for so long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

LOOK_S = 0.25
"""Between two looks whether there was an answer; more often where the patience is shorter than a few of them."""

_Result = TypeVar("_Result")


class NoProgress(Exception):
    """Nothing was answered for the time that was given; the work is cancelled."""


async def unless_stuck(work: Coroutine[Any, Any, _Result], progress: Callable[[], object], timeout_s: float) -> _Result:
    """The work's result. `progress` gives something else whenever there was an answer.

    Raises NoProgress when it gives the same for `timeout_s`; what the work raises.
    """
    task = asyncio.ensure_future(work)
    seen, since = progress(), monotonic()
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=min(LOOK_S, timeout_s / 4))
            if progress() != seen:
                seen, since = progress(), monotonic()
            elif not task.done() and monotonic() - since > timeout_s:
                raise NoProgress
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
