"""How commands call the engine: one channel, errors in words with what to do next, and the exit status for each.

Exit status: 1 the call failed, 2 wrong usage, 4 not found, 5 the engine cannot be reached or cannot do it now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

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
    grpc.StatusCode.INVALID_ARGUMENT: USAGE,
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
CA_VARIABLE, CERTIFICATE_VARIABLE, KEY_VARIABLE = (
    "ORDERMESH_SERVER_CA",
    "ORDERMESH_SERVER_CERT",
    "ORDERMESH_SERVER_KEY",
)
"""Files, PEM, of an engine that speaks TLS: whom to trust, and what to show where it asks for a certificate."""
SERVER_DEFAULT = "127.0.0.1:50051"
TIMEOUT_DEFAULT_S = 30.0
"""For a call, unless told: far beyond what an engine that works needs."""


@contextmanager
def connected(server: str) -> Iterator[grpc.Channel]:
    """A channel for the calls of one command; a call's error ends the command with a sentence and its exit status."""
    with _channel(server) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            say(f"Error: {explain(error)}")
            if (step := _next_step(error)) is not None:
                say(step)
            raise typer.Exit(exit_status(error.code())) from None


def channel_credentials() -> grpc.ChannelCredentials | None:
    """What the environment says of TLS with the engine; None for none. Ends the command where a file is missing."""
    ca, certificate, key = (os.environ.get(name) for name in (CA_VARIABLE, CERTIFICATE_VARIABLE, KEY_VARIABLE))
    if not (ca or certificate):
        return None
    try:
        parts = [Path(path).read_bytes() if path else None for path in (ca, key, certificate)]
    except OSError as error:
        raise usage(f"{CA_VARIABLE}, {CERTIFICATE_VARIABLE} or {KEY_VARIABLE}: {error}") from error
    return grpc.ssl_channel_credentials(*parts)


def aio_channel(server: str, options: Sequence[tuple[str, Any]] = CONNECT_OPTIONS) -> grpc.aio.Channel:
    """The same for commands that make many calls at once."""
    credentials = channel_credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(server, options=options)
    return grpc.aio.secure_channel(server, credentials, options=options)


def _channel(server: str) -> grpc.Channel:
    credentials = channel_credentials()
    if credentials is None:
        return grpc.insecure_channel(server, options=CONNECT_OPTIONS)
    return grpc.secure_channel(server, credentials, options=CONNECT_OPTIONS)


def exit_status(code: grpc.StatusCode) -> int:
    """The exit status of a command whose call failed with that code."""
    return EXIT_STATUS.get(code, FAILED)


def _next_step(error: grpc.RpcError) -> str | None:
    if error.code() is grpc.StatusCode.UNAVAILABLE and error_info(error).reason:
        return NEXT_STEP_ANSWERED
    return NEXT_STEP.get(error.code())


def usage(sentences: str) -> typer.Exit:
    """Says what is wrong with the arguments, one thing a line; raise what it returns."""
    for sentence in sentences.splitlines():
        say(f"Error: {sentence}")
    return typer.Exit(USAGE)
