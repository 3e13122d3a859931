"""A partition begun anew after its log lost acknowledged messages: nothing counts twice, and nothing is passed over."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress

import pytest
from google.protobuf.wrappers_pb2 import Int64Value, StringValue

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.host import OwnerHost, all_services
from ordermesh.runtime.memory import is_past_its_end
from ordermesh.runtime.ports import PartitionId, StoreUnavailable
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.reincarnation import Reincarnation, Remains
from ordermesh.runtime.topology import Topology
from tests.unit.runtime.counter import COUNTER, COUNTERS
from tests.unit.runtime.engine import TIMEOUT_S, Engine, ask, cut_tail, reaches, value_of

FIRST, SECOND = PartitionId("counters", 0), PartitionId("counters", 1)


def key_in(engine: Engine, partition: PartitionId) -> str:
    """Some key that lives there."""
    topology = Topology(engine.deployment)
    return next(name for name in map(str, range(100)) if topology.partition_of("counter", "t", name) == partition)


def reincarnation(engine: Engine, partition: PartitionId) -> Reincarnation:
    """What an operator's command does it with."""
    return Reincarnation(
        partition, "operator", "test", engine.log, engine.store, engine.clock, Registry(all_services([COUNTER])),
        Topology(engine.deployment), engine.options,
    )  # fmt: skip


async def rows_noted(engine: Engine, remains: Remains, key: str) -> bool:
    """Takes in the row of a counter; whether the log has lost it."""
    name = Key("counter", "t", key)
    stored = (await engine.store.load(COUNTERS, [name]))[name]
    remains.note(0, 0, stored.write_time)
    return remains.note_row(stored.epoch, stored.frame)


async def is_stopped(engine: Engine, host: OwnerHost, partition: PartitionId) -> None:
    """Waits until a process has stopped the partition."""
    async with engine.running(host), asyncio.timeout(TIMEOUT_S):
        while partition not in host._stopped:
            await asyncio.sleep(0.01)


async def lose_all(engine: Engine, key: str) -> None:
    """A counter reaches 5 and is stored; then its log loses everything."""
    async with engine.running(engine.host("a")) as gate:
        for _ in range(5):
            await ask(gate, key, Int64Value(value=1))
    cut_tail(engine.log.stream(FIRST), 0)


async def test_it_takes_commands_again_from_what_is_stored() -> None:
    engine = Engine()
    key = key_in(engine, FIRST)
    await lose_all(engine, key)
    await is_stopped(engine, engine.host("b"), FIRST)
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    assert not remains.has_checkpoint
    await rows_noted(engine, remains, key)
    before = remains.checkpoint
    checkpoint = await work.begin(remains, ())
    assert (checkpoint.epoch, checkpoint.frame) > (before.epoch, before.frame)
    assert checkpoint.frame > before.frame
    async with engine.running(engine.host("c")) as gate:
        await ask(gate, key, Int64Value(value=1))
        assert await value_of(gate, key) == 6


async def test_what_it_sends_from_then_on_is_not_taken_for_seen() -> None:
    """The receiver's mark is far past what the sender's log has now."""
    engine = Engine()
    teller, told = key_in(engine, FIRST), key_in(engine, SECOND)
    async with engine.running(engine.host("a")) as gate:
        for _ in range(5):
            await ask(gate, teller, StringValue(value=f"{told}:1"))
        await reaches(gate, told, 5)
    cut_tail(engine.log.stream(FIRST), 0)
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    await rows_noted(engine, remains, teller)
    await work.begin(remains, ())
    async with engine.running(engine.host("b")) as gate:
        await ask(gate, teller, StringValue(value=f"{told}:1"))
        await reaches(gate, told, 6)


async def test_what_it_had_been_sent_and_lost_is_sent_again_once() -> None:
    """The receiver is back where it was after three messages; the sender knows that all five were acknowledged."""
    engine = Engine()
    teller, told = key_in(engine, FIRST), key_in(engine, SECOND)
    async with engine.running(engine.host("a")) as gate:
        for _ in range(3):
            await ask(gate, teller, StringValue(value=f"{told}:1"))
        await reaches(gate, told, 3)
    stored = copy.deepcopy((engine.store.tables["counters"].rows, engine.store.checkpoints[SECOND]))
    through = engine.log.stream(SECOND).last_sequence
    async with engine.running(engine.host("b")) as gate:
        for _ in range(2):
            await ask(gate, teller, StringValue(value=f"{told}:1"))
        await reaches(gate, told, 5)
    row = ("t", told, "")
    engine.store.tables["counters"].rows[row] = stored[0][row]
    engine.store.checkpoints[SECOND] = stored[1]
    cut_tail(engine.log.stream(SECOND), through)
    work = reincarnation(engine, SECOND)
    await work.begin(await work.look(), ())
    async with engine.running(engine.host("c")) as gate:
        await reaches(gate, told, 5)
        await ask(gate, teller, StringValue(value=f"{told}:1"))
        await reaches(gate, told, 6)


