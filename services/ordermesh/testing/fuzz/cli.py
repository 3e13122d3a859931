"""`scripts/fuzz`: many hostile calls in parts, each part a seed with an engine of its own, counted and resumable.

A results file holds one JSON line for each part, with the revision that was called; a run leaves out the seeds that the
file has for its revision.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ordermesh.testing.fuzz.run import fuzz

CALLS_PER_PART = 100_000
"""Calls of one seed; then the next seed begins with a new engine."""
SAID_EVERY_S = 15.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class _Progress:
    """Says on stderr how far a part is."""

    def __init__(self, seed: int, calls: int) -> None:
        self._seed = seed
        self._calls = calls
        self._said_at = time.monotonic()

    def __call__(self, made: int) -> None:
        """So many calls were made."""
        if time.monotonic() - self._said_at > SAID_EVERY_S:
            self._said_at = time.monotonic()
            print(f"seed {self._seed}: {made:,} of {self._calls:,} calls", file=sys.stderr, flush=True)


@app.command()
def main(
    calls: Annotated[int, typer.Option("--calls", min=1, help="Calls in all.")] = CALLS_PER_PART,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The first seed; each part takes the next.")] = 1,
    results: Annotated[Path | None, typer.Option("--results", help="A file that parts are added to.")] = None,
) -> None:
    """Call every method of an engine of its own with hostile input. Exit status 1 if anything was wrong."""
    revision = _revision()
    done = _done(results, revision)
    lines = []
    for number, begin in enumerate(range(0, calls, CALLS_PER_PART)):
        part_seed, part_calls = seed + number, min(CALLS_PER_PART, calls - begin)
        line = done.get((part_seed, part_calls))
        if line is None:
            line = {"revision": revision, **fuzz(part_seed, part_calls, _Progress(part_seed, part_calls))}
            if results is not None:
                with results.open("a") as file:
                    file.write(json.dumps(line, sort_keys=True) + "\n")
        lines.append(line)
        for failure, where in line["failures"].items():
            print(f"seed {part_seed}: {failure} {json.dumps(where)}", flush=True)
    print(_summary(lines), flush=True)
    if any(line["failures"] for line in lines):
        raise typer.Exit(1)


def _done(results: Path | None, revision: str) -> dict[tuple[int, int], dict[str, Any]]:
    """The parts of this revision that the file has, by seed and number of calls."""
    if results is None or not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    return {(line["seed"], line["calls"]): line for line in lines if line["revision"] == revision}


def _summary(lines: list[dict[str, Any]]) -> str:
    codes: Counter[str] = Counter()
    for line in lines:
        codes.update(line["codes"])
    calls, seconds = sum(line["calls"] for line in lines), sum(line["seconds"] for line in lines)
    failed = sum(len(line["failures"]) for line in lines)
    told = ", ".join(f"{name} {count:,}" for name, count in codes.most_common())
    peak = max(max(line["peak_mib"].values()) for line in lines)
    return f"{calls:,} calls in {seconds:,} s: {told}; the largest process had {peak} MiB; {failed} kinds of failures"


def _revision() -> str:
    """The revision of the code, with a mark where it has changes."""
    folder = Path(__file__).parent
    commands = (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain", "--", ":/services", ":/gen"])
    head, changes = (
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()
        for command in commands
    )
    return (head or "unknown") + ("+" if changes else "")
