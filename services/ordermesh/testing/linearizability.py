"""Whether a history of calls is linearizable: could each have happened at one moment between its call and its answer?

The search is that of Wing & Gong (Testing and verifying concurrent objects, 1993) with the memory of Lowe (Testing for
linearizability, 2017), as in porcupine: take any call that nothing unfinished precedes, let the model do it, go on;
come back and take another where none fits. What was tried is remembered by the set of calls done and the model's
state, so nothing is tried twice. A call whose outcome is unknown may have happened at any time after it began, or
never.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

Action = TypeVar("Action")
State = TypeVar("State", bound=Hashable)

UNKNOWN_S = math.inf
"""When a call was answered whose outcome nobody knows."""

CONFIGURATIONS_MAX = 200_000
"""How many configurations are tried: past that the question stays open."""


class Operation(NamedTuple, Generic[Action]):
    """A call: when it began and was answered (seconds; `UNKNOWN_S`: never), and what it did and was told."""

    invoked_s: float
    returned_s: float
    action: Action


class Answer(Enum):
    """What the search found."""

    YES = auto()
    NO = auto()
    TOO_WIDE = auto()


class Verdict(NamedTuple, Generic[Action]):
    """The answer, how many configurations it took, and for NO what none of the furthest attempts could fit in."""

    answer: Answer
    configurations: int
    stuck: tuple[Operation[Action], ...] = ()


def check(
    operations: Sequence[Operation[Action]],
    initial: State,
    step: Callable[[State, Action], State | None],
    configurations_max: int = CONFIGURATIONS_MAX,
) -> Verdict[Action]:
    """Searches an order. `step` gives the state after an action, or None where the model could not have said that.

    Calls that touch (one is answered at the moment when another begins) count as concurrent.
    """
    ordered = sorted(operations, key=lambda one: (one.invoked_s, one.returned_s))
    needed = sum(1 << n for n, one in enumerate(ordered) if one.returned_s != UNKNOWN_S)
    pending: list[tuple[int, State]] = [(0, initial)]
    tried: set[tuple[int, State]] = {(0, initial)}
    furthest = -1
    stuck: tuple[Operation[Action], ...] = ()
    while pending:
        done, state = pending.pop()
        if done & needed == needed:
            return Verdict(Answer.YES, len(tried))
        if len(tried) > configurations_max:
            return Verdict(Answer.TOO_WIDE, len(tried))
        candidates = _candidates(ordered, done)
        count = (done & needed).bit_count()
        if count > furthest:
            furthest, stuck = count, tuple(ordered[n] for n in candidates)
        for n in reversed(candidates):
            after = step(state, ordered[n].action)
            if after is not None and (found := (done | 1 << n, after)) not in tried:
                tried.add(found)
                pending.append(found)
    return Verdict(Answer.NO, len(tried), stuck)


def _candidates(ordered: Sequence[Operation[Action]], done: int) -> list[int]:
    """The calls that may be next: not done, and begun before any other that is not done was answered."""
    found: list[int] = []
    first_return_s = UNKNOWN_S
    for n, one in enumerate(ordered):
        if one.invoked_s > first_return_s:
            break
        if not done >> n & 1:
            found.append(n)
            first_return_s = min(first_return_s, one.returned_s)
    return [n for n in found if ordered[n].invoked_s <= first_return_s]
