"""The processes that tell the world: relays publish what was decided, couriers deliver it as webhooks.

A relay process runs the real `Relay`, a courier process the real `Deliverer`; their ports are simulated.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from oms.notification.v1.webhook_pb2 import Redelivery
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.core.decider import Key
from ordermesh.core.targets import TargetRules
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.notification.deliverer import Deliverer, DeliveryOptions
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import ACQUAINTANCE_S
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.relay import Relay, RelayOptions
from ordermesh.testing.simulation.clock import BEGINNING_US, SimulatedClock
from ordermesh.testing.simulation.links import BusLink, LogLink, StoreLink
from ordermesh.testing.simulation.loop import Process
from ordermesh.testing.simulation.receiver import Receiver
from ordermesh.testing.simulation.tellers_links import EventsLink, PostLink

if TYPE_CHECKING:
    from ordermesh.testing.simulation.world import World

RELAY, COURIER = "relay", "courier"
"""Their roles."""

RETRY_SCALE = 0.001
"""So that ten attempts of a webhook outlast the faults of every run, and none takes much longer than these."""

Teller = Relay | Deliverer


class Tellers:
    """Those processes, with the stream of events and the receiver that they share."""

    def __init__(self, world: World) -> None:
        self._world = world
        chance = random.Random(f"tellers {world.seed}")
        self._options = RelayOptions(
            gather_s=chance.choice((0.0, 0.1)), events_max=chance.choice((1, 5, 500)),
            read_ahead_bytes=chance.choice((1, 3_000, 16_000_000)), save_interval_s=chance.choice((0.2, 2.0)),
        )  # fmt: skip
        self._delivery = DeliveryOptions(rules=TargetRules(), retry_scale=RETRY_SCALE)
        self.stream = MemoryEvents(lambda: BEGINNING_US + int(world.loop.time() * 1e6))
        self.receiver = Receiver(world.findings)
        self.redelivered: dict[Key, Redelivery] = {}
        """What was asked to be told again, by endpoint."""
        self.living: dict[tuple[str, int], tuple[Process, Teller] | None] = {
            (role, slot): None
            for role, count in ((RELAY, world.profile.relays), (COURIER, world.profile.couriers))
            for slot in range(count)
        }

    def start(self, role: str, slot: int) -> None:
        """A new process."""
        process, clock = self._world.new_process(role, slot)
        bus = BusLink(self._world.servers, process)
        membership = Membership(process.name, role, (), "simulated", bus, clock, self._world.profile.options)
        stream = EventsLink(self._world.servers, process, self.stream)
        if role == RELAY:
            relay = self._relay(process, bus, clock, membership, stream)
            work: Coroutine[Any, Any, None] = relay.run()
            self.living[role, slot] = (process, relay)
        else:
            gate = Gate(
                instance=process.name, log=LogLink(self._world.servers, process), bus=bus, clock=clock,
                deployment=self._world.deployment, options=self._world.profile.options,
            )  # fmt: skip
            deliverer = self._deliverer(process, bus, clock, membership, stream, gate)
            work = _deliver(deliverer, gate)
            self.living[role, slot] = (process, deliverer)
        self._world.findings.note("start", process.name)
        process.spawn(self._run(process, membership, work))

    def _relay(
        self, process: Process, bus: BusLink, clock: SimulatedClock, membership: Membership, stream: EventsLink
    ) -> Relay:
        world = self._world
        return Relay(
            partitions=world.topology.partitions(), log=LogLink(world.servers, process),
            store=StoreLink(world.servers, process), bus=bus, clock=clock, publisher=stream,
            translate=CloudEvents(world.deployment.deployment_id).translate, mine=membership.is_mine,
            options=self._options,
        )  # fmt: skip

    def _deliverer(
        self, process: Process, bus: BusLink, clock: SimulatedClock, membership: Membership, stream: EventsLink,
        gate: Gate,
    ) -> Deliverer:  # fmt: skip
        servers = self._world.servers
        return Deliverer(
            stream=stream, store=StoreLink(servers, process), gate=gate, bus=bus, clock=clock,
            post=PostLink(servers, process, self.receiver), mine=membership.is_mine, options=self._delivery,
        )  # fmt: skip

    async def _run(self, process: Process, membership: Membership, work: Coroutine[Any, Any, None]) -> None:
        """What the process does until it is stopped."""
        heartbeat = asyncio.create_task(membership.run())
        try:
            await work
        except BaseException as error:
            self._world.findings.report("I5", f"the process {process.name} failed: {error!r}")
            raise
        membership.leave()
        heartbeat.cancel()
        self._world.findings.note("stopped", process.name)
        self._world.loop.after(0, self._world.crash, process)

    def gone(self, role: str, slot: int) -> None:
        """A process is no more."""
        self.living[role, slot] = None


async def _deliver(deliverer: Deliverer, gate: Gate) -> None:
    """The work of a courier process."""
    await gate.start()
    await asyncio.sleep(ACQUAINTANCE_S)
    await deliverer.run()
    await gate.close()
