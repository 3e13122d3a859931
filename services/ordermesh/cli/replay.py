"""`ordermesh replay`: real orders from an Online Retail file, through the whole engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from ordermesh.cli.client import FAILED, SERVER_DEFAULT, OutputForm, Server, aio_channel, usage
from ordermesh.cli.journal import Journal, JournalEntry, JournalError, read_journal
from ordermesh.cli.output import Output, print_data, print_table, say
from ordermesh.cli.progress import Progress
from ordermesh.cli.replay_calls import ReplayCalls
from ordermesh.cli.replay_file import FileError, read_sales
from ordermesh.cli.replay_plan import Plan, make_plan
from ordermesh.cli.replay_run import Outcome, Replay
from ordermesh.cli.replay_summary import summary, summary_rows

FAILURES_SHOWN = 20


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV of the Online Retail data set; plain, .gz or .xz.")
    ],
    journal: Annotated[
        Path | None, typer.Option("--journal", help="File that gets a JSON line for each acknowledged call.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help="Only so many invoices, in the file's order.")
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0, help="Times as fast as it happened; 0: as fast as it goes.")
    ] = 0,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=1000, help="Invoices at once.")] = 32,
    server: Server = SERVER_DEFAULT,
    output: OutputForm = Output.TABLE,
) -> None:
    """Replay a shop's invoices: one order for each, cancellations as cancels and returns.

    Interrupted or cut off from the server it goes on by itself; started again it continues where it was. Order ids and
    request ids are derived from the file, so nothing is ever done twice.

    Example: ordermesh replay data/online-retail-2010-12.csv.xz --journal replay-journal.jsonl
    """
    try:
        plan = make_plan(read_sales(file), limit)
        known = read_journal(journal) if journal else []
    except (FileError, JournalError, OSError) as error:
        raise usage(str(error)) from None
    try:
        outcome = asyncio.run(_replay(plan, known, journal, server, concurrency, speed))
    except KeyboardInterrupt:
        say("Interrupted. Started again with the same arguments it goes on where it was.")
        raise typer.Exit(FAILED) from None
    data = summary(plan, outcome)
    _report(data, outcome, output)
    if outcome.failures or not data["amounts_equal"]:
        raise typer.Exit(FAILED)


async def _replay(
    plan: Plan, known: list[JournalEntry], journal_path: Path | None, server: str, concurrency: int, speed: float
) -> Outcome:
    journal = Journal(journal_path)
    try:
        async with aio_channel(server) as channel:
            with Progress("Replaying invoices", len(plan.steps)) as progress:
                calls = ReplayCalls(channel, progress.note)
                work = Replay(plan, calls, journal, known, concurrency=concurrency, speed=speed)
                return await work.run(progress)
    finally:
        journal.close()


def _report(data: dict[str, Any], outcome: Outcome, output: Output) -> None:
    if output is Output.TABLE:
        print_table(summary_rows(data))
    else:
        print_data(data, output)
    for sentence in outcome.failures[:FAILURES_SHOWN]:
        say(f"Failed: {sentence}")
    if len(outcome.failures) > FAILURES_SHOWN:
        say(f"Failed: and {len(outcome.failures) - FAILURES_SHOWN} more")
    if not outcome.created and not outcome.calls and not outcome.failures:
        say("Nothing new: every invoice was there already.")
