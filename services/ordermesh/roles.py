"""The roles of processes: what an edge, an owner, a relay and who delivers webhooks are made of, from start to end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oms.log.v1 import log_pb2
from oms.payment.v1 import payment_commands_pb2
from ordermesh.adapters.nats_access import nats_access
from ordermesh.bootstrap import (
    INSTANCE_VARIABLE,
    Adapters,
    adapters,
    build,
    kernel_options,
    open_payments,
    order_policy,
    services,
)
from ordermesh.deployment import known_deployment, replicas_of
from ordermesh.gateway.heard import Neighbours, Statuses
from ordermesh.gateway.patience import Patience
from ordermesh.runtime import subjects
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import ACQUAINTANCE_S, OwnerHost, all_services
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.ports import Log, LogError, Store
from ordermesh.runtime.readiness import ReadinessCheck
from ordermesh.runtime.relay import Relay
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings
from ordermesh.runtime.topology import Topology

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ordermesh.gateway.http_port import Probes
    from ordermesh.notification.deliverer import Deliverer

DRAIN_SHARE = 0.2
"""Of the time for a clean stop, what calls under way at an edge get; below the supervisor's share for edges."""
STATUS_TIMEOUTS = 4
"""A partition of which nothing was heard for so many member time-outs counts as without owner, as at edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What every role has. `log` and `store` are those of `world`, measured where there is a port to tell it by."""

    instance: str
    settings: Settings
    groups: Sequence[str]
    world: Adapters
    log: Log
    store: Store
    deployment: log_pb2.Deployment
    port: Port | None
    serving: Callable[[], None]
    stop: asyncio.Event


@dataclass(frozen=True, slots=True)
class Port:
    """The HTTP port of a process."""

    probes: Probes
    registry: CollectorRegistry


async def run_role(
    role: str, settings: Settings, groups: Sequence[str], *, serving: Callable[[], None], stop: asyncio.Event
) -> None:
    """Runs a role until `stop` is set, then ends cleanly; calls `serving` when it serves. What it needs is waited for.
    Raises CannotStart."""
    instance = f"{os.environ.get(INSTANCE_VARIABLE, role)}-{os.getpid()}"
    async with AsyncExitStack() as closing:
        port = await closing.enter_async_context(_port(settings, role))
        patience = Patience(settings.start_wait_s, stop, lambda reason: _waits(port, reason))
        world = await patience.until_there(lambda: closing.enter_async_context(adapters(settings, instance)))
        if world is None:
            return
        deployment = await patience.until_there(lambda: known_deployment(settings, world.store))
        if deployment is None:
            return
        log, store = _measured(world, port)
        run = {"edge": _edge, "owner": _owner, "relay": _relay, "webhooks": _webhooks}[role]
        process = Process(
            instance=instance, settings=settings, groups=groups, world=world, log=log, store=store,
            deployment=deployment, port=port, serving=serving, stop=stop,
        )  # fmt: skip
        await run(process, patience)


@asynccontextmanager
async def _port(settings: Settings, role: str) -> AsyncIterator[Port | None]:
    """Listens before anything else is there, so that probes are answered while the process waits. Edges may share it.
    Raises CannotStart where an edge has none."""
    if not settings.http:
        if role == "edge":
            raise CannotStart("an edge needs --http HOST:PORT")
        yield None
        return
    from prometheus_client import REGISTRY  # noqa: PLC0415 # an owner without a port starts quicker

    from ordermesh.gateway.http_port import HttpPort, Probes  # noqa: PLC0415 # as above

    port = Port(Probes(REGISTRY), REGISTRY)
    http = HttpPort(port.probes.application())
    try:
        await http.start(settings.http, reuse_port=role == "edge")
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {settings.http}: {error.strerror}. Give another --http HOST:PORT"
        ) from error
    try:
        yield port
    finally:
        await http.stop()


def _waits(port: Port | None, reason: str) -> None:
    if port is not None:
        port.probes.waits_for = reason


def _measured(world: Adapters, port: Port | None) -> tuple[Log, Store]:
    if port is None:
        return world.log, world.store
    from ordermesh.gateway.measured import MeasuredLog, MeasuredStore  # noqa: PLC0415 # as in `_port`

    return MeasuredLog(world.log, port.registry), MeasuredStore(world.store, port.registry)


@asynccontextmanager
async def _readiness(process: Process, statuses: Statuses) -> AsyncIterator[None]:
    """Whether an owner or a relay is ready, for its probes: as an edge is, of the partitions of its groups."""
    if process.port is None:
        yield
        return
    check = ReadinessCheck(
        log=process.log,
        store=process.store,
        clock=process.world.clock,
        partitions=Topology(process.deployment).partitions(process.groups),
        statuses=statuses.all,
    )
    end = await process.world.bus.subscribe(subjects.STATUS, statuses.hear)
    process.port.probes.begin(check.check)
    leaving = asyncio.create_task(_stop_with(check, process.stop))
    try:
        yield
    finally:
        leaving.cancel()
        await end()


