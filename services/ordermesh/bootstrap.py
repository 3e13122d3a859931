"""The composition root: which adapters and services a process of a role is made of. Everything else is told."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from shutil import disk_usage

from oms.log.v1 import log_pb2
from ordermesh.adapters.cassandra_options import TooFewNodes
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.log_sizes import grow_logs
from ordermesh.adapters.nats_access import nats_access
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.provider_ledger import Ledger, ProviderLedger
from ordermesh.adapters.stores import make_store
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.core.decider import Service, Table
from ordermesh.deployment import (
    check_groups,
    check_partitions,
    check_replicas,
    groups_wanted,
    prepare_deployment,
    replicas_of,
    replicas_wanted,
)
from ordermesh.inventory import app as inventory
from ordermesh.order import app as order
from ordermesh.payment import app as payment
from ordermesh.runtime.host import all_services
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import LogError, LogUnavailable, Store, StoreUnavailable
from ordermesh.runtime.relay import RELAY_POSITIONS
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings, servers_in
from ordermesh.runtime.topology import Topology, new_deployment
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy

LEDGER_FILE = "provider-ledger.jsonl"
INSTANCE_VARIABLE = "ORDERMESH_INSTANCE"
"""Names the process among those of its deployment; the process id is added."""
CORES_PER_PARTITION = 2
CASSANDRA_GATHER_S = 0.25
"""`flush_gather_s` on Cassandra, where a row costs far more than in SQLite: most orders are through by then, and a row
is written once or twice instead of two or three times. Who waits is not kept waiting."""
DRAIN_SHARE = 0.2
"""Of the time for a clean stop, what calls under way at an edge get; below the supervisor's share for edges."""
LOG_SPARE_BYTES = 1 << 30
"""What the own nats-server may keep beside the partitions' logs: integration events."""
LOG_BYTES_LIMIT_MIN = 64 << 30
"""So that logs made with other settings still fit."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """The world of one process, opened."""

    log: JetStreamLog
    store: Store
    bus: NatsBus
    clock: SystemClock


def services(settings: Settings) -> list[Service]:
    """The services under these settings."""
    policy = ShippingPolicy(
        dispatch_automatically=settings.dispatch_automatically,
        dispatch_delay_us=round(settings.dispatch_delay_s * 1_000_000),
    )
    return [order.SERVICE, payment.SERVICE, shipping.make_service(policy), inventory.SERVICE]


def kernel_options(settings: Settings) -> OwnerOptions:
    """The kernel's options, with what the store asks for where they leave it to the program."""
    told = settings.kernel
    if settings.store == "sqlite" or told.flush_gather_s != OwnerOptions().flush_gather_s:
        return told
    return replace(told, flush_gather_s=CASSANDRA_GATHER_S)


def tables(parts: Sequence[Service]) -> list[Table]:
    """All tables of the services, of the kernel and of the relay."""
    kinds = [kind for service in all_services(parts) for kind in service.aggregates]
    return [*(table for kind in kinds for table in (kind.table, *kind.query_tables)), RELAY_POSITIONS]


def build() -> str:
    """The version of the program."""
    try:
        return version("ordermesh")
    except PackageNotFoundError:
        return "source"


