"""How commands call the engine: one channel, errors in words with what to do next, and the exit status for each.

Exit status: 1 the call failed, 2 wrong usage, 4 not found, 5 the engine cannot be reached or cannot do it now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import grpc
import typer

from ordermesh.cli.errors import error_info, explain
from ordermesh.cli.output import Output, say

FAILED, USAGE, NOT_FOUND, UNAVAILABLE = 1, 2, 4, 5
CONNECT_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", -1),
)
EXIT_STATUS = {
    grpc.StatusCode.NOT_FOUND: NOT_FOUND,
    grpc.StatusCode.UNAVAILABLE: UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: UNAVAILABLE,
}
NEXT_STEP = {
    grpc.StatusCode.UNAVAILABLE: "Is the engine up? Start it: ordermesh up. Another address: --server HOST:PORT",
    grpc.StatusCode.DEADLINE_EXCEEDED: "It may have been done all the same; ask again, or wait longer by --timeout.",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "Try again later; `ordermesh partitions` says what is full or behind.",
    grpc.StatusCode.UNIMPLEMENTED: "The engine is of another version than this command.",
}
NEXT_STEP_ANSWERED = "The engine answered, so it is up. Ask again; `ordermesh partitions` says what is amiss."
"""After UNAVAILABLE with a reason: that comes from the engine and not from a connection that failed."""

Server = Annotated[
    str,
    typer.Option("--server", envvar="ORDERMESH_SERVER", help="HOST:PORT of the engine.", rich_help_panel="Connection"),
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0.001, help="Seconds for each call.", rich_help_panel="Connection")
]
OutputForm = Annotated[
    Output, typer.Option("--output", "-o", envvar="ORDERMESH_OUTPUT", help="Form of the answer on stdout.")
]
SERVER_DEFAULT = "127.0.0.1:50051"
TIMEOUT_DEFAULT_S = 30.0


@contextmanager
def connected(server: str) -> Iterator[grpc.Channel]:
    """A channel for the calls of one command; a call's error ends the command with a sentence and its exit status."""
    with grpc.insecure_channel(server, options=CONNECT_OPTIONS) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            say(f"Error: {explain(error)}")
            if (step := _next_step(error)) is not None:
                say(step)
            raise typer.Exit(EXIT_STATUS.get(error.code(), FAILED)) from None


def _next_step(error: grpc.RpcError) -> str | None:
    if error.code() is grpc.StatusCode.UNAVAILABLE and error_info(error).reason:
        return NEXT_STEP_ANSWERED
    return NEXT_STEP.get(error.code())


def usage(sentence: str) -> typer.Exit:
    """Says what is wrong with the arguments; raise what it returns."""
    say(f"Error: {sentence}")
    return typer.Exit(USAGE)
