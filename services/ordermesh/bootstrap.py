"""The composition root: which adapters and services a process of a role is made of. Everything else is told."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from shutil import disk_usage

from oms.log.v1 import log_pb2
from oms.payment.v1 import payment_commands_pb2
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.sandbox_payments import TOKENS, SandboxPayments
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.core.decider import Service, Table
from ordermesh.inventory import app as inventory
from ordermesh.order import app as order
from ordermesh.payment import app as payment
from ordermesh.runtime import subjects
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import OwnerHost, all_services
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.ports import LogError, StoreUnavailable
from ordermesh.runtime.relay import RELAY_POSITIONS, Relay
from ordermesh.runtime.settings import CannotStart, Settings
from ordermesh.runtime.topology import DEFAULT_GROUPS, Topology, new_deployment
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy

STORE_FILE = "store.sqlite"
LEDGER_FILE = "provider-ledger.jsonl"
INSTANCE_VARIABLE = "ORDERMESH_INSTANCE"
"""Names the process among those of its deployment; the process id is added."""
CORES_PER_PARTITION = 2
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
    store: SqliteStore
    bus: NatsBus
    clock: SystemClock


def services(settings: Settings) -> list[Service]:
    """The services under these settings."""
    policy = ShippingPolicy(
        dispatch_automatically=settings.dispatch_automatically,
        dispatch_delay_us=round(settings.dispatch_delay_s * 1_000_000),
    )
    return [order.SERVICE, payment.SERVICE, shipping.make_service(policy), inventory.SERVICE]


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
    return max(LOG_BYTES_LIMIT_MIN, 2 * partitions_wanted(settings) * settings.log_bytes + LOG_SPARE_BYTES)


async def prepare(settings: Settings, nats: str) -> log_pb2.Deployment:
    """Makes the deployment at the first start, and its logs. Raises CannotStart."""
    store = SqliteStore(settings.data / STORE_FILE, tables(services(settings)))
    log = JetStreamLog([nats], name="supervisor")
    try:
        await store.open()
        await log.open()
        if await store.load_deployment() is None:
            _check_room(settings)
        deployment = await _deployment(settings, store)
        for partition in Topology(deployment).partitions():
            await log.create(partition, settings.log_bytes)
    except (StoreUnavailable, LogError, ValueError) as error:
        raise CannotStart(str(error)) from error
    finally:
        await log.close()
        await store.close()
    return deployment


def _check_room(settings: Settings) -> None:
    """Raises CannotStart when the disk has no room for the logs of a new deployment on an own nats-server."""
    number = len(DEFAULT_GROUPS) * partitions_wanted(settings)
    needed, free = number * settings.log_bytes + LOG_SPARE_BYTES, disk_usage(settings.data).free
    if not settings.nats and free < needed:
        raise CannotStart(
            f"{settings.data} is on a disk with {free:,} bytes free, and {number} logs of {settings.log_bytes:,} bytes"
            f" with what else is kept need {needed:,}. Give --log-bytes or --partitions smaller, or another --data"
        )


async def _deployment(settings: Settings, store: SqliteStore) -> log_pb2.Deployment:
    wanted = new_deployment(str(uuid.uuid4()), partitions_wanted(settings))
    stored = await store.create_deployment(wanted.SerializeToString(deterministic=True))
    deployment = log_pb2.Deployment.FromString(stored)
    numbers = {group.partitions for group in deployment.groups}
    if settings.partitions is not None and numbers != {settings.partitions}:
        has = ", ".join(f"{group.name} {group.partitions}" for group in deployment.groups)
        raise CannotStart(
            f"{settings.data} was made with other partitions ({has}) than --partitions {settings.partitions};"
            " their number is fixed at the first start. Leave --partitions out, or use another --data"
        )
    return deployment


@asynccontextmanager
async def adapters(settings: Settings, instance: str) -> AsyncIterator[Adapters]:
    """Opens log, store and bus, and closes them. Raises CannotStart."""
    if not settings.nats:
        raise CannotStart("a single process needs --nats URL; `ordermesh up` brings its own nats-server")
    log = JetStreamLog([settings.nats], name=instance)
    bus = NatsBus([settings.nats], name=instance)
    store = SqliteStore(settings.data / STORE_FILE, tables(services(settings)))
    async with AsyncExitStack() as closing:
        try:
            for part in (log, bus, store):
                closing.push_async_callback(part.close)
                await part.open()
        except (StoreUnavailable, LogError, ValueError) as error:
            raise CannotStart(str(error)) from error
        yield Adapters(log, store, bus, SystemClock())


async def run_role(
    role: str, settings: Settings, groups: Sequence[str], *, serving: Callable[[], None], stop: asyncio.Event
) -> None:
    """Runs a role until `stop` is set, then ends cleanly; calls `serving` when it serves. Raises CannotStart."""
    instance = f"{os.environ.get(INSTANCE_VARIABLE, role)}-{os.getpid()}"
    async with adapters(settings, instance) as world:
        stored = await world.store.load_deployment()
        if stored is None:
            raise CannotStart(f"{settings.data} has no deployment yet; `ordermesh up` makes it")
        deployment = log_pb2.Deployment.FromString(stored)
        run = {"edge": _edge, "owner": _owner, "relay": _relay}[role]
        await run(instance, settings, groups, world, deployment, serving, stop)


async def _owner(
    instance: str,
    settings: Settings,
    groups: Sequence[str],
    world: Adapters,
    deployment: log_pb2.Deployment,
    serving: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    payments = SandboxPayments(settings.data / LEDGER_FILE)
    host = OwnerHost(
        instance=instance,
        build=build(),
        log=world.log,
        store=world.store,
        bus=world.bus,
        clock=world.clock,
        services=services(settings),
        deployment=deployment,
        effects={payment_commands_pb2.ProviderRequest.DESCRIPTOR.full_name: payments.handle},
        options=settings.kernel,
        groups=groups,
    )
    try:
        await _until_stopped(asyncio.create_task(host.run()), serving, stop, host.stop)
    finally:
        await payments.close()


async def _until_stopped(
    running: asyncio.Task[None], serving: Callable[[], None], stop: asyncio.Event, end: Callable[[], None]
) -> None:
    """Runs a task until `stop` is set, then has it end; passes on what it raises."""
    asked = asyncio.create_task(stop.wait())
    serving()
    try:
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            end()
        await running
    finally:
        asked.cancel()


async def _edge(
    instance: str,
    settings: Settings,
    groups: Sequence[str],
    world: Adapters,
    deployment: log_pb2.Deployment,
    serving: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    from ordermesh.adapters.provider_ledger import read_ledger  # noqa: PLC0415 # only an edge needs it
    from ordermesh.gateway.edge import EdgeOptions, EdgeServer  # noqa: PLC0415 # gRPC would double an owner's start
    from ordermesh.gateway.http_port import HttpPort, probes  # noqa: PLC0415 # as above
    from ordermesh.runtime.server import ServerOptions  # noqa: PLC0415 # as above

    options = settings.kernel
    gate = Gate(
        instance=instance, log=world.log, bus=world.bus, clock=world.clock, deployment=deployment, options=options
    )
    neighbours = Neighbours(world.clock, options.member_timeout_s)
    edge = EdgeServer(
        gate=gate,
        store=world.store,
        log=world.log,
        clock=world.clock,
        deployment=deployment,
        services=all_services(services(settings)),
        options=EdgeOptions(server=ServerOptions(reflection=settings.reflection), payment_tokens=TOKENS),
        provider=lambda: read_ledger(settings.data / LEDGER_FILE),
        members=neighbours.members,
    )
    http = HttpPort(probes(edge.readiness, edge.registry))
    async with AsyncExitStack() as closing:
        closing.push_async_callback(await world.bus.subscribe(subjects.MEMBERS, neighbours.hear))
        closing.push_async_callback(gate.close)
        await gate.start()
        await http.start(settings.http, reuse_port=True)
        closing.push_async_callback(http.stop)
        await edge.start(settings.grpc)
        closing.push_async_callback(edge.stop, DRAIN_SHARE * settings.stop_timeout_s)
        membership = Membership(instance, "edge", groups, build(), world.bus, world.clock, options)
        heartbeat = asyncio.create_task(membership.run())
        closing.callback(heartbeat.cancel)
        closing.callback(membership.leave)
        serving()
        await stop.wait()


class Neighbours:
    """The processes of every role that were heard of lately."""

    def __init__(self, clock: SystemClock, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._heard: dict[str, tuple[log_pb2.Member, float]] = {}

    def hear(self, data: bytes) -> None:
        """Takes a sign of life from the bus."""
        member = log_pb2.Member.FromString(data)
        self._heard[member.instance] = (member, self._clock.monotonic())
        if member.leaving:
            del self._heard[member.instance]

    def members(self) -> list[log_pb2.Member]:
        """Those heard of within the time-out, by role and name."""
        too_old = self._clock.monotonic() - self._timeout_s
        self._heard = {name: (member, heard) for name, (member, heard) in self._heard.items() if heard > too_old}
        return sorted((member for member, _ in self._heard.values()), key=lambda member: (member.role, member.instance))


async def _relay(
    instance: str,
    settings: Settings,
    groups: Sequence[str],
    world: Adapters,
    deployment: log_pb2.Deployment,
    serving: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    from ordermesh.adapters.jetstream_events import JetStreamEvents  # noqa: PLC0415 # only a relay needs it
    from ordermesh.notification.cloud_event import CloudEvents  # noqa: PLC0415 # as above

    events = JetStreamEvents([settings.nats], name=instance)
    membership = Membership(instance, "relay", groups, build(), world.bus, world.clock, settings.kernel)
    relay = Relay(
        partitions=Topology(deployment).partitions(groups),
        log=world.log,
        store=world.store,
        bus=world.bus,
        clock=world.clock,
        publisher=events,
        translate=CloudEvents(deployment.deployment_id).translate,
        mine=membership.is_mine,
    )
    heartbeat = asyncio.create_task(membership.run())
    try:
        await events.open()
        await _until_stopped(asyncio.create_task(relay.run()), serving, stop, relay.stop)
    except LogError as error:
        raise CannotStart(str(error)) from error
    finally:
        membership.leave()
        heartbeat.cancel()
        await events.close()
