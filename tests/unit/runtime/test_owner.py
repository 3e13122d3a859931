"""The kernel on memory adapters: deciding, consequences, recovery, hand-over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue, Int32Value, Int64Value, StringValue, UInt64Value

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.kernel_service import DEAD_LETTERS
from ordermesh.runtime.ports import PartitionId
from tests.unit.runtime.counter import COUNTERS
from tests.unit.runtime.engine import TIMEOUT_S, Engine, ask, double, reaches, value_of
from tests.waiting import eventually


async def test_a_command_is_decided_stored_and_answered() -> None:
    """The answer of a stored command carries the state, and the store has it."""
    engine = Engine()
    async with engine.running(engine.host("a")) as gate:
        answer = await ask(gate, "x", Int64Value(value=5))

        assert answer.persistence == 4
        assert UInt64Value.FromString(answer.state).value == 5
        key = Key("counter", "t", "x")
        stored = (await engine.store.load(COUNTERS, [key]))[key]
        assert (stored.version, stored.state) == (1, answer.state)


async def test_a_refusal_changes_nothing_and_says_why() -> None:
    """A refused command is answered with its reason."""
    engine = Engine()
    async with engine.running(engine.host("a")) as gate:
        answer = await ask(gate, "x", Int64Value(value=-1))

        assert answer.refusal is not None
        assert answer.refusal.reason == "NEGATIVE"
        assert await value_of(gate, "x") is None


async def test_messages_are_taken_exactly_once_across_partitions_and_owners() -> None:
    """What a command sends arrives once, also when every owner is replaced meanwhile."""
    engine = Engine(partitions=3)
    names = [f"n{number}" for number in range(20)]
    tell = StringValue(value=" ".join(f"{name}:2" for name in names))
    for _ in range(3):
        async with engine.running(engine.host("a"), engine.host("b")) as gate:
            await ask(gate, "teller", tell)
    async with engine.running(engine.host("c")) as gate:
        for name in names:
            await reaches(gate, name, 6)
        assert await value_of(gate, "teller") == 3


async def test_a_crashed_owner_is_redone_from_log_and_store() -> None:
    """What was acknowledged before a crash is there for the next owner."""
    engine = Engine(partitions=1)
    first = engine.host("a")
    async with engine.running() as gate:
        crashing = asyncio.create_task(first.run())
        for _ in range(50):
            await ask(gate, "x", Int64Value(value=1))
        crashing.cancel()
        await asyncio.wait([crashing])
        async with engine.running(engine.host("b")) as other:
            assert await value_of(other, "x") == 50
            await ask(other, "x", Int64Value(value=1))
            assert await value_of(other, "x") == 51


async def dead_letters(engine: Engine, count: int) -> list[Mapping[str, object]]:
    """The stored dead letters, once there are so many."""
    async with asyncio.timeout(TIMEOUT_S):
        while len(rows := (await engine.store.scan(DEAD_LETTERS, count_max=10)).rows) < count:
            await asyncio.sleep(0.01)
    return rows


async def test_a_raising_decision_becomes_a_dead_letter_and_can_be_replayed() -> None:
    """One bad command stops nothing, is kept with its error, and can be resolved once."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        answer = await ask(gate, "x", Int64Value(value=13))
        assert answer.dead_letter
        assert (await ask(gate, "x", Int64Value(value=1))).persistence == 4
        (row,) = await dead_letters(engine, 1)
        assert "unlucky" in str(row["error"])
        resolve = log_pb2.ResolveDeadLetter(dead_letter_id=str(row["sub_key"]), replay=True)
        (resolved,) = await gate.settle([gate.post_to(PartitionId("counters", 0), resolve)], TIMEOUT_S)
        assert isinstance(resolved, Answer)
        assert resolved.refusal is None
        assert len(await dead_letters(engine, 2)) == 2


async def test_a_chain_that_fails_after_evolving_leaves_no_trace() -> None:
    """Nothing of a failed chain stands, and the partition goes on."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        answer = await ask(gate, "x", StringValue(value="y:1 z:13"))

        assert answer.dead_letter
        assert await value_of(gate, "x") is None
        assert await value_of(gate, "y") is None
        await ask(gate, "x", Int64Value(value=2))
        assert await value_of(gate, "x") == 2


async def test_an_effect_is_driven_to_an_answer_under_one_key() -> None:
    """Unknown outcomes are tried again with the same idempotency key; the result counts once."""
    keys: list[str] = []

    async def flaky(request: Message, idempotency_key: str) -> Message:
        keys.append(idempotency_key)
        if len(keys) < 3:
            raise TimeoutError("no answer")
        return await double(request, idempotency_key)

    engine = Engine(partitions=1)
    async with engine.running(engine.host("a", {"google.protobuf.Int32Value": flaky})) as gate:
        await ask(gate, "x", Int32Value(value=21))
        await reaches(gate, "x", 42)

        assert len(keys) == 3
        assert len(set(keys)) == 1


async def test_an_effect_does_not_wait_for_another_that_the_provider_keeps_waiting() -> None:
    engine = Engine(partitions=1)
    asked: list[str] = []
    answer = asyncio.Event()

    async def slow(request: Message, key: str) -> Message:
        asked.append(key)
        await answer.wait()
        return await double(request, key)

    async with engine.running(engine.host("a", {"google.protobuf.Int32Value": slow})) as gate:
        for name in ("x", "y", "z"):
            await ask(gate, name, Int32Value(value=21))
        await eventually(lambda: len(asked) == 3, "all three are asked for")
        answer.set()
        for name in ("x", "y", "z"):
            await reaches(gate, name, 42)
    assert len(set(asked)) == 3


async def test_a_timer_fires_once_and_a_cleared_one_never() -> None:
    """Setting replaces, clearing clears."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "set", BoolValue(value=True))
        await ask(gate, "set", BoolValue(value=True))
        await ask(gate, "cleared", BoolValue(value=True))
        await ask(gate, "cleared", BoolValue(value=False))
        await reaches(gate, "set", 100)
        assert await value_of(gate, "cleared") is None
        assert await value_of(gate, "set") == 100


async def test_an_owner_that_stops_leaves_nothing_to_redo() -> None:
    """After a clean end the checkpoint names the last frame."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "x", Int64Value(value=1))
    partition = PartitionId("counters", 0)
    last = await engine.log.last(partition, "decisions")
    data = await engine.store.load_checkpoint(partition)
    assert last is not None
    assert data is not None
    assert log_pb2.Checkpoint.FromString(data).sequence == last.sequence
