"""Steps that cancel orders, also while something else happens to them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytest_bdd import step, then, when

from oms.inventory.v1 import inventory_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.shipping.v1.shipping_pb2 import ShipmentState
from ordermesh.cli.orders import states
from tests.scenarios.client import Refused
from tests.scenarios.shop import PRICE, Shop, until
from tests.scenarios.wording import goods_of, said

AT_ONCE = 16
"""Calls side by side."""
NEAR_S = 0.004
"""By how much the moments of a cancellation differ from one order to the next, where each is close to a dispatch."""
CAPTURE_S = 0.6
"""About twice as long as the provider is asked for a capture by tok_flaky."""
WHILE_CAPTURED = ("SHIPPED", "AUTHORIZED")
"""The states of goods and money meanwhile."""
ROUNDS_MAX = 5
"""Crowds that are tried until a cancellation comes then."""


@when(said('{customer} cancels {order}[ because "{words}"][ at version {version}]'))
def cancels(shop: Shop, customer: str, order: str, words: str | None, version: str | None) -> None:
    """A cancellation with a request id of its own."""
    request = cancellation(shop.order_id(order), words or "")
    request.etag = version or ""
    shop.try_to(shop.client.orders.CancelOrder, request)


@step(said('the timeline of {order} says "{words}"'))
def timeline_says(shop: Shop, order: str, words: str) -> None:
    """A person who looks at the order finds it there, also when it is over; waits for it."""
    shop.expect_no_failure()
    shop.wait_for(
        shop.order_id(order),
        lambda found: any(words in entry.detail or words == entry.event for entry in found.timeline),
        f"the timeline of {order} says {words}",
    )


@when(said("each of {count} orders of {goods} is cancelled while the warehouse dispatches it"))
def cancelled_while_dispatched(shop: Shop, count: str, goods: str) -> None:
    """Two calls per order, one after the other for the first and the last of them, and else side by side: the
    cancellation a little before the dispatch, at the same moment, or a little after it."""
    first, *others, last = ready_crowd(shop, goods, int(count), "tok_ok")
    race(shop, [(order_id, (number - len(others) / 2) * NEAR_S) for number, order_id in enumerate(others)])
    dispatch, cancel = shop.client.shipping.DispatchShipment, shop.client.orders.CancelOrder
    assert was_done(shop, (cancel, cancellation(first)))
    assert not was_done(shop, (dispatch, shop.dispatch(first)))
    assert was_done(shop, (dispatch, shop.dispatch(last)))
    assert not was_done(shop, (cancel, cancellation(last)))


@when(said("each of {count} orders of {goods} by {token} is cancelled while its money is taken"))
def cancelled_while_captured(shop: Shop, count: str, goods: str, token: str) -> None:
    """By tok_flaky the provider is asked three times within about a third of a second; the cancellations come at any
    moment of these, and before, and after. Where none came in between, other orders are tried."""
    everybody: list[str] = []
    for _ in range(ROUNDS_MAX):
        crowd = ready_crowd(shop, goods, int(count), token)
        race(shop, [(order_id, number * CAPTURE_S / len(crowd)) for number, order_id in enumerate(crowd)])
        everybody += crowd
        if WHILE_CAPTURED in states_refused(shop):
            break
    shop.crowd = everybody


def ready_crowd(shop: Shop, goods: str, count: int, token: str) -> list[str]:
    """New orders that may be dispatched."""
    shop.crowd = [place(shop, goods, token) for _ in range(count)]
    for order_id in shop.crowd:
        shop.is_waiting_for_dispatch(order_id)
    return shop.crowd


def race(shop: Shop, orders: Sequence[tuple[str, float]]) -> None:
    """Dispatches and cancels every order; the cancellation so many seconds after the dispatch is begun, or before it
    where that is negative. One of the two has to be refused."""
    dispatch, cancel = shop.client.shipping.DispatchShipment, shop.client.orders.CancelOrder
    calls: list[tuple[float, tuple[Any, Any]]] = []
    for order_id, later_s in orders:
        calls += [
            (max(0.0, -later_s), (dispatch, shop.dispatch(order_id))),
            (max(0.0, later_s), (cancel, cancellation(order_id))),
        ]
    with ThreadPoolExecutor(len(calls)) as clients:
        took_effect = list(clients.map(lambda each: was_done(shop, each[1], each[0]), calls))
    for (order_id, _), dispatched, cancelled in zip(orders, took_effect[::2], took_effect[1::2], strict=True):
        assert dispatched != cancelled, f"order {order_id}: dispatched {dispatched}, cancelled {cancelled}"


@when(said("each of {count} orders of {goods} is cancelled while its payment is authorised"))
def cancelled_while_authorised(shop: Shop, count: str, goods: str) -> None:
    """The cancellations come at any moment around the provider's answer."""
    shop.crowd = [place(shop, goods, "tok_flaky") for _ in range(int(count))]
    assert all(at_once(shop, [(shop.client.orders.CancelOrder, cancellation(order_id)) for order_id in shop.crowd]))


