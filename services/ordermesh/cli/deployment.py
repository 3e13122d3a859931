"""`ordermesh deployment`: what a deployment is made of, made before its processes start, and looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from oms.log.v1 import log_pb2
from ordermesh.cli.client import FAILED, NOT_FOUND, UNAVAILABLE, OutputForm, usage
from ordermesh.cli.flags import with_settings
from ordermesh.cli.output import Output, print_data, print_table, say
from ordermesh.cli.serve import configure_logging
from ordermesh.runtime.ports import LogError, StoreUnavailable
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings
from ordermesh.runtime.topology import numbers_of

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="A deployment's record, schema and streams.")


@app.command("create")
@with_settings
def create(
    settings: Settings,
    wait_s: Annotated[
        float, typer.Option("--wait-s", min=0, max=3600, help="Seconds to wait for NATS and the store.")
    ] = 0.0,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make the tables, the deployment's record, its logs and streams, or what of them is missing; done again, nothing.

    `ordermesh up` does it by itself. Processes of `ordermesh serve` wait until it is done. What was fixed by the first
    one (partitions, groups, replicas) is refused if it is asked for otherwise.

    Example: ordermesh deployment create --nats nats://10.0.0.2:4222 --store cassandra --cassandra 10.0.0.1 --wait-s 300
    """
    if not settings.nats:
        raise usage("a deployment is created on --nats URL; `ordermesh up` brings its own nats-server and makes it all")
    configure_logging(settings.log_level, "deployment")
    _print(_run(_create(settings, wait_s)), output)


@app.command("show")
@with_settings
def show(settings: Settings, output: OutputForm = Output.TABLE) -> None:
    """Print the deployment's record: its id, groups, partitions and replicas. Asks the store alone.

    Example: ordermesh deployment show --store cassandra --cassandra 10.0.0.1 --output json
    """
    configure_logging("warning", "deployment")
    deployment = _run(_recorded(settings))
    if deployment is None:
        say("Error: there is no deployment yet; `ordermesh deployment create` makes it")
        raise typer.Exit(NOT_FOUND)
    _print(deployment, output)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Does the work; ends the command with a sentence and its exit status where it cannot."""
    try:
        return asyncio.run(work)
    except (CannotStart, LogError, StoreUnavailable, OSError) as error:
        say(f"Error: {error}")
        may_be_later = isinstance(error, OutOfReach | LogError | StoreUnavailable)
        raise typer.Exit(UNAVAILABLE if may_be_later else FAILED) from None


async def _create(settings: Settings, wait_s: float) -> log_pb2.Deployment:
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.gateway.patience import Patience  # noqa: PLC0415 # as above

    patience = Patience(wait_s, asyncio.Event(), lambda reason: say(f"Waiting: {reason}"))
    deployment = await patience.until_there(lambda: bootstrap.prepare(settings, settings.nats))
    assert deployment is not None, "nobody told it to stop"
    await patience.until_there(lambda: bootstrap.prepare_streams(settings, deployment))
    return deployment


async def _recorded(settings: Settings) -> log_pb2.Deployment | None:
    """The record; None where there is none."""
    from ordermesh import bootstrap  # noqa: PLC0415 # as above
    from ordermesh.adapters.stores import STORE_FILE, make_store  # noqa: PLC0415 # as above

    if settings.store == "sqlite" and not (settings.data / STORE_FILE).is_file():
        return None
    try:
        store = make_store(settings, bootstrap.tables(bootstrap.services(settings)), bootstrap.build())
        try:
            await store.open()
            stored = await store.load_deployment()
        finally:
            await store.close()
    except ValueError as error:
        raise CannotStart(str(error)) from error
    return None if stored is None else log_pb2.Deployment.FromString(stored)


def _print(deployment: log_pb2.Deployment, output: Output) -> None:
    groups = [
        {"name": group.name, "partitions": len(numbers_of(group)), "services": list(group.services)}
        for group in deployment.groups
    ]
    if output is not Output.TABLE:
        replicas = deployment.log_replicas or 1
        print_data({"deployment_id": deployment.deployment_id, "log_replicas": replicas, "groups": groups}, output)
        return
    rows = [(group.name, str(len(numbers_of(group))), ", ".join(group.services)) for group in deployment.groups]
    print_table([("GROUP", "PARTITIONS", "SERVICES"), *rows])
    say(f"Deployment {deployment.deployment_id}, {deployment.log_replicas or 1} replica(s) of each log")
