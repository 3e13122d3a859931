"""What a run found wrong, and its trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32


class Finding(NamedTuple):
    """A violated invariant: its name, what was seen, and when, in virtual seconds."""

    invariant: str
    text: str
    time_s: float


class Findings:
    """Collects them, unless muted; the first ends the run. `digest` names the run: equal for equal traces."""

    def __init__(self, now: Callable[[], float], trace: Callable[[str], None] | None) -> None:
        self.all: list[Finding] = []
        self.digest = 0
        self.checks: dict[str, int] = {}
        self.on_first: Callable[[], None] = lambda: None
        self.is_closed = False
        self.is_muted = False
        self._now = now
        self._trace = trace

    def report(self, invariant: str, text: str) -> None:
        """Something that must not be."""
        if self.is_closed or self.is_muted:
            return
        self.all.append(Finding(invariant, text, self._now()))
        self.note("VIOLATED", invariant, text)
        if len(self.all) == 1:
            self.on_first()

    def require(self, holds: bool, invariant: str, text: str, *details: object) -> bool:
        """Checks; counts the check; reports it when it fails. Returns whether it holds."""
        self.checks[invariant] = self.checks.get(invariant, 0) + 1
        if not holds:
            self.report(invariant, text.format(*details))
        return holds

    @property
    def is_traced(self) -> bool:
        """Whether somebody reads the trace."""
        return self._trace is not None

    def tell(self, text: str) -> None:
        """A line of the trace that says in words what other lines name; the digest leaves it out."""
        if self._trace is not None and not self.is_closed:
            self._trace(f"{self._now():.6f} {text}")

    def note(self, *what: object) -> None:
        """A line of the trace."""
        if self.is_closed:
            return
        line = " ".join([f"{self._now():.6f}", *map(str, what)])
        self.digest = crc32(line.encode(), self.digest)
        if self._trace is not None:
            self._trace(line)
