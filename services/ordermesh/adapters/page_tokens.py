"""Page tokens of a store: the position of the last row given, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ordermesh.core.decider import Table

_KINDS: dict[str, type] = {"text": str, "bigint": int, "blob": bytes}


def kinds_of(table: Table, names: Sequence[str]) -> list[str]:
    """The types of these columns."""
    kinds = dict(table.columns)
    return [kinds[name] for name in names]


def next_token(values: Sequence[object]) -> bytes:
    """A page token: the position of the last row given."""
    return json.dumps([{"b": value.hex()} if isinstance(value, bytes) else value for value in values]).encode()


def token_values(token: bytes, kinds: Sequence[str]) -> tuple[Any, ...]:
    """The position in a token. Raises ValueError where it is not one of values of these kinds (text, bigint, blob)."""
    try:
        values = json.loads(token)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError("not a page token of the store") from error
    if not isinstance(values, list) or len(values) != len(kinds):
        raise ValueError("not a page token of this table")
    position = tuple(bytes.fromhex(str(value.get("b", ""))) if isinstance(value, dict) else value for value in values)
    if any(type(value) is not _KINDS[kind] for value, kind in zip(position, kinds, strict=True)):
        raise ValueError("not a page token of this table")
    return position
