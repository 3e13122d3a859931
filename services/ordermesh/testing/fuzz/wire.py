"""Protobuf's wire format by hand, to make what no library would: wrong types, cut fields, lengths that lie.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import random
from collections.abc import Callable

VARINT, FIXED64, LENGTH, GROUP_BEGIN, GROUP_END, FIXED32 = 0, 1, 2, 3, 4, 5
"""The wire types; 6 and 7 do not exist."""
NESTING = 150
"""Deeper than the 100 levels that parsers take."""
FIELDS = 20
"""Field numbers that messages of the contract have; wrong types meet real fields that way."""
UNKNOWN_FIELD = 2_000
"""A number that no message has."""


def varint(number: int) -> bytes:
    """A number of at most 64 bits."""
    out = bytearray()
    number &= 2**64 - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tag(field: int, wire_type: int) -> bytes:
    """What a field begins with."""
    return varint(field << 3 | wire_type)


def delimited(field: int, data: bytes) -> bytes:
    """A text, bytes or message."""
    return tag(field, LENGTH) + varint(len(data)) + data


def _some_field(chance: random.Random) -> int:
    return chance.choice([chance.randint(1, FIELDS), UNKNOWN_FIELD, 2**29 - 1])


def _truncated(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _flipped(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data or b"\x00")
    for _ in range(chance.randint(1, 4)):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _doubled(chance: random.Random, data: bytes) -> bytes:
    begin, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    return data + data[begin:end]


def _unknown(chance: random.Random, data: bytes) -> bytes:
    return data + delimited(UNKNOWN_FIELD, chance.randbytes(chance.randint(0, 64)))


def _wrong_type(chance: random.Random, data: bytes) -> bytes:
    field = _some_field(chance)
    return data + chance.choice(
        [
            tag(field, VARINT) + varint(chance.getrandbits(64)),
            tag(field, FIXED64) + chance.randbytes(8),
            delimited(field, chance.randbytes(chance.randint(0, 16))),
            tag(field, FIXED32) + chance.randbytes(4),
            tag(field, 6) + chance.randbytes(4),
            tag(field, 7),
        ]
    )


def _lying_length(chance: random.Random, data: bytes) -> bytes:
    length = chance.choice([1, 1_000, 2**31 - 1, 2**32, 2**63, 2**64 - 1])
    return data + tag(_some_field(chance), LENGTH) + varint(length)


def _overlong_number(chance: random.Random, data: bytes) -> bytes:
    return data + tag(_some_field(chance), VARINT) + b"\xff" * chance.choice([9, 10, 11, 40]) + b"\x01"


def _no_text(chance: random.Random, data: bytes) -> bytes:
    """Bytes that are no UTF-8: a lone surrogate, an over-long NUL, a cut character, one past U+10FFFF."""
    text = chance.choice([b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xff\xfe"])
    return data + delimited(_some_field(chance), text)


def _deep(chance: random.Random, data: bytes) -> bytes:
    field = _some_field(chance)
    if chance.random() < 0.5:
        closed = chance.random() < 0.5
        return data + tag(field, GROUP_BEGIN) * NESTING + (tag(field, GROUP_END) * NESTING if closed else b"")
    nested = b""
    for _ in range(NESTING):
        nested = delimited(field, nested)
    return data + nested


def _many_empty(chance: random.Random, data: bytes) -> bytes:
    return data + delimited(_some_field(chance), b"") * chance.choice([10, 1_100, 2_100])


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _truncated, _flipped, _doubled, _unknown, _wrong_type, _lying_length, _overlong_number, _no_text, _deep,
    _many_empty,
)  # fmt: skip
"""Ways to spoil serialised data."""


def spoiled(chance: random.Random, data: bytes) -> bytes:
    """The data with one to three things wrong."""
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(MUTATIONS)(chance, data)
    return data
