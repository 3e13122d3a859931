"""`ordermesh partitions drain` and `resume`: taking an owner process out of work, and back."""

from __future__ import annotations

import time
from typing import Annotated, Any

import grpc
import typer

from oms.admin.v1 import admin_pb2, admin_service_pb2, admin_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, UNAVAILABLE, OutputForm, Server, connected
from ordermesh.cli.output import Output, print_message, say

POLL_S = 0.2
"""Between two looks at who owns what."""

Instance = Annotated[str, typer.Argument(metavar="INSTANCE", help="As `ordermesh partitions` names the owner.")]
Patience = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for the others to have taken over.")]


def drain(
    instance: Instance, server: Server = SERVER_DEFAULT, timeout: Patience = 60.0, output: OutputForm = Output.TABLE
) -> None:
    """Have an owner process hand over its partitions, and take none until it is resumed or started again.

    Ends once others own all of them. Where no other owner is left it stands in all the same.
    Example: ordermesh partitions drain owner-1-4711
    """
    _change(instance, server, timeout, output, drained=True)


def resume(
    instance: Instance, server: Server = SERVER_DEFAULT, timeout: Patience = 60.0, output: OutputForm = Output.TABLE
) -> None:
    """Have a drained owner process take its part again. Example: ordermesh partitions resume owner-1-4711"""
    _change(instance, server, timeout, output, drained=False)


def _change(instance: str, server: str, timeout_s: float, output: Output, *, drained: bool) -> None:
    ends_at = time.monotonic() + timeout_s
    with connected(server) as channel:
        admin: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
        if drained:
            response = _patiently(
                admin.DrainInstance, admin_service_pb2.DrainInstanceRequest(instance=instance), ends_at
            )
            _wait_for_others(admin, instance, ends_at)
        else:
            response = _patiently(
                admin.ResumeInstance, admin_service_pb2.ResumeInstanceRequest(instance=instance), ends_at
            )
    print_message(response, output, [_HEAD, _row(response.member)])


def _patiently(call: Any, request: Any, ends_at: float) -> Any:
    """The answer; asks again while the process is still at it. Raises RpcError."""
    while True:
        try:
            return call(request, timeout=10.0)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > ends_at:
                raise
        time.sleep(POLL_S)


def _wait_for_others(admin: Any, instance: str, ends_at: float) -> None:
    """Returns once every partition has another owner. Ends the command when that takes too long."""
    while True:
        partitions = admin.ListPartitions(admin_service_pb2.ListPartitionsRequest(), timeout=10.0).partitions
        waiting = [f"{each.group}/{each.partition:03d}" for each in partitions if each.owner in ("", instance)]
        if not waiting:
            return
        if time.monotonic() > ends_at:
            say(f"Error: {instance} has handed over, and nobody is heard to have taken {', '.join(waiting)} yet.")
            say("`ordermesh partitions` says who owns what. Run this again, or: ordermesh partitions resume")
            raise typer.Exit(UNAVAILABLE)
        time.sleep(POLL_S)


_HEAD = ("INSTANCE", "ROLE", "GROUPS", "BUILD", "DRAINED")


def _row(member: admin_pb2.Member) -> tuple[str, ...]:
    groups = " ".join(member.groups) or "all"
    return (member.instance, member.role, groups, member.build, "yes" if member.drained else "no")
