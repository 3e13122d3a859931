"""Rows by key, many keys in one request; pages of one partition; pages of a whole table.

Keys go together that share their replicas and all but the last column of the partition key: that column is asked for as
a list, at a twentieth of the cost of asking one by one. Where rows of a partition have keys of their own, these are a
list too, and what one list times the other finds beyond what was asked for is left aside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cassandra import OperationTimedOut

from ordermesh.adapters.cassandra_connection import TOO_FEW, Connection, level
from ordermesh.adapters.cassandra_encoding import encoded, routing_key
from ordermesh.adapters.cassandra_quorum import Quorum
from ordermesh.adapters.cassandra_requests import Note
from ordermesh.adapters.cassandra_ring import Ring
from ordermesh.adapters.cassandra_tables import TableCql
from ordermesh.adapters.page_tokens import kinds_of, next_token, token_values
from ordermesh.core.decider import Key, Table
from ordermesh.runtime.ports import Page, StoredAggregate, StoreUnavailable

Rows = Sequence[tuple[Any, ...]]
"""What a statement gives."""

KEYS_MAX = 50
"""Keys of one request: more are no cheaper each, and fail together."""

PRODUCT_MAX = 512
"""Partitions times keys within them of one request: what the server looks for, most of which is not there."""


READ_TIMEOUT_SHARE = 0.4
"""Of the time-out of a request: who reads has something else to fall back on, the log or one replica."""

SCAN_TIMEOUT_S = 10.0
"""For a page of a whole table: an audit can wait, and many nodes may be asked in turn for a page."""


@dataclass(slots=True)
class _Keys:
    """Keys of one request: the shared columns of the partition key, the list of the last one, and that of the keys
    within a partition; and whose they are."""

    shared: tuple[str, ...]
    whose: bytes
    replicas: Hashable
    lasts: dict[str, None] = field(default_factory=dict)
    within: dict[str, None] = field(default_factory=dict)

    def takes(self, within: Sequence[str]) -> bool:
        """Whether one more partition, with these keys of it, still fits."""
        lasts = len(self.lasts) + 1
        return lasts <= KEYS_MAX and (not within or lasts * len(self.within.keys() | set(within)) <= PRODUCT_MAX)


class _TableReader:
    """What is known of one table."""

    def __init__(self, cql: TableCql) -> None:
        table = cql.table
        own_name = {column: table.columns[column.place][0] for column in cql.columns}
        self.cql = cql
        self.names = [own_name[column] for column in cql.columns]
        self.empty = dict.fromkeys((name for name, _kind in table.columns), "")
        self.left_out = self.empty.keys() - self.names
        self.partition = [own_name[column] for column in cql.partition]
        self.clustering = [own_name[column] for column in cql.clustering]
        self.key_names = [own_name[column] for column in cql.key]
        self.kept = [name in self.partition for name in table.partition]

    def key_values(self, key: Key) -> tuple[str, ...]:
        """The key's columns."""
        return tuple([getattr(key, name) for name in self.key_names])

    def can_have(self, key: Key) -> bool:
        """Whether what has no column is empty in the key."""
        return not any(getattr(key, name, "") for name in self.left_out)

    def partition_values(self, values: Sequence[object]) -> list[object]:
        """Of the values of the table's partition key, those that have a column."""
        return [value for value, is_kept in zip(values, self.kept, strict=True) if is_kept]

    def row(self, values: Sequence[object]) -> dict[str, object]:
        """A row by the table's own names."""
        return {**self.empty, **dict(zip(self.names, values, strict=True))}