async def _stop_with(check: ReadinessCheck, stop: asyncio.Event) -> None:
    await stop.wait()
    check.stop()


def _statuses(process: Process) -> Statuses:
    return Statuses(process.world.clock, STATUS_TIMEOUTS * process.settings.kernel.member_timeout_s)


async def _owner(process: Process, patience: Patience) -> None:
    settings, world = process.settings, process.world
    payments = await patience.until_there(lambda: open_payments(settings, process.instance, process.deployment))
    if payments is None:
        return
    host = OwnerHost(
        instance=process.instance,
        build=build(),
        log=process.log,
        store=process.store,
        bus=world.bus,
        clock=world.clock,
        services=services(settings),
        deployment=process.deployment,
        effects={payment_commands_pb2.ProviderRequest.DESCRIPTOR.full_name: payments.provider.handle},
        options=kernel_options(settings),
        groups=process.groups,
    )
    statuses = _statuses(process)
    _tell_of_owners(process, host, statuses)
    try:
        async with _readiness(process, statuses):
            await _until_stopped(asyncio.create_task(host.run()), process, host.stop)
    finally:
        await payments.provider.close()


def _tell_of_owners(process: Process, host: OwnerHost, statuses: Statuses) -> None:
    """Has /metrics tell of the partitions that this process owns."""
    if process.port is None:
        return
    from ordermesh.gateway.owner_metrics import OwnerMetrics  # noqa: PLC0415 # as in `_port`
    from ordermesh.runtime.telemetry import PartitionMetrics  # noqa: PLC0415 # as above

    PartitionMetrics(process.port.registry, statuses.of(process.instance))
    OwnerMetrics(process.port.registry, host.owners, process.world.clock)


async def _until_stopped(running: asyncio.Task[None], process: Process, end: Callable[[], None]) -> None:
    """Runs a task until the process is told to stop, then has it end; passes on what it raises."""
    asked = asyncio.create_task(process.stop.wait())
    process.serving()
    try:
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            end()
        await running
    finally:
        asked.cancel()


async def _edge(process: Process, patience: Patience) -> None:
    from ordermesh.adapters.jetstream_event_reader import JetStreamEventReader  # noqa: PLC0415 # as below
    from ordermesh.admin.fleet import Fleet  # noqa: PLC0415 # gRPC would double an owner's start
    from ordermesh.gateway.edge import EdgeOptions, EdgeServer  # noqa: PLC0415 # as above
    from ordermesh.gateway.tls import server_credentials  # noqa: PLC0415 # as above
    from ordermesh.runtime.server import ServerOptions  # noqa: PLC0415 # as above

    settings, world, deployment = process.settings, process.world, process.deployment
    options = settings.kernel
    server = ServerOptions(reflection=settings.reflection, credentials=server_credentials(settings))
    payments = await patience.until_there(lambda: open_payments(settings, process.instance, deployment))
    events = JetStreamEventReader(settings.nats_servers, name=process.instance, access=nats_access(settings))
    opened = await patience.until_there(lambda: _told_of_stream(events.open))
    if payments is None or opened is None or process.port is None:
        await events.close()
        return
    gate = Gate(
        instance=process.instance, log=process.log, bus=world.bus, clock=world.clock, deployment=deployment,
        options=options,
    )  # fmt: skip
    neighbours = Neighbours(world.clock, options.member_timeout_s)
    edge = EdgeServer(
        gate=gate,
        store=process.store,
        log=process.log,
        clock=world.clock,
        deployment=deployment,
        services=all_services(services(settings)),
        options=EdgeOptions(
            server=server,
            payment_tokens=payments.tokens,
            build=build(),
            webhook_rules=settings.webhook_rules,
            order_policy=order_policy(settings),
            reconcile_pause_scale=settings.reconcile_pause_scale,
        ),
        payments=payments.provider,
        provider=payments.truth,
        events=events,
        notices=None if payments.notices is None else payments.notices[1],
        fleet=Fleet(neighbours.members, world.bus, world.clock),
        registry=process.port.registry,
    )
    async with AsyncExitStack() as closing:
        closing.push_async_callback(payments.provider.close)
        closing.push_async_callback(events.close)
        closing.push_async_callback(await world.bus.subscribe(subjects.MEMBERS, neighbours.hear))
        closing.push_async_callback(gate.close)
        await gate.start()
        await edge.start(settings.grpc)
        if payments.notices is not None and edge.notices is not None:
            process.port.probes.webhooks = {payments.notices[0]: edge.notices.answer}
        if settings.serves_http_api:
            process.port.probes.api = edge.http.application()
        process.port.probes.begin(edge.readiness)
        closing.push_async_callback(edge.stop, DRAIN_SHARE * settings.stop_timeout_s)
        membership = Membership(process.instance, "edge", process.groups, build(), world.bus, world.clock, options)
        heartbeat = asyncio.create_task(membership.run())
        closing.callback(heartbeat.cancel)
        closing.callback(membership.leave)
        process.serving()
        await process.stop.wait()


