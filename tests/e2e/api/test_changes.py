"""Cancelling, returning and refunding: done once per request id, and refused with the reason and the order's states."""

from __future__ import annotations

from typing import Any

from oms.order.v1 import order_pb2, order_service_pb2
from tests.e2e.api.client import Client, failure_of, new_id, order_of, pounds, until

Line = order_service_pb2.LineQuantity


async def test_a_cancelled_order_ends_and_holds_nothing(client: Client) -> None:
    await client.receive("CANCEL", 10)
    created = await client.create(order_of(sku="CANCEL", token="tok_slow"))
    request = order_service_pb2.CancelOrderRequest(order_id=created.order.order_id, reason="changed my mind")

    response = await client.orders.CancelOrder(request)
    order = await client.ended(created.order.order_id)

    assert response.order.order_state in (order_pb2.ORDER_STATE_CANCELLING, order_pb2.ORDER_STATE_CANCELLED)
    assert (order.order_state, order.state_reason) == (order_pb2.ORDER_STATE_CANCELLED, "CANCEL_REQUESTED")
    assert any("changed my mind" in entry.detail for entry in order.timeline)


async def test_a_completed_order_cannot_be_cancelled_and_says_where_it_is(client: Client) -> None:
    order = await client.completed()

    failure = await failure_of(client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order.order_id)))

    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "ORDER_NOT_CANCELLABLE")
    assert failure.precondition == "ORDER_NOT_CANCELLABLE"
    assert failure.metadata["order_state"] == "COMPLETED"


async def test_what_is_not_there_cannot_be_cancelled(client: Client) -> None:
    failure = await failure_of(client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=new_id())))

    assert (failure.code, failure.reason) == ("NOT_FOUND", "ORDER_NOT_FOUND")


async def test_an_etag_that_is_not_current_aborts(client: Client) -> None:
    order = await client.completed()
    request = order_service_pb2.CancelOrderRequest(order_id=order.order_id, etag="1")

    failure = await failure_of(client.orders.CancelOrder(request))

    assert (failure.code, failure.reason) == ("ABORTED", "ETAG_MISMATCH")


async def test_a_request_to_change_an_order_is_checked_before_it_is_logged(client: Client) -> None:
    order = await client.completed()
    bad = order_service_pb2.CancelOrderRequest(order_id="x", reason="r" * 2000, request_id="i" * 300, etag="one")

    failure = await failure_of(client.orders.CancelOrder(bad))

    assert failure.fields == ["order_id", "request_id", "etag", "reason"]
    returned = order_service_pb2.ReturnOrderRequest(
        order_id=order.order_id, lines=[Line(line_id="1", quantity=0), Line(line_id="1", quantity=1)]
    )
    failure = await failure_of(client.orders.ReturnOrder(returned))
    assert failure.fields == ["lines[0].quantity", "lines[1].line_id"]


async def refunded(client: Client, order_id: str, units: int, nanos: int) -> order_pb2.Order:
    """The order once so much is refunded."""

    async def is_refunded() -> Any:
        order = (await client.get(order_id)).order
        return order if order.refunded == pounds(units, nanos) else None

    order: order_pb2.Order = await until(is_refunded, f"{units} are refunded")
    return order


async def test_goods_come_back_in_parts_and_are_done_once_per_request(client: Client) -> None:
    order = await client.completed(quantity=4)
    request = order_service_pb2.ReturnOrderRequest(
        order_id=order.order_id, lines=[Line(line_id="1", quantity=1)], restock=True, request_id="return-1"
    )

    await client.orders.ReturnOrder(request)
    again = await client.orders.ReturnOrder(request)
    assert again.order.lines[0].returned_quantity == 1
    await refunded(client, order.order_id, 4, 990_000_000)

    request.request_id = "return-2"
    request.lines[0].quantity = 3
    await client.orders.ReturnOrder(request)
    order = await refunded(client, order.order_id, 19, 960_000_000)
    assert order.fulfillment_state == order_pb2.FULFILLMENT_STATE_RETURNED
    assert order.payment_state == order_pb2.PAYMENT_STATE_REFUNDED

    request.request_id = "return-3"
    request.lines[0].quantity = 1
    failure = await failure_of(client.orders.ReturnOrder(request))
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "RETURN_EXCEEDS_SHIPPED")


async def test_a_request_id_with_other_content_is_refused(client: Client) -> None:
    order = await client.completed()
    request = order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=pounds(1), request_id="refund")
    await client.orders.RefundOrder(request)

    request.amount.units = 2
    failure = await failure_of(client.orders.RefundOrder(request))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")


async def test_money_is_refunded_by_amount_or_by_lines_up_to_what_was_captured(client: Client) -> None:
    order = await client.completed(quantity=4)
    await client.orders.RefundOrder(
        order_service_pb2.RefundOrderRequest(order_id=order.order_id, lines=[Line(line_id="1", quantity=2)])
    )
    await client.orders.RefundOrder(order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=pounds(5)))
    order = await refunded(client, order.order_id, 14, 980_000_000)
    assert order.payment_state == order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED

    failure = await failure_of(
        client.orders.RefundOrder(order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=pounds(5)))
    )
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "REFUND_EXCEEDS_CAPTURED")


async def test_a_refund_is_of_an_amount_or_of_lines(client: Client) -> None:
    order = await client.completed()
    nothing = order_service_pb2.RefundOrderRequest(order_id=order.order_id)
    both = order_service_pb2.RefundOrderRequest(
        order_id=order.order_id, amount=pounds(1), lines=[Line(line_id="1", quantity=1)]
    )
    negative = order_service_pb2.RefundOrderRequest(order_id=order.order_id, amount=pounds(-1))

    for request in (nothing, both, negative):
        failure = await failure_of(client.orders.RefundOrder(request))
        assert (failure.code, failure.fields) == ("INVALID_ARGUMENT", ["amount"])


async def test_an_order_without_stock_is_rejected_and_a_declined_one_cancelled(client: Client) -> None:
    await client.receive("PLENTY")
    short = await client.create(order_of(sku="NOTHING-OF-IT"))
    declined = await client.create(order_of(sku="PLENTY", token="tok_decline"))

    short_end = await client.ended(short.order.order_id)
    declined_end = await client.ended(declined.order.order_id)

    assert (short_end.order_state, short_end.state_reason) == (order_pb2.ORDER_STATE_REJECTED, "OUT_OF_STOCK")
    assert (declined_end.order_state, declined_end.payment_state) == (
        order_pb2.ORDER_STATE_CANCELLED,
        order_pb2.PAYMENT_STATE_DECLINED,
    )
