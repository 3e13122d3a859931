"""Orders for the tests of deciders."""

from __future__ import annotations

from google.type.money_pb2 import Money

from oms.order.v1.order_pb2 import Order, OrderLine
from ordermesh.order.model import complete

ORDER_ID = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
CURRENCY = "GBP"


def money(units: int, nanos: int = 0) -> Money:
    """An amount in pounds."""
    return Money(currency_code=CURRENCY, units=units, nanos=nanos)


def line(sku: str, quantity: int, units: int = 10, nanos: int = 0) -> OrderLine:
    """A line without discount and tax."""
    return OrderLine(sku=sku, quantity=quantity, unit_price=money(units, nanos))


def order_of(*lines: OrderLine, order_id: str = ORDER_ID, customer_id: str = "c-1", token: str = "tok_ok") -> Order:
    """An order as PlaceOrder carries it; by default three lines, of two SKUs."""
    order = Order(order_id=order_id, customer_id=customer_id, payment_token=token)
    order.lines.extend(lines or (line("A", 2), line("B", 1), line("A", 3)))
    complete(order)
    return order
