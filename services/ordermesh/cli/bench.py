"""`ordermesh bench`: how fast orders are accepted and completed, and what that costs in CPU."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.order.v1 import order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.bench_cpu import deployment_cpu
from ordermesh.cli.bench_load import Load, LoadResult, Mode
from ordermesh.cli.bench_orders import LINES_PER_ORDER, QUANTITY_MAX, OrderSource, sku_names
from ordermesh.cli.bench_plot import latency_svg
from ordermesh.cli.client import CONNECT_OPTIONS, FAILED, SERVER_DEFAULT, Server
from ordermesh.cli.latency import percentile_ms
from ordermesh.cli.orders import ENDED
from ordermesh.cli.output import Output, print_data, say
from ordermesh.cli.replay_calls import STOCK_BATCH, ReplayCalls
from ordermesh.cli.replay_plan import Receipt
from ordermesh.cli.verify import audit

ENDED_POLL_S = 0.02
"""Between two looks at an order that has not ended."""
SETTLED_POLL_S = 0.25
"""Between two looks at what owners have open; they tell twice a second."""
SETTLED_SAMPLES = 3
"""So many looks in a row, together longer than owners are silent about a partition, have to find nothing open."""
SETTLE_TIMEOUT_S = 300.0
"""How long orders may take to end after the last was sent."""
AUDIT_TIMEOUT_S = 600.0
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
) -> None:
    """Measure: send orders of three lines, Zipf SKUs, 2 % declined, until all have ended; print JSON.

    CPU is that of every process of the deployment, if it runs on this machine; the client's is given apart.

    Example: ordermesh bench --orders 20000 --mode unary --connections 16
    """
    import uvloop  # noqa: PLC0415 # only this command needs it

    window = in_flight or IN_FLIGHT_DEFAULT[mode]
    measured, result = uvloop.run(
        _measure(server, orders, mode, connections=connections, in_flight=window, batch_size=batch_size, rate=rate)
    )
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


async def _measure(
    server: str, orders: int, mode: Mode, *, connections: int, in_flight: int, batch_size: int, rate: float
) -> tuple[dict[str, Any], LoadResult]:
    run = f"{os.urandom(4).hex()}"
    source = OrderSource(orders, run)
    async with grpc.aio.insecure_channel(server, options=CONNECT_OPTIONS) as channel:
        await _receive_stock(channel, run, orders)
        open_before = await _settled(channel)
        load = Load(
            source,
            server=server,
            mode=mode,
            connections=connections,
            in_flight=in_flight,
            batch_size=batch_size,
            rate=rate,
        )
        cpu_before, client_before, begun = deployment_cpu(server), time.process_time(), time.monotonic()
        result = await load.run()
        client_s = time.process_time() - client_before
        await _all_ended(channel, source.last_ids, bool(result.failed))
        elapsed, cpu_after = time.monotonic() - begun, deployment_cpu(server)
        if await _open_work(channel) > open_before:
            await _settled(channel, open_before)
            elapsed, cpu_after = time.monotonic() - begun, deployment_cpu(server)
    return _figures(mode, orders, result, elapsed, client_s, cpu_before, cpu_after), result


def _figures(
    mode: Mode,
    orders: int,
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
        "mode": mode.value,
        "orders": orders,
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


async def _receive_stock(channel: grpc.aio.Channel, run: str, orders: int) -> None:
    """So much of every SKU that no order can lack it."""
    calls = ReplayCalls(channel, _once())
    plenty = orders * LINES_PER_ORDER * QUANTITY_MAX
    receipts = [Receipt(sku, plenty, f"bench-{run}") for sku in sku_names(run)]
    for start in range(0, len(receipts), STOCK_BATCH):
        for sentence in await calls.receive(receipts[start : start + STOCK_BATCH]):
            raise SystemExit(f"Error: {sentence}")


def _once() -> Callable[[str], None]:
    """Says each trouble once, and not again at each attempt."""
    said: set[str] = {""}

    def tell(trouble: str) -> None:
        if trouble not in said:
            said.add(trouble)
            say(trouble)

    return tell


async def _all_ended(channel: grpc.aio.Channel, order_ids: list[str], some_failed: bool) -> None:
    """Waits until the orders sent last have ended; those that were never accepted are passed over."""
    stub: Any = order_service_pb2_grpc.OrderServiceStub(channel)
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    for order_id in order_ids:
        while time.monotonic() < deadline:
            try:
                answer = await stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=order_id))
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND and some_failed:
                    break
                answer = None
            if answer is not None and answer.order.order_state in ENDED:
                break
            await asyncio.sleep(ENDED_POLL_S)


async def _settled(channel: grpc.aio.Channel, open_before: int | None = None) -> int:
    """Waits until owners have no more open work than before (at first: until it does not get less), and returns it."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    seen: list[int] = []
    while time.monotonic() < deadline:
        seen = [*seen, await _open_work(channel)][-SETTLED_SAMPLES:]
        if len(seen) == SETTLED_SAMPLES and max(seen) <= (min(seen) if open_before is None else open_before):
            break
        await asyncio.sleep(SETTLED_POLL_S)
    return seen[-1]


async def _open_work(channel: grpc.aio.Channel) -> int:
    """Undecided commands and open agenda entries of all partitions."""
    stub: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
    response = await stub.ListPartitions(admin_service_pb2.ListPartitionsRequest())
    return sum(partition.lag + partition.agenda for partition in response.partitions)
