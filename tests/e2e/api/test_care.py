"""Orders that people look after, on a real engine: holds, reviews, other payments, returns, exchanges."""

from __future__ import annotations

from typing import Any

from oms.inventory.v1 import inventory_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.payment.v1 import payment_service_pb2
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, new_id, order_of, pounds, until

Line = order_service_pb2.LineQuantity


def hold_of(order_id: str, reason: str = "ADDRESS_CHECK", request_id: str = "") -> order_service_pb2.HoldOrderRequest:
    """A request to hold an order."""
    return order_service_pb2.HoldOrderRequest(
        order_id=order_id, reason=reason, detail="no such street", request_id=request_id
    )


async def reaches(client: Client, order_id: str, what: str, condition: Any) -> order_pb2.Order:
    """The order once it is as wanted."""

    async def is_so() -> Any:
        order = (await client.get(order_id)).order
        return order if condition(order) else None

    order: order_pb2.Order = await until(is_so, f"order {order_id} {what}")
    return order


async def on_hand(client: Client, sku: str) -> int:
    """How many there are of a SKU."""
    request = inventory_service_pb2.GetStockRequest(sku=sku, read_consistency=LINEARIZABLE)
    return int((await client.stock.GetStock(request)).stock.on_hand)


async def test_a_held_order_waits_with_its_money_until_the_last_release(client: Client) -> None:
    await client.receive("HELD")
    order_id = (await client.create(order_of(sku="HELD", token="tok_fraud_review"))).order.order_id
    await reaches(client, order_id, "is held by the rule", lambda one: one.holds)
    for _ in range(2):
        held = await client.orders.HoldOrder(hold_of(order_id, request_id="hold-1"))
    assert [hold.reason for hold in held.order.holds] == ["FRAUD_REVIEW", "ADDRESS_CHECK"]
    await client.orders.HoldOrder(hold_of(order_id, "VIP"))
    for reason in ("FRAUD_REVIEW", "VIP"):
        release = order_service_pb2.ReleaseOrderRequest(order_id=order_id, reason=reason)
        order = (await client.orders.ReleaseOrder(release)).order
    assert [hold.hold_id for hold in order.holds] == ["2"]
    assert (order.order_state, order.payment_state, order.fulfillment_state) == (
        order_pb2.ORDER_STATE_CONFIRMED,
        order_pb2.PAYMENT_STATE_AUTHORIZED,
        order_pb2.FULFILLMENT_STATE_ALLOCATED,
    )

    release = order_service_pb2.ReleaseOrderRequest(order_id=order_id, hold_id="2", detail="it exists")
    await client.orders.ReleaseOrder(release)
    assert (await client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED
    failure = await failure_of(client.orders.ReleaseOrder(release))
    assert (failure.code, failure.reason) == ("NOT_FOUND", "HOLD_NOT_FOUND")


async def test_an_order_that_is_gone_cannot_be_held(client: Client) -> None:
    order = await client.completed()

    failure = await failure_of(client.orders.HoldOrder(hold_of(order.order_id)))

    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "ORDER_NOT_HOLDABLE")
    assert failure.metadata["order_state"] == "COMPLETED"


async def test_requests_about_holds_are_checked_before_they_are_logged(client: Client) -> None:
    bad = order_service_pb2.HoldOrderRequest(order_id="x", detail="d" * 2000, etag="one")
    assert (await failure_of(client.orders.HoldOrder(bad))).fields == ["order_id", "etag", "reason", "detail"]
    both = order_service_pb2.ReleaseOrderRequest(order_id=new_id(), hold_id="1", reason="R")
    assert (await failure_of(client.orders.ReleaseOrder(both))).fields == ["hold_id"]


async def test_a_review_holds_the_order_until_somebody_releases_or_cancels_it(client: Client) -> None:
    await client.receive("REVIEWED", 10)
    for cancelled in (False, True):
        created = await client.create(order_of(sku="REVIEWED", token="tok_fraud_review"))
        order_id = created.order.order_id
        order = await reaches(client, order_id, "is held", lambda one: one.holds)
        assert [(hold.reason, hold.rule) for hold in order.holds] == [("FRAUD_REVIEW", "sandbox")]
        if cancelled:
            await client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order_id))
        else:
            release = order_service_pb2.ReleaseOrderRequest(order_id=order_id, reason="FRAUD_REVIEW")
            await client.orders.ReleaseOrder(release)
        ended = await client.ended(order_id)
        state = order_pb2.ORDER_STATE_CANCELLED if cancelled else order_pb2.ORDER_STATE_COMPLETED
        assert (ended.order_state, len(ended.holds)) == (state, 0)
    assert await on_hand(client, "REVIEWED") == 8


