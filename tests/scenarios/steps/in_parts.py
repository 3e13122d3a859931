"""Steps about orders that are short of stock, sent in parts, for later, amended, or cancelled in part."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp
from pytest_bdd import step, then, when

from oms.common.v1.address_pb2 import Address
from oms.order.v1 import order_pb2, order_service_pb2
from oms.shipping.v1 import shipping_pb2, shipping_service_pb2
from tests.scenarios.client import Refused
from tests.scenarios.shop import PRICE, Shop, amount_of, text_of, until
from tests.scenarios.steps.cancelling import at_once, cancellation, place
from tests.scenarios.wording import goods_of, said

Line = order_service_pb2.LineQuantity


def moment(seconds_ahead: int) -> Timestamp:
    """So many seconds from now, and not a part of a second less."""
    found = Timestamp()
    found.FromMicroseconds(time.time_ns() // 1000 + seconds_ahead * 1_000_000)
    return found


@step(said("{customer} orders {goods}[ in {parts}] under {state}[ that expires after {count} s][ as {other}]"))
def orders_under(
    shop: Shop, customer: str, goods: str, parts: str | None, state: str, count: str | None, other: str | None
) -> None:
    """A new order with a fulfilment policy."""
    order = shop.new_order(customer, goods_of(goods), PRICE, "tok_ok")
    order.MergeFrom(order_pb2.Order(fulfillment_policy=f"FULFILLMENT_POLICY_{state}"))
    order.allow_split_shipments = parts is not None
    if count is not None:
        order.backorder_expire_time.CopyFrom(moment(int(count)))
    shop.create(order, other)


@step(said("{customer} orders {goods} for in {count} s"))
def orders_for_later(shop: Shop, customer: str, goods: str, count: str) -> None:
    """A new order for a time to come."""
    order = shop.new_order(customer, goods_of(goods), PRICE, "tok_ok")
    order.not_before.CopyFrom(moment(int(count)))
    shop.create(order, None)


@then(said("{order} asked for nothing before its time"))
def asked_for_nothing_before(shop: Shop, order: str) -> None:
    """By its timeline: it was placed to wait, and all else is later than its time."""
    found = shop.get(shop.order_id(order))
    placed, *others = found.timeline
    assert placed.detail == "waits for its time", placed.detail
    begin_us = found.not_before.ToMicroseconds()
    assert [each.event for each in others if each.time.ToMicroseconds() < begin_us] == []


@then(said("the order says by when the rest is expected"))
def says_by_when(shop: Shop) -> None:
    """`promised_by`, in the future."""
    order = shop.get(shop.order_id("the order"))
    assert order.promised_by.ToSeconds() > time.time()


@then(said("{order} is {state}"))
def is_in_state(shop: Shop, order: str, state: str) -> None:
    """Its state as a whole; waits for it."""
    shop.expect_no_failure()
    wanted = order_pb2.OrderState.Value(f"ORDER_STATE_{state}")
    shop.wait_for(shop.order_id(order), lambda found: found.order_state == wanted, f"{order} is {state}")


@then(said("{quantity} of line {line} of {order} is cancelled"))
def so_many_cancelled(shop: Shop, quantity: str, line: str, order: str) -> None:
    """What the line says; waits for it."""
    shop.expect_no_failure()

    def is_so(found: order_pb2.Order) -> bool:
        return [each.cancelled_quantity for each in found.lines if each.line_id == line] == [int(quantity)]

    shop.wait_for(shop.order_id(order), is_so, f"{quantity} of line {line} are cancelled")


@then(said("{order} costs {amount} and {price} of it is due"))
def costs_and_due(shop: Shop, order: str, amount: str, price: str) -> None:
    """The total as it was ordered, and what is paid of it; waits for it."""
    shop.wait_for(
        shop.order_id(order),
        lambda found: (text_of(found.total), text_of(found.due)) == (amount, price),
        f"{order} costs {amount}, and {price} is due",
    )


@when(said("{customer} cancels {quantity} of line {line} of {order}"))
def cancels_lines(shop: Shop, customer: str, quantity: str, line: str, order: str) -> None:
    """A cancellation of pieces."""
    request = cancellation(shop.order_id(order))
    request.lines.append(Line(line_id=line, quantity=int(quantity)))
    shop.try_to(shop.client.orders.CancelOrder, request)


@when(said("{customer} amends {order} to {goods}[ at version {version}]"))
def amends(shop: Shop, customer: str, order: str, goods: str, version: str | None) -> None:
    """Other goods, each at the usual price; a line keeps its name by its place."""
    shop.try_to(shop.client.orders.AmendOrder, amendment(shop, shop.order_id(order), goods, version or ""))


def amendment(shop: Shop, order_id: str, goods: str, version: str = "") -> order_service_pb2.AmendOrderRequest:
    """The request to change the goods of an order."""
    request = order_service_pb2.AmendOrderRequest(order_id=order_id, request_id=uuid.uuid4().hex, etag=version)
    for number, (sku, quantity) in enumerate(goods_of(goods), start=1):
        request.lines.add(line_id=str(number), sku=shop.sku(sku), quantity=quantity, unit_price=amount_of(PRICE))
    return request


@step(said('{customer} orders {goods} to be sent to "{words}"'))
def orders_to(shop: Shop, customer: str, goods: str, words: str) -> None:
    """A new order with an address."""
    order = shop.new_order(customer, goods_of(goods), PRICE, "tok_ok")
    order.ship_to.CopyFrom(address(words))
    shop.create(order, None)


@when(said('{customer} has the {goods} of {order} sent to "{words}"'))
def readdresses(shop: Shop, customer: str, goods: str, order: str, words: str) -> None:
    """The same order, to another address."""
    request = amendment(shop, shop.order_id(order), goods)
    request.ship_to.CopyFrom(address(words))
    shop.try_to(shop.client.orders.AmendOrder, request)


@then(said('the newest shipment of {order} goes to "{words}"'))
def newest_goes_to(shop: Shop, order: str, words: str) -> None:
    """What the warehouse writes on it, and what the order says; waits for both."""
    order_id = shop.order_id(order)
    until(
        lambda: shipments(shop, order_id)[-1].ship_to == address(words),
        lambda: f"it goes to {words}; it goes to {shipments(shop, order_id)[-1].ship_to}",
    )
    shop.wait_for(order_id, lambda found: found.ship_to == address(words), f"{order} says that it goes to {words}")


def address(line: str) -> Address:
    """An address of one line, in London."""
    return Address(recipient="A. Lovelace", address_lines=[line], locality="London", region_code="GB")


@when(said("each of {count} orders of {goods} is amended to {more} while it is cancelled"))
def amended_while_cancelled(shop: Shop, count: str, goods: str, more: str) -> None:
    """Two calls per order, side by side. The cancellation wins, whatever becomes of the amendment."""
    shop.crowd = [place(shop, goods, "tok_ok") for _ in range(int(count))]
    cancel, amend = shop.client.orders.CancelOrder, shop.client.orders.AmendOrder
    with ThreadPoolExecutor(1) as other:
        amending = other.submit(at_once_or_aborted, shop, [(amend, amendment(shop, each, more)) for each in shop.crowd])
        done = at_once_or_aborted(shop, [(cancel, cancellation(each)) for each in shop.crowd])
        amending.result()
    for order_id, was_done in zip(shop.crowd, done, strict=True):
        if not was_done:
            shop.client.call(cancel, cancellation(order_id))


def at_once_or_aborted(shop: Shop, calls: list) -> list[bool]:  # type: ignore[type-arg]  # as at_once takes them
    """As `at_once`; a change that another one is in the way of is aborted, and may be tried again."""
    try:
        return at_once(shop, calls)
    except Refused as refused:
        if refused.failure.code != "ABORTED":
            raise
        return [False for _ in calls]


def shipments(shop: Shop, order_id: str) -> list[shipping_pb2.Shipment]:
    """The shipments of an order, by number."""
    request = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)
    return list(shop.client.call(shop.client.shipping.ListShipments, request).shipments)


def pending(shop: Shop, order_id: str) -> list[str]:
    """The ids of those that have not left."""
    return [each.shipment_id for each in shipments(shop, order_id) if each.state == shipping_pb2.SHIPMENT_STATE_PENDING]


@step(said("shipment {line} of {order} is waiting for dispatch"))
def shipment_is_waiting(shop: Shop, line: str, order: str) -> None:
    """It is there, and has not left."""
    shop.expect_no_failure()
    order_id = shop.order_id(order)
    until(lambda: f"{order_id}-{line}" in pending(shop, order_id), f"shipment {line} is there")


@step(said("a shipment of {order} is waiting for dispatch"))
def any_shipment_is_waiting(shop: Shop, order: str) -> None:
    """Whatever its number: a change may have stopped one and made another."""
    shop.expect_no_failure()
    until(lambda: pending(shop, shop.order_id(order)), "a shipment is there")


@when(said("the warehouse dispatches shipment {line} of {order}"))
def dispatches_shipment(shop: Shop, line: str, order: str) -> None:
    """One of several leaves."""
    dispatch(shop, f"{shop.order_id(order)}-{line}")


@when(said("the warehouse dispatches the newest shipment of {order}"))
def dispatches_newest(shop: Shop, order: str) -> None:
    """The one that is there."""
    dispatch(shop, pending(shop, shop.order_id(order))[-1])


def dispatch(shop: Shop, shipment_id: str) -> None:
    """It leaves."""
    request = shipping_service_pb2.DispatchShipmentRequest(shipment_id=shipment_id, request_id=uuid.uuid4().hex)
    shop.try_to(shop.client.shipping.DispatchShipment, request)


@then(said("in all {amount} was taken for {order}"))
def taken_in_all(shop: Shop, amount: str, order: str) -> None:
    """The sum of the captures, by the provider's ledger; waits for it."""
    shop.expect_no_failure()

    def taken() -> str:
        ledger = shop.ledger([shop.order_id(order)])
        return str(sum((Decimal(each) for operation, each in ledger if operation == "capture"), Decimal("0.00")))

    until(lambda: taken() == amount, lambda: f"{amount} was taken; it was {taken()}")


@then(said("nothing is held for {order}"))
def nothing_held(shop: Shop, order: str) -> None:
    """What was authorised was taken or let go, by the provider's ledger; waits for it."""
    order_id = shop.order_id(order)
    until(lambda: shop.held(order_id) == 0, lambda: f"nothing is held; it is {shop.held(order_id)}")
