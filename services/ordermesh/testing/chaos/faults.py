"""Which faults a run has, by its seed: for each lane an endless sequence of gaps and faults. PURE.

A lane has one fault at a time, and each ensemble has a lane of its own; so never more than one NATS node and one
Cassandra node are in trouble at once, unless a fault says that it takes all, while faults of different ensembles meet.
A lane deals from a shuffled deck in which every kind is at least once: no kind waits long for its turn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

ENGINE_KILL = "engine-kill"
ENGINE_PAUSE = "engine-pause"
ENGINE_ROLLING = "engine-rolling-restart"
ENGINE_ADD = "engine-add"
ENGINE_REMOVE = "engine-remove"
ENGINE_KILL_ALL = "engine-kill-all"
NATS_KILL = "nats-kill"
NATS_PAUSE = "nats-pause"
NATS_ROLLING = "nats-rolling-restart"
NATS_KILL_ALL = "nats-kill-all"
NATS_ROUTE = "nats-route"
NATS_ISOLATED = "nats-isolated"
NATS_DISK_FULL = "nats-disk-full"
CASSANDRA_KILL = "cassandra-kill"
CASSANDRA_PAUSE = "cassandra-pause"
CASSANDRA_PAUSE_ALL = "cassandra-pause-all"
LINK_TO_NATS = "link-to-nats"
LINK_TO_ALL_NATS = "link-to-all-nats"
LINK_TO_CASSANDRA = "link-to-cassandra"
LINK_TO_ALL_CASSANDRA = "link-to-all-cassandra"

DECKS: Mapping[str, Sequence[str]] = {
    "engine": (
        *(ENGINE_KILL, ENGINE_KILL, ENGINE_KILL, ENGINE_PAUSE, ENGINE_PAUSE, ENGINE_PAUSE),
        *(ENGINE_ROLLING, ENGINE_ADD, ENGINE_REMOVE, ENGINE_KILL_ALL),
    ),
    "nats": (
        *(NATS_KILL, NATS_KILL, NATS_PAUSE, NATS_PAUSE, NATS_ROUTE, NATS_ROUTE, NATS_ISOLATED),
        *(NATS_DISK_FULL, NATS_ROLLING, NATS_KILL_ALL),
    ),
    "cassandra": (CASSANDRA_KILL, CASSANDRA_PAUSE, CASSANDRA_PAUSE, CASSANDRA_KILL, CASSANDRA_PAUSE_ALL),
    "links": (
        *(LINK_TO_NATS, LINK_TO_NATS, LINK_TO_ALL_NATS, LINK_TO_ALL_NATS),
        *(LINK_TO_CASSANDRA, LINK_TO_ALL_CASSANDRA, LINK_TO_ALL_CASSANDRA),
    ),
}
"""The kinds of each lane, as often as they come."""
KINDS = tuple(dict.fromkeys(kind for deck in DECKS.values() for kind in deck))
GAP_S = {"engine": (2.0, 9.0), "nats": (4.0, 10.0), "cassandra": (8.0, 20.0), "links": (3.0, 10.0)}
"""Between two faults of a lane: time for what was lost to come back, and for a few seconds without."""
SECONDS = (2.0, 12.0)
"""How long a fault lasts; what is killed stays down for so long."""
WAYS = ("cut", "cut", "one-way", "slow", "reset")
"""What can be wrong with a link, as often as it comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `pick` chooses its target among those there are then, and `way` is what is wrong with a link."""

    kind: str
    seconds: float
    pick: float
    way: str = ""


class Step(NamedTuple):
    """What a lane does next: wait, then break something."""

    gap_s: float
    fault: Fault


class Happened(NamedTuple):
    """A fault that was: its times by the machine's monotonic clock, `end` when all it broke is back."""

    kind: str
    target: str
    way: str
    begin: float
    end: float


def lane(name: str, seed: int) -> Iterator[Step]:
    """The endless sequence of a lane; the same for the same seed."""
    chance = random.Random(f"{seed}/{name}")
    while True:
        deck = list(DECKS[name])
        chance.shuffle(deck)
        for kind in deck:
            way = chance.choice(WAYS) if kind.startswith("link") or kind == NATS_ROUTE else ""
            yield Step(
                chance.uniform(*GAP_S[name]), Fault(kind, round(chance.uniform(*SECONDS), 1), chance.random(), way)
            )


def picked(fault: Fault, targets: Sequence[str]) -> str:
    """The fault's target among these. Raises IndexError if there are none."""
    return targets[int(fault.pick * len(targets))]