async def _relay(process: Process, _patience: Patience) -> None:
    from ordermesh.adapters.jetstream_events import JetStreamEvents  # noqa: PLC0415 # only a relay needs it
    from ordermesh.notification.cloud_event import CloudEvents  # noqa: PLC0415 # as above

    settings, world, deployment = process.settings, process.world, process.deployment
    events = JetStreamEvents(
        settings.nats_servers, name=process.instance, replicas=replicas_of(deployment),
        bytes_max=settings.events_bytes, access=nats_access(settings),
    )  # fmt: skip
    membership = Membership(process.instance, "relay", process.groups, build(), world.bus, world.clock, settings.kernel)
    relay = Relay(
        partitions=Topology(deployment).partitions(process.groups),
        log=process.log,
        store=process.store,
        bus=world.bus,
        clock=world.clock,
        publisher=events,
        translate=CloudEvents(deployment.deployment_id, settings.events_format).translate,
        mine=membership.is_mine,
    )
    heartbeat = asyncio.create_task(membership.run())
    try:
        await events.open()
        async with _readiness(process, _statuses(process)), _relay_told(process):
            await _until_stopped(asyncio.create_task(relay.run()), process, relay.stop)
    except LogError as error:
        raise CannotStart(str(error)) from error
    finally:
        membership.leave()
        heartbeat.cancel()
        await events.close()


@asynccontextmanager
async def _relay_told(process: Process) -> AsyncIterator[None]:
    """Has /metrics tell how far partitions are relayed."""
    if process.port is None:
        yield
        return
    from ordermesh.gateway.relay_metrics import RelayMetrics  # noqa: PLC0415 # as in `_port`

    end = await process.world.bus.subscribe(subjects.RELAY, RelayMetrics(process.port.registry).hear)
    try:
        yield
    finally:
        await end()


async def _webhooks(process: Process, patience: Patience) -> None:
    from ordermesh.adapters.http_post import HttpPost  # noqa: PLC0415 # only this role needs it
    from ordermesh.adapters.jetstream_event_reader import JetStreamEventReader  # noqa: PLC0415 # as above
    from ordermesh.notification.deliverer import Deliverer, DeliveryOptions  # noqa: PLC0415 # as above

    settings, world = process.settings, process.world
    gate = Gate(
        instance=process.instance, log=process.log, bus=world.bus, clock=world.clock, deployment=process.deployment,
        options=settings.kernel,
    )  # fmt: skip
    stream = JetStreamEventReader(settings.nats_servers, name=process.instance, access=nats_access(settings))
    membership = Membership(process.instance, "webhooks", (), build(), world.bus, world.clock, settings.kernel)
    options = DeliveryOptions(
        rules=settings.webhook_rules,
        retry_scale=settings.webhook_retry_scale,
        disable_after_s=settings.webhook_disable_after_s,
    )
    async with AsyncExitStack() as closing:
        post = HttpPost(settings.webhook_rules, user_agent=f"ordermesh/{build()}", ca=settings.webhook_ca)
        closing.callback(post.close)
        closing.push_async_callback(stream.close)
        if await patience.until_there(lambda: _told_of_stream(stream.open)) is None:
            return
        if await patience.until_there(lambda: _told_of_stream(stream.bounds)) is None:  # a relay makes it
            return
        closing.push_async_callback(gate.close)
        await gate.start()
        deliverer = Deliverer(
            stream=stream, store=process.store, gate=gate, bus=world.bus, clock=world.clock, post=post,
            mine=membership.is_mine, options=options,
        )  # fmt: skip
        heartbeat = asyncio.create_task(membership.run())
        closing.callback(heartbeat.cancel)
        closing.callback(membership.leave)
        await asyncio.sleep(ACQUAINTANCE_S)
        _tell_of_webhooks(process, deliverer)
        async with _readiness(process, _statuses(process)):
            await _until_stopped(asyncio.create_task(deliverer.run()), process, deliverer.stop)


async def _told_of_stream(ask: Callable[[], Awaitable[object]]) -> bool:
    """Whether the stream of integration events answers. Raises OutOfReach."""
    try:
        await ask()
    except LogError as error:
        raise OutOfReach(f"the stream of integration events cannot be read: {error}") from error
    return True


def _tell_of_webhooks(process: Process, deliverer: Deliverer) -> None:
    """Has /metrics tell of the webhooks that this process delivers."""
    if process.port is None:
        return
    from ordermesh.gateway.webhook_metrics import WebhookMetrics  # noqa: PLC0415 # as in `_port`

    WebhookMetrics(process.port.registry, deliverer)
