"""`ordermesh simulate`: many seeds in several processes, counted, resumable; or one seed with its trace, or shrunk.

A results file holds one JSON line for each chunk of seeds, with the revision that was simulated; a run that finds lines
of its revision goes on after them, and the totals are those of all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ordermesh.testing.simulation import changes as changing
from ordermesh.testing.simulation.profile import draw_profile
from ordermesh.testing.simulation.run import Result, run_seed
from ordermesh.testing.simulation.shrink import Shrunk, shrink

LINE_SEEDS = 100
"""Seeds of one line of a results file."""

CHUNK_SEEDS = 10
"""Seeds that a process takes at once when no results are kept."""


def run(*, start: int, seeds: int, results: Path | None = None, processes: int | None = None) -> bool:
    """Runs that many seeds from `start` on and prints what became of them. Returns whether nothing was violated."""
    revision = _revision()
    totals = Totals()
    chunks = list(_chunks(start, seeds, CHUNK_SEEDS if results is None else LINE_SEEDS))
    for line in _lines(results, revision):
        if (line["start"], line["count"]) in chunks:
            chunks.remove((line["start"], line["count"]))
            totals.add(line)
    if totals.seeds:
        print(f"{totals.seeds} seeds of revision {revision} are in {results} already", flush=True)
    for counted in _simulate(chunks, processes):
        line = {"revision": revision, **counted}
        totals.add(line)
        if results is not None:
            with results.open("a") as file:
                file.write(json.dumps(line, sort_keys=True) + "\n")
        for failure in line["failures"]:
            print(f"seed {failure['seed']} violates {failure['invariant']}: {failure['text']}", flush=True)
        _progress(f"{totals.seeds} of {seeds} seeds, {totals.failed} failed")
    _progress("")
    print(totals.summary(), flush=True)
    return totals.failed == 0


class Totals:
    """What many seeds add up to."""

    def __init__(self) -> None:
        self.seeds = 0
        self.failed = 0
        self.steps = 0
        self.cpu_s = 0.0
        self.virtual_s = 0.0
        self.first_failed: int | None = None
        self.orders: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()

    def add(self, line: dict[str, Any]) -> None:
        """Counts a line of results."""
        self.seeds += line["count"]
        self.steps += line["steps"]
        self.cpu_s += line["cpu_s"]
        self.virtual_s += line["virtual_s"]
        self.orders.update(line["orders"])
        self.faults.update(line["faults"])
        self.checks.update(line["checks"])
        self.failed += len(line["failures"])
        for failure in line["failures"]:
            self.first_failed = min(failure["seed"], self.first_failed if self.first_failed is not None else 1 << 62)

    def summary(self) -> str:
        """A few lines for a person."""
        lines = [
            f"seeds   {self.seeds}, {self.failed} failed" + (f", first {self.first_failed}" if self.failed else ""),
            f"steps   {self.steps}, {self.virtual_s:.0f} virtual seconds, {self.cpu_s:.0f} CPU seconds",
            f"orders  {sum(self.orders.values())}: {_counts(self.orders)}",
            f"checks  {_counts(self.checks)}",
            f"faults  {sum(self.faults.values())}: {_counts(self.faults)}",
        ]
        if self.failed:
            lines.append(f"again   ordermesh simulate --seed {self.first_failed} --trace")
            lines.append(f"smaller ordermesh simulate --seed {self.first_failed} --shrink")
        return "\n".join(lines)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counter.items()))


def run_one(seed: int, changes: Mapping[str, str], *, trace: bool) -> bool:
    """Runs one seed with changes, in a process of its own; with every step printed if that is wanted. Returns whether
    nothing was violated. Raises NoSuchChange."""
    print(changing.apply(draw_profile(seed), changes).summary(), flush=True)
    with _pool(1) as pool:
        return pool.submit(_run_one, seed, dict(changes), trace).result()


def _run_one(seed: int, changes: dict[str, str], trace: bool) -> bool:
    result = run_seed(seed, print if trace else None, changing.apply(draw_profile(seed), changes))
    for finding in result.findings:
        print(f"seed {seed} violates {finding.invariant} at {finding.time_s:.6f} s: {finding.text}")
    return not result.findings


def run_shrunk(seed: int) -> bool:
    """Looks for a smaller run of a seed that fails in the same way. Returns whether the seed violates nothing."""
    print(draw_profile(seed).summary(), flush=True)
    with _pool(1) as pool:
        found = pool.submit(shrink, seed).result()
    print(told(seed, found))
    return found is None


def told(seed: int, found: Shrunk | None) -> str:
    """What a shrunk run leaves, and how to repeat it, for a person."""
    if found is None:
        return f"seed {seed} violates nothing"
    invariant, text, time_s = found.finding
    lines = [
        f"shrunk in {found.runs} runs to: {found.profile.summary()}",
        f"seed {seed} then violates {invariant} at {time_s:.6f} s: {text}",
        f"again   ordermesh simulate --seed {seed}{changing.option(found.changes)} --trace",
    ]
    return "\n".join(lines)


def _chunks(start: int, seeds: int, size: int) -> Iterator[tuple[int, int]]:
    """First seeds and counts."""
    for first in range(start, start + seeds, size):
        yield first, min(size, start + seeds - first)


def _lines(results: Path | None, revision: str) -> Iterator[dict[str, Any]]:
    """What the results file has of a revision."""
    if results is None or not results.exists():
        return
    for text in results.read_text().splitlines():
        line = json.loads(text)
        if line["revision"] == revision:
            yield line


def _simulate(chunks: list[tuple[int, int]], processes: int | None) -> Iterator[dict[str, Any]]:
    """Simulates the chunks, several at once."""
    if not chunks:
        return
    with _pool(min(len(chunks), processes or os.cpu_count() or 1)) as pool:
        yield from pool.map(simulate_chunk, chunks)


def _pool(processes: int) -> ProcessPoolExecutor:
    """Processes whose sets and dictionaries are the same every time."""
    os.environ["PYTHONHASHSEED"] = "0"
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def simulate_chunk(chunk: tuple[int, int]) -> dict[str, Any]:
    """Runs a few seeds; their sums."""
    first, count = chunk
    found = [run_seed(seed) for seed in range(first, first + count)]
    return {
        "start": first,
        "count": count,
        "steps": sum(result.steps for result in found),
        "virtual_s": round(sum(result.virtual_s for result in found), 1),
        "cpu_s": round(sum(result.cpu_s for result in found), 2),
        "orders": _sum([result.orders for result in found]),
        "faults": _sum([result.faults for result in found]),
        "checks": _sum([result.checks for result in found]),
        "failures": [_failure(result) for result in found if result.findings],
    }


def _sum(counts: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _failure(result: Result) -> dict[str, Any]:
    first = result.findings[0]
    return {"seed": result.seed, "invariant": first.invariant, "text": first.text}


def _revision() -> str:
    """The commit, marked where the code differs from it."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    try:
        output = subprocess.run(command, cwd=Path(__file__).parent, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return output.strip()


def _progress(text: str) -> None:
    """One line that changes, for a person who waits."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
