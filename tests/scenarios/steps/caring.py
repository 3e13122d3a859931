"""Steps about holds, another try to pay, returns step by step, goodwill and exchanges."""

from __future__ import annotations

import uuid
from typing import Any

from pytest_bdd import step, then, when

from oms.order.v1 import order_pb2, order_service_pb2
from tests.scenarios.shop import PRICE, Shop, amount_of
from tests.scenarios.steps.cancelling import cancellation
from tests.scenarios.wording import goods_of, said

TRIES = 10
"""To hold an order within two seconds."""

Line = order_service_pb2.LineQuantity


@when(said("somebody holds an order of {goods} by {customer} for {reason} while its payment is authorised"))
def holds_while_authorised(shop: Shop, goods: str, customer: str, reason: str) -> None:
    """By tok_slow the provider has not answered for two seconds. Where the machine was slower than that, the order is
    cancelled, and another one is held."""
    for _ in range(TRIES):
        shop.create(shop.new_order(customer, goods_of(goods), PRICE, "tok_slow"), None)
        shop.expect_no_failure()
        order_id = shop.orders["the order"]
        shop.wait_for(order_id, is_being_paid, "its payment is being authorised")
        shop.try_to(shop.client.orders.HoldOrder, hold(order_id, reason))
        if shop.failure is None and "OrderConfirmed" not in events_of(shop.answer.order):
            return
        if shop.failure is not None:
            assert shop.look_at_failure().reason == "ORDER_NOT_HOLDABLE"
        shop.client.call(shop.client.orders.CancelOrder, cancellation(order_id))
        shop.ended(order_id)
    raise AssertionError(f"{TRIES} times the provider had answered before anybody could hold the order")


@step(said("somebody holds {order} for {reason}"))
def holds(shop: Shop, order: str, reason: str) -> None:
    """It does not go on."""
    shop.try_to(shop.client.orders.HoldOrder, hold(shop.order_id(order), reason))


def is_being_paid(order: order_pb2.Order) -> bool:
    """Whether the provider was asked."""
    return order.payment_state != order_pb2.PAYMENT_STATE_NONE


def hold(order_id: str, reason: str) -> order_service_pb2.HoldOrderRequest:
    """The request to hold an order."""
    return order_service_pb2.HoldOrderRequest(
        order_id=order_id, reason=reason, detail="looked odd", request_id=uuid.uuid4().hex
    )


def events_of(order: order_pb2.Order) -> list[str]:
    """What happened to an order, by its timeline."""
    return [entry.event for entry in order.timeline]


@then(said('the timeline of {order} says "{words}" before "{others}"'))
def says_before(shop: Shop, order: str, words: str, others: str) -> None:
    """In which order two things happened; waits for both."""
    wanted = {words, others}
    found = shop.wait_for(
        shop.order_id(order), lambda found: wanted <= set(events_of(found)), f"{order} has {words} and {others}"
    )
    assert events_of(found).index(words) < events_of(found).index(others)


@when(said("somebody releases {order} from {reason}"))
def releases(shop: Shop, order: str, reason: str) -> None:
    """All holds of that reason end."""
    request = order_service_pb2.ReleaseOrderRequest(
        order_id=shop.order_id(order), reason=reason, request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.orders.ReleaseOrder, request)


@then(said('{order} is held for "{words}"'))
def is_held(shop: Shop, order: str, words: str) -> None:
    """The reasons of its holds, the oldest first; waits for them."""
    shop.expect_no_failure()
    wanted = [] if words == "nothing" else words.split(", ")
    shop.wait_for(
        shop.order_id(order), lambda found: [each.reason for each in found.holds] == wanted, f"{order} is held: {words}"
    )


@step(said("{customer} orders {goods} by {token} and may pay again within {count} s"))
def orders_patiently(shop: Shop, customer: str, goods: str, token: str, count: str) -> None:
    """A new order that takes another token for a while."""
    order = shop.new_order(customer, goods_of(goods), PRICE, token)
    order.payment_retry_seconds = int(count)
    shop.create(order, None)


@when(said("{customer} pays {order} by {token}"))
def pays(shop: Shop, customer: str, order: str, token: str) -> None:
    """Another token."""
    request = order_service_pb2.UpdatePaymentRequest(
        order_id=shop.order_id(order), payment_token=token, request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.orders.UpdatePayment, request)


@when(said("{customer} may return {quantity} of line {line} of {order}"))
def may_return(shop: Shop, customer: str, quantity: str, line: str, order: str) -> None:
    """A return is authorised; it is `the return` from now on."""
    request = order_service_pb2.AuthorizeReturnRequest(
        order_id=shop.order_id(order),
        lines=[Line(line_id=line, quantity=int(quantity))],
        reason="does not fit",
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.orders.AuthorizeReturn, request)


