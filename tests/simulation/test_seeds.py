"""Three thousand seeds of the whole engine, with every kind of fault: nothing is ever violated."""

from __future__ import annotations

import pytest

from ordermesh.testing.simulation.run import run_seed

SEEDS = 3_000
BLOCK = 50


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_no_seed_violates_an_invariant(first: int) -> None:
    failed = [result for seed in range(first, first + BLOCK) if (result := run_seed(seed)).findings]
    told = [f"ordermesh simulate --seed {result.seed} --trace  # {result.findings[0]}" for result in failed]
    assert not failed, "\n".join(told)
