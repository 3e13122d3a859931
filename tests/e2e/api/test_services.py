"""Stock, payments and shipments as their services tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2, inventory_service_pb2
from oms.payment.v1 import payment_pb2, payment_service_pb2
from oms.shipping.v1 import shipping_pb2, shipping_service_pb2
from tests.e2e.api.client import LINEARIZABLE, Client, failure_of, failure_of_status, new_id, until

ORDER_ID = "0196f3a0-0000-7000-8000-000000000001"
"""The same in every process that collects these tests."""


async def stock_of(client: Client, sku: str) -> inventory_pb2.Stock:
    """The stock of a SKU now."""
    request = inventory_service_pb2.GetStockRequest(sku=sku, read_consistency=LINEARIZABLE)
    stock: inventory_pb2.Stock = (await client.stock.GetStock(request)).stock
    return stock


async def test_stock_is_received_once_per_request(client: Client) -> None:
    request = inventory_service_pb2.ReceiveStockRequest(sku="ONCE", quantity=5, request_id="delivery-1")

    await client.stock.ReceiveStock(request)
    response = await client.stock.ReceiveStock(request)

    assert (response.stock.on_hand, response.stock.available, response.stock.sku) == (5, 5, "ONCE")


async def test_case_of_a_sku_counts(client: Client) -> None:
    await client.receive("case", 1)
    await client.receive("CASE", 2)

    assert [(await stock_of(client, sku)).on_hand for sku in ("case", "CASE")] == [1, 2]


async def test_one_bad_receipt_of_a_batch_fails_alone(client: Client) -> None:
    requests = [inventory_service_pb2.ReceiveStockRequest(sku=f"B{n}", quantity=n) for n in range(3)]

    response = await client.stock.BatchReceiveStock(inventory_service_pb2.BatchReceiveStockRequest(requests=requests))

    assert failure_of_status(response.results[0].status).fields == ["quantity"]
    assert [result.stock.on_hand for result in response.results[1:]] == [1, 2]


async def test_stock_is_adjusted_but_not_below_what_is_reserved(client: Client) -> None:
    await client.receive("ADJUST", 10)
    request = inventory_service_pb2.AdjustStockRequest(sku="ADJUST", change=-4, reason="broken")
    assert (await client.stock.AdjustStock(request)).stock.on_hand == 6

    request.change = -7
    failure = await failure_of(client.stock.AdjustStock(request))

    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "STOCK_BELOW_RESERVED")
    assert failure.metadata["available"] == "6"


async def test_taking_off_unknown_stock_is_not_found(client: Client) -> None:
    request = inventory_service_pb2.AdjustStockRequest(sku="NEVER-SEEN", change=-1)

    failure = await failure_of(client.stock.AdjustStock(request))

    assert (failure.code, failure.reason) == ("NOT_FOUND", "STOCK_NOT_FOUND")
    assert failure.metadata["sku"] == "NEVER-SEEN"


async def test_unknown_stock_is_not_found_alone_in_a_batch(client: Client) -> None:
    await client.receive("KNOWN", 1)

    response = await client.stock.BatchGetStock(
        inventory_service_pb2.BatchGetStockRequest(skus=["KNOWN", "UNKNOWN"], read_consistency=LINEARIZABLE)
    )

    assert response.results[0].stock.on_hand == 1
    assert failure_of_status(response.results[1].status).reason == "STOCK_NOT_FOUND"


@pytest.mark.parametrize(("sku", "quantity", "field"), [("", 1, "sku"), ("A", 0, "quantity"), ("A" * 300, 1, "sku")])
async def test_a_receipt_that_cannot_be_is_refused(client: Client, sku: str, quantity: int, field: str) -> None:
    request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity)

    assert (await failure_of(client.stock.ReceiveStock(request))).fields == [field]


async def test_an_order_shows_its_reservations_payment_and_shipment(client: Client) -> None:
    order = await client.completed(sku="TRACE", quantity=3)

    asked = payment_service_pb2.GetPaymentRequest(order_id=order.order_id, read_consistency=LINEARIZABLE)
    payment = (await client.payments.GetPayment(asked)).payment
    assert payment.status == payment_pb2.PAYMENT_STATUS_CAPTURED
    assert payment.captured == order.total

    async def committed() -> Any:
        request = inventory_service_pb2.ListReservationsRequest(order_id=order.order_id)
        found = (await client.stock.ListReservations(request)).reservations
        return found if [each.state for each in found] == [inventory_pb2.RESERVATION_STATE_COMMITTED] else None

    (reservation,) = await until(committed, "the reservation is committed")
    assert (reservation.sku, reservation.order_id, reservation.quantity) == ("TRACE", order.order_id, 3)

    async def dispatched() -> Any:
        request = shipping_service_pb2.ListShipmentsRequest(order_id=order.order_id)
        found = (await client.shipping.ListShipments(request)).shipments
        return found if [each.state for each in found] == [shipping_pb2.SHIPMENT_STATE_DISPATCHED] else None

    (shipment,) = await until(dispatched, "the shipment is stored as dispatched")
    assert shipment.shipment_id == f"{order.order_id}-1"


async def test_the_events_of_a_payment_come_in_pages_the_oldest_first(client: Client) -> None:
    order = await client.completed()

    async def is_stored() -> bool:
        request = payment_service_pb2.GetPaymentRequest(order_id=order.order_id)
        payment = (await client.payments.GetPayment(request)).payment
        return bool(payment.status == payment_pb2.PAYMENT_STATUS_CAPTURED)

    await until(is_stored, "the capture is stored")
    names, token = [], ""
    while True:
        request = payment_service_pb2.ListPaymentEventsRequest(order_id=order.order_id, page_size=2, page_token=token)
        page = await client.payments.ListPaymentEvents(request)
        names += [event.event for event in page.events]
        token = page.next_page_token
        if not token:
            break

    assert names == ["AuthorizationStarted", "Authorized", "CaptureStarted", "Captured"]


async def test_a_shipment_is_delivered_once(client: Client) -> None:
    order = await client.completed()
    request = shipping_service_pb2.DeliverShipmentRequest(shipment_id=f"{order.order_id}-1")

    first = await client.shipping.DeliverShipment(request)
    again = await client.shipping.DeliverShipment(request)

    assert first.shipment.state == again.shipment.state == shipping_pb2.SHIPMENT_STATE_DELIVERED
    assert first.shipment.version == again.shipment.version
    read = await client.shipping.GetShipment(
        shipping_service_pb2.GetShipmentRequest(shipment_id=f"{order.order_id}-1", read_consistency=LINEARIZABLE)
    )
    assert read.shipment.state == shipping_pb2.SHIPMENT_STATE_DELIVERED


async def test_a_dispatched_shipment_is_not_dispatched_with_other_tracking(client: Client) -> None:
    order = await client.completed()
    request = shipping_service_pb2.DispatchShipmentRequest(shipment_id=f"{order.order_id}-1", tracking="OTHER")

    failure = await failure_of(client.shipping.DispatchShipment(request))

    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "SHIPMENT_NOT_DISPATCHABLE")


async def test_what_an_order_does_not_have_is_not_found(client: Client) -> None:
    order_id = new_id()

    payment = await failure_of(client.payments.GetPayment(payment_service_pb2.GetPaymentRequest(order_id=order_id)))
    shipment = await failure_of(
        client.shipping.GetShipment(shipping_service_pb2.GetShipmentRequest(shipment_id=f"{order_id}-1"))
    )

    assert (payment.reason, shipment.reason) == ("PAYMENT_NOT_FOUND", "SHIPMENT_NOT_FOUND")


@pytest.mark.parametrize("shipment_id", ["", "x", "-1", f"{ORDER_ID}-0", f"{ORDER_ID}-99999999999"])
async def test_an_id_that_no_shipment_can_have_is_refused(client: Client, shipment_id: str) -> None:
    request = shipping_service_pb2.GetShipmentRequest(shipment_id=shipment_id)

    assert (await failure_of(client.shipping.GetShipment(request))).code == "INVALID_ARGUMENT"


async def test_the_ledger_of_a_sku_tells_what_happened_to_it(client: Client) -> None:
    order = await client.completed(sku="LEDGER", quantity=3)
    count = inventory_service_pb2.CountStockRequest(
        sku="LEDGER", counted=990, reason_code=inventory_pb2.STOCK_REASON_CYCLE_COUNT, reason="shelf 3"
    )
    assert (await client.stock.CountStock(count)).stock.on_hand == 990
    request = inventory_service_pb2.ListStockMovementsRequest(sku="LEDGER")

    async def whole() -> Any:
        found = (await client.stock.ListStockMovements(request)).movements
        return found if len(found) == 4 else None

    movements = await until(whole, "the ledger has four lines")

    kinds = [inventory_pb2.StockMovementKind.Name(each.kind).rpartition("_")[2] for each in movements]
    assert kinds[-2:] == ["RESERVED", "RECEIVED"]
    assert {"COUNTED", "COMMITTED"} == set(kinds[:2])
    assert {each.order_id for each in movements} == {order.order_id, ""}
    stock = (await client.stock.GetStock(inventory_service_pb2.GetStockRequest(sku="LEDGER"))).stock
    assert (movements[0].on_hand, movements[0].reserved, movements[0].version) == (
        stock.on_hand, stock.reserved, stock.version,
    )  # fmt: skip


async def test_reservations_of_a_sku_name_their_orders(client: Client) -> None:
    order = await client.completed(sku="HELD", quantity=2)
    request = inventory_service_pb2.ListStockReservationsRequest(sku="HELD", include_closed=True)

    async def listed() -> Any:
        return (await client.stock.ListStockReservations(request)).reservations

    (reservation,) = await until(listed, "the reservation is listed")

    assert (reservation.order_id, reservation.quantity) == (order.order_id, 2)
    assert reservation.age.seconds < 600
    request.include_closed = False

    async def none() -> bool:
        return not (await client.stock.ListStockReservations(request)).reservations

    await until(none, "none is open")
