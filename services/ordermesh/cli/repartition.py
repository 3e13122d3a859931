"""`ordermesh repartition`: another number of partitions for a deployment, while nothing of it runs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from shutil import disk_usage
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from oms.log.v1 import log_pb2
from ordermesh.adapters.deployment_file import DeploymentFile
from ordermesh.cli.client import FAILED, UNAVAILABLE, OutputForm, usage
from ordermesh.cli.data_directory import DirectoryHeld
from ordermesh.cli.flags import with_settings
from ordermesh.cli.offline import members_heard, with_nats
from ordermesh.cli.output import Output, print_data, say
from ordermesh.cli.serve import ROLES, configure_logging
from ordermesh.runtime.ports import LogError, LogFull, PartitionId, StoreUnavailable
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings
from ordermesh.runtime.topology import SINGLE_GROUPS, Topology, numbers_of

if TYPE_CHECKING:
    from ordermesh.adapters.jetstream import JetStreamLog
    from ordermesh.admin.repartition import Repartition, Report
    from ordermesh.bootstrap import Adapters

PARTITIONS_MAX = 1024
"""As for a new deployment."""
INSTANCE = "repartition"
TELL_S = 2.0
"""Between two lines about how far the draining is."""


class NotPossible(Exception):
    """It cannot be done as things are; nothing was changed, and the text says what to do."""


class BrokenOff(Exception):
    """It was begun and has not ended; the text says why, and how to go on."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the command is asked for."""

    count: int | None
    groups: Sequence[str]
    yes: bool
    abort: bool
    purge_old: bool


@with_settings
def repartition(
    settings: Settings,
    to: Annotated[
        int | None, typer.Option("--to", min=1, max=PARTITIONS_MAX, help="Partitions of each group from now on.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Only this group; repeat for more; all if not given.")
    ] = None,
    output: OutputForm = Output.TABLE,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only say what would be done.")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Undo one that was begun and has not ended.")] = False,
    purge_old: Annotated[
        bool, typer.Option("--purge-old", help="Remove the logs of the partitions that there were before, for good.")
    ] = False,
) -> None:
    """Divide the keys of a deployment into another number of partitions; nothing of it may run meanwhile.

    Stop it with `ordermesh down`, or where --nats names a cluster by stopping edges, owners, relays and webhooks. What
    was begun and broken off is ended by giving the same command again. docs/how-to/repartition.md says how to go about
    it.

    Example: ordermesh repartition --to 8 --data .ordermesh --yes
    """
    if to is None and not abort and not purge_old:
        raise usage("say into how many partitions: --to N; or give --abort or --purge-old")
    if to is not None and abort:
        raise usage("--abort undoes what was begun, so it goes without --to")
    configure_logging("error", INSTANCE)
    wanted = _Wanted(to, tuple(group or ()), yes, abort, purge_old)
    may_be_later = (OutOfReach, LogError, StoreUnavailable, BrokenOff)
    try:
        report = asyncio.run(_run(settings, wanted))
    except (DirectoryHeld, NotPossible, BrokenOff, CannotStart, LogError, StoreUnavailable, OSError) as error:
        say(f"Error: {error}")
        raise typer.Exit(UNAVAILABLE if isinstance(error, may_be_later) else FAILED) from None
    if report is not None:
        _tell_report(report, output)


async def _run(settings: Settings, wanted: _Wanted) -> Report | None:
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.adapters.jetstream import JetStreamLog  # noqa: PLC0415 # as above
    from ordermesh.adapters.nats_access import nats_access  # noqa: PLC0415 # as above
    from ordermesh.deployment import known_deployment, replicas_of  # noqa: PLC0415 # as above

    known = DeploymentFile(settings.data).read()
    spare = bootstrap.LOG_SPARE_BYTES + bootstrap.events_bytes(settings)
    bytes_max = 0 if known is None else _bytes_reserved(settings, known, wanted) + spare
    async with with_nats(settings, bytes_max) as reachable, bootstrap.adapters(reachable, INSTANCE) as world:
        running = await members_heard(world.bus, settings.kernel.heartbeat_s, ROLES)
        if running:
            raise NotPossible(f"processes of the deployment run: {', '.join(running)}. Stop them first, all of them")
        deployment = await known_deployment(reachable, world.store)
        replicas = replicas_of(deployment)
        log = JetStreamLog(reachable.nats_servers, name=INSTANCE, replicas=replicas, access=nats_access(settings))
        try:
            await log.open()
            report = await _Command(reachable, settings, wanted, world, log).run()
            await known_deployment(reachable, world.store)  # its copy in the data directory is made new
        finally:
            await log.close()
        return report


