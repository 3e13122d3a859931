"""`ordermesh bench`: how fast orders are accepted and completed, and what that costs in CPU."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from ordermesh.cli.bench_cpu import deployment_cpu
from ordermesh.cli.bench_engine import BenchEngine
from ordermesh.cli.bench_load import Load, LoadResult, Mode
from ordermesh.cli.bench_orders import OrderSource
from ordermesh.cli.bench_patience import NoProgress, unless_stuck
from ordermesh.cli.bench_plot import latency_svg
from ordermesh.cli.client import (
    FAILED,
    NEXT_STEP,
    SERVER_DEFAULT,
    UNAVAILABLE,
    Server,
    aio_channel,
    exit_status,
)
from ordermesh.cli.latency import percentile_ms
from ordermesh.cli.output import Output, print_data, say
from ordermesh.cli.replay_calls import Refused
from ordermesh.cli.verify import audit

AUDIT_TIMEOUT_S = 600.0
"""How long the audit at the end may take: it reads every order and every log."""
PATIENCE_S = 60.0
"""Longer than an engine that is overloaded refuses everything to get its work done."""
IN_FLIGHT_DEFAULT = {Mode.UNARY: 16, Mode.BATCH: 1, Mode.STREAM: 64}


def bench(
    orders: Annotated[int, typer.Option("--orders", min=1, help="How many orders.")] = 20_000,
    mode: Annotated[Mode, typer.Option("--mode", help="CreateOrder, BatchCreateOrders or IngestOrders.")] = Mode.BATCH,
    connections: Annotated[int, typer.Option("--connections", min=1, max=1000, help="Connections of their own.")] = 4,
    rate: Annotated[
        float, typer.Option("--rate", min=0, help="Orders a second, whatever the answers; 0: closed loop.")
    ] = 0,
    in_flight: Annotated[
        int,
        typer.Option("--in-flight", min=0, help="Calls (stream: orders) at once per connection; 0: as suits the mode."),
    ] = 0,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=1000, help="Orders in a batch.")] = 100,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the latencies as a picture (SVG) to this file.")
    ] = None,
    server: Server = SERVER_DEFAULT,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, help="Seconds without an accepted call until it gives up.", rich_help_panel="Connection"
        ),
    ] = PATIENCE_S,
) -> None:
    """Measure: send orders of three lines, Zipf SKUs, 2 % declined, until all have ended; print JSON.

    CPU is that of every process of the deployment, if it runs on this machine; the client's is given apart. What is
    refused or cut off is sent again; exit status 5 when nothing is accepted any more.

    Example: ordermesh bench --orders 20000 --mode unary --connections 16
    """
    import uvloop  # noqa: PLC0415 # only this command needs it

    window = in_flight or IN_FLIGHT_DEFAULT[mode]
    load = Load(
        OrderSource(orders, os.urandom(4).hex()),
        server=server,
        mode=mode,
        connections=connections,
        in_flight=window,
        batch_size=batch_size,
        rate=rate,
    )
    try:
        measured, result = uvloop.run(_measure(load, server, timeout))
    except _GivenUp as error:
        say(f"Error: {server} has accepted nothing for {timeout:g} s{error}")
        say(f"{NEXT_STEP[error.code].removesuffix('.')}. Wait longer by --timeout.")
        raise typer.Exit(UNAVAILABLE) from None
    except Refused as error:
        say(f"Error: {error}")
        raise typer.Exit(exit_status(error.code)) from None
    invariants = audit(server, AUDIT_TIMEOUT_S)
    measured["invariants"] = [finding.as_json() for finding in invariants]
    print_data(measured, Output.JSON)
    if plot is not None and result.accept_s:
        plot.write_text(latency_svg(sorted(result.accept_s), f"{mode.value}: {len(result.accept_s):,} orders accepted"))
    answers = ", ".join(f"{name} {count:,}" for name, count in result.persistence.most_common())
    say(f"answered: {answers or 'nothing'}")
    for sentence, count in (result.repeated + result.failed).most_common(10):
        say(f"{'failed' if sentence in result.failed else 'sent again'}, {count:,} times: {sentence}")
    if result.failed or not all(finding.holds for finding in invariants):
        raise typer.Exit(FAILED)


class _GivenUp(Exception):
    """Nothing was accepted for the time given; the text is the last failure, if nobody has heard of it."""

    def __init__(self, load: Load, engine: BenchEngine) -> None:
        said_already = bool(engine.trouble) or not load.trouble
        super().__init__("" if said_already else f"; the last: {load.trouble}")
        is_overload = not engine.trouble and load.trouble.startswith(grpc.StatusCode.RESOURCE_EXHAUSTED.name)
        self.code = grpc.StatusCode.RESOURCE_EXHAUSTED if is_overload else grpc.StatusCode.UNAVAILABLE


async def _measure(load: Load, server: str, timeout_s: float) -> tuple[dict[str, Any], LoadResult]:
    """Raises _GivenUp, Refused."""
    async with aio_channel(server) as channel:
        engine = BenchEngine(channel)

        async def measure() -> tuple[dict[str, Any], LoadResult]:
            await engine.receive_stock(load.source.run, load.source.count)
            open_before = await engine.settled()
            cpu_before, client_before, begun = deployment_cpu(server), time.process_time(), time.monotonic()
            result = await load.run()
            client_s = time.process_time() - client_before
            await engine.all_ended(load.source.last_ids, some_failed=bool(result.failed))
            elapsed, cpu_after = time.monotonic() - begun, deployment_cpu(server)
            if await engine.open_work() > open_before:
                await engine.settled(open_before)
                elapsed, cpu_after = time.monotonic() - begun, deployment_cpu(server)
            return _figures(load, result, elapsed, client_s, cpu_before, cpu_after), result

        try:
            return await unless_stuck(measure(), lambda: (engine.answers, load.progress()), timeout_s)
        except NoProgress:
            raise _GivenUp(load, engine) from None


def _figures(
    load: Load,
    result: LoadResult,
    elapsed_s: float,
    client_s: float,
    before: dict[str, float] | None,
    after: dict[str, float] | None,
) -> dict[str, Any]:
    """What is printed. `completed_per_second` counts orders that ended as they should: completed, or declined."""
    accept = sorted(result.accept_s)
    by_role = {role: after[role] - before.get(role, 0.0) for role in after} if before and after else None
    if by_role is None:
        say("The engine does not run on this machine, or not for us to see: its CPU is not measured.")
    per_thousand = 1000 / max(1, len(accept))
    return {
        "mode": load.mode.value,
        "orders": load.source.count,
        "accept_ms": {
            "p50": percentile_ms(accept, 0.5),
            "p99": percentile_ms(accept, 0.99),
            "p99_9": percentile_ms(accept, 0.999),
        },
        "completed_per_second": round(len(accept) / elapsed_s, 1),
        "cpu_seconds_per_1000_orders": round(sum(by_role.values()) * per_thousand, 4) if by_role else None,
        "cpu_by_process": {role: round(seconds, 2) for role, seconds in sorted((by_role or {}).items())},
        "client_cpu_seconds_per_1000_orders": round(client_s * per_thousand, 4),
        "invariants": [],
    }
