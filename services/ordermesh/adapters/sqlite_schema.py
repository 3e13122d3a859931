"""The tables of the SQLite store: how a `Table` becomes SQL.

Every table has the column `write_time` (microseconds) after its own. A row is replaced only by one of a higher write
time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ordermesh.core.decider import Table

_TYPES = {"text": "TEXT", "bigint": "INTEGER", "blob": "BLOB"}
_OPEN_SECONDS = 10.0


class Pair(NamedTuple):
    """How to write and read a table of the store's own."""

    upsert: str
    select: str


CHECKPOINT_SQL = Pair(
    "INSERT INTO checkpoints (group_name, partition_number, checkpoint, write_time) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint, write_time = excluded.write_time"
    " WHERE excluded.write_time > checkpoints.write_time",
    "SELECT checkpoint FROM checkpoints WHERE group_name = ? AND partition_number = ?",
)
DEPLOYMENT_SQL = Pair(
    "INSERT INTO deployment (id, deployment) VALUES (1, ?) ON CONFLICT DO NOTHING",
    "SELECT deployment FROM deployment WHERE id = 1",
)
DEPLOYMENT_REPLACE_SQL = "UPDATE deployment SET deployment = ? WHERE id = 1 AND deployment = ?"
_OWN_TABLES = (
    """CREATE TABLE IF NOT EXISTS checkpoints (group_name TEXT NOT NULL, partition_number INTEGER NOT NULL,
    checkpoint BLOB NOT NULL, write_time INTEGER NOT NULL, PRIMARY KEY (group_name, partition_number)) STRICT""",
    "CREATE TABLE IF NOT EXISTS deployment (id INTEGER PRIMARY KEY CHECK (id = 1), deployment BLOB NOT NULL) STRICT",
)


class Statements:
    """The SQL of one table."""

    def __init__(self, table: Table) -> None:
        """Names come from the program, never from a caller."""
        names = [name for name, _ in table.columns] + ["write_time"]
        key = table.partition + table.clustering
        columns = ", ".join(_quoted(names))
        own_columns = ", ".join(_quoted(names[:-1]))
        changed = ", ".join(f"{name} = excluded.{name}" for name in _quoted(names) if name.strip('"') not in key)
        self.upsert = (
            f"INSERT INTO {table.name} ({columns}) VALUES ({_marks(len(names))})"
            f" ON CONFLICT DO UPDATE SET {changed} WHERE excluded.write_time > {table.name}.write_time"
        )
        self.select_aggregate = (
            f"SELECT version, epoch, frame, index_in_frame, write_time, state FROM {table.name}"
            ' WHERE tenant = ? AND "key" = ? AND sub_key = ?'
        )
        select = f"SELECT {own_columns} FROM {table.name}"
        where = " AND ".join(f"{name} = ?" for name in _quoted(table.partition))
        direction, beyond = (" DESC", "<") if table.newest_first else ("", ">")
        order = ", ".join(name + direction for name in _quoted(table.clustering))
        order = f" ORDER BY {order}" if order else ""
        self.query = f"{select} WHERE {where}{order} LIMIT ?"
        self.query_after = f"{select} WHERE {where}{_after(table.clustering, beyond, ' AND ')}{order} LIMIT ?"
        scan_order = " ORDER BY " + ", ".join(_quoted(key))
        self.scan = f"{select}{scan_order} LIMIT ?"
        self.scan_after = f"{select}{_after(key, '>', ' WHERE ')}{scan_order} LIMIT ?"


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _after(names: Sequence[str], beyond: str, word: str) -> str:
    """The condition for what follows a position in the order of these columns."""
    if not names:
        return ""
    return f"{word}({', '.join(_quoted(names))}) {beyond} ({_marks(len(names))})"


def create_tables(path: Path, tables: Sequence[Table]) -> None:
    """Makes the file and what tables are missing. Raises sqlite3.Error; ValueError where one has other columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, timeout=_OPEN_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _OWN_TABLES:
            connection.execute(statement)
        for table in tables:
            _create_table(connection, table)
        connection.execute("COMMIT")


def _create_table(connection: sqlite3.Connection, table: Table) -> None:
    wanted = [(name, _TYPES[kind]) for name, kind in table.columns] + [("write_time", "INTEGER")]
    columns = ", ".join(f'"{name}" {kind} NOT NULL' for name, kind in wanted)
    key = ", ".join(_quoted(table.partition + table.clustering))
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({key})) STRICT")
    there = [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({table.name})")]
    if there != wanted:
        raise ValueError(f"the table {table.name} has the columns {there}, not {wanted}")