async def test_what_it_is_told_first_is_decided_first() -> None:
    engine = Engine()
    key = key_in(engine, FIRST)
    await lose_all(engine, key)
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    await rows_noted(engine, remains, key)
    first = log_pb2.Envelope(
        service="counter", tenant="t", key=key, type=Int64Value.DESCRIPTOR.full_name,
        payload=Int64Value(value=10).SerializeToString(),
    )  # fmt: skip
    await work.begin(remains, [first])
    async with engine.running(engine.host("b")) as gate:
        await reaches(gate, key, 15)


@pytest.mark.parametrize("had_checkpoint", [True, False])
async def test_one_that_is_broken_off_leaves_the_partition_stopped_and_can_be_done_again(
    monkeypatch: pytest.MonkeyPatch, had_checkpoint: bool
) -> None:
    engine = Engine()
    key = key_in(engine, FIRST)
    await lose_all(engine, key)
    with monkeypatch.context() as patch, suppress(StoreUnavailable):

        async def fail(*_arguments: object) -> None:
            raise StoreUnavailable("gone")

        patch.setattr(engine.store, "save_checkpoint", fail)
        work = reincarnation(engine, FIRST)
        remains = await work.look()
        await rows_noted(engine, remains, key)
        await work.begin(remains, ())
    if had_checkpoint:
        assert engine.log.stream(FIRST).last_sequence > 0
    else:
        del engine.store.checkpoints[FIRST]
    await is_stopped(engine, engine.host("b"), FIRST)
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    await rows_noted(engine, remains, key)
    await work.begin(remains, ())
    async with engine.running(engine.host("c")) as gate:
        await ask(gate, key, Int64Value(value=1))
        assert await value_of(gate, key) == 6


async def test_rows_of_every_epoch_that_was_lost_can_be_loaded_afterwards() -> None:
    """The log loses several takings whole; each has left a row."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "1", Int64Value(value=1))
    through = engine.log.stream(FIRST).last_sequence
    checkpoint = engine.store.checkpoints[FIRST]
    for name in ("2", "3"):
        async with engine.running(engine.host(name)) as gate:
            await ask(gate, name, Int64Value(value=1))
    cut_tail(engine.log.stream(FIRST), through)
    engine.store.checkpoints[FIRST] = checkpoint
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    assert [await rows_noted(engine, remains, name) for name in ("1", "2", "3")] == [False, True, True]
    await work.begin(remains, ())
    async with engine.running(engine.host("c")) as gate:
        assert [await value_of(gate, name) for name in ("1", "2", "3")] == [1, 1, 1]


async def test_what_the_log_still_has_after_the_checkpoint_is_kept() -> None:
    """The checkpoint is old, the log has more, and of that the end is lost."""
    engine = Engine(partitions=1)
    async with engine.running(engine.host("a")) as gate:
        await ask(gate, "k", Int64Value(value=1))
    old = engine.store.checkpoints[FIRST]
    rows = dict(engine.store.tables["counters"].rows)
    host = engine.host("b")
    async with engine.running(host) as gate:
        await ask(gate, "k", Int64Value(value=2))
        through = host.owners[FIRST].head.sequence
        await ask(gate, "other", Int64Value(value=4))
    engine.store.checkpoints[FIRST] = old
    engine.store.tables["counters"].rows[("t", "k", "")] = rows[("t", "k", "")]
    cut_tail(engine.log.stream(FIRST), through)
    work = reincarnation(engine, FIRST)
    remains = await work.look()
    assert remains.has_checkpoint
    assert not await rows_noted(engine, remains, "k")
    assert await rows_noted(engine, remains, "other")
    await work.begin(remains, ())
    async with engine.running(engine.host("c")) as gate:
        assert await value_of(gate, "k") == 3
        assert await value_of(gate, "other") == 4


@pytest.mark.parametrize(
    ("epoch", "frame", "is_lost"),
    [(5, 9, False), (5, 10, True), (6, 1, True), (7, 20, False), (8, 99, False), (9, 1, False), (4, 99, False)],
)
def test_a_place_past_its_epochs_end_or_in_a_lost_epoch_is_lost(epoch: int, frame: int, is_lost: bool) -> None:
    """Epochs 5 and 7 are known with their ends, and 8 is the present one; 9 is another owner's, 4 is forgotten."""
    assert is_past_its_end(epoch, frame, {5: 9, 7: 20}, 8) == is_lost
