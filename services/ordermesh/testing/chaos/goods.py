"""What the customers of a chaos run buy, and how often they do what else customers do."""

from __future__ import annotations

import random
import time

from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2
from ordermesh.core.ids import RANDOM_BYTES, order_id_of

CURRENCY = "GBP"
CUSTOMERS = 50
PLENTY = {f"PLENTY-{number}": 1_000_000 for number in range(12)}
SCARCE = {f"SCARCE-{number}": 60 for number in range(4)}
"""So few that they are soon sold out: these tempt to sell what is not there."""
SKUS = {**PLENTY, **SCARCE}
"""Pieces of each SKU that come in, in lots."""
LOTS = 4
"""In how many lots a SKU comes in."""
SCARCE_SHARE = 0.06
"""Of the lines."""
TOKENS = ("tok_ok",) * 15 + ("tok_decline",) * 2 + ("tok_flaky",) * 2 + ("tok_slow",)
"""Payment tokens, as often as they come."""


def new_order(chance: random.Random) -> order_pb2.Order:
    """An order of now, by some customer."""
    order = order_pb2.Order(
        order_id=order_id_of(time.time_ns() // 1_000_000, chance.randbytes(RANDOM_BYTES)),
        customer_id=f"customer-{chance.randrange(CUSTOMERS)}",
        payment_token=chance.choice(TOKENS),
    )
    for number in range(chance.choice((1, 1, 2, 3))):
        skus = SCARCE if chance.random() < SCARCE_SHARE else PLENTY
        price = Money(currency_code=CURRENCY, units=chance.randint(1, 90), nanos=chance.randrange(100) * 10_000_000)
        sku = chance.choice(list(skus))
        order.lines.add(line_id=str(number + 1), sku=sku, quantity=chance.randint(1, 4), unit_price=price)
    return order


def rival_of(order: order_pb2.Order, *, same_customer: bool) -> order_pb2.Order:
    """Another order under the same id: of the same customer with other content, or somebody else's."""
    rival = order_pb2.Order()
    rival.CopyFrom(order)
    if same_customer:
        rival.lines[0].quantity += 1
    else:
        rival.customer_id = "somebody-else"
    return rival
