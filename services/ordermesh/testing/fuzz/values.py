"""Values for the fields of a call: plausible ones by the field's name, and hostile ones by its type."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from ordermesh.adapters.sandbox_payments import TOKENS
from ordermesh.core import ids, limits

TIME_MS_FIRST = 1_704_067_200_000
"""The time of the first order id, 2024: ids are the same in every run of a seed, and never of the future."""
ORDERS_NEAR = 50
"""Orders that are named again after they were made."""
CALLS_PER_ORDER = 100
"""A new order id every so many calls."""
LINE_LONG = 20_000
"""Characters of a text that is far too long."""

_TOKENS = tuple(sorted(TOKENS))

HOSTILE_TEXTS: tuple[str, ...] = (
    "", " ", "\x00", "a\x00b", "\r\nx-injected: 1", "\u202eevitcejni", "\u200b", "\ufeff", "\U0010ffff", "\ud7ff\ue000",
    "e\u0301", "\u0663\u0664", "\uff10\uff11", "\U0001f600" * 65, "\u00e9" * 257, "A" * 256, "A" * 257, "A" * LINE_LONG,
    "\U0001f600" * 3_000, "NaN", "-1", "1e999", "inf", "null", "None", "0", "00", "9" * 19, "9" * 5_000, "-", "/", "..",
    "../../etc/passwd", "'; DROP TABLE orders; --", "${jndi:ldap://x}", "{{7*7}}", "%s%n%x", "<script>", "*", ">",
    "$JS", "default/x", "orders/000", "orders/000/", "stock/000/1.2.3", "AAAA", "====", "a.b",
    "0190A3C5-7E1B-7C3A-9D52-1F6B8A0C4E77", "0190a3c5-7e1b-4c3a-9d52-1f6b8a0c4e77",
    "00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff",
    "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77-" + "9" * 5_000, "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77-0",
    "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77-2147483648", "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77\n",
)  # fmt: skip
"""Texts that break naive code; none has a word by which a leak of the server's own is recognised."""

HOSTILE_NUMBERS: tuple[int, ...] = (
    0, 1, -1, 2, 99, 255, 256, 999_999_999, 1_000_000_000, -999_999_999, -1_000_000_000, 2**31 - 1, 2**31, -(2**31),
    2**32, 10**12, 10**12 + 1, -(10**12), 2**53, 2**62, 2**63 - 1, -(2**63), 253_402_300_799, 253_402_300_800,
    -62_135_596_801, 9_223_372_036, 9_223_372_037,
)  # fmt: skip
"""Edges of types, of money and of times."""

HOSTILE_FRACTIONS = (0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308)

_RANGES: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


def order_id(number: int) -> str:
    """The id of an order of the run, by its number."""
    return ids.order_id_of(TIME_MS_FIRST + number, number.to_bytes(ids.RANDOM_BYTES, "big"))


class Values:
    """The values of one call: `chance` and `number` decide everything but the page tokens, which the engine made."""

    def __init__(self, chance: random.Random, number: int, page_tokens: list[str]) -> None:
        self.chance = chance
        self._newest = number // CALLS_PER_ORDER
        self._page_tokens = page_tokens

    def hostile(self, field: FieldDescriptor) -> Any:
        """A value of the field's type that few expect."""
        chance, kind = self.chance, field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = chance.choice(HOSTILE_TEXTS)
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return chance.random() < 0.5
        if kind in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
            return chance.choice(HOSTILE_FRACTIONS)
        low, high = _RANGES[kind]
        number = chance.choice(HOSTILE_NUMBERS) if chance.random() < 0.8 else chance.getrandbits(64) - 2**63
        return min(max(number, low), high)

    def plausible(self, field: FieldDescriptor) -> Any:
        """A value that a caller who means well might send."""
        chance, kind = self.chance, field.cpp_type
        if field.enum_type is not None:
            return chance.choice(field.enum_type.values).number
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return chance.random() < 0.5
        named = self._named().get(field.name)
        if named is not None:
            value = named()
            is_text = isinstance(value, str)
            if is_text == (field.type == FieldDescriptor.TYPE_STRING):
                return value
        if field.type == FieldDescriptor.TYPE_STRING:
            return f"{field.name}-{chance.randrange(20)}"
        if field.type == FieldDescriptor.TYPE_BYTES:
            return b"x"
        return chance.randint(1, 5)

    def _order_id(self) -> str:
        newest = self._newest
        return order_id(self.chance.randint(max(0, newest - ORDERS_NEAR), newest))

    def _page_token(self) -> str:
        return self.chance.choice(self._page_tokens) if self._page_tokens else ""

    def _named(self) -> Mapping[str, Callable[[], Any]]:
        """What a field of that name may hold."""
        chance = self.chance
        return {
            "order_id": self._order_id,
            "shipment_id": lambda: f"{self._order_id()}-{chance.choice([1, 1, 1, 2])}",
            "sku": lambda: f"SKU-{chance.randrange(40)}",
            "skus": lambda: f"SKU-{chance.randrange(40)}",
            "customer_id": lambda: f"customer-{chance.randrange(20)}",
            "request_id": lambda: f"request-{chance.randrange(200)}",
            "line_id": lambda: str(chance.randint(1, 4)),
            "payment_token": lambda: chance.choices(_TOKENS, weights=[8 if one == "tok_ok" else 1 for one in _TOKENS])[
                0
            ],
            "currency_code": lambda: "GBP",
            "etag": lambda: str(chance.randint(1, 8)) if chance.random() < 0.3 else "",
            "page_token": self._page_token,
            "group": lambda: chance.choice(["orders", "stock"]),
            "invariant_ids": lambda: f"I{chance.randint(1, 7)}",
            "dead_letter_id": lambda: f"{chance.choice(['orders', 'stock'])}/00{chance.randrange(2)}/1.2.3.4",
            "url": lambda: "http://127.0.0.1:9/hook",
            "key": lambda: self._order_id() if chance.random() < 0.5 else "",
            "units": lambda: chance.randint(1, 50),
            "nanos": lambda: chance.choice([0, 0, 500_000_000, 990_000_000]),
            "quantity": lambda: chance.randint(1, 5),
            "change": lambda: chance.choice([-3, -1, 1, 50]),
            "partition": lambda: chance.randrange(2),
            "page_size": lambda: chance.choice([0, 1, 7, limits.PAGE_SIZE_MAX]),
            "after_version": lambda: chance.randrange(6),
            "after_sequence": lambda: chance.randrange(5_000),
            "min_version": lambda: chance.choice([0, 0, 1, 3]),
            "seconds": lambda: TIME_MS_FIRST // 1_000 + chance.randint(-(10**6), 10**6),
        }
