"""Rows as Cassandra takes them: bytes by column, and the routing key that says whose they are.

The driver's own binding looks at every value's type again; a program that knows its columns need not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, NamedTuple

from ordermesh.adapters.cassandra_tables import Column, TableCql
from ordermesh.core.decider import Row, Table

CELL_BYTES = 24
"""What the server counts for a cell beside its value: timestamp, time to live, deletion time, and some to spare."""

_PACK_BIGINT = Struct(">q").pack
_PACK_LENGTH = Struct(">H").pack


class EncodedRow(NamedTuple):
    """A row to write: the values of its columns and its write time, whose it is, and its size on the server."""

    table: str
    values: list[bytes]
    routing_key: bytes
    size: int


def _text(value: str) -> bytes:
    return value.encode()


_ENCODE: dict[str, Callable[[Any], bytes]] = {"text": _text, "bigint": _PACK_BIGINT, "blob": bytes}


def routing_key(parts: Sequence[bytes]) -> bytes:
    """The partition key's columns as one: a single one as it is, several each with its length."""
    if len(parts) == 1:
        return parts[0]
    return b"".join([_PACK_LENGTH(len(part)) + part + b"\0" for part in parts])


class RowEncoder:
    """Encodes the rows of one table."""

    def __init__(self, cql: TableCql) -> None:
        self.name = cql.table.name
        self._columns = tuple((column.place, _ENCODE[column.kind]) for column in cql.columns)
        at = {column: number for number, column in enumerate(cql.columns)}
        self._partition = tuple(at[column] for column in cql.partition)
        kept = {column.place for column in cql.columns}
        self._empty = tuple(index for index in range(len(cql.table.columns)) if index not in kept)

    def encode(self, row: Row) -> EncodedRow:
        """The row in bytes. Raises ValueError where a column that is left out is not empty."""
        given = row.values
        for index in self._empty:
            if given[index] != "":
                raise ValueError(f"{self.name} has no column for {given[index]!r}, which should be empty")
        values = [encode(given[index]) for index, encode in self._columns]
        key = routing_key([values[number] for number in self._partition])
        size = sum(map(len, values)) + CELL_BYTES * len(values)
        values.append(_PACK_BIGINT(row.write_time))
        return EncodedRow(self.name, values, key, size)


def encoded(columns: Sequence[Column], values: Sequence[Any]) -> list[bytes]:
    """Values of these columns in bytes."""
    return [_ENCODE[column.kind](value) for column, value in zip(columns, values, strict=True)]


def kept(table: Table, cql: TableCql, names: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """Of values of the table's own columns `names`, those whose columns are not left out."""
    kept_names = {table.columns[column.place][0] for column in cql.columns}
    return [value for name, value in zip(names, values, strict=True) if name in kept_names]
