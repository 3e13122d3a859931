"""Logs that are past mending: the engine notices, stops the one partition, and goes on with the others."""

from __future__ import annotations

import dataclasses

import pytest

from ordermesh.testing.simulation.breaks import MUTATIONS
from ordermesh.testing.simulation.damage import WORDS
from ordermesh.testing.simulation.drill import BREAKS_IN
from ordermesh.testing.simulation.profile import DAMAGES, draw_profile
from ordermesh.testing.simulation.run import Result, run_seed

SEEDS = range(1, 13)


def _run(seed: int, kind: str) -> Result:
    return run_seed(seed, profile=dataclasses.replace(draw_profile(seed), damage=kind, relays=0, couriers=0))


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_log_is_noticed_and_the_other_partitions_go_on(kind: str) -> None:
    results = [_run(seed, kind) for seed in SEEDS]
    assert [(result.seed, result.findings[0]) for result in results if result.findings] == []
    assert sum(result.faults.get(kind, 0) for result in results) >= len(SEEDS) // 2


def test_an_engine_that_does_not_look_is_caught() -> None:
    assert BREAKS_IN
    with MUTATIONS["take_rows_of_a_lost_tail"].apply():
        found = (finding for seed in SEEDS for finding in _run(seed, "rows_ahead").findings[:1])
        assert any(finding.invariant == "damage" for finding in found)


def test_every_kind_of_damage_is_drawn_and_known_by_words() -> None:
    drawn = {draw_profile(seed).damage for seed in range(1, 301)}
    assert drawn == {"", *DAMAGES}
    assert WORDS.keys() == set(DAMAGES)
