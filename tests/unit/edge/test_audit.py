"""What the audit finds when a deployment is broken on purpose: each break by the name of what it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from threading import get_ident
from typing import Any

import pytest

from oms.admin.v1 import admin_service_pb2
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_state_pb2
from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_OPEN
from oms.log.v1 import log_pb2
from oms.order.v1 import order_pb2, order_service_pb2, order_state_pb2
from oms.payment.v1 import payment_state_pb2
from ordermesh.admin import pauses, verify
from ordermesh.admin.ledger import ProviderOperation
from ordermesh.core.decider import AGGREGATE_COLUMNS, Row
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.topology import SEPARATE_GROUPS
from tests.e2e.api.client import Client, order_of, until
from tests.unit.edge.shop import Operation, Shop

COLUMNS = {name: number for number, (name, _) in enumerate(AGGREGATE_COLUMNS)}


async def audit(client: Client, *invariants: str) -> Mapping[str, Sequence[str]]:
    """The violations by invariant; an empty mapping where everything holds."""
    request = admin_service_pb2.VerifyRequest(invariant_ids=invariants)
    findings = [answer.finding async for answer in client.admin.Verify(request)]
    assert [finding.holds for finding in findings] == [not finding.violations for finding in findings]
    return {finding.invariant_id: list(finding.violations) for finding in findings if not finding.holds}


async def stored(shop: Shop, table: str, key: str, version: int) -> None:
    """Waits until the store has that version."""
    kept = shop.store.tables[table]

    async def is_stored() -> bool:
        found = [row for row in kept.rows if key in row]
        return any(values_of(shop, table, name)[COLUMNS["version"]] >= version for name in found)

    await until(is_stored, f"{key} is stored")


def values_of(shop: Shop, table: str, key: Any) -> tuple[Any, ...]:
    """The values of a row."""
    values: tuple[Any, ...] = shop.store.tables[table].rows[key].values
    return values


def tamper(shop: Shop, table: str, key: str, write_time: int = 2**60, **changes: Any) -> None:
    """Overwrites columns of the rows that have that key; the later write counts."""
    kept = shop.store.tables[table]
    for name in [row for row in kept.rows if key in row]:
        values = list(values_of(shop, table, name))
        for column, change in changes.items():
            number = COLUMNS[column]
            values[number] = change(values[number])
        kept.put(Row(table, tuple(values), write_time))


async def sold(shop: Shop, client: Client) -> order_pb2.Order:
    """A completed order, stored."""
    order = await client.completed()
    await stored(shop, "orders", order.order_id, order.version)
    return order


async def test_a_sound_deployment_holds_and_everything_was_looked_at(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    await client.create(order_of(sku="NOWHERE"))

    findings = [a.finding async for a in client.admin.Verify(admin_service_pb2.VerifyRequest())]

    assert [finding.invariant_id for finding in findings] == ["I1", "I2", "I3", "I4", "I5", "I6", "I9"]
    assert [list(finding.violations) for finding in findings] == [[]] * 7
    assert all(finding.checked for finding in findings if finding.invariant_id != "I9"), "here nothing is published"


@pytest.mark.usefixtures("shop")  # for its short pauses
async def test_a_deployment_with_one_group_per_service_holds_too() -> None:
    shop = Shop(groups=SEPARATE_GROUPS)
    async with shop.open() as client:
        order = await client.completed()
        await client.orders.RefundOrder(
            order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=order.total)
        )
        await client.create(order_of(sku="NOWHERE"))

        assert await audit(client) == {}


async def test_only_what_is_asked_for_is_told(shop: Shop, client: Client) -> None:
    await sold(shop, client)

    answers = client.admin.Verify(admin_service_pb2.VerifyRequest(invariant_ids=["I4", "I2"]))

    assert [answer.finding.invariant_id async for answer in answers] == ["I2", "I4"]


async def test_the_providers_ledger_is_never_read_in_the_thread_that_answers_calls(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    readers: set[int] = set()

    def ledger() -> Iterator[Operation]:
        for operation in list(shop.provider.operations):
            readers.add(get_ident())
            yield operation

    shop.truth = ledger

    assert await audit(client) == {}
    assert readers
    assert get_ident() not in readers


async def test_an_order_that_is_lost_breaks_i1(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)
    rows = shop.store.tables["orders"].rows
    for name in [row for row in rows if order.order_id in row]:
        del rows[name]

    broken = await audit(client)

    assert any(order.order_id in text for text in broken["I1"])
    assert any(order.order_id in text for text in broken["I4"])


async def test_an_order_under_anothers_id_breaks_i2(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)

    def rename(data: bytes) -> bytes:
        state = order_state_pb2.StoredOrder.FromString(data)
        state.order.order_id = "another"
        return state.SerializeToString(deterministic=True)

    tamper(shop, "orders", order.order_id, state=rename)

    assert {"I2", "I6"} <= set(await audit(client))


async def test_stock_that_does_not_balance_breaks_i3(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    await stored(shop, "stock", "TEA", 3)

    def lose_one(data: bytes) -> bytes:
        state = inventory_state_pb2.StoredStock.FromString(data)
        state.stock.on_hand -= 1
        return state.SerializeToString(deterministic=True)

    tamper(shop, "stock", "TEA", state=lose_one)

    broken = await audit(client)
    assert any("TEA" in text for text in broken["I3"])
    assert any("TEA" in text for text in broken["I6"])


async def test_a_reservation_that_outlives_its_order_breaks_i5(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)

    def reopen(data: bytes) -> bytes:
        state = inventory_state_pb2.StoredReservation.FromString(data)
        state.reservation.state = RESERVATION_STATE_OPEN
        return state.SerializeToString(deterministic=True)

    await stored(shop, "reservations", order.order_id, 2)
    tamper(shop, "reservations", order.order_id, state=reopen)

    broken = await audit(client, "I3", "I5")

    assert any(order.order_id in text for text in broken["I5"])
    assert any("its reservations say" in text for text in broken["I3"])


async def test_reservations_of_a_sku_without_stock_break_i3(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)
    sku = order.lines[0].sku
    await stored(shop, "reservations", order.order_id, 2)
    stocks = shop.store.tables["stock"].rows
    for name in [row for row in stocks if sku in row]:
        del stocks[name]

    broken = await audit(client, "I3")

    assert any(f"there is no stock {sku}" in text for text in broken["I3"])


async def test_money_that_is_captured_beyond_the_total_breaks_i4(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)
    await stored(shop, "payments", order.order_id, 4)

    def take_more(data: bytes) -> bytes:
        state = payment_state_pb2.StoredPayment.FromString(data)
        state.payment.captured.units += 1
        return state.SerializeToString(deterministic=True)

    tamper(shop, "payments", order.order_id, state=take_more)

    broken = await audit(client, "I4")
    assert any("captured" in text for text in broken["I4"])
    assert any("were due" in text for text in broken["I4"])


@pytest.mark.parametrize("what", ["again", "unknown", "same key"])
async def test_a_provider_that_says_otherwise_breaks_i4(shop: Shop, client: Client, what: str) -> None:
    order = await sold(shop, client)
    captured = next(each for each in shop.provider.operations if each.operation == "capture")
    more = {
        "again": captured._replace(idempotency_key="another"),
        "unknown": Operation("0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77", "capture", 1, 0, "stray"),
        "same key": captured._replace(units=0, nanos=0),
    }
    shop.provider.operations.append(more[what])

    broken = await audit(client)

    assert set(broken) == {"I4"}
    assert any(order.order_id in text or "0190a3c5" in text or "twice" in text for text in broken["I4"])


async def test_an_order_that_is_on_its_way_however_slowly_breaks_nothing(shop: Shop, client: Client) -> None:
    await client.receive("TEA")
    shop.provider.silent = True
    order = (await client.create(order_of())).order
    await stored(shop, "orders", order.order_id, 1)

    def move(data: bytes) -> bytes:
        state = order_state_pb2.StoredOrder.FromString(data)
        state.order.version += 1
        return state.SerializeToString(deterministic=True)

    async def keep_moving() -> None:
        for write_time in count(2**60):
            tamper(shop, "orders", order.order_id, write_time, state=move)
            await asyncio.sleep(0.001)

    moving = asyncio.create_task(keep_moving())
    try:
        assert await audit(client, "I5") == {}
    finally:
        moving.cancel()


async def test_an_order_that_waits_for_an_owner_breaks_i5_unless_one_comes(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "SETTLE_S", 0.0)
    await client.receive("TEA")
    await shop.stop_owner()
    created = await client.create(order_of())
    assert created.persistence == consistency_pb2.PERSISTENCE_ACCEPTED

    (text,) = (await audit(client, "I1", "I5", "I6"))["I5"]
    assert "is not decided" in text
    assert created.order.order_id in text

    loop, read_ledger = asyncio.get_running_loop(), shop.truth
    monkeypatch.setattr(pauses, "PAUSES_S", (0.5,) * 20)

    def owner_comes_during_the_audit() -> Iterable[ProviderOperation]:
        shop.truth = read_ledger
        loop.call_soon_threadsafe(shop.restart_owner)
        return read_ledger()

    shop.truth = owner_comes_during_the_audit
    assert await audit(client, "I1", "I5", "I6") == {}


async def test_an_order_that_never_ends_breaks_i5(shop: Shop, client: Client) -> None:
    await client.receive("TEA")
    shop.provider.silent = True
    created = await client.create(order_of())

    broken = await audit(client, "I4", "I5")

    assert set(broken) == {"I5"}
    assert any(created.order.order_id in text and "AUTHORIZE" in text for text in broken["I5"])


async def test_a_state_that_the_log_does_not_say_breaks_i6(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)

    def relabel(data: bytes) -> bytes:
        state = order_state_pb2.StoredOrder.FromString(data)
        state.order.labels["forged"] = "yes"
        return state.SerializeToString(deterministic=True)

    tamper(shop, "orders", order.order_id, state=relabel)

    broken = await audit(client)
    assert set(broken) == {"I6"}
    assert order.order_id in broken["I6"][0]


async def test_a_row_that_is_ahead_of_the_log_breaks_i6(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)
    tamper(shop, "orders", order.order_id, version=lambda version: version + 1)

    broken = await audit(client, "I6")

    assert any("the log has" in text for text in broken["I6"])


async def test_a_decision_frame_that_does_not_follow_breaks_i6(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    for number in range(2):
        partition = PartitionId("orders", number)
        frames = await shop.log.fetch(partition, ("decisions",), 0, 100)
        await shop.stop_owner()
        await shop.log.append(partition, "decisions", frames[0].data, frame_id="forged", dedupe=False)

    broken = await audit(client, "I6")

    assert any("does not follow" in text for text in broken["I6"])


async def test_what_this_build_cannot_read_breaks_i6_and_the_rest_is_audited(shop: Shop, client: Client) -> None:
    """A newer build's event, and bytes that are no frame: the audit ended with an internal error."""
    order = await sold(shop, client)
    await shop.stop_owner()
    partition = shop.gate.partition_of("order", "default", order.order_id)
    stored_last = await shop.log.last(partition, "decisions")
    assert stored_last is not None
    last = log_pb2.DecisionFrame.FromString(stored_last.data)
    newer = log_pb2.DecisionFrame(
        schema=last.schema, id=b"newer", previous_id=last.id, epoch=last.epoch, number=last.number + 1,
        clock_us=last.clock_us + 1, decided_sequence=last.decided_sequence, decided_index=last.decided_index,
    )  # fmt: skip
    newer.decisions.add().events.add(
        kind="order", tenant="default", key=order.order_id, version=order.version + 1, type="oms.order.v1.OrderBeamed"
    )
    await shop.log.append(partition, "decisions", newer.SerializeToString(), frame_id="newer", dedupe=False)
    await shop.log.append(partition, "decisions", b"\xff\xfe", frame_id="garbage", dedupe=False)

    broken = await audit(client)

    assert set(broken) == {"I6"}
    assert any("OrderBeamed, which this build does not know" in text for text in broken["I6"])
    assert any("cannot be read" in text for text in broken["I6"])


