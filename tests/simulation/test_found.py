"""Seeds that once violated an invariant, each with what was wrong."""

from __future__ import annotations

import pytest

from ordermesh.testing.simulation.run import run_seed


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(3004247, id="STORED was told of a weak row by a flush that left it out"),
    ],
)
def test_what_was_found_stays_mended(seed: int) -> None:
    assert run_seed(seed).findings == []
