"""What may pass between two processes, now: everything, nothing, one way only, or late. Both ends have names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum


class Trouble(StrEnum):
    """What can be wrong with a link."""

    CUT = "cut"
    """Nothing passes: what is sent waits, as in a network that loses every packet."""
    ONE_WAY = "one-way"
    """What the second sends to the first waits; the other way all is well."""
    SLOW = "slow"
    """Everything is late."""
    RESET = "reset"
    """Connections are broken, and new ones are broken at once."""


SLOW_S = 0.2
"""Each way, for each piece of data: far more than a network within a region takes."""


@dataclass(slots=True)
class Link:
    """The state between two names; `open[d]` is set while data may pass in direction d (0: first to second)."""

    open: tuple[asyncio.Event, asyncio.Event] = field(default_factory=lambda: (_set(), _set()))
    delay_s: float = 0.0
    is_broken: bool = False


class Links:
    """The links between all pairs; whole unless somebody troubles them."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, str], Link] = {}

    def between(self, source: str, target: str) -> tuple[Link, int]:
        """The link, and the direction that is from source to target in it."""
        first, second = sorted((source, target))
        link = self._links.setdefault((first, second), Link())
        return link, 0 if source == first else 1

    def trouble(self, first: str, second: str, kind: Trouble) -> None:
        """Makes the link between two names bad, in that way only; ONE_WAY holds what goes from second to first."""
        link, forward = self.between(first, second)
        self.mend(first, second)
        if kind is Trouble.SLOW:
            link.delay_s = SLOW_S
        elif kind is Trouble.RESET:
            link.is_broken = True
        else:
            link.open[1 - forward].clear()
            if kind is Trouble.CUT:
                link.open[forward].clear()

    def mend(self, first: str, second: str) -> None:
        """Makes the link whole; what waited goes on."""
        link, _ = self.between(first, second)
        link.delay_s, link.is_broken = 0.0, False
        for gate in link.open:
            gate.set()

    def mend_all(self) -> None:
        """Makes every link whole."""
        for first, second in list(self._links):
            self.mend(first, second)


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
