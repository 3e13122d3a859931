"""The model of one aggregate as callers see it, for the checker of `linearizability`. PURE.

An aggregate is a version and the set of what callers wrote to it, by name: the content it was created with, the ids of
requests. It moves on by itself too (a payment is captured), so its version may be higher than what callers made of it,
never lower; but what callers wrote is there if and only if it was written.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple


class Aggregate(NamedTuple):
    """What is known of it: it is at this version at least, and these writes are in it. With none it does not exist."""

    version: int = 0
    written: frozenset[Hashable] = frozenset()


class Wrote(NamedTuple):
    """A write that was done, by its name; written again it changes nothing. Where it is done at all: `creates` where
    there is nothing yet, `changes` where there is something."""

    name: Hashable
    creates: bool
    changes: bool


class Unchanged(NamedTuple):
    """A write that was refused, or had nothing to do: the aggregate exists, and this was never written."""

    name: Hashable


class Absent(NamedTuple):
    """An answer that says that there is no such aggregate."""


class Saw(NamedTuple):
    """An answer that shows it: its version, and what callers wrote."""

    version: int
    written: frozenset[Hashable]


Action = Wrote | Unchanged | Absent | Saw


def step(state: Aggregate, action: Action) -> Aggregate | None:
    """The aggregate after an action; None where nothing could have said or done that."""
    match action:
        case Wrote(name, creates, changes):
            if name in state.written:
                return state
            allowed = changes if state.written else creates
            return Aggregate(state.version + 1, state.written | {name}) if allowed else None
        case Unchanged(name):
            return state if state.written and name not in state.written else None
        case Absent():
            return None if state.written else state
        case Saw(version, written):
            fits = version >= state.version and written == state.written and bool(written)
            return Aggregate(version, written) if fits else None