class Reader:
    """Reads of the given tables. Make it on the running event loop."""

    def __init__(self, connection: Connection, tables: Sequence[TableCql]) -> None:
        options = connection.options
        self._connection = connection
        self._tables = {cql.table.name: _TableReader(cql) for cql in tables}
        self._strong, self._weak = level(options.read_consistency), level(options.weak_consistency)
        self._ring = Ring(options.keyspace, is_local=options.read_consistency == "LOCAL_QUORUM")
        self._timeout_s = READ_TIMEOUT_SHARE * options.timeout_s
        self.quorum = Quorum("reads")
        self.rows = 0

    async def load(self, table: Table, keys: Sequence[Key], *, quorum: bool) -> Mapping[Key, StoredAggregate]:
        """See `Store.load`, `Store.load_weakly`."""
        if not keys:
            return {}
        self._ring.look(self._connection.live, asyncio.get_running_loop().time())
        reader = self._tables[table.name]
        wanted = {reader.key_values(key): key for key in keys if reader.can_have(key)}
        groups = list(self._grouped(reader, list(wanted)))
        answers = await asyncio.gather(*(self._load(reader, group, quorum=quorum) for group in groups))
        found: dict[Key, StoredAggregate] = {}
        columns = len(reader.key_names)
        for answer in answers:
            for row in answer:
                key = wanted.get(row[:columns])
                if key is not None:
                    found[key] = StoredAggregate(*row[columns:])
        self.rows += len(found)
        return found

    def _grouped(self, reader: _TableReader, keys: Sequence[tuple[str, ...]]) -> Iterator[_Keys]:
        """The keys by request."""
        gathering: dict[tuple[Hashable, ...], _Keys] = {}
        partitions: dict[tuple[str, ...], list[str]] = {}
        width = len(reader.partition)
        for key in keys:
            partitions.setdefault(key[:width], []).extend(key[width:])
        for (*shared, last), within in partitions.items():
            whose = routing_key([part.encode() for part in (*shared, last)])
            replicas = self._ring.replicas(whose)
            of = (replicas, *shared)
            group = gathering.get(of)
            if group is not None and not group.takes(within):
                yield gathering.pop(of)
                group = None
            if group is None:
                group = gathering[of] = _Keys(tuple(shared), whose, replicas)
            group.lasts[last] = None
            group.within.update(dict.fromkeys(within))
        yield from gathering.values()

    async def _load(self, reader: _TableReader, group: _Keys, *, quorum: bool) -> Rows:
        values: list[Any] = [*group.shared, list(group.lasts)]
        if reader.clustering:
            values.append(list(group.within))
        return await self._ask(reader, "load", values, whose=group.whose, quorum=quorum)

    async def query(
        self, table: Table, partition: Sequence[object], *, after: bytes, count_max: int, quorum: bool
    ) -> Page:
        """See `Store.query`. Raises ValueError where `after` is not a token of this table."""
        reader = self._tables[table.name]
        position = token_values(after, kinds_of(table, reader.clustering)) if after else ()
        values = reader.partition_values(partition)
        rows = await self._within(reader, values, position, count_max + 1, quorum=quorum)
        return _page(reader, rows, reader.clustering, count_max)

    async def scan(self, table: Table, *, after: bytes, count_max: int) -> Page:
        """See `Store.scan`: by the tokens of the partitions, and what is left of the last one first.

        A page could only pass over a row if it ended with a partition whose token, of 64 bits, another one has too.
        """
        reader = self._tables[table.name]
        width = len(reader.partition)
        position = token_values(after, kinds_of(table, reader.key_names)) if after else ()
        rows: list[tuple[Any, ...]] = []
        if position and reader.clustering:
            rows += await self._within(reader, position[:width], position[width:], count_max + 1, quorum=True)
        if len(rows) <= count_max:
            name = "scan_after" if position else "scan"
            values = (*position[:width], count_max + 1 - len(rows))
            rows += await self._ask(reader, name, values, whose=None, quorum=True)
        return _page(reader, rows, reader.key_names, count_max)

    async def _within(
        self, reader: _TableReader, partition: Sequence[object], position: Sequence[object], limit: int, *, quorum: bool
    ) -> Rows:
        """Rows of one partition after a position."""
        self._ring.look(self._connection.live, asyncio.get_running_loop().time())
        whose = routing_key(encoded(reader.cql.partition, partition))
        name = "query_after" if position else "query"
        return await self._ask(reader, name, (*partition, *position, limit), whose=whose, quorum=quorum)

    async def _ask(
        self, reader: _TableReader, name: str, values: Sequence[Any], *, whose: bytes | None, quorum: bool
    ) -> Rows:
        """The rows of a statement. Raises StoreUnavailable, at once where a quorum was lost a moment ago."""
        full_name = f"{reader.cql.table.name}.{name}"

        async def attempt(consistency: int, timeout_s: float, note: Note | None = None) -> Rows:
            statement = self._connection.bound(full_name, consistency, *values, whose=whose)
            statement.is_idempotent = whose is not None  # a whole page is not asked for twice
            answer: Rows = await self._connection.read(statement, timeout_s, note)
            return answer

        if not quorum:
            return await attempt(self._weak, self._timeout_s)
        if whose is None:
            return await attempt(self._strong, SCAN_TIMEOUT_S)
        replicas = self._ring.replicas(whose)
        if self.quorum.is_lost(replicas):
            self.quorum.try_beside(replicas, lambda: attempt(self._strong, self._timeout_s))
            raise StoreUnavailable("no quorum of its replicas answers")
        return await attempt(self._strong, self._timeout_s, partial(self._note, replicas))

    def _note(self, replicas: Hashable, error: Exception | None) -> None:
        """What came of a read at quorum; whoever asked may have given up earlier."""
        if error is None:
            self.quorum.answered(replicas)
        elif isinstance(error, TOO_FEW):
            self.quorum.failed(replicas, error, is_certain=not isinstance(error, OperationTimedOut))


def _page(reader: _TableReader, found: Rows, position: Sequence[str], count_max: int) -> Page:
    """The page of these rows, of which one more was asked for than it has."""
    rows: list[Mapping[str, object]] = [reader.row(values) for values in found[:count_max]]
    more = len(found) > count_max and bool(position)
    return Page(rows, next_token([rows[-1][name] for name in position]) if more else b"")
