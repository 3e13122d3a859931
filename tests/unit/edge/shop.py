"""A whole engine in one process: real services, owner, gate and gRPC server, on log, store and bus in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry

from oms.payment.v1 import payment_commands_pb2
from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.admin.fleet import Fleet
from ordermesh.admin.ledger import ProviderTruth
from ordermesh.core.decider import Key, Table
from ordermesh.core.targets import TargetRules, ports_of
from ordermesh.gateway.edge import EdgeOptions, EdgeServer
from ordermesh.gateway.heard import Neighbours
from ordermesh.inventory import app as inventory
from ordermesh.notification import app as notification
from ordermesh.order import app as order
from ordermesh.payment import app as payment
from ordermesh.payment.provider import NoticeReader, PaymentProvider
from ordermesh.runtime import subjects
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import OwnerHost, all_services
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import StoredAggregate, StoreUnavailable
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.relay import RELAY_POSITIONS
from ordermesh.runtime.topology import DEFAULT_GROUPS, SINGLE_GROUPS, Topology, new_deployment
from ordermesh.shipping import app as shipping
from tests.e2e.api.client import Client

SERVICES = [order.SERVICE, payment.SERVICE, shipping.SERVICE, inventory.SERVICE, notification.SERVICE]
TABLES = [*Registry(all_services(SERVICES)).tables(), *notification.TABLES, RELAY_POSITIONS]
WEBHOOK_RULES = TargetRules(allow_http=True, allow_private=True, ports=ports_of("1-65535"))
"""Receivers of tests are on this machine."""
OPTIONS = OwnerOptions(checkpoint_interval_s=0.05, status_interval_s=0.02, load_timeout_s=0.1, flush_answer_s=0.2)
LOG_BYTES = 50_000_000
_NAMES = {
    payment_commands_pb2.PROVIDER_OPERATION_AUTHORIZE: "authorize",
    payment_commands_pb2.PROVIDER_OPERATION_CAPTURE: "capture",
    payment_commands_pb2.PROVIDER_OPERATION_VOID: "void",
    payment_commands_pb2.PROVIDER_OPERATION_REFUND: "refund",
}


class Operation(NamedTuple):
    """What took effect at the provider."""

    order_id: str
    operation: str
    units: int
    nanos: int
    idempotency_key: str
    operation_id: str = ""


class Provider:
    """A payment provider that approves all but `tok_decline`, unless it is silent."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.silent = False

    async def handle(self, request: Message, idempotency_key: str) -> Message:
        """Does what is asked, once per key."""
        assert isinstance(request, payment_commands_pb2.ProviderRequest)
        if self.silent:
            raise ConnectionError("the provider is silent")
        result = payment_commands_pb2.ProviderResult(
            operation=request.operation, operation_id=request.operation_id, approved=True
        )
        if request.payment_token == "tok_decline":
            result.approved, result.code = False, "card_declined"
        elif idempotency_key not in {operation.idempotency_key for operation in self.operations}:
            name, amount = _NAMES[request.operation], request.amount
            self.operations.append(Operation(request.order_id, name, amount.units, amount.nanos, idempotency_key))
        return result


class ReplicatedStore(MemoryStore):
    """A store that may lose its quorum: then only one replica answers. `asked` counts what was loaded, by table."""

    has_quorum = True

    def __init__(self, tables: Sequence[Table]) -> None:
        super().__init__(tables)
        self.asked: Counter[str] = Counter()

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """At quorum."""
        self.asked[table.name] += len(keys)
        if not self.has_quorum:
            raise StoreUnavailable("one replica of three answers")
        return await super().load(table, keys)

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """From the one."""
        return await super().load(table, keys)


class Shop:
    """The parts, of which tests may break some."""

    def __init__(
        self,
        partitions: int = 2,
        groups: Mapping[str, Sequence[str]] = DEFAULT_GROUPS,
        payments: PaymentProvider | None = None,
        notices: NoticeReader | None = None,
    ) -> None:
        self.log = MemoryLog()
        self.store = ReplicatedStore(TABLES)
        self.bus = MemoryBus()
        self.clock = SystemClock()
        self.provider = Provider()
        self.payments = payments
        self.truth: ProviderTruth = lambda: list(self.provider.operations)
        self.deployment = new_deployment("test", partitions, {**groups, **SINGLE_GROUPS})
        self.neighbours = Neighbours(self.clock, OPTIONS.member_timeout_s)
        self.gate = Gate(
            instance="edge",
            log=self.log,
            bus=self.bus,
            clock=self.clock,
            deployment=self.deployment,
            options=OPTIONS,
        )
        self.edge = EdgeServer(
            gate=self.gate,
            store=self.store,
            log=self.log,
            clock=self.clock,
            deployment=self.deployment,
            services=SERVICES,
            options=EdgeOptions(webhook_rules=WEBHOOK_RULES),
            fleet=Fleet(self.neighbours.members, self.bus, self.clock),
            payments=payments,
            provider=lambda: iter(self.truth()),
            notices=notices,
            registry=CollectorRegistry(),
        )
        self.owners = 0
        self.owner = self._new_owner()
        self._owning: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Client]:
        """Runs everything, and gives a client."""
        await self.store.create_deployment(self.deployment.SerializeToString())
        for partition in Topology(self.deployment).partitions():
            await self.log.create(partition, LOG_BYTES)
        await self.gate.start()
        await self.bus.subscribe(subjects.MEMBERS, self.neighbours.hear)
        self.start_owner()
        client = Client(await self.edge.start("127.0.0.1:0"))
        try:
            yield client
        finally:
            await client.channel.close()
            await self.edge.stop(1.0)
            await self.stop_owner()
            await self.gate.close()

    def _new_owner(self) -> OwnerHost:
        self.owners += 1
        return OwnerHost(
            instance=f"owner-{self.owners}",
            build="test",
            log=self.log,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            services=SERVICES,
            deployment=self.deployment,
            effects={
                payment_commands_pb2.ProviderRequest.DESCRIPTOR.full_name: (self.payments or self.provider).handle
            },
            options=OPTIONS,
        )

    def restart_owner(self) -> None:
        """Has a new owner take the partitions."""
        self.owner = self._new_owner()
        self.start_owner()

    def start_owner(self) -> None:
        """Lets the owner take the partitions."""
        self._owning = asyncio.create_task(self.owner.run())

    async def stop_owner(self) -> None:
        """Ends the owner; cleanly where the store answers."""
        if self._owning is not None:
            self.owner.stop()
            await asyncio.wait([self._owning], timeout=5.0)
            self._owning.cancel()
            await asyncio.wait([self._owning])
            self._owning = None
