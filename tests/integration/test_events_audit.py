"""The audit of I9: events that are missing, out of order, or of what did not happen are found, and no others."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.admin import events_audit
from ordermesh.admin.events_audit import EventsAudit, Kept
from ordermesh.admin.tally import Tally
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.relay import RELAY_POSITIONS, IntegrationEvent
from ordermesh.runtime.topology import Topology
from tests.e2e.api.client import Client, until
from tests.webhooks import World


@dataclass
class Told:
    """A world in which an order was completed and all of it was published, and what the audit finds there."""

    world: World
    order_id: str

    async def audit(self, events: list[IntegrationEvent], *, forgotten: int = 0) -> tuple[int, list[str]]:
        """How much was compared, and what is wrong, if the stream had these events."""
        stream = MemoryEvents()
        await stream.publish(events)
        stream.forget(forgotten)
        tally = Tally(["I9"])
        await EventsAudit(self.world.shop.edge._backend, tally, stream).run()
        (finding,) = tally.findings()
        return finding.checked, list(finding.violations)

    @property
    def events(self) -> list[IntegrationEvent]:
        """What was published."""
        return list(self.world.events.events)


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """Everything is well."""
    world = World()
    async with world.open() as client:
        yield Told(world, await completed_and_relayed(world, client))


async def completed_and_relayed(world: World, client: Client) -> str:
    """An order that was completed, once the relay has stored that it was published."""
    order = await client.completed()
    shop = world.shop

    async def is_relayed() -> bool:
        for partition in Topology(shop.deployment).partitions():
            last = await shop.log.last(partition, "decisions")
            page = await shop.store.query(RELAY_POSITIONS, partition, count_max=1)
            place = int(str(page.rows[0]["sequence"])) if page.rows else 0
            if last is not None and place < last.sequence:
                return False
        return True

    await until(is_relayed, "all is published, and the relay has stored that")
    return order.order_id


async def test_nothing_is_wrong_where_all_was_told(told: Told) -> None:
    checked, violations = await told.audit(told.events)
    assert (checked, violations) == (len(told.events), [])
    assert checked >= 5


async def test_an_event_that_was_never_told_is_found(told: Told) -> None:
    missing = next(event for event in told.events if ".confirmed." in event.subject)
    _, violations = await told.audit([event for event in told.events if event is not missing])
    assert [f"{missing.subject} ({missing.id}) happened and was never published"] == violations


async def test_events_of_an_order_in_another_order_are_found(told: Told) -> None:
    _, violations = await told.audit(told.events[::-1])
    assert any("before what came before it" in text and told.order_id in text for text in violations)


async def test_an_event_of_what_did_not_happen_is_found(told: Told) -> None:
    event = told.events[0]
    name = event.id.rpartition(".")[0] + ".77"
    headers = event.headers.replace(f"ce-id: {event.id}\r\n".encode(), f"ce-id: {name}\r\n".encode())
    invented = event._replace(id=name, headers=headers)
    _, violations = await told.audit([*told.events, invented])
    assert violations == [f"{invented.id} was published and did not happen"]


async def test_what_the_stream_no_longer_keeps_is_not_missed(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_audit, "MARGIN_US", 0)
    assert (await told.audit(told.events, forgotten=len(told.events) - 1))[1] == []


async def test_a_log_of_years_takes_no_more_memory_than_the_stream(told: Told) -> None:
    """Decisions whose events the stream let go of long ago are looked at and forgotten."""
    backend = told.world.shop.edge._backend
    tally = Tally(["I9"])

    class Long(EventsAudit):
        """A log that has its frames two hundred times."""

        async def _frames(self, partition: PartitionId, through: int) -> AsyncIterator[log_pb2.DecisionFrame]:
            found = [frame async for frame in super()._frames(partition, through)]
            for number in range(200):
                for frame in found:
                    again = log_pb2.DecisionFrame.FromString(frame.SerializeToString())
                    again.number = 1_000_000 + number
                    yield again

    audit = Long(backend, tally, MemoryEvents())
    tracemalloc.start()
    try:
        for partition in Topology(told.world.shop.deployment).partitions():
            await audit._compare(partition, 1 << 40, Kept({}, {}, 1 << 60))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50_000
