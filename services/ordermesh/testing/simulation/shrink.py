"""Makes a failing run smaller: fewer kinds of faults, fewer orders and processes, a shorter storm, plain limits.

A smaller run is another run, because a draw left out moves all that come after it; so each is tried, and kept if it
violates the same invariant. The kinds of faults are taken away in halves first, as delta debugging does (Zeller &
Hildebrandt, 2002), then one by one. Everything is deterministic: a seed always shrinks to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ordermesh.testing.simulation import changes as changing
from ordermesh.testing.simulation.findings import Finding
from ordermesh.testing.simulation.profile import Profile, draw_profile
from ordermesh.testing.simulation.run import run_seed

RUNS_MAX = 300
"""How many runs are tried; the smallest found by then is told."""

STEPS = (1, 2, 3, 5, 8, 13, 21, 34)
"""Counts and seconds that are tried, smallest first."""

Changes = dict[str, str]


class Shrunk(NamedTuple):
    """A smaller run that still fails: what is changed, what is left, what it violates, and how many runs it took."""

    changes: Changes
    profile: Profile
    finding: Finding
    runs: int


class _Shrinker:
    """One seed."""

    def __init__(self, seed: int, finding: Finding, runs_max: int) -> None:
        self.seed = seed
        self.finding = finding
        self.changes: Changes = {}
        self.profile = draw_profile(seed)
        self.runs = 0
        self._drawn = self.profile
        self._runs_max = runs_max

    def has_runs_left(self) -> bool:
        """Whether another run may be tried."""
        return self.runs < self._runs_max

    def keeps(self, **changes: str) -> bool:
        """Tries a change beside those kept; keeps it if the run still fails in the same way."""
        if not self.has_runs_left():
            return False
        self.runs += 1
        wanted = {**self.changes, **changes}
        profile = changing.apply(self._drawn, wanted)
        findings = run_seed(self.seed, profile=profile).findings
        if not findings or findings[0].invariant != self.finding.invariant:
            return False
        self.changes, self.profile, self.finding = wanted, profile, findings[0]
        return True


def shrink(seed: int, runs_max: int = RUNS_MAX) -> Shrunk | None:
    """The smallest failing run that was found; None where the seed violates nothing."""
    findings = run_seed(seed).findings
    if not findings:
        return None
    shrinker = _Shrinker(seed, findings[0], runs_max)
    before: Changes | None = None
    while shrinker.changes != before and shrinker.has_runs_left():
        before = dict(shrinker.changes)
        _shrink_faults(shrinker)
        for name, values in _smaller(shrinker.profile, before):
            any(shrinker.keeps(**{name: value}) for value in values)
    return Shrunk(shrinker.changes, shrinker.profile, shrinker.finding, shrinker.runs + 1)


def _shrink_faults(shrinker: _Shrinker) -> None:
    """Leaves out kinds of faults, half of them at once, then a quarter, down to single ones."""
    size = max(1, len(shrinker.profile.rates) // 2)
    while shrinker.profile.rates and shrinker.has_runs_left():
        if not any(shrinker.keeps(faults=",".join(left)) for left in _without(list(shrinker.profile.rates), size)):
            if size == 1:
                return
            size = max(1, size // 2)


def _without(kinds: list[str], size: int) -> Iterator[list[str]]:
    """The kinds without one part of that size after another."""
    for start in range(0, len(kinds), size):
        yield kinds[:start] + kinds[start + size :]


def _smaller(profile: Profile, changes: Changes) -> Iterator[tuple[str, list[str]]]:
    """What may be made smaller, and the values worth trying, the smallest first."""
    for name in (*changing.SHARES, *reversed(changing.TELLERS)):
        if getattr(profile, name):
            yield name, ["0"]
    for name in changing.COUNTS:
        yield name, [str(step) for step in STEPS if step < getattr(profile, name)]
    yield "duration_s", [str(step) for step in STEPS if step < profile.duration_s]
    if "limits" not in changes:
        yield "limits", [changing.PLAIN_LIMITS]
