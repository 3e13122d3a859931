"""Steps of the warehouse and the carrier."""

from __future__ import annotations

import uuid

from pytest_bdd import step, then, when

from oms.shipping.v1 import shipping_service_pb2
from oms.shipping.v1.shipping_pb2 import ShipmentState
from tests.scenarios.shop import PRICE, Shop, until
from tests.scenarios.wording import goods_of, said


@step(said("{customer} has bought {goods}[ at {price} each][ by {token}][ as {other}]"))
def has_bought(shop: Shop, customer: str, goods: str, price: str | None, token: str | None, other: str | None) -> None:
    """An order that is dispatched and paid."""
    shop.create(shop.new_order(customer, goods_of(goods), price or PRICE, token or "tok_ok"), other)
    shop.expect_no_failure()
    order_id = shop.orders["the order"]
    shop.is_waiting_for_dispatch(order_id)
    shop.client.call(shop.client.shipping.DispatchShipment, shop.dispatch(order_id))
    order = shop.ended(order_id)
    assert order.HasField("total")


@when(said('the warehouse dispatches {order}[ with tracking "{words}"]'))
def dispatches(shop: Shop, order: str, words: str | None) -> None:
    """The goods leave."""
    shop.try_to(shop.client.shipping.DispatchShipment, shop.dispatch(shop.order_id(order), words or ""))


@when(said("the carrier delivers {order}"))
def delivers(shop: Shop, order: str) -> None:
    """The goods arrive."""
    request = shipping_service_pb2.DeliverShipmentRequest(
        shipment_id=f"{shop.order_id(order)}-1", request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.shipping.DeliverShipment, request)


@then(said("nothing was asked of the warehouse for {order}"))
def nothing_asked(shop: Shop, order: str) -> None:
    """There is no shipment of it. A step before says what it waits for instead."""
    assert not shop.shipments(shop.order_id(order))


@then(said("every shipment of {order} is {state}"))
def every_shipment_is(shop: Shop, order: str, state: str) -> None:
    """There is one at least; waits for it."""
    order_id, wanted = shop.order_id(order), ShipmentState.Value(f"SHIPMENT_STATE_{state}")
    until(
        lambda: {each.state for each in shop.shipments(order_id)} == {wanted},
        lambda: f"the shipments are {state}: {shop.shipments(order_id)}",
    )
