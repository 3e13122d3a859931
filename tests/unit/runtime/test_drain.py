"""An owner that an operator has drained owns nothing, unless nobody else is there, until it is resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryBus
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.admin.fleet import Fleet
from ordermesh.gateway.heard import Neighbours
from ordermesh.runtime import subjects
from ordermesh.runtime.host import OwnerHost
from ordermesh.runtime.membership import Membership
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.problems import Problem
from tests.unit.runtime.engine import OPTIONS, TIMEOUT_S, Engine, ask, reaches

PARTITIONS = [PartitionId("counters", number) for number in range(4)]
KEYS = [f"key {number}" for number in range(12)]


async def until(holds: Callable[[], object]) -> None:
    """Waits for a condition, up to a deadline."""
    async with asyncio.timeout(TIMEOUT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def fleet_of(engine: Engine) -> Fleet:
    """What an edge knows of the processes."""
    neighbours = Neighbours(SystemClock(), OPTIONS.member_timeout_s)
    await engine.bus.subscribe(subjects.MEMBERS, neighbours.hear)
    return Fleet(neighbours.members, engine.bus, SystemClock())


def owned(host: OwnerHost) -> int:
    """How many partitions it has."""
    return len(host.owners)


async def test_a_drained_owner_hands_over_takes_nothing_and_takes_its_part_again_when_resumed() -> None:
    engine = Engine(partitions=4)
    first, second = engine.host("a"), engine.host("b")
    fleet = await fleet_of(engine)
    async with engine.running(first, second) as gate:
        await until(lambda: owned(first) + owned(second) == 4 and owned(first))
        before = owned(first)
        for key in KEYS:
            await ask(gate, key, Int64Value(value=1))

        member = await fleet.drain("a", ["counters"], TIMEOUT_S)
        assert (member.drained, owned(first)) == (True, 0)
        await until(lambda: owned(second) == 4)
        for key in KEYS:
            await ask(gate, key, Int64Value(value=1))
        assert owned(first) == 0

        with pytest.raises(Problem) as refused:
            await fleet.drain("b", ["counters"], TIMEOUT_S)
        assert refused.value.reason == "INSTANCE_NOT_DRAINABLE"
        assert owned(second) == 4

        member = await fleet.resume("a", TIMEOUT_S)
        assert not member.drained
        await until(lambda: owned(first) == before and owned(second) == 4 - before)
        for key in KEYS:
            await reaches(gate, key, 2)


async def test_a_drained_owner_stands_in_where_nobody_else_is_left() -> None:
    engine = Engine(partitions=4)
    first, second = engine.host("a"), engine.host("b")
    fleet = await fleet_of(engine)
    async with engine.running(first, second) as gate:
        await until(lambda: owned(first) + owned(second) == 4)
        await fleet.drain("a", ["counters"], TIMEOUT_S)
        await until(lambda: owned(second) == 4)
        second.stop()
        await until(lambda: owned(first) == 4)
        await ask(gate, "key", Int64Value(value=1))


async def test_who_is_not_there_cannot_be_drained_and_who_does_not_hear_is_said_not_to_have_answered() -> None:
    bus, clock = MemoryBus(), SystemClock()
    deaf = log_pb2.Member(instance="deaf", role="owner")
    other = log_pb2.Member(instance="other", role="owner")
    edge = log_pb2.Member(instance="edge", role="edge")
    fleet = Fleet(lambda: [edge, deaf, other], bus, clock)
    for name in ("nobody", "edge", "x" * 10_000):
        with pytest.raises(Problem) as missing:
            await fleet.drain(name, ["counters"], 0.2)
        assert missing.value.reason == "INSTANCE_NOT_FOUND"
    with pytest.raises(Problem) as silent:
        await fleet.drain("deaf", ["counters"], 0.2)
    assert silent.value.reason == "STATE_NOT_YET_KNOWN"


async def test_only_owners_of_the_same_group_can_take_over() -> None:
    members = [
        log_pb2.Member(instance="orders-1", role="owner", groups=["orders"]),
        log_pb2.Member(instance="stock-1", role="owner", groups=["stock"]),
        log_pb2.Member(instance="stock-2", role="owner", groups=["stock"], draining=True),
    ]
    fleet = Fleet(lambda: members, MemoryBus(), SystemClock())
    for name, group in (("orders-1", "orders"), ("stock-1", "stock")):
        with pytest.raises(Problem, match=f"only owner at work for the group {group}"):
            await fleet.drain(name, ["orders", "stock"], 0.2)


async def test_the_others_wait_until_everything_is_handed_over() -> None:
    """A taking fences the owner before, which could then not leave its work stored."""
    bus = MemoryBus()
    a, b = (Membership(name, "owner", (), "test", bus, SystemClock(), OwnerOptions()) for name in "ab")
    running = [asyncio.create_task(each.run()) for each in (a, b)]
    await until(lambda: len(a.members()) == len(b.members()) == 2)
    mine = next(each for each in PARTITIONS if a.is_mine(each))
    bus.publish(subjects.DRAIN, log_pb2.Drain(instance="a", drained=True).SerializeToString())
    await until(lambda: not a.is_mine(mine))
    await asyncio.sleep(0)
    assert a.owner_of(mine) == "b"
    assert not b.is_mine(mine)
    a.handed_over()
    await until(lambda: b.is_mine(mine))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
