"""The kernel when something is wrong: the store is away, the log's tail is lost, two owners, a full log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from google.protobuf.wrappers_pb2 import Int64Value, StringValue, UInt64Value

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryStore
from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.flush import WEAK_TRIED
from ordermesh.runtime.gate import Answer, Overloaded
from ordermesh.runtime.host import all_services
from ordermesh.runtime.kernel_service import DEAD_LETTERS
from ordermesh.runtime.ports import PartitionId, StoredAggregate, StoreUnavailable, Written
from ordermesh.runtime.registry import Registry
from tests.unit.runtime.counter import COUNTER, COUNTERS
from tests.unit.runtime.engine import OPTIONS, TIMEOUT_S, Engine, ask, reaches, value_of
from tests.waiting import eventually

ONLY = PartitionId("counters", 0)


class SwitchedStore(MemoryStore):
    """A store that can be away, or reach one replica only."""

    is_away = False
    is_weak = False
    sizes: list[int]
    """Rows of each write that reached a replica."""
    strong: set[tuple[object, ...]]
    """Rows that a quorum has, by their key and version."""

    async def write(self, rows: Sequence[Row]) -> Written:
        """Fails or is weak as told."""
        if self.is_away:
            raise StoreUnavailable("away")
        await super().write(rows)
        self.sizes.append(len(rows))
        if self.is_weak:
            return Written.WEAK
        self.strong.update(row.values[1:4] for row in rows)
        return Written.QUORUM

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """Fails as told."""
        if self.is_away or self.is_weak:
            raise StoreUnavailable("away")
        return await super().load(table, keys)

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """Fails as told: a checkpoint is never weak."""
        if self.is_away or self.is_weak:
            raise StoreUnavailable("away")
        await super().save_checkpoint(partition, checkpoint, write_time)


def switched(partitions: int = 1) -> tuple[Engine, SwitchedStore]:
    """An engine on a store that can be switched off."""
    engine = Engine(partitions)
    store = SwitchedStore(Registry(all_services([COUNTER])).tables())
    store.sizes, store.strong = [], set()
    engine.store = store
    return engine, store


async def test_while_the_store_is_away_known_counters_go_on_and_others_are_parked() -> None:
    """Answers say LOGGED; what cannot be loaded waits in its order and is decided when the store is back."""
    engine, store = switched()
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "known", Int64Value(value=1))
        store.is_away = True
        answer = await ask(gate, "known", Int64Value(value=1))
        assert answer.persistence == 2
        assert UInt64Value.FromString(answer.state).value == 2
        parked = [gate.post("counter", "t", "other", Int64Value(value=number)) for number in (1, 2, 3)]
        answers = await gate.settle(parked, 1.0)
        assert [one.persistence for one in answers if isinstance(one, Answer)] == [1, 1, 1]
        store.is_away = False
        await reaches(gate, "other", 6)


async def test_parked_commands_survive_the_owner() -> None:
    """A new owner decides what its predecessor parked."""
    engine, store = switched()
    first = engine.host("a")
    async with engine.running() as gate:
        crashing = asyncio.create_task(first.run())
        await ask(gate, "known", Int64Value(value=1))
        store.is_away = True
        await gate.settle([gate.post("counter", "t", "other", Int64Value(value=7))], 1.0)
        crashing.cancel()
        await asyncio.wait([crashing])
        store.is_away = False
        async with engine.running(engine.host("b")) as other:
            await reaches(other, "other", 7)


async def test_weak_rows_are_answered_as_such_and_never_checkpointed() -> None:
    """What only one replica has is STORED_ONE, and is written again when the quorum is back."""
    engine, store = switched()
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "x", Int64Value(value=1))
        store.is_weak = True
        assert (await ask(gate, "x", Int64Value(value=1))).persistence == 3
        before = await MemoryStore.load_checkpoint(store, ONLY)
        await ask(gate, "x", Int64Value(value=1))
        assert await MemoryStore.load_checkpoint(store, ONLY) == before
        store.is_weak = False
        assert (await ask(gate, "x", Int64Value(value=1))).persistence == 4


async def test_weak_rows_are_written_weakly_once_and_at_quorum_when_it_is_back() -> None:
    """Without a quorum only a few of them ask for it, however many wait; then all go, and the checkpoint moves."""
    engine, store = switched()
    names = [f"weak {number}" for number in range(10 * WEAK_TRIED)]
    async with engine.running(engine.host("a")) as gate:
        await asyncio.gather(*(ask(gate, name, Int64Value(value=1)) for name in names))
        store.is_weak = True
        answers = await asyncio.gather(*(ask(gate, name, Int64Value(value=1)) for name in names))
        assert {answer.persistence for answer in answers} == {3}
        settled = len(store.sizes)
        await eventually(lambda: len(store.sizes) >= settled + 3, "flushes that ask for a quorum")
        assert max(store.sizes[settled + 1 :]) <= WEAK_TRIED
        before = await MemoryStore.load_checkpoint(store, ONLY)
        store.is_weak = False
        wanted = {(name, "", 2) for name in names}
        await eventually(lambda: wanted <= store.strong, "all of them at quorum")
        async with asyncio.timeout(TIMEOUT_S):
            while await MemoryStore.load_checkpoint(store, ONLY) == before:
                await asyncio.sleep(0.01)


async def test_whoever_hands_over_soon_after_the_quorum_is_back_leaves_nothing_to_redo() -> None:
    """What was weak is written again, and then there is a checkpoint at the last frame."""
    engine, store = switched()
    names = [f"weak {number}" for number in range(3 * WEAK_TRIED)]
    async with engine.running(engine.host("a")) as gate:
        await asyncio.gather(*(ask(gate, name, Int64Value(value=1)) for name in names))
        store.is_weak = True
        answers = await asyncio.gather(*(ask(gate, name, Int64Value(value=1)) for name in names))
        assert {answer.persistence for answer in answers} == {3}
        store.is_weak = False
    checkpoint = await MemoryStore.load_checkpoint(store, ONLY)
    assert checkpoint is not None
    newest = engine.log.stream(ONLY).after(("decisions",), 0, 1_000)[-1]
    assert log_pb2.Checkpoint.FromString(checkpoint).sequence == newest.sequence
    assert {(name, "", 2) for name in names} <= store.strong


async def test_a_lost_tail_stops_the_partition() -> None:
    """A log that ends before the checkpoint is never written to again; edges are told why."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        for _ in range(5):
            await ask(gate, "x", Int64Value(value=1))
    stream = engine.log.stream(ONLY)
    kept = stream.after(("commands", "messages", "decisions"), 0, 1_000)[:4]
    stream._messages[:] = kept
    stream._last_by_kind.clear()
    stream._last_by_kind.update({stored.kind: stored.sequence for stored in kept})
    async with engine.running(engine.host("b")) as gate:
        async with asyncio.timeout(TIMEOUT_S):
            while not any(status.stopped_reason for status in gate.statuses()):
                await asyncio.sleep(0.01)
        with pytest.raises(Overloaded, match="stopped"):
            gate.post("counter", "t", "x", Int64Value(value=1))
    assert stream.last_sequence == kept[-1].sequence


