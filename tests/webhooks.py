"""A shop whose events are relayed and delivered, whole and in this process, and what tests ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from oms.notification.v1 import webhook_pb2
from oms.notification.v1 import webhook_service_pb2 as api
from ordermesh.adapters.http_post import HttpPost
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.notification.deliverer import Deliverer, DeliveryOptions
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.relay import Relay, RelayOptions
from ordermesh.runtime.topology import Topology
from tests.e2e.api.client import Client, until
from tests.receiver import OK, Answer, Received, Receiver
from tests.unit.edge.shop import WEBHOOK_RULES, Shop

OPTIONS = DeliveryOptions(rules=WEBHOOK_RULES, retry_scale=0.01, disable_after_s=3_600.0)
"""The second attempt comes after 50 ms, the third after 3 s."""
RELAYING = RelayOptions(gather_s=0.001, tick_s=0.01)


class World:
    """A shop whose events are relayed, and who delivers them."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.events = MemoryEvents()
        self.post = HttpPost(WEBHOOK_RULES, user_agent="test")
        self.options = OPTIONS
        self._delivering: asyncio.Task[None] | None = None
        self.deliverer = self.made()

    def made(self, mine: Callable[[PartitionId], bool] = lambda _: True) -> Deliverer:
        shop = self.shop
        return Deliverer(
            stream=self.events, store=shop.store, gate=shop.gate, bus=shop.bus, clock=shop.clock, post=self.post,
            mine=mine, options=self.options,
        )  # fmt: skip

    def start(self, mine: Callable[[PartitionId], bool] = lambda _: True) -> None:
        """Somebody new begins to deliver."""
        self.deliverer = self.made(mine)
        self._delivering = asyncio.create_task(self.deliverer.run())

    async def stop(self) -> None:
        """Who delivers ends cleanly."""
        assert self._delivering is not None
        self.deliverer.stop()
        await asyncio.wait_for(self._delivering, 10.0)

    async def crash(self) -> None:
        """Who delivers is no more, and has stored nothing since its last tick."""
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering

    async def knows(self, endpoint: webhook_pb2.Endpoint) -> None:
        """Waits until who delivers has seen the endpoint as it is there, or later."""

        async def has_seen() -> bool:
            seen_now = [courier.endpoint.endpoint for courier in self.deliverer.couriers.values()]
            mine = [each for each in seen_now if each.endpoint_id == endpoint.endpoint_id]
            return any(each.version >= endpoint.version for each in mine)

        await until(has_seen, "the change is known to who delivers")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Client]:
        """Runs everything, and gives a client."""
        shop = self.shop
        translate = CloudEvents(shop.deployment.deployment_id).translate
        relay = Relay(
            partitions=Topology(shop.deployment).partitions(), log=shop.log, store=shop.store, bus=shop.bus,
            clock=shop.clock, publisher=self.events, translate=translate, mine=lambda _: True, options=RELAYING,
        )  # fmt: skip
        async with shop.open() as client:
            relaying = asyncio.create_task(relay.run())
            self.start()
            try:
                yield client
            finally:
                await self.crash()
                self.post.close()
                relay.stop()
                await relaying


async def made(client: Client, url: str, *event_types: str) -> Any:
    """The answer of an endpoint's making."""
    return await client.webhooks.CreateEndpoint(api.CreateEndpointRequest(url=url, event_types=event_types))


async def endpoint_of(client: Client, endpoint_id: str) -> Any:
    """An endpoint as it is now."""
    return (await client.webhooks.GetEndpoint(api.GetEndpointRequest(endpoint_id=endpoint_id))).endpoint


async def deliveries(client: Client, endpoint_id: str, **filters: Any) -> list[Any]:
    """The attempts, the newest first."""
    request = api.ListDeliveriesRequest(endpoint_id=endpoint_id, page_size=1000, **filters)
    return list((await client.webhooks.ListDeliveries(request)).deliveries)


async def send_test(client: Client, endpoint_id: str) -> None:
    """Has a test event sent."""
    await client.webhooks.SendTestEvent(api.SendTestEventRequest(endpoint_id=endpoint_id))


def seen(receiver: Receiver, *names: str) -> Callable[[], Awaitable[bool]]:
    """Whether all of these arrived."""

    async def has_seen() -> bool:
        return set(names) <= set(receiver.names)

    return has_seen


def failing(times: int, answer: Answer, about: str = "") -> Callable[[Received], Awaitable[Answer]]:
    """Fails so often where what is received is about that, then takes all."""
    left = [times]

    async def decide(received: Received) -> Answer:
        if about in received.name and left[0] > 0:
            left[0] -= 1
            return answer
        return OK

    return decide


async def take_all(_received: Received) -> Answer:
    """Takes everything."""
    return OK
