"""A seed's luck: every draw of the world comes from here, and every fault that strikes is counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping


class Chance:
    """Random numbers and faults of one run. Once `healed` is set no fault strikes any more."""

    def __init__(self, seed: int, rates: Mapping[str, float]) -> None:
        self.random = random.Random(f"run {seed}")
        self.faults: Counter[str] = Counter()
        self.healed = False
        self.note: Callable[..., None] = lambda *_what: None
        self._rates = rates

    def strikes(self, kind: str, whom: str = "") -> bool:
        """Whether a fault of this kind strikes now, and whom, for the trace."""
        rate = self._rates.get(kind)
        if rate is None or self.healed or self.random.random() >= rate:
            return False
        self.faults[kind] += 1
        self.note("fault", kind, whom)
        return True

    def strike_first(self, *kinds: str, whom: str = "") -> str:
        """The first of these kinds that strikes; empty for none."""
        for kind in kinds:
            if self.strikes(kind, whom):
                return kind
        return ""

    def coin(self) -> bool:
        """Heads or tails."""
        return self.random.random() < 0.5

    def between(self, low: float, high: float) -> float:
        """Uniform."""
        return low + (high - low) * self.random.random()

    def spread(self, low: float, high: float) -> float:
        """Spread over orders of magnitude."""
        return low * float((high / low) ** self.random.random())

    def interval(self, kind: str) -> float | None:
        """Seconds until a timed fault of this kind comes; None for never."""
        rate = self._rates.get(kind)
        return None if rate is None else float(self.random.expovariate(rate))
