"""Starting on a Cassandra: the schema made by several at once, and clear words where it cannot be."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra.cluster import Session

from ordermesh.adapters.cassandra_tables import SCHEMA_VERSION
from ordermesh.testing.cassandra_nodes import Cluster
from tests.cassandra_nodes import points_of, session_at, session_of
from tests.e2e.engine import environment, ordermesh

PROCESSES = 3
FAILED, UNAVAILABLE = 1, 5
GIVEN_UP_S = 30.0
"""A start that cannot be says so in less."""

Columns = set[tuple[str, str, str, str]]


@pytest.fixture
def session(contact_points: str) -> Iterator[Session]:
    """A plain session at the Cassandra of these tests."""
    with session_at(contact_points) as session:
        yield session


@pytest.fixture
def keyspace(session: Session) -> Iterator[str]:
    """The name of a keyspace of this test's, which is not there yet."""
    name = f"start_{time.time_ns()}"
    yield name
    session.execute(f"DROP KEYSPACE IF EXISTS {name}")


def up(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`ordermesh up` on a Cassandra, which is not expected to serve."""
    addresses = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    return ordermesh("up", "--data", data, *addresses, "--store", "cassandra", *options, timeout_s=GIVEN_UP_S)


def apply(*options: str) -> subprocess.CompletedProcess[str]:
    """`ordermesh schema apply`."""
    return ordermesh("schema", "apply", *options, timeout_s=GIVEN_UP_S)


def columns(session: Session, keyspace: str) -> Columns:
    """All there are in a keyspace: table, column, kind, type."""
    query = "SELECT table_name, column_name, kind, type FROM system_schema.columns WHERE keyspace_name = %s"
    return {tuple(row) for row in session.execute(query, (keyspace,))}


def shown_tables() -> set[str]:
    """The tables that `ordermesh schema show` tells of."""
    return set(re.findall(r"CREATE TABLE IF NOT EXISTS ordermesh\.(\w+)", ordermesh("schema", "show").stdout))


def test_three_processes_make_the_schema_at_once(contact_points: str, session: Session, keyspace: str) -> None:
    """All succeed, and what they made is what one makes alone."""
    command = [sys.executable, "-m", "ordermesh", "schema", "apply", "--cassandra", contact_points]
    command += ["--cassandra-keyspace", keyspace]
    running = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    said = [process.communicate(timeout=4 * GIVEN_UP_S) for process in running]

    assert [process.returncode for process in running] == [0] * PROCESSES, said
    made = columns(session, keyspace)
    assert {table for table, *_ in made} == shown_tables()
    again = apply("--cassandra", contact_points, "--cassandra-keyspace", keyspace)
    assert (again.returncode, again.stdout) == (0, ""), again
    assert f"is of version {SCHEMA_VERSION}" in again.stderr
    assert columns(session, keyspace) == made


def test_a_column_that_an_older_build_did_not_know_is_added(
    contact_points: str, session: Session, keyspace: str
) -> None:
    to_it = ("--cassandra", contact_points, "--cassandra-keyspace", keyspace)
    assert apply(*to_it).returncode == 0
    made = columns(session, keyspace)
    session.execute(f"ALTER TABLE {keyspace}.stock DROP on_hand")
    assert columns(session, keyspace) != made

    done = apply(*to_it)

    assert done.returncode == 0, done
    assert done.stdout == f'ALTER TABLE {keyspace}.stock ADD IF NOT EXISTS "on_hand" bigint;\n'
    assert columns(session, keyspace) == made


def test_a_keyspace_of_a_newer_version_is_refused(
    contact_points: str, session: Session, keyspace: str, tmp_path: Path
) -> None:
    to_it = ("--cassandra", contact_points, "--cassandra-keyspace", keyspace)
    assert apply(*to_it).returncode == 0
    session.execute(
        f"INSERT INTO {keyspace}.schema_versions (component, version, build, applied_at) VALUES ('store', %s, '9', '')",
        (SCHEMA_VERSION + 1,),
    )

    for done in (apply(*to_it), up(tmp_path / "data", *to_it)):
        assert done.returncode == FAILED, done
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert f"the keyspace {keyspace} is of version {SCHEMA_VERSION + 1}, newer than this build's" in line
        assert "--cassandra-keyspace" in line


def test_a_keyspace_that_somebody_else_made_is_refused(
    contact_points: str, session: Session, keyspace: str, tmp_path: Path
) -> None:
    session.execute(
        f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    session.execute(f"CREATE TABLE {keyspace}.orders (order_id int PRIMARY KEY)")

    done = up(tmp_path / "data", "--cassandra", contact_points, "--cassandra-keyspace", keyspace)

    assert done.returncode == FAILED, done
    assert f"{keyspace}.orders" in done.stderr
    assert "not made by this program" in done.stderr
    assert columns(session, keyspace) >= {("orders", "order_id", "partition_key", "int")}


def test_a_data_centre_that_is_not_there_is_told_with_those_that_are(contact_points: str, keyspace: str) -> None:
    to_it = ("--cassandra", contact_points, "--cassandra-keyspace", keyspace)
    done = apply(*to_it, "--cassandra-datacenter", "mars")

    assert done.returncode == FAILED, done
    assert "no data centre mars, but datacenter1" in done.stderr


def test_a_contact_point_that_is_not_there_is_told_with_exit_status_5(tmp_path: Path) -> None:
    """Nobody listens, no such name, and one who listens and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        points = ("127.0.0.1:1", "nowhere.invalid", f"127.0.0.1:{mute.getsockname()[1]}")
        said = {point: apply("--cassandra", point) for point in points}
        said |= {"127.0.0.2:1": up(tmp_path / "data", "--cassandra", "127.0.0.2:1")}
    for point, done in said.items():
        assert done.returncode == UNAVAILABLE, done
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert point in line


def test_a_wrong_password_is_told_and_the_right_one_opens(node_with_passwords: Cluster, tmp_path: Path) -> None:
    to_it = ("--cassandra", points_of(node_with_passwords.nodes))
    password_file = tmp_path / "password"
    password_file.write_text("not-this-one\n")
    of_file = ("--cassandra-password-file", str(password_file))
    said = {
        "the user cassandra": apply(*to_it, "--cassandra-user", "cassandra", *of_file),
        "the user nobody": up(tmp_path / "data", *to_it, "--cassandra-user", "nobody", *of_file),
        "a caller without a user": apply(*to_it),
    }
    for who, done in said.items():
        assert done.returncode == FAILED, done
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert f"refuses {who}" in line
        assert "--cassandra-user" in line
        assert "not-this-one" not in line

    password_file.write_text("cassandra\n")
    done = apply(*to_it, "--cassandra-user", "cassandra", *of_file)
    assert done.returncode == 0, done


def test_a_user_who_may_not_make_tables_is_told_so(node_with_passwords: Cluster) -> None:
    with session_of(*node_with_passwords.nodes, user="cassandra", password="cassandra") as session:
        session.execute("CREATE ROLE IF NOT EXISTS reader WITH PASSWORD = 'not-for-making' AND LOGIN = true")
    to_it = ("--cassandra", points_of(node_with_passwords.nodes), "--cassandra-keyspace", "not_allowed")

    done = apply(*to_it, "--cassandra-user", "reader", "--cassandra-password", "not-for-making")

    assert done.returncode == FAILED, done
    assert "refuses to make the tables of not_allowed" in done.stderr
    assert "not-for-making" not in done.stderr