async def test_a_declined_order_is_paid_by_another_token_and_charged_once(client: Client) -> None:
    await client.receive("PAID-LATER")
    order = order_of(sku="PAID-LATER", token="tok_decline")
    order.payment_retry_seconds = 3600
    order_id = (await client.create(order)).order.order_id
    waiting = await reaches(
        client, order_id, "waits for a token", lambda one: one.payment_state == order_pb2.PAYMENT_STATE_RETRY
    )
    assert waiting.payment_retry_time.seconds > waiting.create_time.seconds + 3500
    assert waiting.fulfillment_state == order_pb2.FULFILLMENT_STATE_ALLOCATED

    update = order_service_pb2.UpdatePaymentRequest(order_id=order_id, payment_token="tok_decline", request_id="p1")
    await client.orders.UpdatePayment(update)
    await reaches(
        client, order_id, "is declined again",
        lambda one: sum(entry.event == "PaymentRefused" for entry in one.timeline) == 2,
    )  # fmt: skip
    update = order_service_pb2.UpdatePaymentRequest(order_id=order_id, payment_token="tok_flaky", request_id="p2")
    for _ in range(2):
        await client.orders.UpdatePayment(update)
    ended = await client.ended(order_id)
    asked = payment_service_pb2.GetPaymentRequest(order_id=order_id, read_consistency=LINEARIZABLE)
    payment = (await client.payments.GetPayment(asked)).payment

    assert ended.order_state == order_pb2.ORDER_STATE_COMPLETED
    assert ended.payment_token == ""
    assert payment.authorized == payment.captured == ended.total
    assert not ended.HasField("payment_retry_time")
    same = await client.create(order)
    assert same.order.order_id == order_id, "the order that was placed is still the same"


async def test_a_declined_order_ends_when_its_time_for_another_token_is_over(client: Client) -> None:
    await client.receive("EXPIRED", 2)
    order = order_of(sku="EXPIRED", token="tok_decline")
    order.payment_retry_seconds = 1
    order_id = (await client.create(order)).order.order_id

    ended = await client.ended(order_id)

    assert (ended.order_state, ended.state_reason) == (order_pb2.ORDER_STATE_CANCELLED, "PAYMENT_EXPIRED")
    assert ended.payment_state == order_pb2.PAYMENT_STATE_DECLINED
    update = order_service_pb2.UpdatePaymentRequest(order_id=order_id, payment_token="tok_ok")
    failure = await failure_of(client.orders.UpdatePayment(update))
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "PAYMENT_NOT_UPDATABLE")


async def test_another_token_is_checked_before_it_is_logged(client: Client) -> None:
    update = order_service_pb2.UpdatePaymentRequest(order_id="x", payment_token="tok_made_up")
    assert (await failure_of(client.orders.UpdatePayment(update))).fields == ["order_id", "payment_token"]
    order = order_of()
    order.payment_retry_seconds = 8 * 86_400
    assert (await failure_of(client.create(order))).fields == ["order.payment_retry_seconds"]


async def test_a_return_goes_its_way_in_parts_and_is_paid_back_with_shipping(client: Client) -> None:
    await client.receive("SENT-BACK", 10)
    bought = order_of(sku="SENT-BACK", quantity=4)
    bought.shipping_charge.CopyFrom(pounds(2))
    order_id = (await client.create(bought)).order.order_id
    await client.ended(order_id)
    permit = order_service_pb2.AuthorizeReturnRequest(
        order_id=order_id, lines=[Line(line_id="1", quantity=3)], reason="too small", request_id="permit"
    )
    permitted = await client.orders.AuthorizeReturn(permit)
    again = await client.orders.AuthorizeReturn(permit)
    assert permitted.order_return.return_id == again.order_return.return_id == "1"
    more = order_service_pb2.AuthorizeReturnRequest(order_id=order_id, lines=[Line(line_id="1", quantity=2)])
    failure = await failure_of(client.orders.AuthorizeReturn(more))
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "RETURN_EXCEEDS_SHIPPED")

    came = order_service_pb2.ReceiveReturnRequest(
        order_id=order_id, return_id="1", lines=[Line(line_id="1", quantity=2)]
    )
    assert (await client.orders.ReceiveReturn(came)).order_return.state == order_pb2.RETURN_STATE_RECEIVED
    judged = order_service_pb2.InspectReturnRequest(
        order_id=order_id, return_id="1", include_shipping=True,
        lines=[order_service_pb2.InspectedLine(line_id="1", restock_quantity=1, write_off_quantity=1)],
    )  # fmt: skip
    await client.orders.InspectReturn(judged)
    order = await reaches(client, order_id, "is refunded", lambda one: one.refunded == pounds(10, 980_000_000))
    assert order.lines[0].returned_quantity == 2
    ended = await client.orders.CancelReturn(order_service_pb2.CancelReturnRequest(order_id=order_id, return_id="1"))
    assert ended.order_return.state == order_pb2.RETURN_STATE_COMPLETED

    async def is_back() -> bool:
        return await on_hand(client, "SENT-BACK") == 7

    await until(is_back, "one piece is in stock again")