async def test_an_order_that_was_passed_over_breaks_i1(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    for number in range(2):
        stream = shop.log.stream(PartitionId("orders", number))
        commands = [each for each in stream.after(("commands",), 0, 1000) if each.data]
        for command in commands:
            place = stream._messages.index(command)
            doubled = command.data + command.data[command.data.index(b"\x12") :] if b"\x12" in command.data else b""
            stream._messages[place] = command._replace(data=doubled)

    broken = await audit(client, "I1")

    assert any("was passed over" in text for text in broken.get("I1", []))


async def test_a_trimmed_log_is_audited_as_far_as_it_goes(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    for number in range(2):
        partition = PartitionId("orders", number)
        state = await shop.log.state(partition)
        shop.log.stream(partition).trim(state.last_sequence // 2)

    assert await audit(client) == {}


async def test_an_order_whose_timer_is_lost_breaks_i5(shop: Shop, client: Client) -> None:
    """It waits for goods, and its time was over long ago."""
    order = await sold(shop, client)

    def wait(data: bytes) -> bytes:
        state = order_state_pb2.StoredOrder.FromString(data)
        state.order.order_state = order_pb2.ORDER_STATE_PLACED
        state.step = order_state_pb2.ORDER_STEP_BACKORDER
        state.order.backorder_expire_time.FromMicroseconds(shop.clock.now_us() - 86_400_000_000)
        return state.SerializeToString(deterministic=True)

    tamper(shop, "orders", order.order_id, state=wait)

    assert any(order.order_id in text and "BACKORDER" in text for text in (await audit(client, "I5"))["I5"])


async def test_a_ledger_that_ends_otherwise_breaks_i3(shop: Shop, client: Client) -> None:
    await sold(shop, client)
    await stored(shop, "stock", "TEA", 3)
    moved = shop.store.tables["stock_movements"].rows
    newest = max(
        (key for key in moved if "TEA" in key), key=lambda key: shop.store.tables["stock_movements"].rows[key].values[3]
    )
    del moved[newest]

    broken = await audit(client)

    assert set(broken) == {"I3"}
    assert "its ledger ends with" in broken["I3"][0]


async def test_orders_that_are_named_and_not_there_break_i5(shop: Shop, client: Client) -> None:
    order = await sold(shop, client)

    def name_another(data: bytes) -> bytes:
        state = order_state_pb2.StoredOrder.FromString(data)
        state.order.exchanged_by.append("0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77")
        return state.SerializeToString(deterministic=True)

    tamper(shop, "orders", order.order_id, state=name_another)

    assert any("0190a3c5" in text for text in (await audit(client, "I5"))["I5"])
