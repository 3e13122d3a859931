"""Orders that are short of stock, that wait, that are sent in parts and that are changed, on a running engine."""

from __future__ import annotations

import asyncio
from time import time
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from oms.inventory.v1 import inventory_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.payment.v1 import payment_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from ordermesh.core.limits import BACKORDERS_SERVED_MAX
from ordermesh.order.model import due_of
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, order_of, pounds, until

PARTIAL, BACKORDER = order_pb2.FULFILLMENT_POLICY_PARTIAL, order_pb2.FULFILLMENT_POLICY_BACKORDER
Line = order_service_pb2.LineQuantity


def wanted(*skus: str, quantity: int, policy: order_pb2.FulfillmentPolicy, split: bool = False) -> order_pb2.Order:
    """An order of so many pieces of each SKU, at 4.99, with a charge of 2 for shipping."""
    order = order_of(sku=skus[0], quantity=quantity)
    for sku in skus[1:]:
        order.lines.extend(order_of(sku=sku, quantity=quantity).lines)
    order.fulfillment_policy, order.allow_split_shipments = policy, split
    order.shipping_charge.CopyFrom(pounds(2))
    return order


async def reaches(client: Client, order_id: str, fulfillment: order_pb2.FulfillmentState) -> order_pb2.Order:
    """The order once its goods are there."""

    async def has_reached() -> Any:
        order = (await client.get(order_id)).order
        return order if order.fulfillment_state == fulfillment else None

    order: order_pb2.Order = await until(has_reached, f"order {order_id} is {fulfillment}")
    return order


async def balance(client: Client, order: order_pb2.Order) -> None:
    """What was taken is what is due, for each shipment once, and nothing more is held."""
    asked = payment_service_pb2.GetPaymentRequest(order_id=order.order_id, read_consistency=LINEARIZABLE)
    payment = (await client.payments.GetPayment(asked)).payment
    assert payment.captured == payment.authorized == due_of(order)
    paid = [f"{order.order_id}-{each.operation_id}" for each in payment.captures]
    request = shipping_service_pb2.ListShipmentsRequest(order_id=order.order_id)

    async def are_stored() -> bool:
        return [each.shipment_id for each in (await client.shipping.ListShipments(request)).shipments] == paid

    await until(are_stored, f"the shipments of {order.order_id} are stored")


async def stock_is(client: Client, sku: str, *expected: int) -> None:
    """So many are on hand, reserved and waited for, once what an order says to inventory has arrived."""
    request = inventory_service_pb2.GetStockRequest(sku=sku, read_consistency=LINEARIZABLE)

    async def is_so() -> bool:
        found = (await client.stock.GetStock(request)).stock
        return (found.on_hand, found.reserved, found.backordered) == expected

    await until(is_so, f"the stock of {sku} is {expected}")


async def test_a_partial_order_gets_what_is_there(client: Client) -> None:
    await client.receive("PART-1", 3)
    await client.receive("PART-2", 100)
    created = await client.create(wanted("PART-1", "PART-2", quantity=5, policy=PARTIAL))

    order = await client.ended(created.order.order_id)
    assert order.order_state == order_pb2.ORDER_STATE_COMPLETED
    assert [line.cancelled_quantity for line in order.lines] == [2, 0]
    assert (order.total, order.due) == (pounds(51, 900_000_000), pounds(41, 920_000_000))
    await balance(client, order)


async def test_a_backorder_waits_in_the_order_of_arrival_and_is_sent_when_goods_come_in(client: Client) -> None:
    await client.receive("BACK", 1)
    first = (await client.create(wanted("BACK", quantity=5, policy=BACKORDER))).order.order_id
    waiting = await reaches(client, first, order_pb2.FULFILLMENT_STATE_BACKORDERED)
    assert waiting.promised_by.ToSeconds() > time()
    second = (await client.create(wanted("BACK", quantity=1, policy=BACKORDER))).order.order_id
    await reaches(client, second, order_pb2.FULFILLMENT_STATE_BACKORDERED)
    await stock_is(client, "BACK", 1, 1, 5)

    await client.receive("BACK", 4)
    order = await client.ended(first)
    assert order.order_state == order_pb2.ORDER_STATE_COMPLETED
    assert (await client.get(second)).order.fulfillment_state == order_pb2.FULFILLMENT_STATE_BACKORDERED
    await client.receive("BACK", 1)
    await balance(client, await client.ended(second))
    await stock_is(client, "BACK", 0, 0, 0)


