"""Defects that were found by reading, each with the order of events that showed it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import Int32Value, Int64Value, StringValue

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Context, Decision, Key, Outgoing, Row, Service, State
from ordermesh.runtime import subjects
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.ports import PartitionId
from tests.unit.runtime import engine as engine_module
from tests.unit.runtime.counter import COUNTER
from tests.unit.runtime.engine import OPTIONS, TIMEOUT_S, Engine, ask, double, reaches, value_of
from tests.unit.runtime.test_trouble import switched

ONLY = PartitionId("counters", 0)


async def until(holds: Callable[[], object]) -> None:
    """Waits for a condition, up to a deadline."""
    async with asyncio.timeout(TIMEOUT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def test_an_id_from_the_far_future_does_not_move_the_log_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids may lead the clock by what clocks differ, and not by centuries: timers and write times hang on it."""
    kind = replace(COUNTER.aggregates[0], key_is_uuid7=True)
    monkeypatch.setattr(engine_module, "COUNTER", replace(COUNTER, aggregates=(kind,)))
    engine = Engine(partitions=1)
    host = engine.host("a")
    async with engine.running(host) as gate:
        await ask(gate, "k", Int64Value(value=1))
        before_us = host.owners[ONLY].head.frame.clock_us
        assert await value_of(gate, "ffffffff-ffff-7fff-8fff-ffffffffffff") is None
        assert host.owners[ONLY].head.frame.clock_us - before_us < 60_000_000
        assert (await ask(gate, "ffffffff-ffff-7fff-8fff-ffffffffffff", Int64Value(value=1))).dead_letter


async def test_what_queues_behind_one_key_is_decided_together_once_the_store_is_back() -> None:
    """A hot key that was parked catches up though new commands for it keep coming."""
    engine, store = switched()
    host = engine.host("a")
    async with engine.running(host) as gate:
        await ask(gate, "known", Int64Value(value=1))
        store.is_away = True
        await gate.settle([gate.post("counter", "t", "hot", Int64Value(value=1)) for _ in range(40)], 0.5)
        agenda = host.owners[ONLY].memory.agenda
        assert len(agenda.parked) == 40
        store.is_away = False

        def no_longer_parked() -> bool:
            gate.post("counter", "t", "hot", Int64Value(value=1))
            return not agenda.parked

        await until(no_longer_parked)


async def test_a_dead_letter_leaves_nothing_in_the_queues_of_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain that parks one message and fails on the next blocks no key for good."""

    def tell(_states: Mapping[Key, State], command: StringValue, context: Context) -> Decision:
        told = [part.split(":") for part in command.value.split()]
        return Decision(
            messages=[Outgoing("counter", context.tenant, name, Int64Value(value=int(number))) for name, number in told]
        )

    monkeypatch.setattr(engine_module, "COUNTER", _with(COUNTER, StringValue, tell))
    engine, store = switched()
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "known", Int64Value(value=1))
        await ask(gate, "known2", Int64Value(value=1))
        store.is_away = True
        (answer,) = await gate.settle(
            [gate.post("counter", "t", "known", StringValue(value="other:1 known2:13"))], TIMEOUT_S / 5
        )
        assert isinstance(answer, Answer)
        assert answer.dead_letter
        store.is_away = False
        gate.post("counter", "t", "other", Int64Value(value=5))
        await reaches(gate, "other", 5)


def _with(service: Service, command: type[Any], decide: Callable[..., Decision]) -> Service:
    """The service with another way of deciding one command."""
    handlers = tuple(
        replace(handler, decide=decide) if handler.command is command else handler for handler in service.handlers
    )
    return replace(service, handlers=handlers)


async def test_a_refusal_to_take_commands_ends_with_the_owner_that_said_it() -> None:
    """Orders are taken again when the one who could not take them has gone silent."""
    engine = Engine(partitions=1, options=replace(OPTIONS, member_timeout_s=0.05))
    async with engine.running() as gate:
        closed = log_pb2.PartitionStatus(group="counters", intake_reason="full")
        engine.bus.publish(subjects.STATUS, closed.SerializeToString())
        await until(gate.statuses)
        await until(lambda: not gate.statuses())
        assert not gate.post("counter", "t", "k", Int64Value(value=1)).done()


async def test_a_cancelled_caller_leaves_nothing_behind() -> None:
    """Calls whose client went away do not count against the edge's limit for ever."""
    engine = Engine(partitions=1)
    async with engine.running() as gate:
        pending = gate.post("counter", "t", "k", Int64Value(value=1))
        call = asyncio.create_task(gate.settle([pending], TIMEOUT_S))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        assert pending.cancelled()


