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
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Look for a smaller run that fails in the same way; with --seed.")
    ] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change what the seed draws; as --shrink prints it."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--results", help="File that keeps results; a later run goes on after them.")
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Seeds at once; one per core.")] = None,
) -> None:
    """Run seeded simulations of the whole engine under faults. Exit status 0 only if nothing was violated.

    A seed that fails is printed; it fails in the same way each time: ordermesh simulate --seed SEED --trace
    """
    from ordermesh.testing.simulation import cli  # noqa: PLC0415 # only this command needs it
    from ordermesh.testing.simulation.changes import NoSuchChange, parse  # noqa: PLC0415 # as above

    if seed is None and (trace or shrink or changes):
        raise usage("--trace, --shrink and --set need --seed")
    if shrink and (trace or changes):
        raise usage("--shrink starts from what the seed draws and prints no trace")
    try:
        if seed is None:
            good = cli.run(start=start, seeds=seeds, results=results, processes=processes)
        elif shrink:
            good = cli.run_shrunk(seed)
        elif trace or changes:
            good = cli.run_one(seed, parse(changes or []), trace=trace)
        else:
            good = cli.run(start=seed, seeds=1, results=results, processes=processes)
    except NoSuchChange as error:
        raise usage(str(error)) from error
    if not good:
        raise typer.Exit(FAILED)
