"""The breaks that there are, and how one is registered; what they break is in the modules named `mutations`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A break: its name, which rule it takes away, and how."""

    name: str
    rule: str
    apply: Callable[[], AbstractContextManager[Any]]


MUTATIONS: dict[str, Mutation] = {}
"""All breaks, by name."""


def mutation(rule: str) -> Callable[[Callable[[], AbstractContextManager[Any]]], None]:
    """Registers a break under its function's name."""

    def register(apply: Callable[[], AbstractContextManager[Any]]) -> None:
        name = apply.__name__.strip("_")
        MUTATIONS[name] = Mutation(name=name, rule=rule, apply=apply)

    return register
