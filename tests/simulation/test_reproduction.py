"""A seed is all there is to a run: it can be repeated anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ordermesh.testing.simulation.profile import (
    LATER_FAULTS,
    OPERATION_FAULTS,
    TELLING_FAULTS,
    TIMED_FAULTS,
    draw_profile,
)
from ordermesh.testing.simulation.run import run_seed

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (3, 24, 45)
PROGRAM = f"""
from ordermesh.testing.simulation.run import run_seed
print([run_seed(seed).digest for seed in {SEEDS}])
"""


def _digests_elsewhere(hash_seed: str) -> str:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("services", "gen"))
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_a_seed_runs_the_same_in_every_process_and_with_every_hash_seed() -> None:
    here = str([run_seed(seed).digest for seed in SEEDS])
    assert here == _digests_elsewhere("0") == _digests_elsewhere("1234")


def test_two_seeds_run_differently() -> None:
    assert run_seed(1).digest != run_seed(2).digest


def test_a_trace_is_printed_without_changing_the_run() -> None:
    lines: list[str] = []
    traced = run_seed(7, lines.append)
    assert traced.steps == run_seed(7).steps
    assert len(lines) > 100
    assert any("PlaceOrder" in line and "OrderPlaced (version 1)" in line for line in lines)


def test_the_seeds_cover_both_shapes_of_groups_and_every_kind_of_fault() -> None:
    profiles = [draw_profile(seed) for seed in range(1, 101)]
    assert {profile.separate_groups for profile in profiles} == {False, True}
    assert {profile.partitions for profile in profiles} == {1, 2, 3}
    kinds = {kind for profile in profiles for kind in profile.rates}
    assert kinds == OPERATION_FAULTS.keys() | TIMED_FAULTS.keys() | LATER_FAULTS.keys() | TELLING_FAULTS.keys()
    assert {(profile.relays, profile.couriers) for profile in profiles} >= {(0, 0), (1, 0), (1, 1), (2, 2)}
    assert {profile.upgrades_change_schema for profile in profiles} == {False, True}
    assert {profile.clerks_share > 0 for profile in profiles} == {False, True}
    assert {draw_profile(seed).care_share > 0 for seed in range(1_001, 1_101)} == {False, True}