async def test_a_contradiction_found_in_a_chain_stops_the_partition() -> None:
    """A row from a lost tail is never made one customer's dead letter."""
    engine = Engine(partitions=1)
    host = engine.host("a")
    async with engine.running(host) as gate:
        await ask(gate, "k", Int64Value(value=1))
        host.owners[ONLY].memory.epoch_ends[5] = 3
        await engine.store.write([Row("counters", ("t", "lost", "", 9, 5, 99, 0, b""), 1)])
        gate.post("counter", "t", "k", StringValue(value="lost:1"))
        await until(lambda: any(status.stopped_reason for status in gate.statuses()))
        assert not (await engine.store.scan(host._registry.kinds["dead_letter"].table, count_max=1)).rows


async def test_an_effect_that_this_build_does_not_know_harms_nothing_else() -> None:
    """It is tried again and again, and its partition goes on."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a", {"another.Type": double})) as gate:
        await ask(gate, "k", Int32Value(value=1))
        for _ in range(5):
            assert (await ask(gate, "k", Int64Value(value=1))).persistence == 4


async def test_messages_leave_the_last_part_of_a_log_to_its_decisions() -> None:
    """A log that is nearly full gets no more messages from other partitions until there is room again."""
    engine = Engine(partitions=2, options=replace(OPTIONS, checkpoint_interval_s=3600.0))  # so nothing is trimmed
    host = engine.host("a")
    async with engine.running(host) as gate:
        other = next(name for name in map(str, range(99)) if gate.partition_of("counter", "t", name).number == 1)
        teller = next(name for name in map(str, range(99)) if gate.partition_of("counter", "t", name).number == 0)
        for _number in range(100):
            await ask(gate, other, Int64Value(value=1))
        flusher = host.owners[PartitionId("counters", 1)].flusher
        # A flush of a log that is nearly full brings a checkpoint, and that makes room.
        await until(lambda: not flusher.is_busy and flusher.due_in() == float("inf"))
        stream = engine.log.stream(PartitionId("counters", 1))
        room = stream.bytes_max
        stream.bytes_max = int(stream.bytes_used / 0.95)
        await asyncio.sleep(3 * OPTIONS.status_interval_s)  # senders have looked again
        last = stream.last_of("messages")
        await ask(gate, teller, StringValue(value=f"{other}:1"))
        await asyncio.sleep(3 * OPTIONS.status_interval_s)
        assert stream.last_of("messages") == last
        stream.bytes_max = room
        await reaches(gate, other, 101)


async def test_rows_of_owners_that_never_checkpointed_are_not_taken_for_lost() -> None:
    """Where the epoch of the last owner but one ends is known only once the log is redone; its rows are stored before.

    Found by a run of scripts/chaos: owners that died one after the other left two partitions stopped for good.
    """
    engine = Engine(partitions=1)
    for name in ("a", "b"):
        async with engine.running(engine.host(name)) as gate:
            await ask(gate, "x", Int64Value(value=1))
    engine.options = replace(OPTIONS, checkpoint_interval_s=3600.0)
    async with engine.running() as gate:
        for name in ("c", "d"):
            crashing = asyncio.create_task(engine.host(name).run())
            await ask(gate, name, Int64Value(value=1))
            crashing.cancel()
            await asyncio.wait([crashing])
        async with engine.running(engine.host("e")) as other:
            assert [await value_of(other, name) for name in ("c", "d")] == [1, 1]
