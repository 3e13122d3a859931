"""Another number of partitions: nothing is lost or done twice, wherever the work is broken off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue, Int32Value, Int64Value, StringValue

from oms.inventory.v1.inventory_commands_pb2 import Release
from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.admin.repartition import Repartition, Report
from ordermesh.core.decider import Key
from ordermesh.inventory import app as inventory
from ordermesh.runtime import host as host_module
from ordermesh.runtime import repartition_drain
from ordermesh.runtime.cache import Cache, Contradiction
from ordermesh.runtime.gate import Gate
from ordermesh.runtime.host import OwnerHost
from ordermesh.runtime.kernel_service import DEAD_LETTER
from ordermesh.runtime.loader import StoreLoader
from ordermesh.runtime.memory import Partition, Work
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import LogFull, LogUnavailable, PartitionId
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.repartition import repartitioned
from ordermesh.runtime.repartition_drain import DrainHost, Interfered, Stuck, drain, leave_open
from ordermesh.runtime.topology import KERNEL, Topology, new_deployment, numbers_of
from ordermesh.runtime.turn import Turn
from tests.unit.runtime.counter import COUNTER
from tests.unit.runtime.engine import LOG_BYTES, TIMEOUT_S, Engine, ask, reaches, value_of
from tests.waiting import eventually

KEYS = [str(number) for number in range(24)]
INT32 = "google.protobuf.Int32Value"


class Provider:
    """Writes down the keys it is asked under; answers only when it is not silent."""

    def __init__(self, *, is_silent: bool) -> None:
        self._is_silent = is_silent
        self.keys: list[str] = []

    async def double(self, request: Message, key: str) -> Message:
        """As its name says."""
        assert isinstance(request, Int32Value)
        self.keys.append(key)
        if self._is_silent:
            await asyncio.Event().wait()
        return Int64Value(value=2 * request.value)


class BrokenOff(Exception):
    """The process that did the work is gone."""


class Breaking:
    """A log or a store whose user is gone at one of its calls: before it, or after it and before its answer."""

    def __init__(self, inner: Any, calls_left: list[int], *, is_done: bool) -> None:
        self._inner = inner
        self._calls_left = calls_left
        self._is_done = is_done

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Each method of the port."""

        async def call(*arguments: Any, **named: Any) -> Any:
            self._calls_left[0] -= 1
            is_last = self._calls_left[0] == 0
            if is_last and not self._is_done:
                raise BrokenOff(name)
            answer = await getattr(self._inner, name)(*arguments, **named)
            if is_last:
                raise BrokenOff(name)
            return answer

        return call


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is there to be waited for."""
    monkeypatch.setattr(host_module, "ACQUAINTANCE_S", 0.01)
    monkeypatch.setattr(repartition_drain, "POLL_S", 0.01)


def work_on(engine: Engine, calls: int = 0, *, is_done: bool = False) -> Repartition:
    """What the command does it with; with `calls` it is gone at that one."""
    calls_left = [calls]

    async def drain_all(deployment: log_pb2.Deployment) -> Mapping[PartitionId, int]:
        host = DrainHost(
            instance="drain", build="test", log=engine.log, store=engine.store, bus=engine.bus, clock=engine.clock,
            services=[COUNTER], deployment=deployment, options=engine.options, effects={INT32: leave_open},
        )  # fmt: skip
        return await drain(host, engine.log, Topology(deployment).partitions(), lambda _waiting: None)

    log, store = (Breaking(each, calls_left, is_done=is_done) for each in (engine.log, engine.store))
    return Repartition(
        log=log, store=store, clock=engine.clock, options=engine.options, instance="operator", build="test",
        drain=drain_all, forget=lambda: None, tell=lambda _step: None,
    )  # fmt: skip


async def divide(engine: Engine, count: int, calls: int = 0, *, is_done: bool = False) -> Report | None:
    """As the command does, from the record as it is. None: it had been recorded before."""
    work = work_on(engine, calls, is_done=is_done)
    deployment = await work.deployment()
    report = None
    if len(numbers_of(deployment.groups[0])) == count:
        await work.settle(deployment)
    else:
        report = await work.run(deployment, {"counters": count}, LOG_BYTES)
    assert engine.store.deployment is not None
    engine.deployment = log_pb2.Deployment.FromString(engine.store.deployment)
    return report


async def begun(engine: Engine) -> list[str]:
    """Counters of which each is 3, with a timer and an effect open for each eighth, and much that nobody decided yet.

    Gives the keys under which the provider was asked.
    """
    await engine.store.create_deployment(engine.deployment.SerializeToString(deterministic=True))
    provider = Provider(is_silent=True)
    host = engine.host("a", {INT32: provider.double})
    host._options = replace(engine.options, tick_s=3600.0)  # no timer falls due, however slow this machine is
    async with engine.running(host) as gate:
        for number, key in enumerate(KEYS):
            await ask(gate, key, Int64Value(value=1))
            if number % 8 == 0:
                await ask(gate, key, BoolValue(value=True))
                await ask(gate, key, Int32Value(value=5))
        async with asyncio.timeout(TIMEOUT_S):
            while len(provider.keys) < 3:
                await asyncio.sleep(0.01)
    async with engine.running() as gate:  # nobody decides these: they are for the drain
        pending = [gate.post("counter", "t", key, StringValue(value=f"{KEYS[-1 - n]}:1")) for n, key in enumerate(KEYS)]
        async with asyncio.timeout(TIMEOUT_S):
            while not all(one.is_appended for one in pending):
                await asyncio.sleep(0.01)
    return provider.keys


async def check_all(engine: Engine, keys_asked: list[str]) -> None:
    """Every counter has what it had, what was under way came to its end once, and all take new commands."""
    provider = Provider(is_silent=False)
    async with engine.running(engine.host("b", {INT32: provider.double})) as gate:
        for number, key in enumerate(KEYS):
            await reaches(gate, key, 113 if number % 8 == 0 else 3)
            await ask(gate, key, Int64Value(value=1))
        assert sorted(provider.keys) == sorted(keys_asked)
    async with engine.running(engine.host("c", {INT32: provider.double})) as gate:  # recovery agrees
        for number, key in enumerate(KEYS):
            assert await value_of(gate, key) == (114 if number % 8 == 0 else 4)
    assert sorted(provider.keys) == sorted(keys_asked)


@pytest.mark.parametrize(("before", "after"), [(4, 8), (4, 3), (2, 1)])
async def test_all_that_was_open_goes_on_in_the_new_partitions(before: int, after: int) -> None:
    engine = Engine(before)
    asked = await begun(engine)
    report = await divide(engine, after)
    assert report is not None
    assert (report.before, report.after, report.carried) == ({"counters": before}, {"counters": after}, 6)
    assert Topology(engine.deployment).partitions() == [PartitionId("counters", before + n) for n in range(after)]
    await check_all(engine, asked)


async def test_it_may_be_done_again_and_again() -> None:
    engine = Engine(2)
    asked = await begun(engine)
    for count in (5, 1, 3):
        await divide(engine, count)
    assert Topology(engine.deployment).partitions() == [PartitionId("counters", 8 + number) for number in range(3)]
    await check_all(engine, asked)


@pytest.mark.parametrize("is_done", [False, True])
async def test_broken_off_at_any_call_it_is_ended_by_doing_it_again(*, is_done: bool) -> None:
    engine = Engine(2)
    asked = await begun(engine)
    calls, broken_off = 1, 0
    while True:
        try:
            await divide(engine, 3, calls, is_done=is_done)
            break
        except BrokenOff:
            broken_off += 1
            stored = log_pb2.Deployment.FromString(engine.store.deployment or b"")
            has_flipped = len(numbers_of(stored.groups[0])) == 3
            calls = 1 if has_flipped and engine.deployment != stored else calls + 1
            engine.deployment = stored
    assert broken_off > 30
    await check_all(engine, asked)


@pytest.mark.parametrize("calls", range(3, 30, 4))
async def test_broken_off_it_may_be_undone_until_it_is_recorded(calls: int) -> None:
    engine = Engine(2)
    asked = await begun(engine)
    before = await work_on(engine).deployment()
    with pytest.raises(BrokenOff):
        await divide(engine, 3, calls)
    await work_on(engine).settle(before)
    assert sorted(engine.log.streams) == [PartitionId("counters", 0), PartitionId("counters", 1)]
    await check_all(engine, asked)


async def test_nobody_decides_in_the_old_logs_any_more() -> None:
    engine = Engine(2)
    await begun(engine)
    old = engine.deployment
    await divide(engine, 3)
    new, engine.deployment = engine.deployment, old
    lasts = {partition: engine.log.stream(partition).last_sequence for partition in Topology(old).partitions()}
    provider = Provider(is_silent=False)
    late = engine.host("late", {INT32: provider.double})
    async with late_processes(engine, late) as gate:
        pending = gate.post("counter", "t", KEYS[0], Int64Value(value=1))
        (answer,) = await gate.settle([pending], 0.5)
        assert isinstance(answer, LogUnavailable)
    assert late.owners == {}
    assert provider.keys == []
    assert {partition: engine.log.stream(partition).last_sequence for partition in lasts} == lasts
    engine.deployment = new
    assert await work_on(engine).purge(new) == 2
    assert sorted(engine.log.streams) == Topology(new).partitions()


@asynccontextmanager
async def late_processes(engine: Engine, host: OwnerHost) -> AsyncIterator[Gate]:
    """An edge and an owner that know the old partitions only; they end as crashes do."""
    gate = Gate(
        instance="late", log=engine.log, bus=engine.bus, clock=engine.clock, deployment=engine.deployment,
        options=engine.options,
    )  # fmt: skip
    await gate.start()
    running = asyncio.create_task(host.run())
    try:
        yield gate
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await gate.close()


async def test_a_dead_letter_of_before_is_replayed_by_the_partition_that_came_after() -> None:
    engine = Engine(2)
    await engine.store.create_deployment(engine.deployment.SerializeToString(deterministic=True))
    async with engine.running(engine.host("a")) as gate:
        assert (await ask(gate, "7", Int64Value(value=13))).dead_letter
        home = str(gate.partition_of("counter", "t", "7"))
    (key,) = [key for key in engine.store.tables["dead_letters"].rows if home in key]
    await divide(engine, 3)
    async with engine.running(engine.host("b")) as gate:
        command = log_pb2.ResolveDeadLetter(dead_letter_id=str(key[-1]), replay=True)
        (answer,) = await gate.settle([gate.post(KERNEL, "", home, command)], TIMEOUT_S)
        assert not isinstance(answer, Exception)
        assert log_pb2.DeadLetterState.FromString(answer.state).replayed
        found = await gate.query(KERNEL, Key(DEAD_LETTER, "", home, str(key[-1])), timeout_s=TIMEOUT_S)
        assert log_pb2.DeadLetterState.FromString(found.state).replayed


async def test_where_there_is_no_room_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(2)
    asked = await begun(engine)
    create = engine.log.create

    async def full(partition: PartitionId, bytes_max: int) -> None:
        if partition.number == 3:
            raise LogFull("no room")
        await create(partition, bytes_max)

    monkeypatch.setattr(engine.log, "create", full)
    with pytest.raises(LogFull):
        await divide(engine, 3)
    monkeypatch.undo()
    assert sorted(engine.log.streams) == [PartitionId("counters", 0), PartitionId("counters", 1)]
    await check_all(engine, asked)


async def test_another_owner_is_noticed() -> None:
    engine = Engine(2)
    await begun(engine)
    other = engine.host("other", {INT32: Provider(is_silent=True).double})
    async with engine.running(other):
        with pytest.raises(Interfered, match="other"):
            await divide(engine, 3)


async def test_the_old_logs_take_nothing_before_the_new_partitions_count() -> None:
    engine = Engine(2)
    await begun(engine)
    old, taken = Topology(engine.deployment).partitions(), {}
    work = work_on(engine)
    drain_all = work._drain

    def look(moment: str) -> None:
        taken[moment] = [engine.log.stream(partition).takes for partition in old]

    async def drain_and_look(known: log_pb2.Deployment) -> Mapping[PartitionId, int]:
        look("drain")
        return await drain_all(known)

    work._drain, work._forget = drain_and_look, lambda: look("record")
    await work.run(await work.deployment(), {"counters": 3}, LOG_BYTES)
    assert taken == {"drain": [("messages", "decisions")] * 2, "record": [()] * 2}


async def test_what_another_owner_decided_after_the_drain_is_not_left_behind() -> None:
    engine = Engine(2)
    asked = await begun(engine)
    work = work_on(engine)
    deployment = await work.deployment()
    drain_all = work._drain

    async def drain_and_be_late(known: log_pb2.Deployment) -> Mapping[PartitionId, int]:
        drained = await drain_all(known)
        late = engine.host("late", {INT32: Provider(is_silent=True).double})
        async with late_processes(engine, late):
            await eventually(lambda: len(late.owners) == 2, "it has taken them")
        return drained

    work._drain = drain_and_be_late
    with pytest.raises(Contradiction, match="somebody else has decided"):
        await work.run(deployment, {"counters": 3}, LOG_BYTES)
    await divide(engine, 3)
    await check_all(engine, asked)


async def test_a_partition_whose_log_lost_its_tail_is_not_divided() -> None:
    engine = Engine(2)
    await begun(engine)
    stream = engine.log.stream(PartitionId("counters", 0))
    del stream._messages[1:]
    stream._last_by_kind = {stream._messages[0].kind: 1}
    with pytest.raises(Contradiction, match="tail is lost"):
        await divide(engine, 3)


async def test_a_store_that_does_not_answer_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(2)
    await begun(engine)
    monkeypatch.setattr(repartition_drain, "PATIENCE_S", 0.5)
    work = work_on(engine)
    deployment = await work.deployment()
    drain_all = work._drain

    async def drain_without_store(known: log_pb2.Deployment) -> Mapping[PartitionId, int]:
        engine.store.available = False
        try:
            return await drain_all(known)
        finally:
            engine.store.available = True

    work._drain = drain_without_store
    with pytest.raises(Stuck, match="counters/000 is not taken yet"):
        await work.run(deployment, {"counters": 3}, LOG_BYTES)


async def test_a_command_whose_keys_were_divided_becomes_a_dead_letter() -> None:
    """Decided, it would change an aggregate of another partition: one that was a dead letter before is replayed."""
    topology = Topology(repartitioned(new_deployment("test", 1), {"stock": 4}))
    homes = {sku: topology.partition_of("inventory", "t", sku) for sku in ("A", "B", "C", "D", "E", "F")}
    here = [sku for sku in homes if homes[sku] == homes["A"]]
    elsewhere = [sku for sku in homes if homes[sku] != homes["A"]]
    partition = Partition(homes["A"], topology, Registry([inventory.SERVICE]), Cache(1 << 20, 0))
    loader = StoreLoader(partition, MemoryStore(), SystemClock(), OwnerOptions())
    turn = Turn(partition, log_pb2.DecisionFrame(clock_us=1), loader)
    for skus, error in ((here, ""), (["A", elsewhere[0]], "its keys have not lived in one partition")):
        command = Release(order_id="o", skus=skus)
        work = Work(
            log_pb2.Envelope(
                service="inventory", tenant="t", key="A", type=command.DESCRIPTOR.full_name,
                payload=command.SerializeToString(),
            ), "", 1, 0,
        )  # fmt: skip
        turn.prepare(work)
        assert work.error.startswith(error)
        assert bool(work.error) == bool(error)