async def test_a_row_from_after_its_epochs_end_stops_the_partition() -> None:
    """What was stored by a frame that the log no longer has is noticed when it is loaded."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "x", Int64Value(value=1))
    key = Key("counter", "t", "x")
    stored = (await engine.store.load(COUNTERS, [key]))[key]
    row = Row("counters", ("t", "x", "", 9, stored.epoch, stored.frame + 5, 0, b""), stored.write_time + 1)
    await engine.store.write([row])
    async with engine.running(engine.host("b")) as gate:
        gate.post("counter", "t", "x", Int64Value(value=1))
        async with asyncio.timeout(TIMEOUT_S):
            while not any(status.stopped_reason for status in gate.statuses()):
                await asyncio.sleep(0.01)


async def test_an_owner_whose_partition_was_taken_steps_down_without_appending() -> None:
    """The fence holds: a frame of another owner ends the present one, and everything goes on with one chain."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "x", Int64Value(value=1))
        last = await engine.log.last(ONLY, "decisions")
        assert last is not None
        frame = log_pb2.DecisionFrame.FromString(last.data)
        rival = log_pb2.DecisionFrame(
            schema=1, id=b"r" * 16, previous_id=frame.id, epoch=frame.epoch + 1, number=frame.number + 1,
            clock_us=frame.clock_us + 1, decided_sequence=frame.decided_sequence, decided_index=frame.decided_index,
        )  # fmt: skip
        rival.taken.instance = "rival"
        rival.taken.previous.epoch, rival.taken.previous.frame = frame.epoch, frame.number
        await engine.log.append(
            ONLY, "decisions", rival.SerializeToString(), frame_id=rival.id.hex(), dedupe=False, expected=last.sequence
        )
        await ask(gate, "x", Int64Value(value=1))
        assert await value_of(gate, "x") == 2
    frames = [
        log_pb2.DecisionFrame.FromString(stored.data)
        for stored in await engine.log.fetch(ONLY, ("decisions",), 0, 1_000)
    ]
    assert [frame.previous_id for frame in frames[1:]] == [frame.id for frame in frames[:-1]]
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))