def newest_return(shop: Shop) -> order_pb2.OrderReturn:
    """The return that was authorised last; waits for one."""
    order_id = shop.order_id("the order")
    return shop.wait_for(order_id, lambda found: bool(found.returns), "the order has a return").returns[-1]


def about_return(shop: Shop, message: Any) -> Any:
    """The request, about the newest return."""
    message.order_id = shop.order_id("the order")
    message.return_id = newest_return(shop).return_id
    message.request_id = uuid.uuid4().hex
    return message


@when(said("{quantity} of line {line} of the return come back"))
def goods_come_back(shop: Shop, quantity: str, line: str) -> None:
    """They are received."""
    request = order_service_pb2.ReceiveReturnRequest(lines=[Line(line_id=line, quantity=int(quantity))])
    shop.try_to(shop.client.orders.ReceiveReturn, about_return(shop, request))


@when(said("of line {line} of the return {quantity} can be sold and {count} cannot"))
def inspected(shop: Shop, line: str, quantity: str, count: str) -> None:
    """They are inspected."""
    lines = [
        order_service_pb2.InspectedLine(line_id=line, restock_quantity=int(quantity), write_off_quantity=int(count))
    ]
    request = order_service_pb2.InspectReturnRequest(lines=lines)
    shop.try_to(shop.client.orders.InspectReturn, about_return(shop, request))


@when("the return is cancelled")
def return_is_cancelled(shop: Shop) -> None:
    """Nothing comes."""
    shop.try_to(shop.client.orders.CancelReturn, about_return(shop, order_service_pb2.CancelReturnRequest()))


@then(said("the return of {order} is {state}"))
def return_is(shop: Shop, order: str, state: str) -> None:
    """How far the newest return is; waits for it."""
    shop.expect_no_failure()
    wanted = order_pb2.ReturnState.Value(f"RETURN_STATE_{state}")
    shop.wait_for(
        shop.order_id(order),
        lambda found: bool(found.returns) and found.returns[-1].state == wanted,
        f"the return is {state}",
    )


@when(said("{customer} is refunded for {quantity} of line {line} of {order} with its share of shipping"))
def refunded_with_shipping(shop: Shop, customer: str, quantity: str, line: str, order: str) -> None:
    """Pieces, and their part of the shipping charge."""
    request = order_service_pb2.RefundOrderRequest(
        order_id=shop.order_id(order),
        lines=[Line(line_id=line, quantity=int(quantity))],
        include_shipping=True,
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.orders.RefundOrder, request)


@when(said("{customer} is refunded {amount} of {order} out of goodwill"))
def refunded_out_of_goodwill(shop: Shop, customer: str, amount: str, order: str) -> None:
    """An amount for no pieces."""
    request = order_service_pb2.RefundOrderRequest(
        order_id=shop.order_id(order),
        amount=amount_of(amount),
        reason=order_pb2.REFUND_REASON_GOODWILL,
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.orders.RefundOrder, request)


@when(said("{customer} exchanges {quantity} of line {line} of {order} for {goods} as {other}"))
def exchanges(shop: Shop, customer: str, quantity: str, line: str, order: str, goods: str, other: str) -> None:
    """Goods come back, and another order goes out."""
    replacement = shop.new_order(customer, goods_of(goods), PRICE, "tok_ok")
    shop.orders[other] = replacement.order_id
    shop.try_to(shop.client.orders.ExchangeOrder, exchange(shop.order_id(order), line, int(quantity), replacement))


@when(said("{customer} exchanges {quantity} of line {line} of {order} for a piece at {negative}"))
def exchanges_for_nonsense(shop: Shop, customer: str, quantity: str, line: str, order: str, negative: str) -> None:
    """A replacement that cannot be."""
    replacement = shop.new_order(customer, [("CUP", 1)], negative, "tok_ok")
    shop.try_to(shop.client.orders.ExchangeOrder, exchange(shop.order_id(order), line, int(quantity), replacement))


def exchange(
    order_id: str, line: str, quantity: int, replacement: order_pb2.Order
) -> order_service_pb2.ExchangeOrderRequest:
    """The request."""
    return order_service_pb2.ExchangeOrderRequest(
        order_id=order_id,
        lines=[Line(line_id=line, quantity=quantity)],
        reason="another size",
        replacement=replacement,
        request_id=uuid.uuid4().hex,
    )


@then(said("{other} is in exchange of {order}"))
def in_exchange_of(shop: Shop, other: str, order: str) -> None:
    """They name each other."""
    shop.expect_no_failure()
    order_id, other_id = shop.order_id(order), shop.order_id(other)
    shop.wait_for(order_id, lambda found: list(found.exchanged_by) == [other_id], f"{order} names {other}")
    assert shop.get(other_id).exchange_of == order_id
