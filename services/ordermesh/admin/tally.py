"""What an audit counts and finds, invariant by invariant."""

from __future__ import annotations

from collections.abc import Collection

from oms.admin.v1 import admin_pb2

INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I6", "I9")
"""What can be audited on a running deployment; I7 and I8 need more than its rows, logs and events."""

VIOLATIONS_MAX = 100
"""Violations that are told per invariant; the rest is only counted."""


class Tally:
    """Counts and violations."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted or INVARIANTS)
        self._checked = dict.fromkeys(INVARIANTS, 0)
        self._violated = dict.fromkeys(INVARIANTS, 0)
        self._texts: dict[str, list[str]] = {invariant: [] for invariant in INVARIANTS}

    def wants(self, *invariants: str) -> bool:
        """Whether one of these is asked for."""
        return not self._wanted.isdisjoint(invariants)

    def checked(self, invariant: str, number: int = 1) -> None:
        """So many more things were looked at."""
        self._checked[invariant] += number

    def violated(self, invariant: str, text: str) -> None:
        """One of them breaks the invariant."""
        self._violated[invariant] += 1
        if len(self._texts[invariant]) < VIOLATIONS_MAX:
            self._texts[invariant].append(text)

    def findings(self) -> list[admin_pb2.Finding]:
        """One for each invariant that is asked for, in order."""
        return [self._finding(invariant) for invariant in INVARIANTS if invariant in self._wanted]

    def _finding(self, invariant: str) -> admin_pb2.Finding:
        texts = list(self._texts[invariant])
        untold = self._violated[invariant] - len(texts)
        if untold:
            texts[-1] = f"{texts[-1]} (and {untold} violations more)"
        return admin_pb2.Finding(
            invariant_id=invariant,
            holds=not self._violated[invariant],
            checked=self._checked[invariant],
            violations=texts,
        )
