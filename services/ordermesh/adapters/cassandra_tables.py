"""The tables of the Cassandra store in CQL, and the statements on them: text only, no driver.

A column is called in CQL what its table's `names` say, and one without a name is left out. There is no column for the
write time: it is the cells' own timestamp, by which Cassandra keeps the newest row whatever the order of arrival. No
table has collections, counters, or a time to live, and only chunks of old checkpoints are ever deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ordermesh.core.decider import AGGREGATE_COLUMNS, Table

SCHEMA_VERSION = 2
"""Of the tables below and of every `Table`: raised by whoever changes one. A program refuses a newer one than its."""

COMPONENT = "store"
"""Whose version it is, in `schema_versions`."""

SETTLING = "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4'}"
"""For rows that change a few times while they are young and then hardly ever: writes cost least."""

OVERWRITTEN = "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4'}"
"""For rows that change for ever: their versions are merged early, so that a read finds one and not ten."""

SPECULATIVE_RETRY = "MIN(99p,50ms)"
"""When a coordinator asks another replica: never later than 50 ms, because 99p alone grows to seconds while a dead
replica is not yet known to be dead."""

LOADED = ("version", "epoch", "frame", "index_in_frame", "WRITETIME(state)", "state")
"""What is read of an aggregate beside its key: a `StoredAggregate`."""


class Column(NamedTuple):
    """A column in CQL: its place among the table's own columns, its name, its type."""

    place: int
    name: str
    kind: str


class TableCql:
    """A table of the program, as a table of a keyspace."""

    def __init__(self, table: Table) -> None:
        """Raises ValueError for a table that Cassandra cannot have."""
        called = dict(table.names)
        self.table = table
        self.columns = tuple(
            Column(index, called.get(name, name), kind)
            for index, (name, kind) in enumerate(table.columns)
            if called.get(name, name)
        )
        by_own_name = {table.columns[column.place][0]: column for column in self.columns}
        self.partition = tuple(by_own_name[name] for name in table.partition if name in by_own_name)
        self.clustering = tuple(by_own_name[name] for name in table.clustering if name in by_own_name)
        self.key = (*self.partition, *self.clustering)
        self.is_aggregate = table.columns[: len(AGGREGATE_COLUMNS)] == AGGREGATE_COLUMNS
        if not self.partition:
            raise ValueError(f"the table {table.name} has no partition key")
        if self.is_aggregate and len(self.clustering) > 1:
            raise ValueError(f"the aggregates of {table.name} are not found by one list of keys a partition")

    def create(self, keyspace: str) -> str:
        """The definition."""
        key = ", ".join((f"({_names(self.partition)})", *map(_quoted, self.clustering)))
        columns = "".join(f'    "{column.name}" {column.kind},\n' for column in self.columns)
        order = ""
        if self.clustering and self.table.newest_first:
            order = (
                f"CLUSTERING ORDER BY ({', '.join(_quoted(column) + ' DESC' for column in self.clustering)})\n    AND "
            )
        options = _options(OVERWRITTEN if self.table.overwritten else SETTLING)
        return (
            f"CREATE TABLE IF NOT EXISTS {keyspace}.{self.table.name} (\n{columns}    PRIMARY KEY ({key})\n)"
            f" WITH {order}{options}"
        )

    def statements(self, keyspace: str) -> dict[str, str]:
        """Every statement on the table, by what it does."""
        table, all_columns = f"{keyspace}.{self.table.name}", _names(self.columns)
        statements = {
            "upsert": f"INSERT INTO {table} ({all_columns}) VALUES ({_marks(self.columns)}) USING TIMESTAMP ?",
            **self._pages(f"SELECT {all_columns} FROM {table}"),
        }
        if self.is_aggregate:
            statements["load"] = self._load(table)
        return statements

    def _pages(self, select: str) -> dict[str, str]:
        """Rows of one partition, and of the whole table by the tokens of its partitions, from a row on."""
        within = f"{select} WHERE {_equal(self.partition)}"
        key = _names(self.partition)
        pages = {
            "query": f"{within} LIMIT ?",
            "scan": f"{select} LIMIT ?",
            "scan_after": f"{select} WHERE token({key}) > token({_marks(self.partition)}) LIMIT ?",
        }
        if self.clustering:
            beyond = "<" if self.table.newest_first else ">"
            position = f"({_names(self.clustering)}) {beyond} ({_marks(self.clustering)})"
            pages["query_after"] = f"{within} AND {position} LIMIT ?"
        return pages

    def _load(self, table: str) -> str:
        """Aggregates of many keys: of a list of partitions that share all but the last column of the key."""
        where = [f"{_quoted(column)} = ?" for column in self.partition[:-1]]
        where += [f"{_quoted(column)} IN ?" for column in (self.partition[-1], *self.clustering)]
        names = [*(_quoted(column) for column in self.key), *LOADED]
        return f"SELECT {', '.join(names)} FROM {table} WHERE {' AND '.join(where)}"


def _quoted(column: Column) -> str:
    return f'"{column.name}"'


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(map(_quoted, columns))


def _marks(columns: Sequence[Column]) -> str:
    return ", ".join("?" * len(columns))


def _equal(columns: Sequence[Column]) -> str:
    return " AND ".join(f"{_quoted(column)} = ?" for column in columns)


def _options(compaction: str) -> str:
    return (
        f"compaction = {compaction}\n    AND compression = {{'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}}\n"
        f"    AND speculative_retry = '{SPECULATIVE_RETRY}'"
    )


SCHEMA_VERSIONS = Table(
    name="schema_versions",
    columns=(("component", "text"), ("version", "bigint"), ("build", "text"), ("applied_at", "text")),
    partition=("component",),
    clustering=("version",),
    newest_first=True,
)
"""Which versions of the tables were applied, by which build and when."""

DEPLOYMENT = Table(
    name="deployment", columns=(("id", "text"), ("deployment", "blob")), partition=("id",), overwritten=True
)
"""One row: what was fixed at creation."""

CHECKPOINTS = Table(
    name="checkpoints",
    columns=(
        ("group_name", "text"),
        ("partition_number", "bigint"),
        ("write_time", "bigint"),
        ("chunks", "bigint"),
        ("checkpoint", "blob"),
    ),
    partition=("group_name", "partition_number"),
    overwritten=True,
)
"""The checkpoint of every partition of a log; one in chunks is elsewhere, under its write time."""

CHECKPOINT_CHUNKS = Table(
    name="checkpoint_chunks",
    columns=(
        ("group_name", "text"),
        ("partition_number", "bigint"),
        ("write_time", "bigint"),
        ("chunk", "bigint"),
        ("data", "blob"),
    ),
    partition=("group_name", "partition_number", "write_time"),
    clustering=("chunk",),
    overwritten=True,
)
"""The parts of checkpoints too large for one row."""

OWN_TABLES = (SCHEMA_VERSIONS, DEPLOYMENT, CHECKPOINTS, CHECKPOINT_CHUNKS)
"""The tables that are the store's own."""

CREATE_DEPLOYMENT = "INSERT INTO {0}.deployment (id, deployment) VALUES (?, ?) IF NOT EXISTS"
"""A conditional write, `{0}` being the keyspace."""

REPLACE_DEPLOYMENT = "UPDATE {0}.deployment SET deployment = ? WHERE id = ? IF deployment = ?"
"""The other one: the two are all there are."""

DELETE_CHUNKS = (
    "DELETE FROM {0}.checkpoint_chunks USING TIMESTAMP ?"
    " WHERE group_name = ? AND partition_number = ? AND write_time = ?"
)
"""The one deletion there is."""
