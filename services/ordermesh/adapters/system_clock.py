"""The `Clock` of a real process: the system's time and chance, and how busy the process is.

A process is busy when its main thread, which runs the event loop, is running or waiting for a core. On Linux the kernel
counts both (`/proc/self/schedstat`: nanoseconds run, nanoseconds waited); elsewhere only the time run is counted, so
that a process starved by others seems idle.
"""

from __future__ import annotations

import os
import random
import time

SAMPLE_SECONDS = 0.05
"""The shortest stretch over which `busy` is measured; between two samples the last value is given."""


class SystemClock:
    """The machine's clock. Make it on the main thread."""

    def __init__(self) -> None:
        """Begins to measure; the first value of `busy` comes after `SAMPLE_SECONDS`."""
        self._schedstat = self._open_schedstat()
        self._sampled_at = time.monotonic()
        self._sampled_busy = self._busy_seconds()
        self._busy = 0.0

    @staticmethod
    def _open_schedstat() -> int | None:
        """The open statistics of the main thread, or None where there are none."""
        try:
            return os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None

    def _busy_seconds(self) -> float:
        """Seconds for which the main thread ran or waited for a core since it began."""
        if self._schedstat is None:
            return time.process_time()
        ran_ns, waited_ns, _ = os.pread(self._schedstat, 100, 0).split()
        return (int(ran_ns) + int(waited_ns)) * 1e-9

    def now_us(self) -> int:
        """The wall clock, microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def busy(self) -> float:
        """The share of the time since the last sample that the main thread was running or ready to run, 0 to 1."""
        now = time.monotonic()
        elapsed = now - self._sampled_at
        if elapsed >= SAMPLE_SECONDS:
            total = self._busy_seconds()
            self._busy = min(1.0, max(0.0, (total - self._sampled_busy) / elapsed))
            self._sampled_at, self._sampled_busy = now, total
        return self._busy

    def random(self) -> float:
        """Uniform in 0 to 1; not for secrets."""
        return random.random()

    def token(self, length: int) -> bytes:
        """Random bytes, fit for secrets."""
        return os.urandom(length)
