"""What events leave for good: stored before the aggregate that they changed, at quorum, and made again when redone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryLog, MemoryStore
from ordermesh.core.decider import Row
from ordermesh.inventory.app import SERVICE
from ordermesh.inventory.ledger import STOCK_MOVEMENTS
from ordermesh.inventory.model import RESERVATION, STOCK, reservation_key, stock_key
from ordermesh.inventory.rows import RESERVATIONS
from ordermesh.inventory.rows import STOCK as STOCK_TABLE
from ordermesh.runtime import flush
from ordermesh.runtime.cache import Cache
from ordermesh.runtime.flush import Flusher
from ordermesh.runtime.memory import Partition, Waiting
from ordermesh.runtime.ports import PartitionId, StoreUnavailable, Written
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.reincarnation import Reincarnation, Remains
from ordermesh.runtime.replies import LOGGED, STORED, STORED_ONE, Replies
from ordermesh.runtime.topology import Topology, new_deployment
from tests.unit.runtime.test_flush import OPTIONS, _Bus, _Clock

KIND = next(each for each in SERVICE.aggregates if each.kind == STOCK)
OTHER_KIND = next(each for each in SERVICE.aggregates if each.kind == RESERVATION)
KEY = stock_key("default", "TEA")
OTHER = reservation_key("default", "TEA", "an order")
LEFT, OWN = STOCK_MOVEMENTS.name, STOCK_TABLE.name


class _Store(MemoryStore):
    """Notes what is written, as `answers` have it; then as it should be."""

    def __init__(self, *answers: Written | StoreUnavailable) -> None:
        super().__init__([STOCK_MOVEMENTS, STOCK_TABLE, RESERVATIONS])
        self.answers = list(answers)
        self.written: list[list[str]] = []

    async def write(self, rows: Sequence[Row]) -> Written:
        self.written.append([row.table for row in rows])
        answer = self.answers.pop(0) if self.answers else Written.QUORUM
        if isinstance(answer, StoreUnavailable):
            raise answer
        await super().write(rows)
        return answer


def cache_of(*versions: int) -> Cache:
    """A cache in which so many pieces came in, one event for each version, in frames of the same number."""
    cache = Cache(1_000_000, 0)
    for version in versions:
        aggregate = cache.change(KEY, KIND, 10 * version)
        aggregate.evolve(events.StockReceived(sku="TEA", quantity=version), 10 * version, 1, version, 0)
    return cache


def flusher_of(cache: Cache, store: MemoryStore, tasks: asyncio.TaskGroup) -> tuple[Flusher, _Bus]:
    """A flusher of a partition that has that cache."""
    bus = _Bus()
    options = replace(OPTIONS, retry_min_s=0.001, retry_max_s=0.002)
    made = Flusher(
        PartitionId("stock", 0), store, cache, Replies(bus), _Clock(), options, tasks, lambda: None
    )  # fmt: skip
    made.note([Waiting("edge", 1, log_pb2.DURABILITY_STORED, KEY, None)])
    return made, bus


def left_in(store: MemoryStore) -> list[tuple[Any, ...]]:
    """Versions, pieces and balances in the ledger."""
    return sorted(row.values[3:9] for row in store.tables[LEFT].rows.values())


async def test_what_events_left_is_written_before_the_aggregate_and_once() -> None:
    store, cache = _Store(), cache_of(1, 2)
    async with asyncio.TaskGroup() as tasks:
        flusher, bus = flusher_of(cache, store, tasks)
        flusher.take(None)
        await flusher.drain()
        assert store.written == [[LEFT, LEFT], [OWN]]
        assert bus.told == [(1, STORED)]
        cache_change = cache.change(KEY, KIND, 30)
        cache_change.evolve(events.StockReceived(sku="TEA", quantity=3), 30, 1, 3, 0)
        flusher.take(None)
        await flusher.drain()

    assert store.written[2:] == [[LEFT], [OWN]]
    assert [version for version, *_ in left_in(store)] == [1, 2, 3]


async def test_without_a_quorum_the_aggregate_waits_for_what_its_events_left_and_no_other_does() -> None:
    store, cache = _Store(Written.WEAK, Written.WEAK), cache_of(1)
    other = cache.change(OTHER, OTHER_KIND, 10)
    other.evolve(events.ReservationRefused(quantity=1), 10, 1, 1, 0)
    async with asyncio.TaskGroup() as tasks:
        flusher, bus = flusher_of(cache, store, tasks)
        flusher.note([Waiting("edge", 2, log_pb2.DURABILITY_STORED, OTHER, None)])
        flusher.take(log_pb2.Checkpoint())
        await flusher.drain()
        assert store.written == [[LEFT], [RESERVATIONS.name]]
        assert bus.told == [(1, LOGGED), (2, STORED_ONE)]
        assert flusher.checkpoint is None, "a checkpoint would have the log trimmed that can make the rows again"
        cache.change(KEY, KIND, 20).evolve(events.StockReceived(sku="TEA", quantity=2), 20, 1, 2, 0)
        flusher.note([Waiting("edge", 3, log_pb2.DURABILITY_STORED, KEY, None)])
        flusher.take(None)
        await flusher.drain()

    assert store.written[2:] == [[LEFT, LEFT], [RESERVATIONS.name, OWN]]
    assert bus.told[2:] == [(3, STORED)]
    assert cache.change(KEY, KIND, 20).left is None


async def test_what_gathered_without_a_quorum_is_written_in_parts_and_the_aggregate_with_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flush, "LEFT_TAKEN", 3)
    monkeypatch.setattr(flush, "WEAK_TRIED", 1)
    store, cache = _Store(Written.WEAK, Written.WEAK), cache_of(1, 2, 3, 4)
    async with asyncio.TaskGroup() as tasks:
        flusher, bus = flusher_of(cache, store, tasks)
        for version in (5, 6, 7, 8):
            flusher.take(log_pb2.Checkpoint())
            await flusher.drain()
            cache.change(KEY, KIND, 10 * version).evolve(
                events.StockReceived(sku="TEA", quantity=version), 10 * version, 1, version, 0
            )
            flusher.note([Waiting("edge", version, log_pb2.DURABILITY_STORED, KEY, None)])
        assert store.written == [[LEFT] * 4, [LEFT], [LEFT], [LEFT] * 3]
        assert flusher.checkpoint is None
        assert bus.told == [(1, LOGGED), (5, LOGGED), (6, LOGGED), (7, LOGGED)]
        flusher.take(None)
        await flusher.drain()
        assert store.written[4:] == [[LEFT] * 3]
        flusher.note([Waiting("edge", 9, log_pb2.DURABILITY_STORED, KEY, None)])
        flusher.take(None)
        await flusher.drain()
        flusher.take(log_pb2.Checkpoint(frame=8))
        await flusher.drain()

    assert store.written[5:] == [[LEFT], [OWN]]
    assert bus.told[4:] == [(8, LOGGED), (9, STORED)]
    assert [version for version, *_ in left_in(store)] == list(range(1, 9))
    assert flusher.checkpoint is not None


async def test_a_partition_begun_anew_stores_what_redone_events_left_before_their_aggregate() -> None:
    store, registry = _Store(), Registry([SERVICE])
    id_, topology = PartitionId("stock", 0), Topology(new_deployment("test", 1))
    memory = Partition(id_, topology, registry, cache_of(1, 2))
    work = Reincarnation(
        id_, "operator", "test", MemoryLog(), store, _Clock(), registry, topology, OPTIONS
    )  # fmt: skip
    await work._flush(Remains(memory, log_pb2.Checkpoint(), log_pb2.DecisionFrame(), 0, True, True, {}))

    assert store.written == [[LEFT, LEFT], [OWN]]
    assert [version for version, *_ in left_in(store)] == [1, 2]


async def test_who_waits_is_told_at_once_while_no_replica_answers() -> None:
    store = _Store(StoreUnavailable("none answers"))
    async with asyncio.TaskGroup() as tasks:
        flusher, bus = flusher_of(cache_of(1), store, tasks)
        flusher.take(None)
        await flusher.drain()

    assert store.written == [[LEFT], [LEFT], [OWN]]
    assert bus.told == [(1, LOGGED)]


def redone(cache: Cache, version: int) -> None:
    """Redoes the event of that version."""
    event = log_pb2.Event(kind=STOCK, tenant=KEY.tenant, key=KEY.key, version=version)
    cache.redo(event, events.StockReceived(sku="TEA", quantity=version), KIND, (10 * version, 1, version, 0))


async def test_what_is_redone_leaves_the_same_rows_and_what_was_stored_is_not_needed_again() -> None:
    live, again = _Store(), _Store()
    async with asyncio.TaskGroup() as tasks:
        flusher, _ = flusher_of(cache_of(1, 2), live, tasks)
        flusher.take(None)
        await flusher.drain()
        cache = Cache(1_000_000, 0)
        for version in (1, 2):
            redone(cache, version)
        flusher, _ = flusher_of(cache, again, tasks)
        flusher.take(None)
        await flusher.drain()
        ahead = Cache(1_000_000, 0)
        stored = await live.load(STOCK_TABLE, [KEY])
        ahead.change(KEY, KIND, 0).load(stored[KEY])
        redone(ahead, 1)
        redone(ahead, 2)

    assert live.tables[LEFT].rows == again.tables[LEFT].rows
    assert ahead.change(KEY, KIND, 0).left is None
