"""How fast nodes answer lately: when to ask another one, and which ones to ask last.

A node that is dead, or hangs, and is not known to be, must not cost a call its time; and a cluster that has too much to
do must not be asked twice for everything. So another node is asked when an answer takes several times as long as most
do, and a node that was overtaken by another is asked after the others for a while.
"""

from __future__ import annotations

import time
from collections.abc import Hashable

SPECULATE_AFTER_MIN_S = 0.1
"""A healthy node answers in far less; with two that hang in a row an answer still comes within half a second."""

SPECULATE_AFTER_TIMES = 4.0
"""Of the usual time: what the slowest of a thousand take, unless something is wrong. Where the usual time is long, that
is past the time-out, and nobody is asked twice."""

USUAL_STEP = 0.1
"""By how much an answer moves the median: twenty-five follow a tenfold change."""

USUAL_MIN_S = 0.001
"""No request is taken to be quicker than that as a rule."""

SUSPECT_S = 2.0
"""For how long a node is asked last that was overtaken: a pause of its garbage collector is over then, and a node that
hangs costs a few calls in two seconds a tenth of a second more, until it is known as down."""


class Pace:
    """What the requests of one process have shown. `now` may be replaced, for tests."""

    def __init__(self) -> None:
        self.usual_s = USUAL_MIN_S
        self.now = time.monotonic
        self._suspected: dict[Hashable, float] = {}

    @property
    def speculate_after_s(self) -> float:
        """When to ask another node."""
        return max(SPECULATE_AFTER_TIMES * self.usual_s, SPECULATE_AFTER_MIN_S)

    def answered(self, seconds: float) -> None:
        """Moves the median: up and down by the same step, however far off one answer is."""
        step = 1.0 + USUAL_STEP if seconds > self.usual_s else 1.0 - USUAL_STEP
        self.usual_s = max(self.usual_s * step, USUAL_MIN_S)

    def overtaken(self, node: Hashable) -> None:
        """Another node, asked later, answered first."""
        self._suspected[node] = self.now() + SUSPECT_S

    def is_suspected(self, node: Hashable) -> bool:
        """Whether to ask the others first."""
        until = self._suspected.get(node)
        if until is None:
            return False
        if self.now() < until:
            return True
        self._suspected.pop(node, None)
        return False
