"""The drill: the kernel is broken on purpose, in one way at a time, and the seeds noted for that catch it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ordermesh.testing.simulation.breaks import MUTATIONS
from ordermesh.testing.simulation.drill import catches

TABLE = Path(__file__).with_name("mutation_seeds.json")
CAUGHT_BY: dict[str, list[dict[str, int]]] = json.loads(TABLE.read_text())


def test_every_break_is_caught_by_a_noted_seed() -> None:
    assert {name for name in MUTATIONS if not CAUGHT_BY.get(name)} == set()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_kernel_is_caught(name: str) -> None:
    """One of the seeds noted must do it; which one may change with the kernel. To note others:
    python -m ordermesh.testing.simulation.drill tests/simulation/mutation_seeds.json NAME"""
    seeds = [catch["seed"] for catch in CAUGHT_BY[name]]
    assert any(catches(name, seed) for seed in seeds), f"without '{MUTATIONS[name].rule}' seeds {seeds} find nothing"
