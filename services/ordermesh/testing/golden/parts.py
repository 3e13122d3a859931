"""What else is done while a recording is made: orders that wait, are sent in parts, and are changed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import grpc

from oms.inventory.v1 import inventory_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from ordermesh.adapters.sandbox_payments import TOKEN_NO_INCREASE, TOKEN_OK
from ordermesh.testing.golden.shop import ENDED, Shop
from ordermesh.testing.golden.waiting import CALL_S, until

SHORT = "kit"
"""A SKU that is always short."""
PLENTY = "mug"
"""One that never is."""
AHEAD_S = 2


def trade_in_parts(shop: Shop, name: str) -> None:
    """One order for each way that an order can go which is not sent as a whole at once."""
    for sku, quantity in ((SHORT, 1), (PLENTY, 100)):
        _receive(shop, sku, quantity, f"{name} {sku}")
    _scheduled(shop, f"{name} scheduled")
    _split(shop, f"{name} split")
    _amended(shop, f"{name} amended", TOKEN_OK)
    _amended(shop, f"{name} not amended", TOKEN_NO_INCREASE)


def _receive(shop: Shop, sku: str, quantity: int, request_id: str) -> None:
    request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity, request_id=request_id)
    shop.stock.ReceiveStock(request, timeout=CALL_S)


def _scheduled(shop: Shop, invoice: str) -> None:
    """It is amended to what it is, begins at its time, and is sent."""
    order = shop.new_order(invoice, [(PLENTY, 2)])
    order.not_before.FromSeconds(int(time.time()) + AHEAD_S)
    order_id = shop.create(order, invoice)
    _amend(shop, order_id, shop.get(order_id).lines)
    shop.shipped(order_id)


def _split(shop: Shop, invoice: str) -> None:
    """One piece is sent, then another that came in, and the third is cancelled."""
    order = shop.new_order(invoice, [(SHORT, 3)])
    order.fulfillment_policy, order.allow_split_shipments = order_pb2.FULFILLMENT_POLICY_BACKORDER, True
    order_id = shop.create(order, invoice)
    _sent(shop, order_id, 1)
    _receive(shop, SHORT, 1, f"{invoice} more")
    _sent(shop, order_id, 2)
    request = order_service_pb2.CancelOrderRequest(order_id=order_id, request_id="rest")
    shop.orders.CancelOrder(request, timeout=CALL_S)
    shop.ended(order_id)


def _sent(shop: Shop, order_id: str, number: int) -> None:
    """Has the shipment of that number leave, once there is one, and waits until it is paid."""
    request = shipping_service_pb2.DispatchShipmentRequest(shipment_id=f"{order_id}-{number}", tracking="T-1")

    def leaves() -> bool:
        try:
            shop.shipping.DispatchShipment(request, timeout=CALL_S)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return True

    until(leaves, f"shipment {number} of {order_id} leaves")
    paid = f"shipment {number};"
    until(lambda: any(paid in entry.detail for entry in shop.get(order_id).timeline), f"{paid} of {order_id} is paid")


def _amended(shop: Shop, invoice: str, token: str) -> None:
    """More is wanted while a shipment waits for the warehouse, then a piece less; each makes another shipment."""
    order_id = shop.create(shop.new_order(invoice, [(PLENTY, 2)], token=token), invoice)
    shop.ready_to_ship(order_id)
    lines = [order_pb2.OrderLine(), order_pb2.OrderLine()]
    for line, sku in zip(lines, (PLENTY, "cup"), strict=True):
        line.CopyFrom(shop.get(order_id).lines[0])
        line.line_id, line.sku, line.quantity = sku, sku, 3
    _amend(shop, order_id, lines)
    first = shop.get(order_id).lines[0].line_id
    piece = order_service_pb2.LineQuantity(line_id=first, quantity=1)
    request = order_service_pb2.CancelOrderRequest(order_id=order_id, request_id="fewer", lines=[piece])
    shop.orders.CancelOrder(request, timeout=CALL_S)
    _sent(shop, order_id, 3)
    until(lambda: shop.get(order_id).order_state in ENDED, f"{order_id} ends")


def _amend(shop: Shop, order_id: str, lines: Sequence[order_pb2.OrderLine]) -> None:
    """Amends it, or tries to."""
    request = order_service_pb2.AmendOrderRequest(order_id=order_id, lines=lines, request_id="amend")
    try:
        shop.orders.AmendOrder(request, timeout=CALL_S)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
            raise
