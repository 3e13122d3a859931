"""What the simulated shop sells, and how its orders look."""

from __future__ import annotations

import random

from google.type import money_pb2

from oms.order.v1 import order_pb2
from ordermesh.core import ids
from ordermesh.core.money import nanos_of

CURRENCY = "GBP"
TENANT = "default"

TOKENS = ("tok_ok",) * 14 + ("tok_decline",) * 2 + ("tok_flaky",) * 3 + ("tok_slow",)
"""Payment tokens, as often as they come."""


def new_order_id(time_ms: int, chance: random.Random) -> str:
    """An order id of that time."""
    return ids.order_id_of(time_ms, chance.randbytes(ids.RANDOM_BYTES))


def money(nanos: int) -> money_pb2.Money:
    """An amount of the shop's currency."""
    return money_pb2.Money(currency_code=CURRENCY, units=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


def sku_name(number: int) -> str:
    """The name of a SKU."""
    return f"SKU-{number}"


def make_order(order_id: str, customer_id: str, skus: int, chance: random.Random) -> order_pb2.Order:
    """An order as the edge completes it."""
    order = order_pb2.Order(
        order_id=order_id, customer_id=customer_id, payment_token=chance.choice(TOKENS),
        fulfillment_policy=order_pb2.FULFILLMENT_POLICY_REJECT,
    )  # fmt: skip
    total = 0
    for number in range(chance.choice((1, 1, 2, 3, 4))):
        quantity, price = chance.randint(1, 5), chance.randint(1, 20_000) * 1_000_000
        order.lines.add(
            line_id=str(number + 1), sku=sku_name(chance.randrange(skus)), quantity=quantity, unit_price=money(price)
        )
        total += quantity * price
    order.total.CopyFrom(money(total))
    return order


def content_of(order: order_pb2.Order) -> tuple[object, ...]:
    """What the customer asked for."""
    lines = [(line.line_id, line.sku, line.quantity, nanos_of(line.unit_price)) for line in order.lines]
    return (order.customer_id, *lines, nanos_of(order.total))
