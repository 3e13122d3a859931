"""The faults of a run are told by its seed, every kind gets its turn, and no lane has two at once."""

from __future__ import annotations

from itertools import islice

from ordermesh.testing.chaos import faults
from ordermesh.testing.chaos.faults import DECKS, GAP_S, KINDS, SECONDS, Fault, lane, picked
from ordermesh.testing.chaos.links import Trouble


def test_a_seed_always_has_the_same_faults_and_another_has_others() -> None:
    for name in DECKS:
        assert list(islice(lane(name, 7), 50)) == list(islice(lane(name, 7), 50))
        assert list(islice(lane(name, 7), 50)) != list(islice(lane(name, 8), 50))


def test_every_kind_comes_once_in_each_deck() -> None:
    for name, deck in DECKS.items():
        for seed in range(20):
            dealt = [step.fault.kind for step in islice(lane(name, seed), 2 * len(deck))]
            assert sorted(dealt[: len(deck)]) == sorted(dealt[len(deck) :]) == sorted(deck)


def test_gaps_and_faults_are_bounded() -> None:
    for name in DECKS:
        for gap_s, fault in islice(lane(name, 1), 500):
            assert GAP_S[name][0] <= gap_s <= GAP_S[name][1]
            assert SECONDS[0] <= fault.seconds <= SECONDS[1]
            assert not fault.way or Trouble(fault.way)


def test_an_ensemble_s_own_faults_are_all_in_one_lane() -> None:
    """So that never more than a minority of it is in trouble, unless a fault says that all of it is."""
    for ensemble in ("nats", "cassandra"):
        assert {name for name, deck in DECKS.items() if any(kind.startswith(ensemble) for kind in deck)} == {ensemble}
    assert len(KINDS) == len(set(KINDS)) == 20


def test_every_link_fault_says_what_is_wrong_with_it() -> None:
    for name, kind in (("links", faults.LINK_TO_NATS), ("nats", faults.NATS_ROUTE)):
        ways = {step.fault.way for step in islice(lane(name, 3), 400) if step.fault.kind == kind}
        assert ways == {str(way) for way in Trouble}


def test_a_fault_picks_among_those_there_are() -> None:
    names = ["a", "b", "c"]
    assert [picked(Fault("", 1.0, pick), names) for pick in (0.0, 0.34, 0.999)] == names
