"""What the simulated shop sells, and how its orders look."""

from __future__ import annotations

import random

from google.type import money_pb2

from oms.order.v1 import order_pb2
from ordermesh.core import ids
from ordermesh.core.money import nanos_of

CURRENCY = "GBP"
TENANT = "default"

CONTENT = "content"
"""The label of an order that may be amended: what was asked for at first."""

POLICIES = (
    order_pb2.FULFILLMENT_POLICY_REJECT,
    order_pb2.FULFILLMENT_POLICY_PARTIAL,
    order_pb2.FULFILLMENT_POLICY_BACKORDER,
    order_pb2.FULFILLMENT_POLICY_BACKORDER,
)
"""Fulfilment policies, as often as they come among lively orders."""

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


def content_of(order: order_pb2.Order) -> tuple[str, str]:
    """Who asked for what at first. An order that was amended says it by its label alone."""
    if any(entry.event == "OrderAmended" for entry in order.timeline):
        return order.customer_id, order.labels[CONTENT]
    lines = [(line.line_id, line.sku, line.quantity, nanos_of(line.unit_price)) for line in order.lines]
    return order.customer_id, repr((*lines, nanos_of(order.total)))


def enliven(order: order_pb2.Order, now_us: int, chance: random.Random) -> None:
    """Makes an order one that may be short of stock, wait for its time, be sent in parts or be changed."""
    _, order.labels[CONTENT] = content_of(order)
    order.fulfillment_policy = chance.choice(POLICIES)
    if order.fulfillment_policy == order_pb2.FULFILLMENT_POLICY_BACKORDER:
        order.allow_split_shipments = chance.random() < 0.6
        if chance.random() < 0.3:
            order.backorder_expire_time.FromMicroseconds(now_us + chance.choice((100_000, 5_000_000, 30_000_000)))
    if chance.random() < 0.2:
        order.not_before.FromMicroseconds(now_us + chance.choice((1_000, 300_000, 8_000_000)))


def amended_lines(order: order_pb2.Order, skus: int, chance: random.Random) -> list[order_pb2.OrderLine]:
    """Other lines for an order: some more, some fewer, some new, some gone."""
    lines = []
    for line in order.lines:
        if chance.random() < 0.8:
            changed = order_pb2.OrderLine(line_id=line.line_id, sku=line.sku, unit_price=line.unit_price)
            changed.quantity = max(1, line.quantity + chance.choice((-2, -1, 0, 1, 3)))
            lines.append(changed)
    if chance.random() < 0.3 or not lines:
        line_id, price = f"new-{chance.randrange(1_000)}", money(chance.randint(1, 9_000) * 1_000_000)
        added = order_pb2.OrderLine(line_id=line_id, sku=sku_name(chance.randrange(skus)), unit_price=price)
        added.quantity = chance.randint(1, 3)
        lines.append(added)
    return lines
