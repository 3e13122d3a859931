"""The orders of a benchmark: three lines each, Zipf SKUs, one in fifty declined; made before the clock runs.

An order is kept as serialised bytes without its id. Protobuf merges a message field that comes twice, so the id, which
has to be of the moment of sending, is appended as a second `order` with nothing else in it.
"""

from __future__ import annotations

import os
import random
import time
from itertools import accumulate
from typing import NamedTuple

from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.cli.amounts import money

SKU_COUNT = 1000
LINES_PER_ORDER = 3
QUANTITY_MAX = 5
"""Pieces of one line, by chance from 1."""
DECLINED_EVERY = 50
"""One order in so many is declined by its token: 2 %."""
TEMPLATES_MAX = 5000
"""Different orders; more than that repeat under ids of their own."""
ORDER_ID_BYTES = 36
_ID_HEAD = bytes((0x0A, ORDER_ID_BYTES + 2, 0x0A, ORDER_ID_BYTES))
"""Field 1 (order) of the request, in it field 1 (order_id)."""


class OutgoingOrder(NamedTuple):
    """A request ready to be sent, and its order's id."""

    order_id: str
    request: bytes


def sku_names(run: str) -> list[str]:
    """The SKUs of one run."""
    return [f"BENCH-{run}-{number:04d}" for number in range(SKU_COUNT)]


class OrderSource:
    """Makes `count` orders, one at a time; from a seed, so that two runs ask for the same."""

    def __init__(self, count: int, run: str, seed: int = 1) -> None:
        self.run = run
        self.count = count
        self.made = 0
        self.last_ids: list[str] = []
        chance = random.Random(seed)
        skus = sku_names(run)
        weights = list(accumulate(1 / rank for rank in range(1, SKU_COUNT + 1)))
        number = min(count, TEMPLATES_MAX)
        self._templates = [_template(chance, skus, weights, index) for index in range(number)]

    def take(self) -> OutgoingOrder | None:
        """The next order, with an id of now; None when all are made."""
        if self.made >= self.count:
            return None
        template = self._templates[self.made % len(self._templates)]
        self.made += 1
        order_id = new_order_id()
        if self.count - self.made < 64:
            self.last_ids.append(order_id)
        return OutgoingOrder(order_id, template + _ID_HEAD + order_id.encode())


def _template(chance: random.Random, skus: list[str], weights: list[float], index: int) -> bytes:
    order = order_pb2.Order(
        customer_id=f"bench-{chance.randrange(10_000)}",
        payment_token="tok_decline" if index % DECLINED_EVERY == DECLINED_EVERY - 1 else "tok_ok",
    )
    chosen: dict[str, None] = {}
    while len(chosen) < LINES_PER_ORDER:
        chosen.update(dict.fromkeys(chance.choices(skus, cum_weights=weights)))
    for number, sku in enumerate(chosen, start=1):
        price = money(chance.randrange(10, 5000) * 10_000_000, "GBP")
        order.lines.add(line_id=str(number), sku=sku, quantity=chance.randint(1, QUANTITY_MAX), unit_price=price)
    return order_service_pb2.CreateOrderRequest(order=order).SerializeToString()


def new_order_id() -> str:
    """A UUIDv7 of now (RFC 9562, section 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def batch_of(orders: list[OutgoingOrder]) -> bytes:
    """The serialised `BatchCreateOrdersRequest` of these orders."""
    return b"".join(b"\x0a" + _varint(len(order.request)) + order.request for order in orders)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