@then("each of them is either wholly cancelled or wholly completed")
def wholly(shop: Shop) -> None:
    """Nobody pays for what stays here, and nothing leaves that is not paid: order, shipment and provider agree."""
    completed = ("COMPLETED", "SHIPMENT_STATE_DISPATCHED", ["authorize", "capture"])
    cancelled = ("CANCELLED", "SHIPMENT_STATE_CANCELLED", ["authorize", "void"])
    for order_id in shop.crowd:
        shop.orders["the order"] = order_id
        until(lambda order_id=order_id: ended_as(shop, order_id) in (completed, cancelled), "all three agree")  # type: ignore[misc]  # bound now


def ended_as(shop: Shop, order_id: str) -> tuple[str, str, list[str]]:
    """The state of an order that has ended, of its shipment as it is stored, and what the provider did."""
    state = states(shop.ended(order_id))[0]
    operations = [operation for operation, _ in shop.ledger([order_id])]
    return state, ShipmentState.Name(shop.shipments(order_id)[0].state), operations


@then("there are some of either")
def some_of_either(shop: Shop) -> None:
    """Both happened."""
    assert {states(shop.ended(order_id))[0] for order_id in shop.crowd} == {"COMPLETED", "CANCELLED"}


@then("some cancellations were refused while the money was being taken")
def refused_while_captured(shop: Shop) -> None:
    """By what the refusals say of the order: the goods had left, and the money was held."""
    assert WHILE_CAPTURED in states_refused(shop), states_refused(shop)


def states_refused(shop: Shop) -> list[tuple[str | None, str | None]]:
    """Where the goods and the money were of orders that were not cancelled."""
    said_of_orders = [failure.metadata for failure in shop.refusals if failure.reason == "ORDER_NOT_CANCELLABLE"]
    return [(each.get("fulfillment_state"), each.get("payment_state")) for each in said_of_orders]


@then("each of them is cancelled and nothing stays held")
def all_cancelled(shop: Shop) -> None:
    """The provider holds nothing of them, and took nothing; an amendment may have held more for a moment."""
    for order_id in shop.crowd:
        shop.orders["the order"] = order_id
        order = shop.ended(order_id)
        assert order.order_state == order_pb2.ORDER_STATE_CANCELLED
        operations = [operation for operation, _ in shop.ledger([order_id])]
        assert operations in ([], ["authorize", "void"], ["authorize", "adjust", "void"]), (order_id, operations)
        assert shop.held(order_id) == 0, (order_id, shop.ledger([order_id]))


@then(said("what was dispatched of {sku} and what is on hand are {count} together"))
def adds_up(shop: Shop, sku: str, count: str) -> None:
    """Only what left is gone."""
    request = inventory_service_pb2.GetStockRequest(sku=shop.sku(sku))
    ended = [shop.ended(order_id) for order_id in shop.crowd]
    left = sum(order.lines[0].quantity for order in ended if states(order)[0] == "COMPLETED")

    def look() -> bool:
        stock = shop.client.call(shop.client.stock.GetStock, request).stock
        return bool(stock.on_hand + left == int(count) and stock.reserved == 0)

    until(look, f"{left} {sku} left, and the rest of {count} is on hand and not reserved")


def place(shop: Shop, goods: str, token: str) -> str:
    """A new order of the crowd."""
    order = shop.new_order("crowd", goods_of(goods), PRICE, token)
    shop.create(order, None)
    shop.expect_no_failure()
    return order.order_id


def cancellation(order_id: str, why: str = "") -> order_service_pb2.CancelOrderRequest:
    """The request to end an order."""
    return order_service_pb2.CancelOrderRequest(order_id=order_id, reason=why, request_id=uuid.uuid4().hex)


def at_once(shop: Shop, calls: Sequence[tuple[Any, Any]]) -> list[bool]:
    """Makes calls side by side; says of each whether it was done."""
    with ThreadPoolExecutor(AT_ONCE) as clients:
        return list(clients.map(lambda call: was_done(shop, call), calls))


def was_done(shop: Shop, call: tuple[Callable[..., Any], Any], after_s: float = 0.0) -> bool:
    """Makes a call after so many seconds; whether it was done. A refusal has to be one of a transition."""
    time.sleep(after_s)
    try:
        shop.client.call(*call)
    except Refused as refused:
        if refused.failure.code != "FAILED_PRECONDITION":
            raise
        shop.refusals.append(refused.failure)
        return False
    return True
