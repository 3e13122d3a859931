"""`ordermesh verify`: audits a running deployment, and what a replay's journal says was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.amounts import decimal_text, nanos_of
from ordermesh.cli.client import FAILED, SERVER_DEFAULT, OutputForm, Server, aio_channel, connected, usage
from ordermesh.cli.journal import JournalEntry, JournalError, read_journal
from ordermesh.cli.output import Output, print_data, print_table, say
from ordermesh.cli.retry import backoff_s, may_retry

MEANINGS = {
    "I1": "no acknowledged order is lost",
    "I2": "one id, one order",
    "I3": "no oversell, stock balances",
    "I4": "money balances",
    "I5": "everything ends",
    "I6": "replays agree",
    "I9": "every milestone is told, in order",
}
READS_AT_ONCE = 16
READ_TIMEOUT_S = 10.0
"""For one look at an order of the journal."""
GIVE_UP_S = 60.0
"""How long an order of the journal is asked for while the engine cannot answer."""
VIOLATIONS_SHOWN = 20


@dataclass(slots=True)
class InvariantResult:
    """What an audit found for one invariant."""

    invariant_id: str
    holds: bool = True
    checked: int = 0
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As `--output json` prints it."""
        return {
            "id": self.invariant_id,
            "holds": self.holds,
            "checked": self.checked,
            "violations": self.violations,
        }


def verify(
    orders: Annotated[
        Path | None,
        typer.Option("--orders", help="The journal of a replay: every call acknowledged there is looked for."),
    ] = None,
    server: Server = SERVER_DEFAULT,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for the whole audit.")] = 600.0,
    output: OutputForm = Output.TABLE,
) -> None:
    """Audit the invariants I1 to I6 and I9 by stored rows, logs, provider and events. Exit status 1 if one is violated.

    Example: ordermesh verify --orders .ordermesh/replay-journal.jsonl
    """
    results = audit(server, timeout)
    if orders is not None:
        try:
            entries = read_journal(orders)
        except (JournalError, OSError) as error:
            raise usage(str(error)) from None
        if not orders.exists():
            raise usage(f"{orders}: there is no such file; `ordermesh replay FILE --journal {orders}` writes it")
        merge_journal(results, asyncio.run(check_journal(server, entries)))
    if output is Output.TABLE:
        _print(results)
    else:
        print_data({"invariants": [result.as_json() for result in results]}, output)
    if not all(result.holds for result in results):
        raise typer.Exit(FAILED)


def audit(server: str, timeout_s: float) -> list[InvariantResult]:
    """The engine's own audit. Ends the command if it cannot be had."""
    with connected(server) as channel:
        stub = admin_service_pb2_grpc.AdminServiceStub(channel)
        findings = [response.finding for response in stub.Verify(admin_service_pb2.VerifyRequest(), timeout=timeout_s)]
    return [
        InvariantResult(finding.invariant_id, finding.holds, finding.checked, list(finding.violations))
        for finding in findings
    ]


def merge_journal(results: list[InvariantResult], from_journal: InvariantResult) -> None:
    """Adds what the journal says to the finding of the same invariant."""
    found = next((result for result in results if result.invariant_id == from_journal.invariant_id), None)
    if found is None:
        results.insert(0, from_journal)
        return
    found.checked += from_journal.checked
    found.holds = found.holds and from_journal.holds
    found.violations += from_journal.violations


async def check_journal(server: str, entries: Sequence[JournalEntry]) -> InvariantResult:
    """I1 by a journal: every order acknowledged there is there, its invoice too, and unless amended its total."""
    expected = {
        entry.order_id: entry for entry in sorted(entries, key=lambda entry: entry.call != "create", reverse=True)
    }
    result = InvariantResult("I1", checked=len(expected))
    waiting = iter(expected.values())
    async with aio_channel(server) as channel:
        stub = order_service_pb2_grpc.OrderServiceStub(channel)
        found = await asyncio.gather(*(_check_some(stub, waiting) for _ in range(READS_AT_ONCE)))
    result.violations = sorted(sentence for sentences in found for sentence in sentences)
    result.holds = not result.violations
    return result


async def _check_some(stub: Any, entries: Iterable[JournalEntry]) -> list[str]:
    sentences = [await _check_one(stub, entry) for entry in entries]
    return [sentence for sentence in sentences if sentence]


async def _check_one(stub: Any, entry: JournalEntry) -> str:
    """What is wrong with one acknowledged order; empty if nothing."""
    name = f"order {entry.order_id} of invoice {entry.invoice}, acknowledged {entry.persistence}"
    try:
        order = await _read(stub, entry.order_id)
    except grpc.RpcError as error:
        return f"{name}: {error.code().name}: {error.details()}"
    if entry.call == "create" and order.labels.get("invoice_no") != entry.invoice:
        return f"{name}: it has the invoice {order.labels.get('invoice_no')!r}"
    total_differs = nanos_of(order.total) != entry.total_nanos
    if (total_differs and not _was_amended(order)) or order.total.currency_code != entry.currency:
        had, has = decimal_text(entry.total_nanos), decimal_text(nanos_of(order.total))
        return f"{name}: its total was {had} {entry.currency} and is {has} {order.total.currency_code}"
    return ""


def _was_amended(order: order_pb2.Order) -> bool:
    """Whether its total may be another than the acknowledged one, rightly: the journal knows of its placing alone."""
    return any(entry.event == "OrderAmended" for entry in order.timeline)


async def _read(stub: Any, order_id: str) -> Any:
    """Reads an order; while the engine cannot answer it is asked again, for a minute. Raises grpc.RpcError."""
    loop = asyncio.get_running_loop()
    deadline, attempt = loop.time() + GIVE_UP_S, 0
    while True:
        try:
            request = order_service_pb2.GetOrderRequest(order_id=order_id)
            return (await stub.GetOrder(request, timeout=READ_TIMEOUT_S)).order
        except grpc.RpcError as error:
            attempt += 1
            if not may_retry(error.code(), attempt) or loop.time() > deadline:
                raise
        await asyncio.sleep(backoff_s(attempt))


def _print(results: Sequence[InvariantResult]) -> None:
    rows = [
        (
            result.invariant_id,
            "holds" if result.holds else "VIOLATED",
            f"{result.checked:,} checked",
            MEANINGS.get(result.invariant_id, ""),
        )
        for result in results
    ]
    print_table(rows)
    for result in results:
        for sentence in result.violations[:VIOLATIONS_SHOWN]:
            say(f"{result.invariant_id}: {sentence}")
        if len(result.violations) > VIOLATIONS_SHOWN:
            say(f"{result.invariant_id}: and {len(result.violations) - VIOLATIONS_SHOWN} more; --output json has all")
