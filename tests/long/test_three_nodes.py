"""Three nodes that are made for development: they see each other after one was away, and agree on a schema."""

from __future__ import annotations

import subprocess
import sys

from cassandra import ConsistencyLevel
from cassandra.query import SimpleStatement

from ordermesh.testing.cassandra_nodes import Cluster
from tests.cassandra_nodes import points_of, session_of
from tests.e2e.engine import environment

APPLY_SECONDS_MAX = 180.0


def test_three_nodes_lose_one_and_have_it_back(three_nodes: Cluster) -> None:
    """A row written at quorum while one was down is read at ALL when it is back: by hints, or repaired when read."""
    first, second, third = three_nodes.nodes
    three_nodes.kill(3)
    with session_of(first, second) as session:
        session.execute("CREATE KEYSPACE three WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}")
        session.execute("CREATE TABLE three.words (word text PRIMARY KEY)")
        session.execute(
            SimpleStatement(
                "INSERT INTO three.words (word) VALUES ('quorum')", consistency_level=ConsistencyLevel.QUORUM
            )
        )
    three_nodes.restart(3)
    with session_of(third) as session:
        row = session.execute(
            SimpleStatement("SELECT word FROM three.words", consistency_level=ConsistencyLevel.ALL)
        ).one()
        assert row.word == "quorum"


def test_three_processes_make_the_schema_at_once_each_by_another_node(three_nodes: Cluster) -> None:
    """What could race: each node makes tables by itself. All succeed, and every node has the same tables."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ordermesh", "schema", "apply", "--cassandra", points_of([node])],
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for node in three_nodes.nodes
    ]
    said = [process.communicate(timeout=APPLY_SECONDS_MAX)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said

    made = []
    for node in three_nodes.nodes:
        with session_of(node) as session:
            tables = session.execute(
                "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = 'ordermesh'"
            )
            made.append({tuple(row) for row in tables})
    assert made[0] == made[1] == made[2]
    names = {name for name, _ in made[0]}
    assert {"orders", "stock", "checkpoints", "schema_versions"} <= names
    assert len(names) == len(made[0])
    for node in three_nodes.nodes:
        assert "Column family ID mismatch" not in node.log_file.read_text()
