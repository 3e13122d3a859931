"""Ids of orders: UUIDv7 text (RFC 9562), whose first 48 bits are a time in milliseconds since 1970. PURE."""

from __future__ import annotations

import re
from typing import Final

TIME_MS_MAX: Final = 2**48 - 1
"""The latest time that an id can hold."""

RANDOM_BYTES: Final = 10
"""Bytes of chance, or of a hash, that an id is made of beside its time; 74 bits of them are used."""

ID_BYTES: Final = 16
"""Of an id that is kept as bytes."""

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class InvalidIdentifier(ValueError):
    """A text that is no UUIDv7."""


def canonical_order_id(text: str) -> str:
    """The id in its one form: 36 characters, lower case. Raises InvalidIdentifier."""
    if _UUID7.fullmatch(text) is not None:
        return text
    lowered = text.lower()
    if _UUID7.fullmatch(lowered) is None:
        raise InvalidIdentifier(f"{text[:64]!r} is not a UUIDv7 like 0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77")
    return lowered


def is_order_id(text: str) -> bool:
    """Whether it is an id in its one form."""
    return _UUID7.fullmatch(text) is not None


def time_ms_of(order_id: str) -> int:
    """The time in a canonical id, in milliseconds since 1970."""
    return int(order_id[:8] + order_id[9:13], 16)


def order_id_of(time_ms: int, chance: bytes) -> str:
    """The id of a time and ten bytes; equal for equal arguments. Raises ValueError when either is out of range."""
    if not 0 <= time_ms <= TIME_MS_MAX:
        raise ValueError(f"{time_ms} ms is not a time that a UUIDv7 can hold")
    if len(chance) != RANDOM_BYTES:
        raise ValueError(f"{len(chance)} bytes were given; an id takes {RANDOM_BYTES}")
    number = time_ms << 80 | int.from_bytes(chance, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def order_id_bytes(order_id: str) -> bytes:
    """An id as 16 bytes, for where many are kept; the text's bytes where it is no id in its one form."""
    return bytes.fromhex(order_id.replace("-", "")) if is_order_id(order_id) else order_id.encode()


def order_id_from(data: bytes) -> str:
    """What `order_id_bytes` was given."""
    if len(data) != ID_BYTES:
        return data.decode()
    digits = data.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
