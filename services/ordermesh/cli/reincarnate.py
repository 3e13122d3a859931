"""`ordermesh partitions reincarnate`: a partition whose log lost its tail is begun anew from what is stored."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ordermesh.cli.client import FAILED, UNAVAILABLE, OutputForm, usage
from ordermesh.cli.data_directory import DirectoryHeld
from ordermesh.cli.flags import with_settings
from ordermesh.cli.offline import members_heard, with_nats
from ordermesh.cli.output import Output, print_data, print_table, say
from ordermesh.cli.serve import configure_logging
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.ports import Bus, LogError, PartitionId, Store, StoreUnavailable
from ordermesh.runtime.recovery import Superseded
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings

if TYPE_CHECKING:
    from ordermesh.admin.reincarnate import Report
    from ordermesh.runtime.registry import Registry
    from ordermesh.runtime.topology import Topology


class OwnersRun(Exception):
    """Processes that own partitions run; the text names them."""


@with_settings
def reincarnate(
    settings: Settings,
    group: Annotated[str, typer.Argument(help="The partition's group, as orders.")],
    partition: Annotated[int, typer.Argument(min=0, help="The partition's number.")],
    output: OutputForm = Output.TABLE,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only say what would be done.")] = False,
) -> None:
    """Begin a partition anew whose log has lost acknowledged messages, and list what may be lost or half done.

    Every owner has to be stopped: with `ordermesh down`, or where --nats names a cluster, by stopping the owner
    processes; edges may go on. docs/how-to/recover-a-lost-tail.md says how to go about it.

    Example: ordermesh partitions reincarnate orders 0 --data .ordermesh --yes
    """
    configure_logging("warning", "reincarnate")
    try:
        report = asyncio.run(_reincarnate(settings, PartitionId(group, partition), only_look=not yes))
    except (DirectoryHeld, OwnersRun, CannotStart, LogError, StoreUnavailable, Contradiction, Superseded) as error:
        say(f"Error: {error}")
        may_be_later = isinstance(error, OutOfReach | LogError | StoreUnavailable)
        raise typer.Exit(UNAVAILABLE if may_be_later else FAILED) from None
    if output is Output.TABLE:
        _print(report)
    else:
        print_data({**asdict(report), "items": [item._asdict() for item in report.items]}, output)


async def _reincarnate(settings: Settings, partition: PartitionId, *, only_look: bool) -> Report:
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.admin.reincarnate import Salvage  # noqa: PLC0415 # as above
    from ordermesh.deployment import known_deployment, replicas_of  # noqa: PLC0415 # as above
    from ordermesh.runtime.host import all_services  # noqa: PLC0415 # as above
    from ordermesh.runtime.registry import Registry  # noqa: PLC0415 # as above
    from ordermesh.runtime.reincarnation import Reincarnation  # noqa: PLC0415 # as above
    from ordermesh.runtime.topology import Topology  # noqa: PLC0415 # as above

    async with with_nats(settings) as reachable, bootstrap.adapters(reachable, "reincarnate") as world:
        await _check_owners(world.bus, settings.kernel.heartbeat_s)
        topology = Topology(await known_deployment(reachable, world.store))
        if partition not in topology.partitions():
            raise usage(f"there is no partition {partition}; there are {', '.join(map(str, topology.partitions()))}")
        for each in topology.partitions():
            await world.log.create(each, settings.log_bytes)
        registry = Registry(all_services(bootstrap.services(settings)))
        work = Reincarnation(
            partition, "reincarnate", bootstrap.build(), world.log, world.store, world.clock, registry, topology,
            settings.kernel,
        )  # fmt: skip
        deployed, dispatches = _Deployed(world.store, registry, topology), settings.dispatch_automatically
        if settings.payment_provider != "sandbox":
            return await Salvage(deployed, world.log, None, dispatches=dispatches).run(work, only_look=only_look)
        ledger = await bootstrap.open_ledger(reachable, "reincarnate", replicas_of(topology.deployment))
        try:
            salvage = Salvage(deployed, world.log, ledger.entries, dispatches=dispatches)
            return await salvage.run(work, only_look=only_look)
        finally:
            await ledger.close()


async def _check_owners(bus: Bus, heartbeat_s: float) -> None:
    """Raises OwnersRun if one is heard of."""
    heard = await members_heard(bus, heartbeat_s, {"owner"})
    if heard:
        raise OwnersRun(f"owners run: {', '.join(heard)}. Stop them first; edges may go on")


class _Deployed:
    """What the salvage reads."""

    def __init__(self, store: Store, registry: Registry, topology: Topology) -> None:
        self.store = store
        self.registry = registry
        self.topology = topology


def _print(report: Report) -> None:
    if not report.is_needed:
        say(f"{report.partition}: the log has everything that the store knows of; there is nothing to do")
        return
    if report.items:
        print_table([("WHAT", "KEY", "WHY"), *report.items])
    lost = f"Decision frames {report.first_lost} to {report.last_lost} are lost, and what came after without a trace."
    say(f"{report.partition}: {lost} {len(report.items)} things to look at are listed.")
    if report.is_done:
        say(f"Begun anew with epoch {report.epoch}; {report.woken} orders and parts of orders will ask again.")
    else:
        say(f"{report.woken} orders and parts of orders would ask again. Nothing was changed; --yes does it.")
