"""Seeds that once violated an invariant, each with what was wrong."""

from __future__ import annotations

import pytest

from ordermesh.testing.simulation.run import run_seed


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(3004247, id="STORED was told of a weak row by a flush that left it out"),
        pytest.param(6004124, id="reservations that stay asked their orders without end"),
        pytest.param(6125415, id="a redelivery ended by a clock that was ahead of the stream's"),
        pytest.param(6132046, id="the same with two couriers"),
    ],
)
def test_what_was_found_stays_mended(seed: int) -> None:
    assert run_seed(seed).findings == []
