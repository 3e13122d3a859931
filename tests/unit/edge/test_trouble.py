"""What callers hear while the store, the owner or the log is away: nothing false, and what can be done all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.common.v1 import consistency_pb2
from oms.log.v1 import log_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.runtime import subjects
from ordermesh.runtime.ports import LogUnavailable, PartitionId
from ordermesh.runtime.topology import SEPARATE_GROUPS
from ordermesh.shipping.app import make_service
from ordermesh.shipping.model import ShippingPolicy
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, new_id, order_of, until
from tests.unit.edge import shop as shops
from tests.unit.edge.shop import Shop

QUORUM = consistency_pb2.READ_CONSISTENCY_QUORUM
EVENTUAL = consistency_pb2.READ_CONSISTENCY_EVENTUAL
AT_LEAST = consistency_pb2.READ_CONSISTENCY_AT_LEAST


async def test_an_order_is_taken_while_the_store_is_away_and_found_when_it_is_back(shop: Shop, client: Client) -> None:
    await client.receive("TEA")
    shop.store.available = False

    created = await client.create(order_of())
    missing = await failure_of(client.get(new_id(ahead_ms=-3_600_000), QUORUM))
    shop.store.available = True

    assert created.persistence in (consistency_pb2.PERSISTENCE_ACCEPTED, consistency_pb2.PERSISTENCE_LOGGED)
    assert (missing.code, missing.reason) == ("UNAVAILABLE", "STATE_NOT_YET_KNOWN")

    heard: list[grpc.StatusCode] = []

    async def is_known() -> Any:
        try:
            return (await client.get(created.order.order_id)).order
        except grpc.aio.AioRpcError as error:
            heard.append(error.code())
            return None

    assert (await until(is_known, "the order is found")).total == created.order.total
    assert set(heard) <= {grpc.StatusCode.UNAVAILABLE}


async def test_an_owner_that_has_just_begun_looks_no_payment_or_shipment_of_a_new_order_up(
    shop: Shop, client: Client
) -> None:
    """For ten seconds ids may be older than its memory, so it asks for the orders, a batch at once. What a new order
    leads to would be asked for one by one, in the middle of its decisions."""
    await client.completed()

    assert shop.store.asked["orders"]
    assert shop.store.asked["payments"] == shop.store.asked["shipments"] == 0


async def test_an_order_that_the_owner_knows_is_read_and_changed_while_the_store_is_away(
    shop: Shop, client: Client
) -> None:
    order = await client.completed()
    shop.store.available = False

    read = await client.get(order.order_id, QUORUM)
    refund = order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=order.total)
    refunded = await client.orders.RefundOrder(refund)

    assert read.freshness.consistency == LINEARIZABLE
    assert read.order == order
    assert refunded.persistence == consistency_pb2.PERSISTENCE_LOGGED
    shop.store.available = True


async def test_a_list_says_that_the_store_is_away(shop: Shop, client: Client) -> None:
    shop.store.available = False

    failure = await failure_of(client.orders.ListOrders(order_service_pb2.ListOrdersRequest(customer_id="ada")))

    assert (failure.code, failure.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
    assert failure.retry_ms > 0
    shop.store.available = True


async def test_a_read_without_quorum_says_that_it_is_less_than_was_asked(shop: Shop, client: Client) -> None:
    order = await client.completed()

    async def is_stored() -> bool:
        return bool((await client.get(order.order_id, QUORUM)).order.version == order.version)

    await until(is_stored, "the order is stored")
    shop.store.has_quorum = False

    read = await client.get(order.order_id, QUORUM)
    at_least = await client.get(order.order_id, AT_LEAST, order.version)

    assert read.order == order
    assert (read.freshness.consistency, read.freshness.degraded) == (EVENTUAL, True)
    assert read.freshness.reason
    assert at_least.freshness.consistency == LINEARIZABLE
    shop.store.has_quorum = True


async def test_without_an_owner_orders_are_accepted_and_nothing_is_said_to_be_missing(
    shop: Shop, client: Client
) -> None:
    await shop.stop_owner()
    order = order_of()

    created = await client.create(order)
    for consistency in (EVENTUAL, QUORUM, LINEARIZABLE):
        failure = await failure_of(client.get(order.order_id, consistency))
        assert (failure.code, failure.reason) == ("UNAVAILABLE", "STATE_NOT_YET_KNOWN")

    assert created.persistence == consistency_pb2.PERSISTENCE_ACCEPTED
    assert (created.order.total.units, created.order.payment_token) == (9, "")


async def test_a_change_that_is_not_decided_yet_may_be_sent_again(shop: Shop, client: Client) -> None:
    order = await client.completed()
    await shop.stop_owner()
    request = order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=order.total, request_id="once")

    failure = await failure_of(client.orders.RefundOrder(request))

    assert (failure.code, failure.reason) == ("UNAVAILABLE", "STATE_NOT_YET_KNOWN")
    assert failure.retry_ms > 0


async def test_an_eventual_read_within_a_second_is_of_the_cache_and_says_when_it_was_read(
    shop: Shop, client: Client
) -> None:
    order = await client.completed()

    async def is_stored() -> bool:
        return bool((await client.get(order.order_id, QUORUM)).order.version == order.version)

    await until(is_stored, "the order is stored")
    first = await client.get(order.order_id, EVENTUAL)
    shop.store.available = False
    second = await client.get(order.order_id, EVENTUAL)
    shop.store.available = True

    assert second.order == first.order
    apart = second.freshness.read_time.ToMicroseconds() - first.freshness.read_time.ToMicroseconds()
    assert abs(apart) < 50_000


async def test_a_log_that_is_away_takes_nothing(shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> int:
        raise LogUnavailable("switched off")

    with monkeypatch.context() as patched:
        patched.setattr(shop.log, "append", away)
        failure = await failure_of(client.create(order_of()))

    assert (failure.code, failure.reason) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
    assert failure.retry_ms > 0


async def test_a_partition_that_takes_no_work_says_when_to_come_back(shop: Shop, client: Client) -> None:
    await client.create(order_of())
    await shop.stop_owner()
    for number in range(2):
        status = log_pb2.PartitionStatus(
            group="orders", partition=number, intake_open=False, intake_reason="the log is full", retry_after_ms=2500
        )
        shop.bus.publish(subjects.STATUS, status.SerializeToString())
    await asyncio.sleep(0)

    failure = await failure_of(client.create(order_of(order_id="")))

    assert (failure.code, failure.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert failure.retry_ms == 2500
    assert len(failure.metadata["order_id"]) == 36


async def test_an_order_waits_outside_where_the_stock_of_its_line_is_behind(shop: Shop, client: Client) -> None:
    """What an order leads to is never refused: under overload it piled up before the stock, for most of a minute."""
    await client.receive("TEA")
    await shop.stop_owner()  # it would say that all is well
    behind = shop.gate.partition_of("inventory", "default", "TEA")
    elsewhere = next(sku for sku in "ABCDEFGH" if shop.gate.partition_of("inventory", "default", sku) != behind)
    status = log_pb2.PartitionStatus(
        group=behind.group, partition=behind.number, intake_reason="much to decide", retry_after_ms=700
    )
    shop.gate._hear_status(status.SerializeToString())

    failure = await failure_of(client.create(order_of(sku="TEA")))
    other = await client.create(order_of(sku=elsewhere))

    assert (failure.code, failure.reason, failure.retry_ms) == ("RESOURCE_EXHAUSTED", "OVERLOADED", 700)
    assert other.persistence == consistency_pb2.PERSISTENCE_ACCEPTED

    status.stopped_reason = "its log and its rows contradict each other"
    shop.gate._hear_status(status.SerializeToString())
    assert (await client.create(order_of(sku="TEA"))).persistence == consistency_pb2.PERSISTENCE_ACCEPTED, (
        "what waits for people does not turn orders away"
    )
    status.intake_open, status.stopped_reason = True, ""
    shop.gate._hear_status(status.SerializeToString())
    assert (await client.create(order_of(sku="TEA"))).persistence == consistency_pb2.PERSISTENCE_ACCEPTED
    shop.restart_owner()


async def test_readiness_needs_everything_once_and_then_only_the_log(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordermesh.runtime.readiness.CHECK_AGE_MAX_S", 0.0)

    async def is_ready() -> bool:
        return (await shop.edge.readiness()).ready

    await until(is_ready, "the edge is ready")
    shop.store.available = False
    without_store = await shop.edge.readiness()
    shop.store.available = True

    async def no_log(_: PartitionId) -> None:
        raise LogUnavailable("switched off")

    monkeypatch.setattr(shop.log, "state", no_log)
    without_log = await shop.edge.readiness()

    assert (without_store.ready, list(without_store.degraded)) == (True, ["store does not answer"])
    assert not without_log.ready
    assert without_log.reasons


async def dead_letter(shop: Shop, client: Client) -> admin_pb2.DeadLetter:
    """A command that nobody can read, in the log; and what became of it."""
    envelope = log_pb2.Envelope(
        service="order", tenant="default", key=new_id(), type="oms.order.v1.PlaceOrder", payload=b"\xff\xff"
    )
    frame = log_pb2.CommandFrame(envelopes=[envelope])
    partition = PartitionId("orders", 1)
    await shop.log.append(partition, "commands", frame.SerializeToString(), frame_id="bad", dedupe=False)

    async def listed() -> Any:
        return (await client.admin.ListDeadLetters(admin_service_pb2.ListDeadLettersRequest())).dead_letters

    (letter,) = await until(listed, "the dead letter is listed")
    found: admin_pb2.DeadLetter = letter
    return found


async def test_a_command_that_cannot_be_decided_is_listed_and_discarded_once(shop: Shop, client: Client) -> None:
    letter = await dead_letter(shop, client)
    assert letter.dead_letter_id.startswith("orders/001/")
    assert (letter.type, letter.status) == ("oms.order.v1.PlaceOrder", admin_pb2.DEAD_LETTER_STATUS_OPEN)
    assert letter.error

    request = admin_service_pb2.DiscardDeadLetterRequest(dead_letter_id=letter.dead_letter_id)
    for _ in range(2):
        discarded = await client.admin.DiscardDeadLetter(request)
        assert discarded.dead_letter.status == admin_pb2.DEAD_LETTER_STATUS_DISCARDED
    failure = await failure_of(
        client.admin.ReplayDeadLetter(admin_service_pb2.ReplayDeadLetterRequest(dead_letter_id=letter.dead_letter_id))
    )

    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "DEAD_LETTER_RESOLVED")


async def test_a_bug_is_told_as_internal_with_an_id_and_nothing_of_its_text(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(shop.gate, "post", bug)

    failure = await failure_of(client.create(order_of()))

    assert (failure.code, failure.reason) == ("INTERNAL", "INTERNAL")
    assert len(failure.metadata["correlation_id"]) == 32
    assert "secret" not in failure.message


async def test_a_watch_survives_a_change_of_owner(shop: Shop, client: Client) -> None:
    await client.receive("TEA")
    shop.provider.silent = True
    order = (await client.create(order_of())).order
    call = client.orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=order.order_id))
    seen = [(await call.read()).version]

    await shop.stop_owner()
    shop.provider.silent = False
    shop.restart_owner()
    async with asyncio.timeout(20):
        while (update := await call.read()).event != "OrderCompleted":
            seen.append(update.version)
    call.cancel()

    assert [*seen, update.version] == list(range(1, update.version + 1))


async def test_a_stopping_edge_answers_what_is_under_way(shop: Shop, client: Client) -> None:
    await shop.stop_owner()
    creating = asyncio.ensure_future(client.create(order_of()))

    async def is_posted() -> bool:
        frames = await shop.log.fetch(PartitionId("orders", 0), ("commands",), 0, 10)
        return bool(frames + await shop.log.fetch(PartitionId("orders", 1), ("commands",), 0, 10))

    await until(is_posted, "the order is in the log")
    await shop.edge.stop(5.0)

    assert (await creating).persistence == consistency_pb2.PERSISTENCE_ACCEPTED


async def test_a_deadline_that_has_passed_leaves_nothing_in_the_log(shop: Shop, client: Client) -> None:
    request = order_service_pb2.CreateOrderRequest(order=order_of())

    with pytest.raises(grpc.aio.AioRpcError):
        await client.orders.CreateOrder(request, timeout=-1)

    missing = await failure_of(client.get(request.order.order_id))
    assert missing.reason == "ORDER_NOT_FOUND"


async def test_a_process_that_starts_into_an_outage_serves_after_a_while(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stop_owner()
    shop.store.available = False
    starting = await shop.edge.readiness()
    monkeypatch.setattr("ordermesh.runtime.readiness.STARTING_S", 0.0)
    monkeypatch.setattr("ordermesh.runtime.readiness.CHECK_AGE_MAX_S", 0.0)
    later = await shop.edge.readiness()
    shop.store.available = True

    assert not starting.ready
    assert later.ready
    assert "store does not answer" in later.degraded


@pytest.mark.usefixtures("shop")  # for its short pauses
async def test_a_cancellation_that_shipping_decides_claims_no_more_than_that_it_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was stored when the answer came is the question to shipping, and not the order that the answer shows."""
    by_hand = make_service(ShippingPolicy(dispatch_automatically=False))
    monkeypatch.setattr(shops, "SERVICES", [by_hand if each.name == by_hand.name else each for each in shops.SERVICES])
    async with Shop(groups=SEPARATE_GROUPS).open() as client:
        await client.receive("TEA")
        order_id = (await client.create(order_of())).order.order_id

        async def waits_for_dispatch() -> bool:
            state = (await client.get(order_id)).order.payment_state
            return bool(state == order_pb2.PAYMENT_STATE_AUTHORIZED)

        await until(waits_for_dispatch, "it waits for its dispatch")
        cancelled = await client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order_id))

    assert cancelled.order.order_state in (order_pb2.ORDER_STATE_CANCELLING, order_pb2.ORDER_STATE_CANCELLED)
    assert cancelled.persistence == consistency_pb2.PERSISTENCE_LOGGED
