"""An engine under load whose disk loses power: what it acknowledged is there afterwards, or it says what is not."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path

import pytest

from ordermesh.testing.power.cuts import Cuts
from ordermesh.testing.power.disk import NoPowerToCut, check_machine

CHECKPOINTED_S = (6.0, 7.0)
"""Of load before the cut: rows are stored and checkpoints written, which a log without its tail contradicts. A cut in
the first moments of a deployment can go unnoticed: docs/reliability.md."""


@pytest.fixture(autouse=True)
def power(tmp_path: Path) -> None:
    """Skips, and says so in the summary, where no power can be cut: without root, loop devices or xfs_io."""
    try:
        check_machine(tmp_path)
    except NoPowerToCut as error:
        warnings.warn(f"NO POWER WAS CUT: {error}", stacklevel=1)
        pytest.skip(f"no power was cut: {error}")


def test_what_was_acknowledged_is_there_after_the_power_was_lost(tmp_path: Path) -> None:
    results = asyncio.run(Cuts(tmp_path, 1, "always").run(2))
    assert [result["problems"] for result in results] == [[], []]
    assert sum(result["acknowledged"] for result in results) > 0
    assert not any(result["stopped"] for result in results)


def test_a_lost_tail_is_noticed_and_what_is_left_goes_on_once_it_was_reincarnated(tmp_path: Path) -> None:
    (result,) = asyncio.run(Cuts(tmp_path, 18, "default", CHECKPOINTED_S).run(1))
    assert {"orders/000", "stock/000"} <= set(result["stopped"])  # notification has hardly a tail to lose
    assert result["problems"] == []
    assert result["listed"] > 0
