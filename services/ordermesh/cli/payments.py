"""`ordermesh payments`: comparing payments with their provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from oms.admin.v1 import admin_pb2, admin_service_pb2, admin_service_pb2_grpc
from ordermesh.cli.client import FAILED, SERVER_DEFAULT, OutputForm, Server, connected, usage
from ordermesh.cli.output import Output, as_dict, print_data, print_table, say

app = typer.Typer(no_args_is_help=True, help="Compare payments with their provider.")

_UNITS = {"m": 60, "h": 3600, "d": 86_400}


@app.command()
def reconcile(
    since: Annotated[str, typer.Option("--since", help="How far back the provider is listed, as 6h or 7d.")] = "24h",
    until: Annotated[str, typer.Option("--until", help="Up to when before now, as 1h; 0m for up to now.")] = "0m",
    mend: Annotated[
        bool, typer.Option("--mend", help="Mend what is safely mended; without it nothing changes.")
    ] = False,
    server: Server = SERVER_DEFAULT,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for the whole comparison.")] = 3600.0,
    output: OutputForm = Output.TABLE,
) -> None:
    """Compare every payment that is not at rest, and all of a time range, with the payment provider.

    Exit status 1 if anything differs and was not mended. What is only looked up is not mended yet: compare again.

    Example: ordermesh payments reconcile --since 7d --mend
    """
    request = admin_service_pb2.ReconcilePaymentsRequest(mend=mend)
    now = datetime.now(UTC)
    request.from_time.FromDatetime(now - _span("--since", since))
    request.to_time.FromDatetime(now - _span("--until", until))
    findings: list[admin_pb2.PaymentFinding] = []
    counts = admin_pb2.PaymentReconciliation()
    with connected(server) as channel:
        for response in admin_service_pb2_grpc.AdminServiceStub(channel).ReconcilePayments(request, timeout=timeout):
            if response.HasField("finding"):
                findings.append(response.finding)
            else:
                counts = response.reconciliation
    if output is Output.TABLE:
        _print(findings, counts)
    else:
        print_data({"findings": [as_dict(each) for each in findings], "reconciliation": as_dict(counts)}, output)
    if not all(each.mended for each in findings):
        raise typer.Exit(FAILED)


def _span(flag: str, text: str) -> timedelta:
    """A time like 6h. Ends the command for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or len(number) > 4:  # 9999 days are 27 years
        raise usage(f"{flag} {text}: expected a number and a unit, as 30m, 6h or 7d")
    return timedelta(seconds=int(number) * _UNITS[unit])


def _print(findings: list[admin_pb2.PaymentFinding], counts: admin_pb2.PaymentReconciliation) -> None:
    if findings:
        print_table([("DIFFERENCE", "ORDER", "MENDED", "DETAIL"), *map(_row, findings)])
    say(
        f"{counts.payments_in_range:,} payments and {counts.holds_listed:,} holds of the time range,"
        f" {counts.payments_compared:,} compared one by one:"
        f" {counts.differences:,} differences, {counts.mended:,} mended"
    )


def _row(finding: admin_pb2.PaymentFinding) -> tuple[str, ...]:
    name = admin_pb2.PaymentDifference.Name(finding.difference).removeprefix("PAYMENT_DIFFERENCE_")
    mended = "by hand"
    if finding.looked_up:
        mended = "looked up"
    elif finding.mendable:
        mended = "yes" if finding.mended else finding.not_mended_reason or "with --mend"
    return (name, finding.order_id, mended, finding.detail)
