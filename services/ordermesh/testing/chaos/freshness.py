"""I7: whether what the customers read was as fresh as it said. PURE.

Linearizable reads and answers to writes must see all that was known of the order when they began: shown by another of
these, or said to be STORED. A quorum read must see what was said to be STORED. Where the engine did not get as far as
it was asked to, it says so, and that is what counts. NOT_FOUND is a promise too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ordermesh.testing.chaos.evidence import FinalOrder
from ordermesh.testing.chaos.journal import Told

STRONG = frozenset({"LINEARIZABLE"})
NOT_FOUND = "NOT_FOUND"
NO_ORDER = ("", "ORDER_NOT_FOUND")
"""Reasons of NOT_FOUND that are about the order; a hold that was released is not found either."""


class _Known:
    """The highest version known at each moment: by the end of an answer, from then on."""

    def __init__(self) -> None:
        self._moments: list[tuple[float, int]] = []

    def learn(self, end: float, version: int) -> None:
        """An answer that ended then showed that version."""
        insort(self._moments, (end, version))

    def at(self, moment: float) -> int:
        """What was known before that moment."""
        before = bisect_left(self._moments, (moment, 0))
        return max((version for _end, version in self._moments[:before]), default=0)


def check_reads(journal: Sequence[Told], orders: Mapping[str, FinalOrder | None]) -> Iterator[str | int]:
    """What is wrong, in words, and between it how many answers were compared."""
    by_order: dict[str, list[Told]] = defaultdict(list)
    for told in journal:
        if told.call != "receive":
            by_order[told.key].append(told)
    for key, answers in by_order.items():
        order = orders.get(key)
        yield from _of_one_order(answers, "" if order is None else order.placed)


def _of_one_order(answers: Sequence[Told], content: str) -> Iterator[str | int]:
    linearizable, stored = _Known(), _Known()
    acknowledged = min((t.end for t in answers if _is_acknowledged(t, content)), default=float("inf"))
    for told in answers:
        if told.is_decided and (told.call != "get" or told.given in STRONG):
            linearizable.learn(told.end, told.version)
        if told.persistence == "STORED":
            stored.learn(told.end, told.version)
    for told in answers:
        is_missed = told.outcome == NOT_FOUND and told.reason in NO_ORDER
        if is_missed and told.begin > acknowledged and _is_own(told, content):
            yield f"{told.call} of {told.key}: NOT_FOUND, though it was acknowledged before"
        if told.is_decided:
            yield 1
            yield from _too_old(told, linearizable, stored)


def _too_old(told: Told, linearizable: _Known, stored: _Known) -> Iterator[str]:
    needed = stored.at(told.begin) if told.given != "EVENTUAL" else 0
    if told.call != "get" or told.given in STRONG:
        needed = max(needed, linearizable.at(told.begin))
    if told.given == "AT_LEAST":
        needed = max(needed, told.version_min)
    if told.version < needed:
        how = told.given or told.call
        yield f"{told.key} was shown at version {told.version} ({how}) when {needed} was known"


def _is_acknowledged(told: Told, content: str) -> bool:
    """Whether this answer promises that the order is there; ACCEPTED of other content than it has does not."""
    return told.call == "create" and told.is_ok and (told.is_decided or told.content == content)


def _is_own(told: Told, content: str) -> bool:
    """Whether NOT_FOUND is wrong: it is right for another customer who takes the same id."""
    return told.call != "create" or told.content.partition(":")[0] == content.partition(":")[0]
