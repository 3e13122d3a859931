"""The composition root: which adapters and services a process of a role is made of. Everything else is told."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from shutil import disk_usage

from oms.log.v1 import log_pb2
from ordermesh.adapters.cassandra_options import TooFewNodes
from ordermesh.adapters.fraud_rules import fraud_scorer
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.log_sizes import grow_logs
from ordermesh.adapters.nats_access import nats_access
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.provider_ledger import Ledger, LedgerEntry, ProviderLedger
from ordermesh.adapters.sandbox_payments import TOKENS, SandboxPayments
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
from ordermesh.inventory.model import InventoryPolicy
from ordermesh.notification import app as notification
from ordermesh.order import app as order
from ordermesh.order.model import OrderPolicy
from ordermesh.payment import app as payment
from ordermesh.payment.provider import NoticeReader, PaymentProvider
from ordermesh.runtime.host import all_services
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import LogError, LogUnavailable, Store, StoreUnavailable
from ordermesh.runtime.relay import RELAY_POSITIONS
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings, servers_in
from ordermesh.runtime.settings_secrets import secret
from ordermesh.runtime.topology import SINGLE_GROUPS, Topology, new_deployment
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
WEBHOOK_SECRETS_MAX = 2
"""The old and the new one, while one takes over from the other."""
LOG_SPARE_BYTES = 1 << 30
"""What the own nats-server may keep beside the partitions' logs: integration events."""
US_PER_DAY = 86_400_000_000
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
    stock = InventoryPolicy(
        backorders_per_sku_max=settings.backorders_per_sku,
        backorder_lead_us=round(settings.backorder_lead_days * US_PER_DAY),
        keeps_ledger=settings.stock_ledger,
    )
    return [
        order.make_service(order_policy(settings)),
        payment.SERVICE,
        shipping.make_service(policy),
        inventory.make_service(stock),
        notification.SERVICE,
    ]


def order_policy(settings: Settings) -> OrderPolicy:
    """How orders are decided; edges tell of it."""
    return OrderPolicy(
        backorder_us=round(settings.backorder_days * US_PER_DAY),
        fraud=fraud_scorer(settings.fraud_review_above, settings.fraud_decline_above),
        payment_retry_us=round(settings.payment_retry_window_s * 1_000_000),
        hold_us=round(settings.hold_expire_s * 1_000_000),
    )


def kernel_options(settings: Settings) -> OwnerOptions:
    """The kernel's options, with what the store asks for where they leave it to the program."""
    told = settings.kernel
    if settings.store == "sqlite" or told.flush_gather_s != OwnerOptions().flush_gather_s:
        return told
    return replace(told, flush_gather_s=CASSANDRA_GATHER_S)


def tables(parts: Sequence[Service]) -> list[Table]:
    """All tables of the services, of the kernel, of the relay and of who delivers webhooks."""
    kinds = [kind for service in all_services(parts) for kind in service.aggregates]
    return [
        *(table for kind in kinds for table in (kind.table, *kind.query_tables, *kind.event_tables)),
        RELAY_POSITIONS,
        *notification.TABLES,
    ]


def build() -> str:
    """The version of the program."""
    try:
        return version("ordermesh")
    except PackageNotFoundError:
        return "source"


def partitions_wanted(settings: Settings) -> int:
    """Partitions per group of a new deployment: as told, else one per two cores."""
    return settings.partitions or max(1, (os.cpu_count() or 1) // CORES_PER_PARTITION)


def logs_wanted(settings: Settings) -> int:
    """Logs of a new deployment."""
    return sum(1 if name in SINGLE_GROUPS else partitions_wanted(settings) for name in groups_wanted(settings))


def events_bytes(settings: Settings) -> int:
    """What the stream of integration events may keep beyond the room that is spared for it anyway."""
    return max(0, settings.events_bytes - LOG_SPARE_BYTES // 2)


def log_bytes_limit(settings: Settings) -> int:
    """What the own nats-server may reserve; it is no reservation itself."""
    wanted = logs_wanted(settings) * settings.log_bytes + LOG_SPARE_BYTES + events_bytes(settings)
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
    events = JetStreamEvents(
        settings.nats_servers, name="deployment", replicas=replicas, bytes_max=settings.events_bytes, access=access
    )
    try:
        await events.open()
        if settings.payment_provider == "sandbox":
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
    number = logs_wanted(settings) * replicas_wanted(settings)
    needed = number * settings.log_bytes + LOG_SPARE_BYTES + events_bytes(settings)
    free = disk_usage(settings.data).free
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """The payment provider of a process. `truth` gives what took effect there, for audits, and `tokens` what it takes;
    None where only asking tells. `notices` reads what it sends by itself, after the name of its path."""

    provider: PaymentProvider
    truth: Callable[[], Iterable[LedgerEntry]] | None = None
    tokens: Collection[str] | None = None
    notices: tuple[str, NoticeReader] | None = None


async def open_payments(settings: Settings, name: str, deployment: log_pb2.Deployment) -> Payments:
    """The payment provider that the settings name. Raises CannotStart."""
    if settings.payment_provider == "sandbox":
        ledger = await open_ledger(settings, name, replicas_of(deployment))
        return Payments(provider=SandboxPayments(ledger), truth=ledger.entries, tokens=TOKENS)
    from ordermesh.adapters.stripe_calls import StripeOptions  # noqa: PLC0415 # its library takes a while to import
    from ordermesh.adapters.stripe_payments import StripePayments  # noqa: PLC0415 # as above
    from ordermesh.adapters.stripe_webhooks import StripeNotices  # noqa: PLC0415 # as above

    key, signing = stripe_secrets(settings)
    options = StripeOptions(
        api_key=key, deployment_id=deployment.deployment_id, api_base=settings.stripe_api_base,
        timeout_s=settings.stripe_timeout_s, in_flight_max=settings.stripe_in_flight,
    )  # fmt: skip
    notices = ("stripe", StripeNotices(signing, deployment.deployment_id)) if signing else None
    return Payments(provider=StripePayments(options), notices=notices)


def check_payments(settings: Settings) -> None:
    """Raises CannotStart where the payment provider needs a secret that is not there."""
    if settings.payment_provider == "stripe":
        stripe_secrets(settings)


def stripe_secrets(settings: Settings) -> tuple[str, list[str]]:
    """Stripe's key, and the secrets of its webhooks. Raises CannotStart."""
    try:
        key = secret("stripe_api_key", settings.stripe_api_key, settings.stripe_api_key_file)
        signing = secret("stripe_webhook_secret", settings.stripe_webhook_secret, settings.stripe_webhook_secret_file)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    secrets = [part.strip() for part in signing.replace("\n", ",").split(",") if part.strip()]
    if not key:
        raise CannotStart(
            "payment_provider is stripe, and there is no key: give ORDERMESH_STRIPE_API_KEY or --stripe-api-key-file"
        )
    if len(secrets) > WEBHOOK_SECRETS_MAX:
        raise CannotStart(f"there are {len(secrets)} secrets of Stripe's webhooks; at most {WEBHOOK_SECRETS_MAX} count")
    return key, secrets


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