async def test_requests_about_returns_are_checked_before_they_are_logged(client: Client) -> None:
    bad = order_service_pb2.InspectReturnRequest(
        order_id="x", lines=[order_service_pb2.InspectedLine(line_id="1", restock_quantity=-1)]
    )
    failure = await failure_of(client.orders.InspectReturn(bad))
    assert failure.fields == ["order_id", "return_id", "lines[0].restock_quantity"]
    order = await client.completed()
    came = order_service_pb2.ReceiveReturnRequest(
        order_id=order.order_id, return_id="1", lines=[Line(line_id="1", quantity=1)]
    )
    failure = await failure_of(client.orders.ReceiveReturn(came))
    assert (failure.code, failure.reason) == ("NOT_FOUND", "RETURN_NOT_FOUND")


async def test_refunds_have_a_share_of_shipping_and_goodwill_has_no_lines(client: Client) -> None:
    await client.receive("REFUNDED")
    bought = order_of(sku="REFUNDED", quantity=4)
    bought.shipping_charge.CopyFrom(pounds(2))
    order_id = (await client.create(bought)).order.order_id
    await client.ended(order_id)
    request = order_service_pb2.RefundOrderRequest(
        order_id=order_id, lines=[Line(line_id="1", quantity=1)], include_shipping=True, request_id="r1"
    )
    for _ in range(2):
        await client.orders.RefundOrder(request)
    goodwill = order_service_pb2.RefundOrderRequest(
        order_id=order_id, amount=pounds(1), reason=order_pb2.REFUND_REASON_GOODWILL
    )
    await client.orders.RefundOrder(goodwill)
    await reaches(client, order_id, "is refunded", lambda one: one.refunded == pounds(6, 490_000_000))

    goodwill.lines.add(line_id="1", quantity=1)
    assert (await failure_of(client.orders.RefundOrder(goodwill))).fields == ["lines", "amount"]
    alone = order_service_pb2.RefundOrderRequest(order_id=order_id, amount=pounds(1), include_shipping=True)
    assert (await failure_of(client.orders.RefundOrder(alone))).fields == ["include_shipping"]


async def test_an_exchange_makes_one_other_order_however_often_it_is_asked_for(client: Client) -> None:
    order = await client.completed()
    await client.receive("INSTEAD", 10)
    request = order_service_pb2.ExchangeOrderRequest(
        order_id=order.order_id, lines=[Line(line_id="1", quantity=1)], request_id="exchange",
        replacement=order_of(sku="INSTEAD", quantity=1, order_id=""),
    )  # fmt: skip
    answers = [await client.orders.ExchangeOrder(request) for _ in range(3)]

    (other,) = {answer.replacement.order_id for answer in answers}
    assert answers[0].replacement.payment_token == ""
    assert list(answers[-1].order.exchanged_by) == [other]
    assert [each.exchange_order_id for each in answers[-1].order.returns] == [other]
    ended = await client.ended(other)
    assert (ended.order_state, ended.exchange_of) == (order_pb2.ORDER_STATE_COMPLETED, order.order_id)
    assert await on_hand(client, "INSTEAD") == 9


async def test_an_exchange_says_what_is_wrong_with_the_other_order(client: Client) -> None:
    order = await client.completed()
    request = order_service_pb2.ExchangeOrderRequest(
        order_id=order.order_id, lines=[Line(line_id="1", quantity=1)],
        replacement=order_of(quantity=0, token="made up", order_id="x"),
    )  # fmt: skip
    failure = await failure_of(client.orders.ExchangeOrder(request))
    assert failure.fields == ["replacement.order_id", "replacement.payment_token", "replacement.lines[0].quantity"]
    assert failure.message.startswith("replacement.order_id: ")

    request.replacement.CopyFrom(order_of(customer_id="eve"))
    failure = await failure_of(client.orders.ExchangeOrder(request))
    assert (failure.code, failure.fields) == ("INVALID_ARGUMENT", ["replacement.customer_id"])

    taken = await client.completed()
    request.replacement.CopyFrom(order_of(order_id=taken.order_id, quantity=3))
    failure = await failure_of(client.orders.ExchangeOrder(request))
    assert (failure.code, failure.reason) == ("ALREADY_EXISTS", "ORDER_ALREADY_EXISTS")
    assert failure.message.startswith(f"replacement.order_id: order {taken.order_id} ")
    assert failure.metadata["order_id"] == taken.order_id
    await client.receive("TEA")
    others = order_of(customer_id="eve")
    await client.create(others)
    request.request_id = "an id of somebody else's order"
    request.replacement.CopyFrom(order_of(order_id=others.order_id))
    failure = await failure_of(client.orders.ExchangeOrder(request))
    assert (failure.code, failure.metadata["order_id"]) == ("NOT_FOUND", others.order_id)
    after = (await client.get(order.order_id)).order
    assert [each.state for each in after.returns] == [order_pb2.RETURN_STATE_CANCELLED] * 2
    assert not after.exchanged_by
