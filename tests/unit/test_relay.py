"""The relay: everything is published at least once and in order, nothing that did not happen, and owners are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from oms.log.v1 import log_pb2
from oms.order.v1 import order_events_pb2
from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.runtime import subjects
from ordermesh.runtime.ports import LogUnavailable, PartitionId
from ordermesh.runtime.relay import RELAY_POSITIONS, IntegrationEvent, Relay, RelayOptions
from tests.waiting import eventually

ONE, TWO = PartitionId("orders", 0), PartitionId("orders", 1)
OPTIONS = RelayOptions(gather_s=0.001, tick_s=0.005, save_interval_s=0.01, retry_min_s=0.001)


class Flaky(MemoryEvents):
    """Does not take events, or takes them and says it did not, as often as told."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0
        self.lost_answers = 0

    async def publish(self, events: Sequence[IntegrationEvent]) -> None:
        """As the port says."""
        if self.refusals:
            self.refusals -= 1
            raise LogUnavailable("not now")
        await super().publish(events)
        if self.lost_answers:
            self.lost_answers -= 1
            raise LogUnavailable("the answer is lost")


class World:
    """Two partitions, a store, a bus, and somebody who decides."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.store = MemoryStore([RELAY_POSITIONS])
        self.bus = MemoryBus()
        self.events = Flaky()
        self.heads: dict[PartitionId, log_pb2.DecisionFrame] = {}
        self.told: list[log_pb2.RelayPosition] = []
        self.clock = SystemClock()

    async def prepare(self) -> None:
        """Makes the logs."""
        for partition in (ONE, TWO):
            await self.log.create(partition, 100_000_000)
        await self.bus.subscribe(subjects.RELAY, lambda data: self.told.append(log_pb2.RelayPosition.FromString(data)))

    async def decide(self, partition: PartitionId, *keys: str, epoch: int = 1, frame_id: bytes = b"") -> int:
        """Appends a frame that places these orders and confirms them; its sequence."""
        head = self.heads.get(partition)
        number = head.number + 1 if head is not None else 1
        frame = log_pb2.DecisionFrame(schema=1, epoch=epoch, number=number, clock_us=number)
        frame.id = frame_id or f"{partition}/{epoch}.{number}".encode()
        if head is not None:
            frame.previous_id = head.id
            if epoch > head.epoch:
                frame.taken.instance = "next"
        for key in keys:
            decision = frame.decisions.add()
            placed, confirmed = order_events_pb2.OrderPlaced(), order_events_pb2.OrderConfirmed()
            placed.order.order_id = key
            for version, event in enumerate((placed, order_events_pb2.StockAllocated(), confirmed), start=1):
                decision.events.add(
                    key=key, version=version, type=event.DESCRIPTOR.full_name, payload=event.SerializeToString()
                )
        self.heads[partition] = frame
        return await self.log.append(partition, "decisions", frame.SerializeToString(), frame_id="f", dedupe=False)

    def relay(self, mine: Sequence[PartitionId] = (ONE, TWO), options: RelayOptions = OPTIONS) -> Relay:
        """A relay of some partitions."""
        return Relay(
            partitions=[ONE, TWO],
            log=self.log,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            publisher=self.events,
            translate=CloudEvents("dep").translate,
            mine=lambda partition: partition in mine,
            options=options,
        )

    def published(self) -> list[str]:
        """What was published: type and key, in order."""
        return [f"{event.subject.split('.')[4]} {event.key}" for event in self.events.events]

    async def place(self, partition: PartitionId) -> int:
        """The sequence of the stored position; 0 for none."""
        page = await self.store.query(RELAY_POSITIONS, partition, count_max=1)
        return int(str(page.rows[0]["sequence"])) if page.rows else 0


@pytest.fixture
async def world() -> World:
    """A world without decisions."""
    made = World()
    await made.prepare()
    return made


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """Runs it, and stops it in the end."""
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


def both(*keys: str) -> list[str]:
    """What is published of orders that were placed and confirmed."""
    return [f"{name} {key}" for key in keys for name in ("placed", "confirmed")]


async def test_milestones_of_old_and_new_decisions_are_published_in_order(world: World) -> None:
    await world.decide(ONE, "a", "b")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 4, "the old ones")
        await world.decide(ONE, "c")
        await eventually(lambda: len(world.published()) == 6, "the new ones")
    assert world.published() == both("a", "b", "c")


async def test_a_stopped_relay_has_stored_its_position_and_told_it(world: World) -> None:
    async with running(world.relay()):
        for i in range(20):
            await world.decide(ONE, f"a{i}")
        await eventually(lambda: len(world.published()) == 40, "all")
    assert await world.place(ONE) == 20
    assert await world.place(TWO) == 0
    await eventually(lambda: bool(world.told) and world.told[-1].sequence == 20, "what owners are told")
    assert {(told.group, told.partition) for told in world.told} == {("orders", 0)}


async def test_owners_are_never_told_of_more_than_is_stored(world: World) -> None:
    world.store.available = False
    async with running(world.relay(mine=[])) as idle:
        assert idle.places() == {}
    world.store.available = True
    async with running(world.relay()):
        await world.decide(ONE, "a")
        await eventually(lambda: len(world.published()) == 2, "the events")
        await eventually(lambda: bool(world.told), "the position")
        world.store.available = False
        await world.decide(ONE, "b")
        await eventually(lambda: len(world.published()) == 4, "events while the store is away")
        count = len(world.told)
        await asyncio.sleep(5 * OPTIONS.save_interval_s)
        assert {told.sequence for told in world.told} == {1}
        assert len(world.told) == count
        world.store.available = True
        await eventually(lambda: world.told[-1].sequence == 2, "the later position")


async def test_after_a_crash_it_goes_on_from_the_stored_position(world: World) -> None:
    await world.decide(ONE, "a")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 2, "the first")
    crashed = world.relay(options=RelayOptions(gather_s=0.001, tick_s=0.005, save_interval_s=1e9))
    task = asyncio.create_task(crashed.run())
    await world.decide(ONE, "b")
    await eventually(lambda: len(world.published()) == 4, "what is published before the crash")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await world.place(ONE) == 1
    await world.decide(ONE, "c")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) >= 6, "the rest")
    assert world.published() == both("a", "b", "c")


async def test_what_is_not_taken_is_published_again_until_it_is(world: World) -> None:
    world.events.refusals, world.events.lost_answers = 5, 3
    async with running(world.relay()):
        await world.decide(ONE, "a", "b")
        await eventually(lambda: await_done(world), "the events and their position")
        await world.decide(ONE, "c")
        await eventually(lambda: len(world.published()) == 6, "the next")
    assert world.published() == both("a", "b", "c")


def await_done(world: World) -> bool:
    """Whether all answers that were to be lost are lost, and the position is told."""
    return world.events.lost_answers == 0 and bool(world.told)


async def test_a_relay_stopped_while_nothing_is_taken_ends_and_keeps_its_position(world: World) -> None:
    world.events.refusals = 1_000_000
    await world.decide(ONE, "a")
    async with running(world.relay()):
        await eventually(lambda: world.events.refusals < 999_999, "an attempt")
    assert await world.place(ONE) == 0
    world.events.refusals = 0
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 2, "the events")


async def test_a_frame_that_does_not_follow_is_left_out(world: World) -> None:
    await world.decide(ONE, "a")
    valid = world.heads[ONE]
    await world.decide(ONE, "fork", frame_id=b"fork 1")
    world.heads[ONE] = valid
    await world.decide(ONE, "false")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 4, "the first two")
        await world.decide(ONE, "lost")
        await world.decide(TWO, "b")
        await eventually(lambda: "confirmed b" in world.published(), "the other partition")
    assert [one for one in world.published() if "a" in one.split()[1] or "fork" in one] == both("a", "fork")
    assert not any("false" in one for one in world.published())


async def test_a_log_that_lost_its_tail_is_relayed_from_its_next_taking(world: World) -> None:
    """The relay had published frames 2 and 3, which the log lost; a new owner went on from frame 1."""
    await world.decide(ONE, "a")
    kept = world.heads[ONE]
    await world.decide(ONE, "gone1")
    await world.decide(ONE, "gone2")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 6, "all before the loss")
    world.log = MemoryLog()
    await world.prepare()
    world.heads = {}
    await world.decide(ONE, "a")
    assert world.heads[ONE].id == kept.id
    for key in ("b", "c", "d"):
        await world.decide(ONE, key, epoch=2)
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 12, "all after the loss")
    assert world.published() == both("a", "gone1", "gone2", "b", "c", "d")


async def test_owners_are_not_told_a_position_of_a_log_that_is_gone(world: World) -> None:
    """They would trim what the relay has not read: sequences begin lower again."""
    for key in ("a", "b", "c"):
        await world.decide(ONE, key)
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 6, "all before the loss")
    world.log = MemoryLog()
    await world.prepare()
    relay = world.relay()
    async with running(relay):
        await eventually(lambda: ONE in relay.places(), "it reads again")
        place = relay.places()[ONE]
        assert place is not None
        assert place.sequence == 0


async def test_a_trimmed_log_is_relayed_on_from_its_position(world: World) -> None:
    for key in ("a", "b", "c"):
        await world.decide(ONE, key)
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 6, "all")
    await world.log.trim(ONE, 3)
    await world.decide(ONE, "d")
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 8, "the next")
    assert world.published() == both("a", "b", "c", "d")


async def test_a_partition_that_changes_hands_is_published_whole(world: World) -> None:
    mine, others = [ONE, TWO], list[PartitionId]()
    async with running(world.relay(mine=mine)) as first, running(world.relay(mine=others)) as second:
        for i in range(30):
            await world.decide(ONE, f"a{i}")
            await world.decide(TWO, f"b{i}")
            if i == 15:
                mine.remove(TWO)
                others.append(TWO)
                await eventually(lambda: TWO in second.places() and TWO not in first.places(), "the change")
        await eventually(lambda: len(set(world.published())) == 120, "all events")
    assert [one for one in world.published() if " a" in one] == both(*(f"a{i}" for i in range(30)))
    assert [one for one in world.published() if " b" in one] == both(*(f"b{i}" for i in range(30)))


async def test_with_little_room_to_read_ahead_all_is_published(world: World) -> None:
    options = RelayOptions(gather_s=0.001, tick_s=0.005, events_max=3, read_ahead_bytes=300)
    keys = [f"a{i}" for i in range(100)]
    for key in keys[:50]:
        await world.decide(ONE, key)
    async with running(world.relay(options=options)):
        for key in keys[50:]:
            await world.decide(ONE, key)
        await eventually(lambda: len(world.published()) == 200, "all")
    assert world.published() == both(*keys)


async def test_a_frame_of_a_newer_build_stops_its_partition_and_no_other(world: World) -> None:
    await world.decide(ONE, "a")
    newer = log_pb2.DecisionFrame(schema=99, id=b"x", previous_id=world.heads[ONE].id, epoch=1, number=2)
    await world.log.append(ONE, "decisions", newer.SerializeToString(), frame_id="f", dedupe=False)
    async with running(world.relay()):
        await eventually(lambda: len(world.published()) == 2, "what is before it")
        await world.decide(TWO, "b")
        await eventually(lambda: len(world.published()) == 4, "the other partition")
    assert await world.place(ONE) == 1