async def test_a_receiver_that_lags_is_served_from_the_log() -> None:
    """With room for one message in memory, all of a thousand arrive once and in order of sending."""
    engine = Engine(partitions=2, options=replace(OPTIONS, outbox_items_max=1, frame_items_max=8))
    async with engine.running(engine.host("a"), engine.host("b")) as gate:
        tell = StringValue(value=" ".join(f"n{number % 10}:1" for number in range(40)))
        answers = await gate.settle([gate.post("counter", "t", "teller", tell) for _ in range(25)], TIMEOUT_S)
        assert all(isinstance(answer, Answer) and answer.persistence == 4 for answer in answers)
        for number in range(10):
            await reaches(gate, f"n{number}", 100)


async def test_a_nearly_full_log_refuses_clients_and_trims() -> None:
    """Intake is refused with a time to try again before draining work is blocked; trimming opens it again."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        stream = engine.log.stream(ONLY)
        await ask(gate, "x", Int64Value(value=1))
        stream.bytes_max = 100_000
        refused: list[float] = []
        for _ in range(400):
            try:
                await ask(gate, "x", Int64Value(value=1))
            except Overloaded as overloaded:
                refused.append(overloaded.retry_after_s)
                await asyncio.sleep(OPTIONS.status_interval_s)
        assert all(retry_after_s > 0 for retry_after_s in refused)
        assert stream.first_sequence > 1
        assert stream.bytes_used < stream.bytes_max


async def test_a_batch_that_outgrows_a_frame_goes_as_several() -> None:
    """A byte limit below a batch's size splits it; nothing is lost and the order holds."""
    engine = Engine(partitions=1, options=replace(OPTIONS, frame_bytes_max=2_000))
    async with engine.running(engine.host("a")) as gate:
        posted = [gate.post("counter", "t", f"k{number}", Int64Value(value=number)) for number in range(20, 220)]
        answers = await gate.settle(posted, TIMEOUT_S)
        values = [UInt64Value.FromString(one.state).value for one in answers if isinstance(one, Answer)]
        assert values == list(range(20, 220))


async def test_what_is_past_its_retention_is_trimmed_though_there_is_room() -> None:
    """Decided records go when they are old; the checkpoint's frame stays."""
    engine = Engine(partitions=1, options=replace(OPTIONS, retention_s=0.2))
    async with engine.running(engine.host("a")) as gate:
        stream = engine.log.stream(ONLY)
        async with asyncio.timeout(TIMEOUT_S):
            while stream.first_sequence == 1:
                await ask(gate, "x", Int64Value(value=1))
                await asyncio.sleep(0.05)
        assert stream.bytes_used < 0.1 * stream.bytes_max
    async with engine.running(engine.host("b")) as gate:
        await ask(gate, "x", Int64Value(value=1))


async def test_a_frame_that_cannot_be_read_is_one_dead_letter() -> None:
    """Nonsense in the log stops nothing; it is kept with the error."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "x", Int64Value(value=1))
        await engine.log.append(ONLY, "commands", b"\xff\xfe nonsense", frame_id="n", dedupe=False)
        await ask(gate, "x", Int64Value(value=1))
        assert await value_of(gate, "x") == 2
        async with asyncio.timeout(TIMEOUT_S):
            while not (rows := (await engine.store.scan(DEAD_LETTERS, count_max=10)).rows):
                await asyncio.sleep(0.01)
        assert len(rows) == 1