async def test_a_long_queue_is_served_by_one_receipt_whole_but_for_what_it_lacks(client: Client) -> None:
    """More orders wait than one decision serves: the rest is served by commands of their own, and nothing is lost."""
    count = 2 * BACKORDERS_SERVED_MAX + 20
    await client.receive("QUEUE", 1)
    orders = [wanted("QUEUE", quantity=1, policy=BACKORDER) for _ in range(count + 1)]
    request = order_service_pb2.BatchCreateOrdersRequest(
        requests=[order_service_pb2.CreateOrderRequest(order=order) for order in orders]
    )
    await client.orders.BatchCreateOrders(request)
    await stock_is(client, "QUEUE", 0, 0, count)

    await client.receive("QUEUE", count - 1)
    await stock_is(client, "QUEUE", 0, 0, 1)
    states = [(await client.get(order.order_id)).order.fulfillment_state for order in orders]
    assert states.count(order_pb2.FULFILLMENT_STATE_BACKORDERED) == 1
    await client.receive("QUEUE", 1)
    await stock_is(client, "QUEUE", 0, 0, 0)
    for order in orders:
        await balance(client, await client.ended(order.order_id))


async def test_a_split_order_is_sent_in_parts_and_its_rest_is_cancelled(client: Client) -> None:
    await client.receive("SPLIT", 2)
    order_id = (await client.create(wanted("SPLIT", quantity=6, policy=BACKORDER, split=True))).order.order_id
    await reaches(client, order_id, order_pb2.FULFILLMENT_STATE_PARTIALLY_SHIPPED)
    await client.receive("SPLIT", 1)

    async def three_are_sent() -> Any:
        order = (await client.get(order_id)).order
        return order if order.lines[0].shipped_quantity == 3 else None

    await until(three_are_sent, "a second shipment is sent")
    cancel = order_service_pb2.CancelOrderRequest(order_id=order_id, request_id="rest")
    answers = await asyncio.gather(*(client.orders.CancelOrder(cancel) for _ in range(3)))
    order = await client.ended(order_id)

    assert all(answer.order.lines[0].cancelled_quantity == 3 for answer in answers)
    assert order.order_state == order_pb2.ORDER_STATE_COMPLETED
    assert order.due == pounds(16, 970_000_000)
    await balance(client, order)
    await stock_is(client, "SPLIT", 0, 0, 0)


async def test_what_is_still_missing_expires_at_the_time_that_the_order_names(client: Client) -> None:
    await client.receive("EXPIRES", 1)
    asked = wanted("EXPIRES", quantity=2, policy=BACKORDER)
    asked.backorder_expire_time.FromMilliseconds(int(time() * 1000) + 1_500)
    created = await client.create(asked)

    order = await client.ended(created.order.order_id)
    assert (order.order_state, order.state_reason) == (order_pb2.ORDER_STATE_CANCELLED, "BACKORDER_EXPIRED")
    await stock_is(client, "EXPIRES", 1, 0, 0)


async def test_a_scheduled_order_is_changed_while_it_waits_and_begins_at_its_time(client: Client) -> None:
    await client.receive("LATER", 100)
    asked = order_of(sku="LATER", quantity=4)
    asked.not_before.FromMilliseconds(int(time() * 1000) + 3_000)
    created = (await client.create(asked)).order
    assert created.order_state == order_pb2.ORDER_STATE_SCHEDULED
    amended = order_service_pb2.AmendOrderRequest(
        order_id=created.order_id, lines=order_of(sku="LATER", quantity=7).lines, request_id="seven"
    )
    assert (await client.orders.AmendOrder(amended)).order.lines[0].quantity == 7
    fewer = order_service_pb2.CancelOrderRequest(order_id=created.order_id, lines=[Line(line_id="1", quantity=2)])
    assert (await client.orders.CancelOrder(fewer)).order.due == pounds(24, 950_000_000)
    await stock_is(client, "LATER", 100, 0, 0)

    order = await client.ended(created.order_id)
    assert order.update_time.ToMilliseconds() >= asked.not_before.ToMilliseconds()
    await balance(client, order)
    assert (await client.create(asked)).order.order_id == created.order_id, "the same order again is the same"


async def test_terms_that_cannot_be_are_refused_by_field(client: Client) -> None:
    asked = order_of()
    asked.not_before.CopyFrom(Timestamp(seconds=int(time()) + 400 * 86_400))
    asked.allow_split_shipments = True

    failure = await failure_of(client.create(asked))
    assert failure.fields == ["order.not_before", "order.allow_split_shipments"]
    order = await client.completed()
    late = order_service_pb2.AmendOrderRequest(order_id=order.order_id, lines=order.lines)
    assert (await failure_of(client.orders.AmendOrder(late))).reason == "ORDER_NOT_AMENDABLE"
    bad = order_service_pb2.AmendOrderRequest(order_id=order.order_id, lines=[order_pb2.OrderLine(sku="A")])
    assert (await failure_of(client.orders.AmendOrder(bad))).fields == ["lines[0].quantity", "lines[0].unit_price"]
