"""The keyspace and its tables: made, added to, and checked, by a session that is connected. All of it blocks.

Applying is safe from several processes at once, on a Cassandra whose nodes may each make a table of one name with an
identity of its own: all processes give their statements to the same node, where they come one after the other; each
looks first what is missing, and waits afterwards until the nodes agree. Tables and columns are only ever added.

The version is a row of `schema_versions`, written last: where it is, the tables are. A newer one than the program's is
refused; an older one is brought up to date by applying.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from cassandra import ConsistencyLevel, DriverException, InvalidRequest, Unauthorized
from cassandra.cluster import NoHostAvailable, Session
from cassandra.protocol import ErrorMessage
from cassandra.query import SimpleStatement

from ordermesh.adapters.cassandra_cluster import local_nodes
from ordermesh.adapters.cassandra_connection import DRIVER_ERRORS, level, said
from ordermesh.adapters.cassandra_options import REPLICAS, CassandraOptions, Misfit, TooFewNodes
from ordermesh.adapters.cassandra_tables import COMPONENT, OWN_TABLES, SCHEMA_VERSION, SCHEMA_VERSIONS, TableCql
from ordermesh.core.decider import Table
from ordermesh.runtime.ports import StoreUnavailable

DEFINITION_TIMEOUT_S = 30.0
"""For a statement that defines: every node writes it down before it answers."""

TRIES_MAX, PAUSE_S = 8, 0.5
"""How often, and after which pause, applying is begun again when another process or a node was in the way."""

DATACENTER = "datacenter1"
"""How Cassandra calls a data centre that nobody has named."""

_LOOPBACK = ("127.", "::1")
_KEYSPACE_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_VERSION_CQL = "SELECT version FROM {0}.schema_versions WHERE component = %s LIMIT 1"
_log = structlog.get_logger(__name__)


class Applied(NamedTuple):
    """What applying came to: the version before (0: none), the one now, and the statements that were needed."""

    before: int
    now: int
    statements: Sequence[str]


class Schema:
    """The tables of a program in a keyspace."""

    def __init__(self, options: CassandraOptions, tables: Sequence[Table], build: str) -> None:
        """Raises Misfit for a name that no keyspace can have."""
        if not _KEYSPACE_NAME.fullmatch(options.keyspace):
            raise Misfit(
                f"{options.keyspace!r} cannot be the name of a keyspace: small letters, digits and _, up to 48"
            )
        self._options = options
        self._keyspace = options.keyspace
        self._build = build
        self.tables = [TableCql(table) for table in (*OWN_TABLES, *tables)]

    def text(self) -> str:
        """All of it in CQL, as of a cluster that was not asked for its data centre's name."""
        datacenter = self._options.datacenter or DATACENTER
        told = {name or datacenter: count for name, count in self._options.replication.items()}
        keyspace = self._create_keyspace(told or {datacenter: REPLICAS})
        return "\n".join(
            f"{statement};\n" for statement in (keyspace, *(cql.create(self._keyspace) for cql in self.tables))
        )

    def check(self, session: Session) -> None:
        """Raises Misfit where the keyspace is of a newer version; StoreUnavailable where it is not there, or older."""
        version = self._version(session) if self._existing(session) else 0
        self._refuse_newer(version)
        if version < SCHEMA_VERSION:
            raise StoreUnavailable(
                f"the keyspace {self._keyspace} is of version {version}, and this build needs {SCHEMA_VERSION}:"
                " ordermesh schema apply"
            )

    def apply(self, session: Session) -> Applied:
        """Makes what is missing. Raises Misfit, StoreUnavailable."""
        for _ in range(TRIES_MAX - 1):
            try:
                return self._apply(session)
            except Unauthorized as error:
                raise Misfit(f"Cassandra refuses to make the tables of {self._keyspace}: {said(error)}") from error
            except DRIVER_ERRORS as error:
                _log.info("applying the schema is begun again", reason=said(error))
                time.sleep(PAUSE_S)
        try:
            return self._apply(session)
        except DRIVER_ERRORS as error:
            raise StoreUnavailable(f"the schema could not be applied: {said(error)}") from error

    def _apply(self, session: Session) -> Applied:
        before = self._version(session) if self._existing(session) else 0
        self._refuse_newer(before)
        done: list[str] = []
        for statement in self._missing(session):
            _define(session, statement)
            done.append(statement)
        if done:
            session.cluster.refresh_schema_metadata()
            if list(self._missing(session)):
                raise DriverException("what was defined is not all there yet")
        if before < SCHEMA_VERSION:
            self._record(session)
        return Applied(before, SCHEMA_VERSION, done)

    def _missing(self, session: Session) -> Iterator[str]:
        """The statements for what is not there. Raises Misfit where something else is."""
        existing = self._existing(session)
        if not existing:
            nodes = local_nodes(session)
            yield self._create_keyspace(self._replication([(node.datacenter, node.address) for node in nodes]))
        for cql in self.tables:
            columns = existing.get(cql.table.name)
            if columns is None:
                yield cql.create(self._keyspace)
            else:
                yield from self._missing_columns(cql, columns)

    def _missing_columns(self, cql: TableCql, there: Mapping[str, tuple[str, str]]) -> Iterator[str]:
        kinds = dict.fromkeys(cql.partition, "partition_key") | dict.fromkeys(cql.clustering, "clustering")
        for column in cql.columns:
            wanted = (column.kind, kinds.get(column, "regular"))
            found = there.get(column.name)
            if found is None and wanted[1] == "regular":
                yield f'ALTER TABLE {self._keyspace}.{cql.table.name} ADD IF NOT EXISTS "{column.name}" {column.kind}'
            elif found != wanted:
                raise Misfit(
                    f"{self._keyspace}.{cql.table.name} has {column.name} as {found}, not as {wanted}: it was not made"
                    " by this program; give another --cassandra-keyspace"
                )

    def _existing(self, session: Session) -> dict[str, dict[str, tuple[str, str]]]:
        """The columns of every table of the keyspace, as (type, kind); empty where there is no keyspace."""
        query = "SELECT table_name, column_name, type, kind FROM system_schema.columns WHERE keyspace_name = %s"
        tables: dict[str, dict[str, tuple[str, str]]] = {}
        for table, column, kind_of_value, kind in session.execute(query, (self._keyspace,)):
            tables.setdefault(table, {})[column] = (kind_of_value, kind)
        return tables

    def _replication(self, nodes: Sequence[tuple[str, str]]) -> dict[str, int]:
        """Replicas by data centre: as told, else three, or on a machine's own cluster what it has. Raises Misfit."""
        local = nodes[0][0]
        told = {name or local: count for name, count in self._options.replication.items()}
        if not told and all(address.startswith(_LOOPBACK) for _datacenter, address in nodes):
            return {local: min(REPLICAS, len(nodes))}
        wanted = told or {local: REPLICAS}
        if wanted.get(local, 0) > len(nodes):
            raise TooFewNodes(
                f"{wanted[local]} replicas are wanted in the data centre {local}, which has {len(nodes)} node(s):"
                f" give --cassandra-replication {len(nodes)} if that is meant"
            )
        return wanted

    def _create_keyspace(self, replication: Mapping[str, int]) -> str:
        replicas = "".join(f", '{name}': {count}" for name, count in replication.items())
        return (
            f"CREATE KEYSPACE IF NOT EXISTS {self._keyspace}"
            f" WITH replication = {{'class': 'NetworkTopologyStrategy'{replicas}}}"
        )

    def _version(self, session: Session) -> int:
        """The newest version that was applied, at quorum if one answers; 0 where none was."""
        for consistency in (level(self._options.read_consistency), ConsistencyLevel.ONE):
            statement = SimpleStatement(_VERSION_CQL.format(self._keyspace), consistency_level=consistency)
            try:
                rows = session.execute(statement, (COMPONENT,)).all()
            except InvalidRequest:
                return 0
            except (DriverException, ErrorMessage):
                if consistency == ConsistencyLevel.ONE:
                    raise
            else:
                return rows[0][0] if rows else 0
        return 0

    def _refuse_newer(self, version: int) -> None:
        if version > SCHEMA_VERSION:
            raise Misfit(
                f"the keyspace {self._keyspace} is of version {version}, newer than this build's {SCHEMA_VERSION}:"
                " start a newer build, or give another --cassandra-keyspace"
            )

    def _record(self, session: Session) -> None:
        """Notes the version: its row says that everything before it is there."""
        upsert = TableCql(SCHEMA_VERSIONS).statements(self._keyspace)["upsert"].replace("?", "%s")
        now = datetime.now(UTC)
        values = (COMPONENT, SCHEMA_VERSION, self._build, now.isoformat(timespec="seconds"))
        statement = SimpleStatement(upsert, consistency_level=level(self._options.consistency))
        session.execute(statement, (*values, int(now.timestamp() * 1_000_000)))


def _define(session: Session, statement: str) -> None:
    """Has the first of the nodes that are up define something, and waits until the nodes agree. Raises what the driver
    says."""
    nodes = sorted((node for node in local_nodes(session) if node.is_up), key=lambda node: str(node.host_id))
    if not nodes:
        raise NoHostAvailable("no node is up", {})
    answer = session.execute_async(SimpleStatement(statement), timeout=DEFINITION_TIMEOUT_S, host=nodes[0])
    answer.result()
    if not answer.is_schema_agreed:
        raise DriverException("the nodes do not agree on the schema yet")
