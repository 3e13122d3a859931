"""The clock of a simulated process: its wall clock is off and jumps, its luck is the seed's."""

from __future__ import annotations

import random

from ordermesh.testing.simulation.loop import VirtualLoop

BEGINNING_US = 1_790_000_000_000_000
"""When every simulation begins, microseconds since 1970."""


class SimulatedClock:
    """The `Clock` port. `offset_us` is how far its wall clock is ahead of the true time."""

    def __init__(self, loop: VirtualLoop, seed: str, offset_us: int) -> None:
        self.offset_us = offset_us
        self._loop = loop
        self._random = random.Random(seed)
        self._busy = 0.0

    def set_busy(self, share: float) -> None:
        """What `busy` says from now on."""
        self._busy = share

    def now_us(self) -> int:
        """As the port says."""
        return BEGINNING_US + self.offset_us + int(self._loop.time() * 1e6)

    def monotonic(self) -> float:
        """As the port says."""
        return self._loop.time()

    def busy(self) -> float:
        """As the port says."""
        return self._busy

    def random(self) -> float:
        """As the port says."""
        return self._random.random()

    def token(self, length: int) -> bytes:
        """As the port says."""
        return self._random.randbytes(length)
