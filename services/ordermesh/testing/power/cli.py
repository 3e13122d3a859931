"""`scripts/power`: many power cuts, several on each disk, counted and resumable.

A results file holds one JSON line for each cut, with the revision that was cut; a run leaves out the seeds that the
file has for its revision.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ordermesh.testing.power.cuts import Cuts
from ordermesh.testing.power.disk import NoPowerToCut, check_machine
from ordermesh.testing.power.engine import Sync

CUTS_PER_DISK = 5
"""Cuts of one seed; then the next seed begins with a new disk."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    cuts: Annotated[int, typer.Option("--cuts", min=1, help="Cuts in all.")] = CUTS_PER_DISK,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The first seed; each disk takes the next.")] = 1,
    sync: Annotated[Sync, typer.Option("--sync", help="How nats-server syncs: always, or default, every 2 m.")] = (
        "always"
    ),
    results: Annotated[Path | None, typer.Option("--results", help="A file that cuts are added to.")] = None,
) -> None:
    """Cut the power of an engine of its own under load. Exit status 1 if anything was lost or wrong, 2 if it cannot."""
    with tempfile.TemporaryDirectory(prefix="ordermesh-power-") as folder:
        try:
            check_machine(Path(folder))
        except NoPowerToCut as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None
    revision, lines = _revision(), []
    for number, begin in enumerate(range(0, cuts, CUTS_PER_DISK)):
        count = min(CUTS_PER_DISK, cuts - begin)
        done = _done(results, revision, seed + number, sync)
        lines += done if len(done) >= count else _one_disk(seed + number, sync, count, revision, results)
    typer.echo(_summary(lines))
    if any(line["problems"] for line in lines):
        raise typer.Exit(1)


def _one_disk(seed: int, sync: Sync, count: int, revision: str, results: Path | None) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="ordermesh-power-") as folder:
        found = asyncio.run(Cuts(Path(folder), seed, sync).run(count))
    lines = [{"revision": revision, **each} for each in found]
    for line in lines:
        typer.echo(json.dumps(line, sort_keys=True))
    if results is not None:
        with results.open("a") as file:
            file.writelines(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    return lines


def _done(results: Path | None, revision: str, seed: int, sync: Sync) -> list[dict[str, Any]]:
    """The cuts of a seed that the file has for this revision."""
    if results is None or not results.exists():
        return []
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    return [line for line in lines if (line["revision"], line["seed"], line["sync"]) == (revision, seed, sync)]


def _summary(lines: list[dict[str, Any]]) -> str:
    missing: Counter[str] = Counter()
    for line in lines:
        missing.update(line["missing"])
    told = ", ".join(f"{name} {count}" for name, count in sorted(missing.items())) or "none"
    stopped = sum(bool(line["stopped"]) for line in lines)
    problems = sum(len(line["problems"]) for line in lines)
    return (
        f"{len(lines)} cuts, {sum(line['acknowledged'] for line in lines):,} orders acknowledged; in {stopped} the"
        f" engine stopped partitions; orders not there afterwards: {told}; {problems} problems"
    )


def _revision() -> str:
    """The revision of the code, with a mark where it has changes."""
    folder = Path(__file__).parent
    commands = (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain", "--", ":/services", ":/gen"])
    head, changes = (
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()
        for command in commands
    )
    return (head or "unknown") + ("+" if changes else "")