def _bytes_reserved(settings: Settings, deployment: log_pb2.Deployment, wanted: _Wanted) -> int:
    """What the logs that there are and those to be made may come to, at most."""
    logs = sum(numbers_of(group).stop + max(wanted.count or 0, len(numbers_of(group))) for group in deployment.groups)
    return logs * settings.log_bytes * (deployment.log_replicas or 1)


class _Command:
    """The command on a deployment of which nothing runs. `given` are the settings as told, without its nats-server."""

    def __init__(
        self, settings: Settings, given: Settings, wanted: _Wanted, world: Adapters, log: JetStreamLog
    ) -> None:
        self._settings = settings
        self._given = given
        self._wanted = wanted
        self._world = world
        self._log = log
        self._told_at = 0.0
        self._work = self._repartition()

    async def run(self) -> Report | None:
        """Does what is wanted; None where there is nothing to report."""
        deployment = await self._work.deployment()
        if self._wanted.abort:
            await self._settle(deployment)
            return None
        report = None
        if self._wanted.count is not None:
            report = await self._divide(deployment, self._wanted.count)
            deployment = await self._work.deployment()
        if self._wanted.purge_old:
            await self._purge(deployment)
        return report

    async def _settle(self, deployment: log_pb2.Deployment) -> None:
        if not self._wanted.yes:
            say(f"The logs of {_as_text(deployment)} would be opened, and others removed. --yes does it.")
            return
        await self._work.settle(deployment)
        say(f"The deployment has {_as_text(deployment)}; its logs are open.")

    async def _divide(self, deployment: log_pb2.Deployment, count: int) -> Report | None:
        names = [group.name for group in deployment.groups]
        for name in self._wanted.groups:
            if name not in names:
                raise NotPossible(f"there is no group {name}; there are {', '.join(names)}")
        groups = [
            group.name
            for group in deployment.groups
            if (group.name in self._wanted.groups if self._wanted.groups else group.name not in SINGLE_GROUPS)
            and len(numbers_of(group)) != count
        ]
        if not groups:
            say(f"The deployment has {_as_text(deployment)} already; there is nothing to divide.")
            if self._wanted.yes:
                await self._work.settle(deployment)
            return None
        log_bytes = await self._log_bytes(deployment)
        counts = dict.fromkeys(groups, count)
        logs = sum(counts.get(group.name, len(numbers_of(group))) for group in deployment.groups)
        self._check_room(deployment, logs * log_bytes)
        if not self._wanted.yes:
            say(
                f"The deployment has {_as_text(deployment)}; {', '.join(groups)} would have {count}. It takes {logs}"
                f" new logs of {log_bytes:,} bytes. Nothing was changed; --yes does it."
            )
            return None
        return await self._divided(deployment, counts, log_bytes)

    async def _divided(self, deployment: log_pb2.Deployment, counts: Mapping[str, int], log_bytes: int) -> Report:
        """Raises BrokenOff."""
        try:
            return await self._work.run(deployment, counts, log_bytes)
        except LogFull as error:
            raise NotPossible(f"{error} Nothing was changed") from error
        except Exception as error:  # whatever it was, somebody has to be told how things are now
            raise BrokenOff(
                f"{error}. Nothing is lost, but before anything is started run this again to end it, or `ordermesh"
                " repartition --abort --yes` to undo what can be undone"
            ) from error

    async def _purge(self, deployment: log_pb2.Deployment) -> None:
        if not self._wanted.yes:
            former = Topology(deployment).former()
            say(f"The logs of {len(former)} former partitions would be removed where they are there. --yes does it.")
            return
        say(f"Removed {await self._work.purge(deployment)} logs of former partitions.")

    async def _log_bytes(self, deployment: log_pb2.Deployment) -> int:
        """Of each new log: as told, else as the others have."""
        if "log_bytes" in self._given.model_fields_set:
            return self._given.log_bytes
        return (await self._log.state(Topology(deployment).partitions()[0])).bytes_max

    def _check_room(self, deployment: log_pb2.Deployment, log_bytes: int) -> None:
        """Own servers keep all replicas on one disk; others say themselves when they have no room."""
        needed, free = log_bytes * (deployment.log_replicas or 1), disk_usage(self._given.data).free
        if not self._given.nats and needed > free:
            raise NotPossible(
                f"{self._given.data} is on a disk with {free:,} bytes free, and the new logs need {needed:,} beside the"
                " old ones. Give --log-bytes smaller, or remove those of an earlier time with --purge-old"
            )

    def _repartition(self) -> Repartition:
        from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
        from ordermesh.admin.repartition import Repartition  # noqa: PLC0415 # as above

        world = self._world
        return Repartition(
            log=self._log, store=world.store, clock=world.clock, options=self._settings.kernel, instance=INSTANCE,
            build=bootstrap.build(), drain=self._drain, forget=self._forget, tell=say, is_alone=not self._given.nats,
        )  # fmt: skip

    def _forget(self) -> None:
        """What a start finds while the store does not answer: that there is a deployment, and no partitions."""
        copy = DeploymentFile(self._given.data)
        known = copy.read()
        if known is not None:
            copy.write(log_pb2.Deployment(deployment_id=known.deployment_id, log_replicas=known.log_replicas))

    async def _drain(self, deployment: log_pb2.Deployment) -> Mapping[PartitionId, int]:
        """By owners and a relay of this process."""
        from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
        from ordermesh.adapters.jetstream_events import JetStreamEvents  # noqa: PLC0415 # as above
        from ordermesh.adapters.nats_access import nats_access  # noqa: PLC0415 # as above
        from ordermesh.notification.cloud_event import CloudEvents  # noqa: PLC0415 # as above
        from ordermesh.runtime.relay import Relay  # noqa: PLC0415 # as above
        from ordermesh.runtime.repartition_drain import DrainHost, drain, leave_open, publish  # noqa: PLC0415 # as above

        world, partitions = self._world, Topology(deployment).partitions()
        host = DrainHost(
            instance=INSTANCE, build=bootstrap.build(), log=self._log, store=world.store, bus=world.bus,
            clock=world.clock, services=bootstrap.services(self._settings), deployment=deployment,
            effects=defaultdict(lambda: leave_open), options=bootstrap.kernel_options(self._settings),
        )  # fmt: skip
        drained = await drain(host, self._log, partitions, self._tell_waiting)
        replicas, access = deployment.log_replicas or 1, nats_access(self._given)
        events = JetStreamEvents(
            self._settings.nats_servers,
            name=INSTANCE,
            replicas=replicas,
            bytes_max=self._given.events_bytes,
            access=access,
        )
        translate = CloudEvents(deployment.deployment_id, self._given.events_format).translate
        try:
            await events.open()
            relay = Relay(
                partitions=partitions, log=self._log, store=world.store, bus=world.bus, clock=world.clock,
                publisher=events, translate=translate, mine=lambda _partition: True,
            )  # fmt: skip
            await publish(relay, self._log, partitions)
        finally:
            await events.close()
        return drained

    def _tell_waiting(self, waiting: int) -> None:
        if waiting and monotonic() - self._told_at > TELL_S:
            self._told_at = monotonic()
            say(f"  about {waiting:,} frames to go")


def _as_text(deployment: log_pb2.Deployment) -> str:
    return ", ".join(f"{group.name} x {len(numbers_of(group))}" for group in deployment.groups)


def _tell_report(report: Report, output: Output) -> None:
    if output is not Output.TABLE:
        print_data(asdict(report), output)
        return
    changes = ", ".join(f"{group} {report.before[group]} -> {count}" for group, count in report.after.items())
    steps = "; ".join(f"{step} {seconds:.1f}" for step, seconds in report.seconds.items())
    say(f"{changes}, in {sum(report.seconds.values()):.1f} s ({steps}).")
    say(f"{report.carried} open timers and effects were carried over. Start the deployment again.")
    say("The old logs are kept, closed; `ordermesh repartition --purge-old --yes` removes them.")
