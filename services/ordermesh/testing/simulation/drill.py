"""The mutation drill: finds for every break of the kernel the seeds that catch it, and checks those known.

`python -m ordermesh.testing.simulation.drill TABLE [NAME ...]` searches anew and writes the table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypedDict

from ordermesh.testing.simulation import mutations, mutations_answers, mutations_people, mutations_telling
from ordermesh.testing.simulation.breaks import MUTATIONS
from ordermesh.testing.simulation.run import run_seed

BREAKS_IN = (mutations, mutations_answers, mutations_people, mutations_telling)
"""The modules that register breaks."""

SEEDS_MAX = 1_500
"""How many seeds are tried before a break counts as not caught."""

CATCHES = 5
"""How many seeds are noted for each break: a change of the kernel may make one of them harmless."""


class Catch(TypedDict):
    """A seed that catches a break, and by which invariant."""

    seed: int
    invariant: str


def catches(name: str, seed: int) -> str:
    """The invariant that a seed finds violated under a break; empty for none."""
    with MUTATIONS[name].apply():
        result = run_seed(seed)
    return result.findings[0].invariant if result.findings else ""


def search(name: str) -> list[Catch]:
    """The first seeds that catch a break."""
    found: list[Catch] = []
    for seed in range(1, SEEDS_MAX + 1):
        invariant = catches(name, seed)
        if invariant and not run_seed(seed).findings:
            found.append({"seed": seed, "invariant": invariant})
            if len(found) == CATCHES:
                break
    return found


def main(table: Path, names: list[str]) -> int:
    """Searches for these breaks, or for all, and updates the table; 1 if one is caught by no seed."""
    known = json.loads(table.read_text()) if table.exists() else {}
    for name in names or list(MUTATIONS):
        known[name] = search(name)
        print(name, known[name] or "is caught by NO seed", flush=True)
    known = {name: known[name] for name in MUTATIONS if name in known}
    table.write_text(json.dumps(known, indent=1) + "\n")
    return 0 if all(known.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
