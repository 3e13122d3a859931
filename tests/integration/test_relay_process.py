"""Two relays on a real server and store: a relay and its server die, and the world is told all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from oms.log.v1 import log_pb2
from oms.order.v1 import order_events_pb2
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.adapters.jetstream_events import JetStreamEvents
from ordermesh.adapters.nats_bus import NatsBus
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import LogError, PartitionId
from ordermesh.runtime.relay import RELAY_POSITIONS, Relay, RelayOptions
from tests.integration.test_jetstream_events import Listener
from tests.waiting import eventually

OPTIONS = RelayOptions(gather_s=0.01, tick_s=0.02, save_interval_s=0.05)
MEMBERS = OwnerOptions(heartbeat_s=0.05, member_timeout_s=0.5)


@dataclass
class Decider:
    """Somebody who decides in one partition, until every frame is acknowledged."""

    log: JetStreamLog
    partition: PartitionId
    number: int = 0
    previous: bytes = b""
    sequence: int = 0
    keys: list[str] = field(default_factory=list)

    async def decide(self) -> None:
        """Appends a frame that places and confirms an order."""
        self.number += 1
        key = f"order-{self.partition.number}-{self.number}"
        frame = log_pb2.DecisionFrame(
            schema=1, epoch=1, number=self.number, clock_us=self.number, previous_id=self.previous, id=key.encode()
        )
        decision = frame.decisions.add()
        for version, event in enumerate((order_events_pb2.OrderPlaced(), order_events_pb2.OrderConfirmed()), start=1):
            decision.events.add(key=key, version=version, type=event.DESCRIPTOR.full_name)
        await self._append(frame.SerializeToString(), key)
        self.previous = frame.id
        self.keys.append(key)

    async def _append(self, data: bytes, key: str) -> None:
        while True:
            try:
                self.sequence = await self.log.append(self.partition, "decisions", data, frame_id=key, dedupe=True)
            except LogError:
                await asyncio.sleep(0.02)
            else:
                return


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A server with the logs of the deployment."""
    async with NatsServer(tmp_path / "nats") as running:
        log = JetStreamLog([running.url], name="setup")
        await log.open()
        for number in range(2):
            await log.create(PartitionId("orders", number), 64 * 1024 * 1024)
        await log.close()
        yield running


@asynccontextmanager
async def open_relay(server: NatsServer, store_path: Path, name: str) -> AsyncIterator[tuple[Relay, Membership]]:
    """A relay whose adapters are open, and what says which partitions are its own; run both yourself."""
    log, bus = JetStreamLog([server.url], name=name), NatsBus([server.url], name=name)
    store, events = SqliteStore(store_path, [RELAY_POSITIONS]), JetStreamEvents([server.url], name=name)
    clock = SystemClock()
    async with AsyncExitStack() as closing:
        for part in (log, bus, store, events):
            await part.open()
            closing.push_async_callback(part.close)
        members = Membership(name, "relay", (), "test", bus, clock, MEMBERS)
        relay = Relay(
            partitions=[PartitionId("orders", number) for number in range(2)],
            log=log,
            store=store,
            bus=bus,
            clock=clock,
            publisher=events,
            translate=CloudEvents("dep").translate,
            mine=members.is_mine,
            options=OPTIONS,
        )
        yield relay, members


async def run_together(relay: Relay, members: Membership) -> None:
    """Both, until one ends or this is cancelled, which is a crash."""
    announcing = asyncio.create_task(members.run())
    try:
        await relay.run()
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)


async def everything_is_told(server: NatsServer, deciders: list[Decider]) -> None:
    """Checks that each order is told as placed and then confirmed, and nothing else is."""
    messages = await Listener(server).read_all()
    told = [message.subject.removeprefix("om.events.v1.order.") for message in messages]
    wanted = {f"{name}.{key}" for decider in deciders for key in decider.keys for name in ("placed", "confirmed")}
    assert set(told) == wanted
    assert len(told) == len(wanted), "within the server's window each is there once"
    for decider in deciders:
        for key in decider.keys:
            assert told.index(f"placed.{key}") < told.index(f"confirmed.{key}")


async def test_two_relays_one_of_which_crashes_and_a_killed_server_tell_everything(
    server: NatsServer, tmp_path: Path
) -> None:
    log = JetStreamLog([server.url], name="decider", append_timeout_s=1.0)
    await log.open()
    deciders = [Decider(log, PartitionId("orders", number)) for number in range(2)]
    async with (
        open_relay(server, tmp_path / "store.sqlite", "relay-a") as first,
        open_relay(server, tmp_path / "store.sqlite", "relay-b") as second,
    ):
        running = [asyncio.create_task(run_together(*pair)) for pair in (first, second)]
        for round_number in range(60):
            await asyncio.gather(*(decider.decide() for decider in deciders))
            if round_number == 20:
                running[0].cancel()
            if round_number == 40:
                await server.kill()
                await server.start()

        def is_all_told() -> bool:
            places = second[0].places()
            return all(
                (place := places.get(decider.partition)) is not None and place.sequence == decider.sequence
                for decider in deciders
            )

        await eventually(is_all_told, "the second relay")
        second[0].stop()
        await asyncio.gather(*running, return_exceptions=True)
    await log.close()
    await everything_is_told(server, deciders)
