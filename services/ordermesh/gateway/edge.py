"""An edge process, put together: the contract's services by gRPC and HTTP, and the readiness that probes ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from prometheus_client import REGISTRY, CollectorRegistry

from oms.admin.v1 import admin_service_pb2
from oms.inventory.v1 import inventory_service_pb2
from oms.log.v1 import log_pb2
from oms.notification.v1 import webhook_service_pb2
from oms.order.v1 import order_service_pb2
from oms.payment.v1 import payment_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from ordermesh.admin.api import AdminService
from ordermesh.admin.fleet import Fleet
from ordermesh.admin.ledger import ProviderTruth
from ordermesh.core.decider import Service
from ordermesh.core.targets import TargetRules
from ordermesh.gateway.http.application import HttpApi
from ordermesh.gateway.notices import Notices
from ordermesh.inventory.api import InventoryService
from ordermesh.notification.api import WebhookService
from ordermesh.order.api import OrderService
from ordermesh.order.model import OrderPolicy
from ordermesh.payment.api import PaymentService
from ordermesh.payment.provider import NoticeReader, PaymentProvider
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.ports import Clock, Log, Store
from ordermesh.runtime.readiness import Readiness, ReadinessCheck
from ordermesh.runtime.server import Api, GrpcServer, ServerOptions
from ordermesh.runtime.telemetry import CallMetrics, PartitionMetrics
from ordermesh.runtime.topology import Topology
from ordermesh.shipping.api import ShippingService

HEALTH_INTERVAL_S = 1.0
"""Between two looks at the dependencies, for the gRPC health service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOptions:
    """What may be set of an edge process. `payment_tokens` None takes every token; `order_policy` is what owners decide
    by, for explanations."""

    server: ServerOptions = field(default_factory=ServerOptions)
    payment_tokens: Collection[str] | None = None
    order_policy: OrderPolicy = field(default_factory=OrderPolicy)
    build: str = "source"
    """The version that /openapi.json tells."""
    webhook_rules: TargetRules = field(default_factory=TargetRules)
    """Where webhooks may go."""
    reconcile_pause_scale: float = 1.0
    """Of the pauses between looks at payments that differ from their provider."""


class EdgeServer:
    """The API of one process; `http` is the same by HTTP, for its port. `payments` is the payment provider, which is
    only read, `provider` gives every operation that took effect there, and `events` what was published, for audits."""

    def __init__(
        self,
        *,
        gate: Gate,
        store: Store,
        log: Log,
        clock: Clock,
        deployment: log_pb2.Deployment,
        services: Sequence[Service],
        options: EdgeOptions,
        fleet: Fleet,
        payments: PaymentProvider | None = None,
        provider: ProviderTruth | None = None,
        events: EventStream | None = None,
        notices: NoticeReader | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        topology = Topology(deployment)
        self._backend = Backend(gate=gate, store=store, log=log, clock=clock, topology=topology, services=services)
        self._readiness = ReadinessCheck(
            log=log, store=store, clock=clock, partitions=topology.partitions(), statuses=gate.statuses
        )
        self.registry = registry
        PartitionMetrics(registry, gate.statuses)
        admin = AdminService(
            self._backend, provider, payments, fleet, events, options.reconcile_pause_scale, options.order_policy
        )
        apis, metrics = self._apis(options, admin), CallMetrics(registry)
        self._server = GrpcServer(apis, options.server, metrics)
        self.http = HttpApi(apis, metrics, options.build)
        self.notices = None if notices is None else Notices(self._backend, notices, registry)
        """Takes what the payment provider sends by itself; None where nothing is taken."""
        self._health: asyncio.Task[None] | None = None

    def _apis(self, options: EdgeOptions, admin: AdminService) -> list[Api]:
        backend = self._backend
        orders = OrderService(backend, options.payment_tokens, options.order_policy)
        return [
            _api(order_service_pb2, "OrderService", orders),
            _api(inventory_service_pb2, "InventoryService", InventoryService(backend)),
            _api(payment_service_pb2, "PaymentService", PaymentService(backend)),
            _api(shipping_service_pb2, "ShippingService", ShippingService(backend)),
            _api(webhook_service_pb2, "WebhookService", WebhookService(backend, options.webhook_rules)),
            _api(admin_service_pb2, "AdminService", admin),
        ]

    async def start(self, address: str) -> str:
        """Listens at `HOST:PORT` (port 0: any free) and returns the bound address. Raises OSError if it is taken."""
        bound = await self._server.start(address)
        self._health = asyncio.create_task(self._tell_health(), name="edge health")
        return bound

    async def readiness(self) -> Readiness:
        """Whether this process can serve, and if not, why."""
        return await self._readiness.check()

    async def stop(self, grace_s: float) -> None:
        """NOT_SERVING first; long streams are told to resume elsewhere; then calls under way have the grace period."""
        self._readiness.stop()
        await self._server.leave()
        self._backend.stopping.set()
        if self._health is not None:
            self._health.cancel()
        await asyncio.gather(self._server.stop(grace_s), self.http.stop(grace_s))

    async def _tell_health(self) -> None:
        """Keeps the gRPC health service at what readiness says."""
        while True:
            await self._server.set_serving((await self._readiness.check()).ready)
            await asyncio.sleep(HEALTH_INTERVAL_S)


def _api(module: Any, name: str, servicer: object) -> Api:
    descriptor: ServiceDescriptor = module.DESCRIPTOR.services_by_name[name]
    return Api(descriptor, servicer)
