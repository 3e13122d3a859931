"""ExplainOrder on a whole engine: what is waited for is told also, and above all, while something is broken."""

from __future__ import annotations

from typing import Any

import pytest

from oms.admin.v1 import admin_service_pb2
from oms.log.v1 import log_pb2
from oms.order.v1 import order_explanation_pb2 as told
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.runtime import subjects
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, new_id, order_of, until
from tests.unit.edge.shop import Shop


async def explained(client: Client, order_id: str, consistency: int = 0) -> told.OrderExplanation:
    """What is said about it."""
    request = order_service_pb2.ExplainOrderRequest(
        order_id=order_id,
        read_consistency=consistency,  # type: ignore[arg-type]  # an enum's number
    )
    explanation: told.OrderExplanation = (await client.orders.ExplainOrder(request)).explanation
    return explanation


async def waiting_for_payment(shop: Shop, client: Client) -> str:
    """An order whose provider is silent, stored, and told of by payment."""
    shop.provider.silent = True
    await client.receive("TEA")
    order_id = (await client.create(order_of())).order.order_id

    async def is_told() -> Any:
        found = await explained(client, order_id)
        return found.parts and found.parts[0].state == "PAYMENT_STATUS_AUTHORIZING"

    await until(is_told, "the payment is stored")
    return order_id


async def test_a_complete_order_waits_for_nothing_and_nothing_is_in_the_way(client: Client) -> None:
    order = await client.completed()

    found = await explained(client, order.order_id, LINEARIZABLE)

    assert (found.waiting_for, found.order_state) == (told.WAITING_FOR_NOTHING, order_pb2.ORDER_STATE_COMPLETED)
    assert (found.version, list(found.parts), list(found.obstacles)) == (order.version, [], [])


async def test_an_order_whose_provider_is_silent_says_so(shop: Shop, client: Client) -> None:
    order_id = await waiting_for_payment(shop, client)

    async def is_undisturbed() -> Any:
        found = await explained(client, order_id)
        return found if not found.obstacles else None

    found = await until(is_undisturbed, "all owners were heard of")
    assert found.waiting_for == told.WAITING_FOR_AUTHORIZATION
    assert found.since.ToMicroseconds() < found.asked_again_at.ToMicroseconds() < found.gives_up_at.ToMicroseconds()
    assert "CancelOrder" in found.remedies[0].method
    shop.provider.silent = False


async def test_an_order_of_a_partition_without_owner_says_so(shop: Shop, client: Client) -> None:
    order_id = await waiting_for_payment(shop, client)
    await shop.stop_owner()

    async def is_ownerless() -> Any:
        found = await explained(client, order_id)
        return [each for each in found.obstacles if each.kind == told.OBSTACLE_KIND_NO_OWNER]

    (obstacle,) = await until(is_ownerless, "the owner is missed")
    assert obstacle.group == "orders"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ({"stopped_reason": "log and store contradict each other"}, told.OBSTACLE_KIND_STOPPED, "contradict"),
        ({"lag_ms": 61_000, "lag": 12_345}, told.OBSTACLE_KIND_BEHIND, "61 s and 12,345 commands behind"),
    ],
)
async def test_what_an_owner_says_of_its_partition_is_told(
    shop: Shop, client: Client, status: dict[str, Any], kind: told.ObstacleKind, words: str
) -> None:
    """The last word counts until the next: here there is none, because the owner is gone."""
    order_id = await waiting_for_payment(shop, client)
    await shop.stop_owner()
    partition = shop.gate.partition_of("order", "default", order_id)
    said = log_pb2.PartitionStatus(
        group=partition.group, partition=partition.number, instance="owner-1", intake_open=True, **status
    )
    shop.bus.publish(subjects.STATUS, said.SerializeToString())

    async def is_told() -> Any:
        return [each for each in (await explained(client, order_id)).obstacles if each.kind == kind]

    (obstacle,) = await until(is_told, "the owner's word is told")
    assert (obstacle.group, obstacle.partition) == (partition.group, partition.number)
    assert words in obstacle.text


async def test_without_a_quorum_the_explanation_is_had_and_says_so(shop: Shop, client: Client) -> None:
    order_id = await waiting_for_payment(shop, client)
    shop.store.has_quorum = False

    found = await explained(client, order_id)

    assert found.waiting_for == told.WAITING_FOR_AUTHORIZATION
    assert [each.kind for each in found.obstacles] == [told.OBSTACLE_KIND_STORE]
    shop.store.has_quorum = True


async def test_while_the_store_is_away_the_explanation_is_had_from_the_owner(shop: Shop, client: Client) -> None:
    order_id = await waiting_for_payment(shop, client)
    shop.store.available = False

    found = await explained(client, order_id, LINEARIZABLE)

    assert found.waiting_for == told.WAITING_FOR_AUTHORIZATION
    assert told.OBSTACLE_KIND_STORE in [each.kind for each in found.obstacles]
    shop.store.available = True


async def test_a_dead_letter_about_the_order_is_in_the_way_until_somebody_resolves_it(
    shop: Shop, client: Client
) -> None:
    order_id = await waiting_for_payment(shop, client)
    other_id = await waiting_for_payment(shop, client)
    envelope = log_pb2.Envelope(
        service="order", tenant="default", key=order_id, type="oms.order.v1.PaymentAuthorized", payload=b"\xff\xff"
    )
    frame = log_pb2.CommandFrame(envelopes=[envelope])
    partition = shop.gate.partition_of("order", "default", order_id)
    await shop.log.append(partition, "commands", frame.SerializeToString(), frame_id="bad", dedupe=False)

    async def in_the_way(of: str) -> list[str]:
        found = await explained(client, of)
        return [each.text for each in found.obstacles if each.kind == told.OBSTACLE_KIND_DEAD_LETTER]

    (text,) = await until(lambda: in_the_way(order_id), "the dead letter is told")
    assert text.startswith(f"PaymentAuthorized for {order_id} could not be decided: dead letter {partition}/")
    assert await in_the_way(other_id) == []

    name = text.split("dead letter ")[1].removesuffix(".")
    await client.admin.DiscardDeadLetter(admin_service_pb2.DiscardDeadLetterRequest(dead_letter_id=name))

    async def is_gone() -> bool:
        return not await in_the_way(order_id)

    await until(is_gone, "nothing is in the way any more")


async def test_an_order_that_is_not_there_is_not_found(client: Client) -> None:
    failure = await failure_of(explained(client, new_id()))

    assert (failure.code, failure.reason) == ("NOT_FOUND", "ORDER_NOT_FOUND")
