"""What probes hear of a process from its first moment to its last, and what /metrics tells of an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryLog, MemoryStore
from ordermesh.core.decider import Row
from ordermesh.gateway import patience
from ordermesh.gateway.heard import Statuses
from ordermesh.gateway.http_port import Probes
from ordermesh.gateway.measured import MeasuredLog, MeasuredStore
from ordermesh.gateway.owner_metrics import OwnerMetrics
from ordermesh.gateway.patience import Patience
from ordermesh.gateway.relay_metrics import RelayMetrics
from ordermesh.runtime.ports import Fenced, PartitionId, StoreUnavailable, Written
from ordermesh.runtime.readiness import Readiness
from ordermesh.runtime.settings import CannotStart, OutOfReach
from tests.e2e.api.client import Client
from tests.unit.edge.shop import Shop
from tests.waiting import eventually

READY, NOT_READY = Readiness(True, (), ()), Readiness(False, ("the log does not answer",), ())
PARTITION = PartitionId("orders", 0)


@pytest.fixture
def registry() -> CollectorRegistry:
    """Of a process of its own."""
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """A figure as a scraper reads it."""
    return registry.get_sample_value(name, labels)


async def answers(probes: Probes) -> tuple[int, int, int, list[str]]:
    """The status of /livez, /startupz and /readyz, and the reasons."""
    transport = httpx.ASGITransport(probes.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://process") as client:
        live, started, ready = [await client.get(path) for path in ("/livez", "/startupz", "/readyz")]
        return live.status_code, started.status_code, ready.status_code, ready.json()["reasons"]


async def test_a_process_that_still_waits_lives_and_says_for_what(registry: CollectorRegistry) -> None:
    probes = Probes(registry)
    probes.waits_for = "no NATS server"

    assert await answers(probes) == (200, 503, 503, ["no NATS server"])


async def test_what_was_ready_once_stays_started_though_it_is_not_ready_any_more(registry: CollectorRegistry) -> None:
    probes, state = Probes(registry), [NOT_READY]

    async def check() -> Readiness:
        return state[0]

    probes.begin(check)
    assert (await answers(probes))[:3] == (200, 503, 503)
    state[0] = READY
    assert (await answers(probes))[:3] == (200, 200, 200)
    state[0] = NOT_READY
    assert await answers(probes) == (200, 200, 503, ["the log does not answer"])


async def test_what_is_out_of_reach_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.001)
    reasons: list[str] = []
    failures = [OutOfReach("no NATS server"), OutOfReach("no record")]

    async def attempt() -> str:
        if failures:
            raise failures.pop(0)
        return "there"

    assert await Patience(60.0, asyncio.Event(), reasons.append).until_there(attempt) == "there"
    assert reasons == ["no NATS server", "no record"]


@pytest.mark.parametrize("error", [OutOfReach("still away"), CannotStart("wrong store")])
async def test_patience_ends_with_the_time_and_at_once_for_what_waiting_does_not_mend(error: CannotStart) -> None:
    async def attempt() -> str:
        raise error

    wait_s = 0.0 if isinstance(error, OutOfReach) else 60.0
    async with asyncio.timeout(20.0):
        with pytest.raises(type(error), match=str(error)):
            await Patience(wait_s, asyncio.Event(), lambda _: None).until_there(attempt)


async def test_a_process_that_waits_ends_when_it_is_told_to_stop() -> None:
    stop, begun = asyncio.Event(), asyncio.Event()

    async def attempt() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    waiting = asyncio.create_task(Patience(60.0, stop, lambda _: None).until_there(attempt))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(20.0):
        assert await waiting is None


async def test_appends_and_failures_are_measured_and_how_full_a_log_is(registry: CollectorRegistry) -> None:
    log = MeasuredLog(MemoryLog(), registry)
    await log.create(PARTITION, 1_000_000)

    await log.append(PARTITION, "decisions", b"frame", frame_id="a", dedupe=False, expected=0)
    with pytest.raises(Fenced):
        await log.append(PARTITION, "decisions", b"frame", frame_id="b", dedupe=False, expected=0)
    state = await log.state(PARTITION)

    labels = {"group": "orders", "partition": "0"}
    assert value(registry, "ordermesh_log_append_seconds_count", kind="decisions") == 1
    assert value(registry, "ordermesh_log_append_failures_total", kind="decisions", error="Fenced") == 1
    assert value(registry, "ordermesh_log_bytes", **labels) == state.bytes_used > 0
    assert value(registry, "ordermesh_log_bytes_max", **labels) == 1_000_000


async def test_writes_that_the_store_does_not_take_are_counted(registry: CollectorRegistry) -> None:
    class Away(MemoryStore):
        async def write(self, rows: Sequence[Row]) -> Written:
            if rows:
                raise StoreUnavailable("away")
            return await super().write(rows)

    store = MeasuredStore(Away([]), registry)
    await store.write([])
    with pytest.raises(StoreUnavailable):
        await store.write([Row("things", (), 1)])

    assert value(registry, "ordermesh_store_write_seconds_count", operation="write") == 1
    assert value(registry, "ordermesh_store_failures_total", operation="write") == 1


async def test_an_owner_tells_how_full_its_frames_are_and_what_is_not_stored(
    shop: Shop, client: Client, registry: CollectorRegistry
) -> None:
    OwnerMetrics(registry, shop.owner.owners, shop.clock)
    await client.receive("TEA")
    behind = shop.gate.partition_of("inventory", "default", "TEA")
    labels = {"group": behind.group, "partition": str(behind.number)}

    frames = value(registry, "ordermesh_frame_items_count", **labels) or 0.0
    items = value(registry, "ordermesh_frame_items_sum", **labels) or 0.0
    assert items >= frames >= 1
    assert value(registry, "ordermesh_partition_store_failing", **labels) == 0
    await eventually(
        lambda: value(registry, "ordermesh_partition_checkpoint_age_seconds", **labels) == 0, "all is checkpointed"
    )
    await eventually(lambda: value(registry, "ordermesh_partition_unflushed_bytes", **labels) == 0, "all is stored")

    await shop.stop_owner()
    assert b'ordermesh_frame_items_sum{group="stock"' not in generate_latest(registry), "it owns nothing any more"


def test_a_process_tells_of_its_own_partitions_only_and_not_of_those_it_has_lost() -> None:
    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    statuses = Statuses(clock, 10.0)  # type: ignore[arg-type]  # of a clock, only this is asked
    for number, instance in enumerate(("a", "b", "a")):
        status = log_pb2.PartitionStatus(group="orders", partition=number, instance=instance)
        statuses.hear(status.SerializeToString())

    assert [status.partition for status in statuses.of("a")()] == [0, 2]
    statuses.hear(log_pb2.PartitionStatus(group="orders", partition=0, instance="b").SerializeToString())
    assert [status.partition for status in statuses.of("a")()] == [2]
    clock.now = 10.0
    assert statuses.all() == []


def test_how_far_a_partition_is_relayed_never_goes_back(registry: CollectorRegistry) -> None:
    metrics = RelayMetrics(registry)
    for sequence in (5, 9, 7):
        position = log_pb2.RelayPosition(group="orders", partition=1, sequence=sequence)
        metrics.hear(position.SerializeToString())

    assert value(registry, "ordermesh_relay_sequence", group="orders", partition="1") == 9
