"""A child process that is kept running: started, watched by its pidfd, started again with backoff, stopped.

A child says that it serves by writing a line to the pipe whose number is in `ORDERMESH_READY_FD`. It is in a session of
its own, so a Ctrl-C of the terminal reaches only the supervisor, and it dies with the supervisor by the parent-death
signal, which an exec keeps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.cli.announce import READY_VARIABLE
from ordermesh.cli.processes import start_time

RESTART_MIN_S = 0.2
RESTART_MAX_S = 10.0
"""Wait before a child is started again; doubles with each early death."""
STEADY_S = 30.0
"""A child that has run that long starts its backoff anew."""
LOG_BYTES_MAX = 64 * 1024 * 1024
"""Size from which a log is put aside (one old file is kept) when its child starts."""
LOG_TAIL_BYTES = 4096


class ChildFailed(Exception):
    """A child ended before it ever served; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run: `announces` when the child writes to the ready pipe, else it counts as serving once it runs."""

    name: str
    role: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    announces: bool = True


class Child:
    """One child; `changed` is called after each start, and `say` with a sentence for a person."""

    def __init__(self, spec: ChildSpec, *, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        self.spec = spec
        self.pid = 0
        self.started = 0
        self.restarts = 0
        self.serving = asyncio.Event()
        self.ended = asyncio.Event()
        self._changed = changed
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()

    async def keep_running(self) -> None:
        """Runs it until `stop`. Raises ChildFailed if it ends before it served for the first time."""
        loop = asyncio.get_running_loop()
        wait_s, served_once = RESTART_MIN_S, False
        try:
            while not self._stopping.is_set():
                begun = loop.time()
                status = await self._run_once()
                served_once = served_once or self.serving.is_set()
                self.serving.clear()
                if self._stopping.is_set():
                    return
                if not served_once:
                    raise ChildFailed(f"{self.spec.name} {_ending(status)} before it served. {self._log_end()}")
                if loop.time() - begun > STEADY_S:
                    wait_s = RESTART_MIN_S
                self._say(f"{self.spec.name} {_ending(status)}; it is started again in {wait_s:.1f} s")
                await self._pause(wait_s)
                wait_s = min(2 * wait_s, RESTART_MAX_S)
                self.restarts += 1
        finally:
            self.ended.set()

    async def stop(self, timeout_s: float) -> bool:
        """Asks it to end, and kills it after that time; returns whether it ended by itself."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(timeout_s):
                await self.ended.wait()
        except TimeoutError:
            self.kill()
            await self.ended.wait()
            return False
        return True

    def kill(self) -> None:
        """Ends it at once, for good."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    async def _run_once(self) -> int:
        """Runs it to its end and returns its exit status; negative for a signal."""
        loop = asyncio.get_running_loop()
        process, pipe = self._start()
        over = loop.create_future()
        pidfd = os.pidfd_open(process.pid)
        loop.add_reader(pidfd, _resolve, over)
        if pipe is not None:
            loop.add_reader(pipe, self._announced, pipe)
        try:
            self._changed()
            await over
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            if pipe is not None:
                loop.remove_reader(pipe)
                os.close(pipe)
            status = process.wait()
            self._process = None
        return status

    def _start(self) -> tuple[subprocess.Popen[bytes], int | None]:
        spec = self.spec
        environment = {**os.environ, **spec.environment}
        read_end = write_end = None
        if spec.announces:
            read_end, write_end = os.pipe()
            environment[READY_VARIABLE] = str(write_end)
        _put_aside(spec.log)
        with spec.log.open("ab") as log:
            process = subprocess.Popen(
                spec.arguments,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=() if write_end is None else (write_end,),
                preexec_fn=die_with_parent(),  # noqa: PLW1509 # the supervisor's other threads only wait
            )
        if write_end is not None:
            os.close(write_end)
        else:
            self.serving.set()
        self._process, self.pid, self.started = process, process.pid, start_time(process.pid)
        return process, read_end

    def _announced(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        if os.read(pipe, 64):
            self.serving.set()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _log_end(self) -> str:
        with suppress(OSError), self.spec.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-10:]
            return f"The end of {self.spec.log}:\n" + "\n".join(lines)
        return f"Its log: {self.spec.log}"


def _ending(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _put_aside(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(log.suffix + ".1"))
