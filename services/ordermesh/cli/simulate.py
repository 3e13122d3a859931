"""`ordermesh simulate`: the engine on memory adapters in virtual time, with faults, from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordermesh.cli.client import FAILED, usage


def simulate(
    start: Annotated[int, typer.Option("--start", min=0, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, one after another.")] = 100,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Only this seed.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print every step; with --seed.")] = False,
    results: Annotated[
        Path | None, typer.Option("--results", help="File that keeps results; a later run goes on after them.")
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Seeds at once; one per core.")] = None,
) -> None:
    """Run seeded simulations of the whole engine under faults. Exit status 0 only if nothing was violated.

    A seed that fails is printed; it fails in the same way each time: ordermesh simulate --seed SEED --trace
    """
    from ordermesh.testing.simulation import cli  # noqa: PLC0415 # only this command needs it

    if trace and seed is None:
        raise usage("--trace needs --seed")
    first, count = (start, seeds) if seed is None else (seed, 1)
    if not cli.run(start=first, seeds=count, trace=trace, results=results, processes=processes):
        raise typer.Exit(FAILED)
