"""An asyncio event loop in virtual time, and the simulated processes that share it.

Time passes only when nobody has anything to do (and by a fixed cost for every turn of the loop), so minutes of waiting
cost nothing and a run depends on nothing but its seed. Every callback carries the context in which it was scheduled; a
context names its process, and the callbacks of a process that is stopped are held, those of a dead one dropped: just
what SIGSTOP and SIGKILL do. No clean-up code of a dead process ever runs.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any

PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""The simulated process whose code runs; None for the world itself."""

WORLD = Context()
"""The context of what belongs to no process: networks, servers, clients."""

CLOSINGS_MAX = 10
"""Times that a coroutine may wait for something on its way out, at the end."""


class Callback:
    """What runs later, in its context: asyncio's handle without what only a real loop needs, made a million times."""

    __slots__ = ("args", "call", "context", "is_cancelled", "when_s")

    def __init__(self, call: Callable[..., object], args: tuple[Any, ...], context: Context, when_s: float) -> None:
        self.call = call
        self.args = args
        self.context = context
        self.when_s = when_s
        self.is_cancelled = False

    def cancel(self) -> None:
        """It will not run; what it holds is let go of at once."""
        self.is_cancelled = True
        self.call, self.args = _nothing, ()

    def cancelled(self) -> bool:
        """As asyncio's."""
        return self.is_cancelled

    def when(self) -> float:
        """As asyncio's, of a timer."""
        return self.when_s


def _nothing() -> None:
    """What a cancelled callback would do."""


class Deadlock(Exception):
    """Nobody has anything to do, and nothing is going to happen."""


class Process:
    """A simulated process: everything that was spawned in it, and by that in turn, runs, stops and dies with it."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name = name
        self.loop = loop
        self.dead = False
        self.paused = False
        self.blocked = False
        self.schema = 1
        self.context = Context()
        self.context.run(PROCESS.set, self)
        self._held: list[Callback] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs a coroutine in this process."""
        task = self.loop.create_task(coroutine, context=self.context)
        self._tasks.append(task)
        return task

    def hold(self, handle: Callback) -> None:
        """Takes a callback that cannot run now."""
        if not self.dead:
            self._held.append(handle)

    def pause(self) -> None:
        """SIGSTOP."""
        self.paused = self.blocked = True

    def resume(self) -> None:
        """SIGCONT: what was held runs, in its order."""
        if self.paused and not self.dead:
            self.paused = self.blocked = False
            held, self._held = self._held, []
            self.loop.run_later(held)

    def kill(self) -> None:
        """SIGKILL."""
        self.dead = self.blocked = True
        self._held.clear()


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop. `turn_cost_s` is the virtual time that a turn with something to do takes, in seconds."""

    def __init__(self, turn_cost_s: float = 0.0) -> None:
        super().__init__()
        self.turn_cost_s = turn_cost_s
        self.steps = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.ended = False
        self._time_s = 0.0
        self._timers: list[tuple[float, int, Callback]] = []
        self._timer_count = 0
        self._queue: list[Callback] = []
        self.set_task_factory(_make_task)  # type: ignore[arg-type]  # typeshed's factory has no context

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._time_s

    def call_soon(  # type: ignore[override]  # typeshed ties arguments to callbacks
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """As asyncio's; what is scheduled after the end is dropped."""
        handle = Callback(callback, args, copy_context() if context is None else context, self._time_s)
        if not self.ended:
            self._queue.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # typeshed ties arguments to callbacks
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """As asyncio's; of equal times the first scheduled is the first run."""
        handle = Callback(callback, args, copy_context() if context is None else context, when)
        if not self.ended:
            self._timer_count += 1
            heapq.heappush(self._timers, (when, self._timer_count, handle))
        return handle

    def call_later(  # type: ignore[override]  # typeshed ties arguments to callbacks
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """As asyncio's."""
        return self.call_at(self._time_s + delay, callback, *args, context=context)

    def after(self, delay_s: float, callback: Callable[..., object], *args: Any) -> Callback:
        """Calls something of the world's."""
        return self.call_at(self._time_s + delay_s, callback, *args, context=WORLD)

    def run_later(self, handles: list[Callback]) -> None:
        """Schedules callbacks that were held."""
        self._queue.extend(handles)

    def _next_turn(self) -> list[Callback]:
        timers = self._timers
        if not self._queue:
            while timers and timers[0][2].is_cancelled:
                heapq.heappop(timers)
            if not timers:
                raise Deadlock("no task can go on and no timer is set")
            self._time_s = max(self._time_s, timers[0][0])
        queue, self._queue = self._queue, []
        while timers and timers[0][0] <= self._time_s:
            handle = heapq.heappop(timers)[2]
            if not handle.is_cancelled:
                queue.append(handle)
        return queue

    def _run_once(self) -> None:
        """One turn: what is ready, then what is due."""
        queue = self._next_turn()
        for handle in queue:
            if handle.is_cancelled:
                continue
            context = handle.context
            process = context.get(PROCESS)
            if process is not None and process.blocked:
                process.hold(handle)
                continue
            try:
                context.run(handle.call, *handle.args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as asyncio's: a callback's failure is reported, and it goes on
                self.call_exception_handler({"message": f"callback failed: {handle.call!r}", "exception": error})
        self.steps += len(queue)
        self._time_s += self.turn_cost_s

    def end(self) -> None:
        """Lets nothing run any more; tasks that are left are forgotten without a word."""
        self.ended = True
        self._queue.clear()
        self._timers.clear()
        self.set_exception_handler(lambda _loop, _context: None)
        asyncio._set_running_loop(self)  # what is closed may ask for its loop, and else would be given a new one
        for task in self.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # not in typeshed
            coroutine = task.get_coro()
            if coroutine is not None and not task.done():
                _close(coroutine)
        asyncio._set_running_loop(None)
        self.tasks.clear()
        self.close()


def _close(coroutine: Any) -> None:
    """Ends a coroutine, however often it waits on its way out; one that is left would keep its world in memory."""
    for _ in range(CLOSINGS_MAX):
        with suppress(BaseException):
            coroutine.close()
            return


def _make_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context | None = None
) -> asyncio.Task[Any]:
    """Keeps every task alive until the end, so that no clean-up runs when a collector happens to find it."""
    task = asyncio.Task(coroutine, loop=loop, context=context)
    loop.tasks.append(task)  # type: ignore[attr-defined]  # it is ours
    return task
