"""What the customers of a chaos run buy, and how often they do what else customers do."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2
from ordermesh.core.ids import RANDOM_BYTES, order_id_of
from ordermesh.testing.chaos.evidence import PLACED, content_of

CURRENCY = "GBP"
CUSTOMERS = 50
PLENTY = {f"PLENTY-{number}": 1_000_000 for number in range(12)}
SCARCE = {f"SCARCE-{number}": 60 for number in range(4)}
"""So few that they are soon sold out: these tempt to sell what is not there."""
LATE = {f"LATE-{number}": 4 for number in range(3)}
"""So few that orders wait for more, which comes in all the time, and never enough for all of them."""
SKUS = {**PLENTY, **SCARCE, **LATE}
"""Pieces of each SKU that come in, in lots."""
LOTS = 4
"""In how many lots a SKU comes in."""
SCARCE_SHARE = 0.06
"""Of the lines."""
PARTIALS, BACKORDERS = 0.06, 0.06
"""Shares of the orders that are sent without what is missing, and that wait for it."""
SPLITS = 0.7
"""Share of those that wait which may be sent in parts."""
WAIT_S = 12
"""For so long they wait."""
DELIVERY_S = 1.0
"""Between two deliveries of what orders wait for."""
DELIVERED = 0.1
"""Pieces of a delivery for each order that is placed meanwhile; orders that wait want half as many again."""
RETRIES, RETRY_S = 0.5, 12
"""Share of the orders whose payment is declined that wait for another token, and for how long."""
DECLINES, SLOW = "tok_decline", "tok_slow"
TOKENS = ("tok_ok",) * 15 + ("tok_decline",) * 2 + ("tok_flaky",) * 2 + ("tok_slow",)
"""Payment tokens, as often as they come."""


def new_order(chance: random.Random) -> order_pb2.Order:
    """An order of now, by some customer."""
    order = order_pb2.Order(
        order_id=order_id_of(time.time_ns() // 1_000_000, chance.randbytes(RANDOM_BYTES)),
        customer_id=f"customer-{chance.randrange(CUSTOMERS)}",
        payment_token=chance.choice(TOKENS),
    )
    for _ in range(chance.choice((1, 1, 2, 3))):
        _add_line(order, SCARCE if chance.random() < SCARCE_SHARE else PLENTY, chance)
    _set_terms(order, chance)
    order.labels[PLACED] = content_of(order)
    return order


def _add_line(order: order_pb2.Order, skus: Iterable[str], chance: random.Random) -> None:
    """One more line, of one of these SKUs."""
    price = Money(currency_code=CURRENCY, units=chance.randint(1, 90), nanos=chance.randrange(100) * 10_000_000)
    line_id, sku = str(len(order.lines) + 1), chance.choice(list(skus))
    order.lines.add(line_id=line_id, sku=sku, quantity=chance.randint(1, 4), unit_price=price)


def _set_terms(order: order_pb2.Order, chance: random.Random) -> None:
    """What is done where stock is short, with a line that may be short of it, and where the payment is declined."""
    draw = chance.random()
    if draw < PARTIALS:
        order.fulfillment_policy = order_pb2.FULFILLMENT_POLICY_PARTIAL
        _add_line(order, SCARCE, chance)
    elif draw < PARTIALS + BACKORDERS:
        order.fulfillment_policy = order_pb2.FULFILLMENT_POLICY_BACKORDER
        order.allow_split_shipments = chance.random() < SPLITS
        order.backorder_expire_time.FromSeconds(int(time.time()) + WAIT_S)
        _add_line(order, LATE, chance)
    if order.payment_token == DECLINES and chance.random() < RETRIES:
        order.payment_retry_seconds = RETRY_S


def amended(order: order_pb2.Order, chance: random.Random) -> order_pb2.Order:
    """Another order in its stead: another quantity of one line, and sometimes one line more."""
    wanted = order_pb2.Order(customer_id=order.customer_id, lines=order.lines)
    line = chance.choice(list(wanted.lines))
    line.quantity = chance.choice([number for number in range(1, 6) if number != line.quantity])
    if chance.random() < 0.3:
        _add_line(wanted, PLENTY, chance)
    return wanted


def rival_of(order: order_pb2.Order, *, same_customer: bool) -> order_pb2.Order:
    """Another order under the same id: of the same customer with other content, or somebody else's."""
    rival = order_pb2.Order()
    rival.CopyFrom(order)
    if same_customer:
        rival.lines[0].quantity += 1
    else:
        rival.customer_id = "somebody-else"
    rival.labels[PLACED] = content_of(rival)
    return rival
