"""Changes to what a seed draws, by name: how a smaller run of the same seed is told and repeated.

`ordermesh simulate --seed 42 --set orders=3 --set faults=crash,append_lost`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ordermesh.runtime.options import OwnerOptions
from ordermesh.testing.simulation.profile import Profile

COUNTS = ("orders", "skus", "customers", "owners", "edges", "partitions")
"""What is counted, from 1."""

TELLERS = ("relays", "couriers")
"""What may be none."""

SHARES = ("clerks_share", "care_share", "lively_share", "keepers_share", "details_share", "bookkeepers_share")
"""What is done to a share of the orders, SKUs or changes, from 0 to 1."""

PLAIN_LIMITS = "plain"
"""The engine's own limits instead of those drawn."""


class NoSuchChange(Exception):
    """A change that there is not, or a value that it cannot have."""


def apply(profile: Profile, changes: Mapping[str, str]) -> Profile:
    """The profile with the changes. Raises NoSuchChange."""
    for name, value in changes.items():
        change = _CHANGES.get(name)
        if change is None:
            raise NoSuchChange(f"there is no {name}; there are {', '.join(_CHANGES)}")
        try:
            profile = change(profile, value)
        except ValueError as error:
            raise NoSuchChange(f"{name} cannot be {value!r}: {error}") from error
    return profile


def parse(texts: list[str]) -> dict[str, str]:
    """NAME=VALUE texts as changes. Raises NoSuchChange."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise NoSuchChange(f"{text!r} is not NAME=VALUE")
        found[name] = value
    return found


def option(changes: Mapping[str, str]) -> str:
    """Changes as options of the command line, with a space before each."""
    return "".join(f" --set {name}={value}" for name, value in changes.items())


def _faults(profile: Profile, value: str) -> Profile:
    """Only these kinds of faults, of those that the seed has."""
    kinds = value.split(",") if value else []
    unknown = [kind for kind in kinds if kind not in profile.rates]
    if unknown:
        raise ValueError(f"the seed has no {', '.join(unknown)}")
    return replace(profile, rates={kind: rate for kind, rate in profile.rates.items() if kind in kinds})


def _count_of(name: str, least: int = 1) -> Callable[[Profile, str], Profile]:
    def change(profile: Profile, value: str) -> Profile:
        if int(value) < least:
            raise ValueError(f"it is at least {least}")
        values: dict[str, Any] = {name: int(value)}
        return replace(profile, **values)

    return change


def _duration(profile: Profile, value: str) -> Profile:
    if not 0 < float(value) < 1_000_000:
        raise ValueError("it is a number of seconds")
    return replace(profile, duration_s=float(value))


def _limits(profile: Profile, value: str) -> Profile:
    if value != PLAIN_LIMITS:
        raise ValueError(f"it is {PLAIN_LIMITS}")
    return replace(profile, options=OwnerOptions(checkpoint_interval_s=profile.options.checkpoint_interval_s))


def _share_of(name: str) -> Callable[[Profile, str], Profile]:
    def change(profile: Profile, value: str) -> Profile:
        values: dict[str, Any] = {name: float(value)}
        return replace(profile, **values)

    return change


_CHANGES: dict[str, Callable[[Profile, str], Profile]] = {
    "faults": _faults,
    **{name: _count_of(name) for name in COUNTS},
    "duration_s": _duration,
    "limits": _limits,
    **{name: _count_of(name, 0) for name in TELLERS},
    **{name: _share_of(name) for name in SHARES},
}
