"""What the clients were told, and whether all of it is true in the end (I1, I2, I7)."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from oms.order.v1 import order_state_pb2
from ordermesh.core.decider import Key
from ordermesh.testing.simulation.calls import Calls
from ordermesh.testing.simulation.findings import Findings
from ordermesh.testing.simulation.goods import content_of
from ordermesh.testing.simulation.truth import Truth

ACCEPTED, LOGGED, STORED_ONE, STORED = 1, 2, 3, 4
"""`oms.common.v1.Persistence`."""

EVENTUAL, QUORUM, AT_LEAST, LINEARIZABLE = 1, 2, 3, 4
"""Strength of a read, weakest first; what a command's answer says is linearizable."""


class Told(NamedTuple):
    """An answer about an aggregate: when it was asked for and given (virtual seconds), which version it showed (0: it
    does not exist), how durable that was said to be, and how strong the read was said to be."""

    asked_s: float
    told_s: float
    version: int
    persistence: int
    strength: int


class Placement(NamedTuple):
    """An answer to an attempt to place an order."""

    content: tuple[object, ...]
    told_s: float
    persistence: int
    reason: str


class History:
    """All answers, by aggregate."""

    def __init__(self, truth: Truth, findings: Findings) -> None:
        self.told: dict[Key, list[Told]] = defaultdict(list)
        self.placements: dict[Key, list[Placement]] = defaultdict(list)
        self.calls = Calls(findings)
        self._truth = truth
        self._findings = findings

    def check(self) -> None:
        """All of it."""
        for key, placements in self.placements.items():
            self._check_placements(key, placements)
        for key, told in self.told.items():
            self._check_freshness(key, told)
        self.calls.check()

    def _check_placements(self, key: Key, placements: list[Placement]) -> None:
        true = self._truth.aggregates.get(key)
        if true is None:
            kept = [one for one in placements if not one.reason]
            self._findings.require(not kept, "I1", "{} was acknowledged and is not there: {}", key, kept)
            return
        state: order_state_pb2.StoredOrder = true.state
        content = content_of(state.order)
        contents = {one.content for one in placements}
        for one in placements:
            is_alone = one.persistence == ACCEPTED and len(contents) == 1
            if is_alone or (one.persistence > ACCEPTED and not one.reason):
                self._findings.require(one.content == content, "I1", "{} has other content than acknowledged", key)
            if one.reason:
                self._check_refusal(key, one, content)

    def _check_refusal(self, key: Key, one: Placement, content: tuple[object, ...]) -> None:
        expected = "ORDER_ALREADY_EXISTS" if one.content[0] == content[0] else "ORDER_NOT_FOUND"
        good = one.content != content and one.reason == expected
        self._findings.require(good, "I2", "placing {} was refused with {}", key, one.reason)

    def _check_freshness(self, key: Key, told: list[Told]) -> None:
        """Nothing may be older than what was known before it was asked for."""
        acknowledged = [one.told_s for one in self.placements.get(key, ()) if not one.reason]
        for one in told:
            if one.strength == EVENTUAL:
                continue
            if not one.version:
                gone = min(acknowledged, default=one.asked_s) < one.asked_s
                self._findings.require(not gone, "I7", "{} was acknowledged, and later said not to exist", key)
            needed = max((other.version for other in told if _counts(other, one)), default=0)
            self._findings.require(
                one.version >= needed, "I7", "{} was told at version {} after {}: {}", key, one.version, needed, one
            )


def _counts(other: Told, one: Told) -> bool:
    """Whether what `other` showed must be seen by `one`."""
    if other.told_s >= one.asked_s:
        return False
    if one.strength == LINEARIZABLE:
        return other.strength == LINEARIZABLE or other.persistence == STORED
    return other.persistence == STORED
