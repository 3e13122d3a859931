"""What operators use: `ordermesh partitions`, `deadletters` and `log tail`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import grpc
import typer

from oms.admin.v1 import admin_pb2, admin_service_pb2, admin_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected, usage
from ordermesh.cli.fleet import drain, resume
from ordermesh.cli.output import Output, print_line, print_message
from ordermesh.cli.pauses import pauses
from ordermesh.cli.reincarnate import reincarnate

deadletters = typer.Typer(no_args_is_help=True, help="Commands whose decision raised an error: list, replay, discard.")
partitions = typer.Typer(invoke_without_command=True, help="Say what every partition is doing; move or mend them.")
log = typer.Typer(no_args_is_help=True, help="Read the logs of the partitions.")

DeadLetterId = Annotated[str, typer.Argument(metavar="ID", help="As `deadletters list` names it.")]


@partitions.callback()
def list_partitions(
    context: typer.Context,
    group: Annotated[str, typer.Option("--group", help="Only this group.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Say what every partition is doing: its owner, its lag, and why it is stopped or takes nothing, if so."""
    if context.invoked_subcommand is not None:
        return
    with connected(server) as channel:
        request = admin_service_pb2.ListPartitionsRequest(group=group)
        response = admin_service_pb2_grpc.AdminServiceStub(channel).ListPartitions(request, timeout=timeout)
    head = ("PARTITION", "OWNER", "EPOCH", "LAST", "DECIDED", "LAG", "LAG MS", "CHECKPOINT", "AGENDA", "INTAKE")
    print_message(response, output, [head, *map(_partition_row, response.partitions)])


partitions.command("drain")(drain)
partitions.command("resume")(resume)
partitions.command("pauses")(pauses)
partitions.command("reincarnate")(reincarnate)


def _partition_row(item: admin_pb2.Partition) -> tuple[str, ...]:
    intake = "open" if item.intake_open else f"closed: {item.intake_reason}"
    if item.stopped_reason:
        intake = f"STOPPED: {item.stopped_reason}"
    numbers = (
        item.epoch,
        item.last_sequence,
        item.decided_through,
        item.lag,
        item.lag_ms,
        item.checkpoint,
        item.agenda,
    )
    return (f"{item.group}/{item.partition:03d}", item.owner or "nobody", *map(str, numbers), intake)


@deadletters.command("list")
def list_dead_letters(
    include_resolved: Annotated[bool, typer.Option("--all", help="Also those replayed or discarded.")] = False,
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")] = 50,
    page_token: Annotated[str, typer.Option("--page-token", help="Where to go on.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List dead letters with their errors."""
    request = admin_service_pb2.ListDeadLettersRequest(
        include_resolved=include_resolved, page_size=page_size, page_token=page_token
    )
    with connected(server) as channel:
        response = admin_service_pb2_grpc.AdminServiceStub(channel).ListDeadLetters(request, timeout=timeout)
    rows = [_DEAD_LETTER_HEAD, *map(_dead_letter_row, response.dead_letters)]
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", "", "", "", "", ""))
    print_message(response, output, rows)


@deadletters.command()
def replay(
    dead_letter_id: DeadLetterId,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Have its command decided again, for example after a release that mends the error."""
    with connected(server) as channel:
        request = admin_service_pb2.ReplayDeadLetterRequest(dead_letter_id=dead_letter_id)
        response = admin_service_pb2_grpc.AdminServiceStub(channel).ReplayDeadLetter(request, timeout=timeout)
    print_message(response, output, [_DEAD_LETTER_HEAD, _dead_letter_row(response.dead_letter)])


@deadletters.command()
def discard(
    dead_letter_id: DeadLetterId,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Give its command up, for good."""
    with connected(server) as channel:
        request = admin_service_pb2.DiscardDeadLetterRequest(dead_letter_id=dead_letter_id)
        response = admin_service_pb2_grpc.AdminServiceStub(channel).DiscardDeadLetter(request, timeout=timeout)
    print_message(response, output, [_DEAD_LETTER_HEAD, _dead_letter_row(response.dead_letter)])


_DEAD_LETTER_HEAD: tuple[str, ...] = ("ID", "STATUS", "TIME", "COMMAND", "KEY", "ERROR")


def _dead_letter_row(item: admin_pb2.DeadLetter) -> tuple[str, ...]:
    status = admin_pb2.DeadLetterStatus.Name(item.status).removeprefix("DEAD_LETTER_STATUS_")
    return (item.dead_letter_id, status, item.create_time.ToJsonString(), item.type, item.key, item.error)


@log.command()
def tail(
    partition: Annotated[str, typer.Argument(metavar="GROUP/NUMBER", help="Which log, as orders/0.")],
    after: Annotated[int, typer.Option("--after", min=0, help="Only what is after this sequence.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is to come, until Ctrl-C.")] = False,
    kind: Annotated[str, typer.Option("--kind", help="Only this kind, as command, event, sent.")] = "",
    key: Annotated[str, typer.Option("--key", help="Only this key: an order id or a SKU.")] = "",
    server: Server = SERVER_DEFAULT,
    output: OutputForm = Output.TABLE,
) -> None:
    """Print the decoded records of a partition's log.

    Example: ordermesh log tail orders/0 --follow --kind event
    """
    request = _tail_request(partition, after, follow, kind, key)
    with connected(server) as channel:
        for record in _records(channel, request):
            print_line(record, output, _record_cells(record))


def _tail_request(partition: str, after: int, follow: bool, kind: str, key: str) -> admin_service_pb2.TailLogRequest:
    group, _, number = partition.partition("/")
    if not group or not number.isdecimal():
        raise usage(f"{partition}: expected GROUP/NUMBER, as orders/0; `ordermesh partitions` lists them")
    wanted = f"LOG_RECORD_KIND_{kind.upper() or 'UNSPECIFIED'}"
    if wanted not in set(admin_pb2.LogRecordKind.keys()):
        names = ", ".join(name.removeprefix("LOG_RECORD_KIND_").lower() for name in admin_pb2.LogRecordKind.keys()[1:])
        raise usage(f"there is no kind {kind}; there are {names}")
    return admin_service_pb2.TailLogRequest(
        group=group, partition=int(number), after_sequence=after, follow=follow, kind=wanted, key=key
    )


def _records(channel: grpc.Channel, request: admin_service_pb2.TailLogRequest) -> Iterator[admin_pb2.LogRecord]:
    for response in admin_service_pb2_grpc.AdminServiceStub(channel).TailLog(request):
        yield response.record


def _record_cells(record: admin_pb2.LogRecord) -> tuple[str, ...]:
    kind = admin_pb2.LogRecordKind.Name(record.kind).removeprefix("LOG_RECORD_KIND_").lower()
    key = record.key + (f"/{record.sub_key}" if record.sub_key else "")
    name = record.type.rpartition(".")[2] + (f" v{record.version}" if record.version else "")
    return (f"{record.sequence:>8}.{record.index:<4}", kind.ljust(11), name.ljust(26), key, record.payload_json)
