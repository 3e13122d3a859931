"""The checker of histories: it accepts what one moment a call explains, and nothing else."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

import pytest

from ordermesh.testing.linearizability import UNKNOWN_S, Answer, Operation, check

Action = tuple[str, int]
Call = Operation[Action]


def _register(state: int, action: Action) -> int | None:
    """A register: it is written, and read as it is."""
    kind, value = action
    if kind == "write":
        return value
    return state if value == state else None


def _write(invoked_s: float, returned_s: float, value: int) -> Call:
    return Operation(invoked_s, returned_s, ("write", value))


def _read(invoked_s: float, returned_s: float, value: int) -> Call:
    return Operation(invoked_s, returned_s, ("read", value))


class History(NamedTuple):
    """What was called, and its name."""

    name: str
    calls: list[Call]


LINEARIZABLE = [
    History("nothing", []),
    History("one after another", [_write(0, 1, 1), _read(2, 3, 1), _write(4, 5, 2), _read(6, 7, 2)]),
    History("a read during a write sees it", [_write(0, 10, 1), _read(1, 2, 1)]),
    History("a read during a write does not see it", [_write(0, 10, 1), _read(1, 2, 0), _read(3, 4, 1)]),
    History("two writes at once, the first called last", [_write(0, 10, 1), _write(1, 9, 2), _read(11, 12, 1)]),
    History("calls that touch are concurrent", [_write(0, 1, 1), _read(1, 2, 0)]),
    History("an unknown write that never happened", [_write(0, UNKNOWN_S, 1), _read(5, 6, 0), _read(7, 8, 0)]),
    History("an unknown call that cannot have happened", [Operation(0, UNKNOWN_S, ("read", 7)), _read(5, 6, 0)]),
    History("an unknown write that happened late", [_write(0, UNKNOWN_S, 1), _read(5, 6, 0), _read(7, 8, 1)]),
]

NOT_LINEARIZABLE = [
    History("a stale read", [_write(0, 1, 1), _read(2, 3, 0)]),
    History("a lost update", [_write(0, 1, 1), _write(2, 3, 2), _read(4, 5, 1)]),
    History("a read from the future", [_read(0, 1, 1), _write(2, 3, 1)]),
    History("a read of what nobody wrote", [_write(0, 1, 1), _read(2, 3, 7)]),
    History("new, then old again", [_write(0, 10, 1), _read(1, 2, 1), _read(3, 4, 0)]),
    History("two readers see two writes in two orders", [
        _write(0, 10, 1), _write(0, 10, 2), _read(11, 12, 1), _read(13, 14, 2)]),
    History("an unknown write seen, then unseen", [_write(0, UNKNOWN_S, 1), _read(5, 6, 1), _read(7, 8, 0)]),
    History("an unknown write seen before it began", [_write(4, UNKNOWN_S, 1), _read(1, 2, 1)]),
]  # fmt: skip


@pytest.mark.parametrize("history", LINEARIZABLE, ids=lambda history: history.name)
def test_what_one_moment_a_call_explains_is_linearizable(history: History) -> None:
    assert check(history.calls, 0, _register).answer is Answer.YES


@pytest.mark.parametrize("history", NOT_LINEARIZABLE, ids=lambda history: history.name)
def test_what_no_moments_explain_is_not(history: History) -> None:
    assert check(history.calls, 0, _register).answer is Answer.NO


def test_a_refusal_names_the_calls_that_do_not_fit() -> None:
    verdict = check([_write(0, 1, 1), _read(2, 3, 1), _read(4, 5, 0), _read(4, 5, 3)], 0, _register)
    assert [call.action for call in verdict.stuck] == [("read", 0), ("read", 3)]


def test_a_search_past_its_limit_leaves_the_question_open() -> None:
    calls = [_write(0, 100, value) for value in range(12)] + [_read(0, 100, 99)]
    assert check(calls, 0, _register, configurations_max=50).answer is Answer.TOO_WIDE


def test_what_was_tried_is_not_tried_again() -> None:
    """Ten equal writes at once have ten factorial orders, and eleven configurations a state."""
    calls = [_write(0, 100, 1) for _ in range(10)] + [_read(101, 102, 2)]
    verdict = check(calls, 0, _register)
    assert verdict.answer is Answer.NO
    assert verdict.configurations <= 1 << 10


def _by_all_orders(calls: list[Call]) -> bool:
    """The definition itself: some order of the calls that keeps who was before whom, and that the register allows."""
    return any(_fits(order) for order in itertools.permutations(calls))


def _fits(order: tuple[Call, ...]) -> bool:
    state: int | None = 0
    for n, call in enumerate(order):
        if any(later.returned_s < call.invoked_s for later in order[n + 1 :]):
            return False
        state = None if state is None else _register(state, call.action)
    return state is not None


def test_it_agrees_with_the_definition_on_small_histories() -> None:
    chance = random.Random(20)
    answers = []
    for _ in range(600):
        calls = []
        for _ in range(chance.randint(1, 5)):
            begins, lasts, value = chance.randint(0, 8), chance.randint(1, 6), chance.randint(0, 2)
            calls.append(Operation(begins, begins + lasts, (chance.choice(("write", "read")), value)))
        answers.append(_by_all_orders(calls))
        assert (check(calls, 0, _register).answer is Answer.YES) is answers[-1], calls
    assert 100 < sum(answers) < 500