def partitions_wanted(settings: Settings) -> int:
    """Partitions per group of a new deployment: as told, else one per two cores."""
    return settings.partitions or max(1, (os.cpu_count() or 1) // CORES_PER_PARTITION)


def log_bytes_limit(settings: Settings) -> int:
    """What the own nats-server may reserve; it is no reservation itself."""
    wanted = len(groups_wanted(settings)) * partitions_wanted(settings) * settings.log_bytes + LOG_SPARE_BYTES
    return max(LOG_BYTES_LIMIT_MIN, wanted, disk_usage(settings.data).total)


async def prepare(settings: Settings, nats: str) -> log_pb2.Deployment:
    """Makes the deployment at the first start, and its logs. Raises CannotStart."""

    def make() -> log_pb2.Deployment:
        _check_room(settings)
        number, groups = partitions_wanted(settings), groups_wanted(settings)
        return new_deployment(str(uuid.uuid4()), number, groups, replicas=replicas_wanted(settings))

    needed = tables(services(settings))
    try:
        store = make_store(settings, needed, build())
        try:
            deployment = await prepare_deployment(settings, store, needed, build(), make)
        finally:
            await store.close()
        check_partitions(settings, deployment)
        check_groups(settings, deployment)
        check_replicas(settings, deployment)
        await _prepare_logs(settings, nats, deployment)
    except LogUnavailable as error:
        raise OutOfReach(f"{error}. Is it up, and --nats right? Without --nats `up` brings its own") from error
    except (StoreUnavailable, TooFewNodes) as error:
        raise OutOfReach(str(error)) from error
    except (LogError, ValueError) as error:
        raise CannotStart(str(error)) from error
    return deployment


async def _prepare_logs(settings: Settings, nats: str, deployment: log_pb2.Deployment) -> None:
    """Makes the logs that do not exist, and lets them grow where that is asked for."""
    replicas = replicas_of(deployment)
    log = JetStreamLog(servers_in(nats), name="supervisor", replicas=replicas, access=nats_access(settings))
    try:
        await log.open()
        partitions = Topology(deployment).partitions()
        for partition in partitions:
            await log.create(partition, settings.log_bytes)
        if "log_bytes" in settings.model_fields_set:  # a default would resize what was made with another size
            await grow_logs(log, partitions, settings.log_bytes, None if settings.nats else settings.data, replicas)
    finally:
        await log.close()


async def prepare_streams(settings: Settings, deployment: log_pb2.Deployment) -> bool:
    """Makes the streams beside the logs: integration events, and the sandbox provider's truth if it is on NATS. Else
    the processes that need them make them. Raises CannotStart."""
    from ordermesh.adapters.jetstream_events import JetStreamEvents  # noqa: PLC0415 # only a relay needs it else

    replicas = replicas_of(deployment)
    access = nats_access(settings)
    events = JetStreamEvents(settings.nats_servers, name="deployment", replicas=replicas, access=access)
    try:
        await events.open()
        await (await open_ledger(settings, "deployment", replicas)).close()
    except LogUnavailable as error:
        raise OutOfReach(str(error)) from error
    except LogError as error:
        raise CannotStart(str(error)) from error
    finally:
        await events.close()
    return True


def _check_room(settings: Settings) -> None:
    """Raises CannotStart when the disk has no room for the logs of a new deployment on an own nats-server."""
    if settings.nats:
        return
    number = len(groups_wanted(settings)) * partitions_wanted(settings) * replicas_wanted(settings)
    needed, free = number * settings.log_bytes + LOG_SPARE_BYTES, disk_usage(settings.data).free
    if free < needed:
        raise CannotStart(
            f"{settings.data} is on a disk with {free:,} bytes free, and {number} logs of {settings.log_bytes:,} bytes"
            f" with what else is kept need {needed:,}. Give --log-bytes or --partitions smaller, or another --data"
        )


@asynccontextmanager
async def adapters(settings: Settings, instance: str) -> AsyncIterator[Adapters]:
    """Opens log, store and bus, and closes them. Raises CannotStart."""
    if not settings.nats:
        raise CannotStart("a single process needs --nats URL; `ordermesh up` brings its own nats-server")
    async with AsyncExitStack() as closing:
        try:
            access = nats_access(settings)
            log = JetStreamLog(settings.nats_servers, name=instance, access=access)
            bus = NatsBus(settings.nats_servers, name=instance, access=access)
            store = make_store(settings, tables(services(settings)), build())
            for part in (log, bus, store):
                closing.push_async_callback(part.close)
                await part.open()
        except (LogUnavailable, StoreUnavailable) as error:
            raise OutOfReach(str(error)) from error
        except (LogError, ValueError) as error:
            raise CannotStart(str(error)) from error
        yield Adapters(log, store, bus, SystemClock())


async def open_ledger(settings: Settings, name: str, replicas: int) -> Ledger:
    """What took effect at the sandbox provider, as the settings say where. Raises CannotStart."""
    if settings.sandbox_ledger == "file":
        return ProviderLedger(settings.data / LEDGER_FILE)
    from ordermesh.adapters.nats_ledger import NatsLedger  # noqa: PLC0415 # seldom needed

    ledger = NatsLedger(settings.nats_servers, name=name, replicas=replicas, access=nats_access(settings))
    try:
        await ledger.open()
    except LogUnavailable as error:
        await ledger.close()
        raise OutOfReach(str(error)) from error
    except LogError as error:
        await ledger.close()
        raise CannotStart(str(error)) from error
    return ledger
