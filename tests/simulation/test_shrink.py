"""A failing seed is made smaller, and the smaller run is told by options that repeat it."""

from __future__ import annotations

import pytest

from ordermesh.testing.simulation import changes as changing
from ordermesh.testing.simulation import cli
from ordermesh.testing.simulation.breaks import MUTATIONS
from ordermesh.testing.simulation.drill import BREAKS_IN
from ordermesh.testing.simulation.profile import draw_profile
from ordermesh.testing.simulation.run import run_seed
from ordermesh.testing.simulation.shrink import Shrunk, shrink

SEED = 3
BREAK = "drop_the_mark"


@pytest.fixture(scope="module")
def shrunk() -> Shrunk:
    assert BREAKS_IN
    with MUTATIONS[BREAK].apply():
        found = shrink(SEED)
    assert found is not None
    return found


def test_a_failing_run_is_made_much_smaller(shrunk: Shrunk) -> None:
    drawn = draw_profile(SEED)
    assert len(drawn.rates) > 3 > len(shrunk.profile.rates)
    assert drawn.orders > 5 >= shrunk.profile.orders
    assert shrunk.profile.duration_s <= drawn.duration_s


def test_the_smaller_run_fails_only_while_the_kernel_is_broken(shrunk: Shrunk) -> None:
    again = changing.apply(draw_profile(SEED), shrunk.changes)
    with MUTATIONS[BREAK].apply():
        assert run_seed(SEED, profile=again).findings == [shrunk.finding]
    assert not run_seed(SEED, profile=again).findings


def test_what_is_told_repeats_it(shrunk: Shrunk) -> None:
    command = cli.told(SEED, shrunk).splitlines()[-1]
    options = [text for text in command.split() if "=" in text]
    assert changing.parse(options) == shrunk.changes
    assert changing.apply(draw_profile(SEED), changing.parse(options)) == shrunk.profile


def test_the_limit_of_runs_holds() -> None:
    with MUTATIONS[BREAK].apply():
        found = shrink(SEED, runs_max=2)
    assert found is not None
    assert found.runs == 3


def test_a_seed_that_violates_nothing_is_not_shrunk() -> None:
    assert shrink(2) is None
    assert cli.told(2, None) == "seed 2 violates nothing"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders", "is not NAME=VALUE"),
        ("weather=bad", "there is no weather"),
        ("orders=0", "it is at least 1"),
        ("orders=many", "orders cannot be 'many'"),
        ("duration_s=-1", "it is a number of seconds"),
        ("limits=tiny", "it is plain"),
        ("faults=rain", "the seed has no rain"),
    ],
)
def test_a_change_that_there_is_not_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(changing.NoSuchChange, match=told):
        changing.apply(draw_profile(SEED), changing.parse([text]))
