"""`ordermesh up` and `ordermesh down`: the whole engine on this machine, started and stopped."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ordermesh.cli.client import FAILED, UNAVAILABLE, usage
from ordermesh.cli.data_directory import DataDirectory, DirectoryHeld
from ordermesh.cli.flags import with_settings
from ordermesh.cli.output import say
from ordermesh.cli.serve import Role, serve
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings

DOWN_POLL_S = 0.05
"""Between two looks whether the engine has ended."""
DOWN_PATIENCE_S = 5.0
"""Beyond the time that `up` gives itself for a clean stop."""


@with_settings
def up(settings: Settings) -> None:
    """Run the engine: a nats-server of its own, SQLite, and processes of every role, until Ctrl-C.

    Everything it writes is in --data, or with --store cassandra in a cluster that is there already, and in --data the
    rest; started again on it, it goes on where it was, however it ended.

    Example: ordermesh up --data .ordermesh --workers 2
    """
    from ordermesh.adapters.nats_server import NatsServerError  # noqa: PLC0415 # the other commands need no engine
    from ordermesh.cli.child import ChildFailed  # noqa: PLC0415 # as above
    from ordermesh.cli.supervisor import StartFailed, supervise  # noqa: PLC0415 # as above

    try:
        supervise(settings, settings.data.absolute())
    except (DirectoryHeld, StartFailed, ChildFailed, NatsServerError, CannotStart, OSError) as error:
        say(f"Error: {error}")
        raise typer.Exit(UNAVAILABLE if isinstance(error, OutOfReach) else FAILED) from None


def down(
    data: Annotated[
        Path, typer.Option("--data", envvar="ORDERMESH_DATA", help="The directory that `up` was given.")
    ] = Path(".ordermesh"),
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for a clean stop.")] = 35.0,
) -> None:
    """Stop the engine that runs on a data directory, cleanly.

    Example: ordermesh down --data .ordermesh
    """
    directory = DataDirectory(data)
    pid = directory.held_by()
    if pid is None:
        say(f"Nothing runs on {data}")
        return
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while directory.held_by() is not None:
        if time.monotonic() > deadline:
            say(f"Error: process {pid} still holds {data} after {timeout:.0f} s. Its logs: {directory.logs}")
            raise typer.Exit(FAILED)
        time.sleep(DOWN_POLL_S)
    say(f"Stopped process {pid}")


@with_settings
def serve_role(
    settings: Settings,
    role: Annotated[Role, typer.Option("--role", help="What the process does.")],
    group: Annotated[
        list[str] | None,
        typer.Option("--group", help="Only the partitions of this group; repeat for more; all if not given."),
    ] = None,
) -> None:
    """Run one process of one role against an existing NATS (--nats) and store (--data, or --store cassandra).

    Example: ordermesh serve --role owner --group orders --nats nats://127.0.0.1:4222
    """
    if not settings.nats:
        raise usage("a single process needs --nats URL; `ordermesh up` brings its own nats-server")
    serve(role, settings, tuple(group or ()))
