"""The Cassandra that tests run against: a real one, started when the first test asks for it, ended with the session.

`ORDERMESH_CASSANDRA_CONTACT_POINTS` names another for the tests that only need one. Where Java or Maven are missing
the tests are skipped, and the summary says so; with `ORDERMESH_TEST_CASSANDRA=required` they fail. Workers of
pytest-xdist share one node; clusters whose nodes are killed belong to one process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, ExecutionProfile, Session
from cassandra.cluster import Cluster as Driver
from cassandra.policies import FallthroughRetryPolicy, WhiteListRoundRobinPolicy

from ordermesh.cli.processes import is_alive, start_time
from ordermesh.runtime.settings_cassandra import addresses
from ordermesh.testing.cassandra_nodes import Cluster, ClusterOptions, ToolMissing
from ordermesh.testing.cassandra_nodes.node import Node

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".cassandra"
CONTACT_POINTS_VARIABLE = "ORDERMESH_CASSANDRA_CONTACT_POINTS"
REQUIRED_VARIABLE = "ORDERMESH_TEST_CASSANDRA"
SESSION_VARIABLE = "ORDERMESH_TEST_CASSANDRA_SESSION"
"""Names the session's folder to its workers."""
SKIPPED = "no Cassandra: "
"""What the reason of a skipped test begins with."""
STATEMENT_SECONDS_MAX = 30.0
AGREEMENT_SECONDS_MAX = 2
"""How long a definition waits for nodes to agree: one that is down never does."""
_FIRST_NETWORKS = {"shared": 32, "three": 96, "passwords": 160}
"""Second number of 127.x.y: sessions at the same time, and a person's own cluster, keep out of each other's way."""


def pytest_configure(config: pytest.Config) -> None:
    """Names the folder of this session, before workers start."""
    if not hasattr(config, "workerinput"):
        os.environ[SESSION_VARIABLE] = f"{os.getpid()}-{start_time(os.getpid())}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends what the session started, when its workers have ended."""
    if not hasattr(config, "workerinput"):
        _end_session(_sessions() / os.environ.pop(SESSION_VARIABLE))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly that tests were skipped for want of Cassandra."""
    reasons = [
        str(report.longrepr[2]).removeprefix("Skipped: ").removeprefix(SKIPPED)
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and SKIPPED in str(report.longrepr[2])
    ]
    if reasons:
        terminalreporter.section("NOT TESTED: Cassandra", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(reasons)} tests of Cassandra were skipped: {reasons[0]}", red=True, bold=True)


@pytest.fixture(scope="session")
def contact_points() -> str:
    """HOST:PORT[,HOST:PORT] of a Cassandra, as `--cassandra` takes them. A test makes a keyspace of its own there."""
    if given := os.environ.get(CONTACT_POINTS_VARIABLE):
        return given
    session = os.environ[SESSION_VARIABLE]
    options = ClusterOptions(network=_network("shared", int(session.partition("-")[0])))
    return points_of(_up("shared", options).nodes)


@pytest.fixture(scope="session")
def three_running_nodes() -> Cluster:
    """Three nodes of this process; tests take `three_nodes`, which mends them."""
    network = _network("three", os.getpid())
    return _up(f"three-{os.getpid()}", ClusterOptions(size=3, network=network, heap_mebibytes=640, steady=True))


@pytest.fixture
def three_nodes(three_running_nodes: Cluster) -> Iterator[Cluster]:
    """Three nodes to kill, pause and restart; afterwards all of them run again."""
    yield three_running_nodes
    three_running_nodes.up(three_running_nodes.options)


@pytest.fixture(scope="session")
def node_with_passwords() -> Cluster:
    """One node that lets in only who has a password; the first user is cassandra with password cassandra."""
    options = ClusterOptions(network=_network("passwords", os.getpid()), authentication=True)
    return _up(f"passwords-{os.getpid()}", options)


def points_of(nodes: Iterable[Node]) -> str:
    """As `--cassandra` takes them."""
    return ",".join(f"{node.address}:{node.options.port}" for node in nodes)


def session_of(*nodes: Node, user: str = "", password: str = "") -> AbstractContextManager[Session]:
    """A session of a plain client that speaks to these nodes only."""
    return session_at(points_of(nodes), user, password)


@contextmanager
def session_at(contact_points: str, user: str = "", password: str = "") -> Iterator[Session]:
    """A session of a plain client that speaks to these points only, and tries nothing twice."""
    points = addresses(contact_points)
    hosts = [host for host, _port in points]
    profile = ExecutionProfile(
        load_balancing_policy=WhiteListRoundRobinPolicy(hosts),
        retry_policy=FallthroughRetryPolicy(),
        request_timeout=STATEMENT_SECONDS_MAX,
    )
    driver = Driver(
        hosts,
        port=points[0][1],
        protocol_version=5,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        auth_provider=PlainTextAuthProvider(user, password) if user else None,
        max_schema_agreement_wait=AGREEMENT_SECONDS_MAX,
    )
    with driver, driver.connect() as session:
        yield session


def _up(name: str, options: ClusterOptions) -> Cluster:
    """A cluster of this session, running; skips or fails the test when it cannot be here."""
    _end_orphans()
    cluster = Cluster(_sessions() / os.environ[SESSION_VARIABLE] / name, jars=FOLDER / "jars")
    try:
        cluster.up(options)
    except ToolMissing as error:
        if os.environ.get(REQUIRED_VARIABLE) == "required":
            pytest.fail(f"{REQUIRED_VARIABLE}=required, but {error}")
        pytest.skip(f"{SKIPPED}{error}")
    return cluster


def _network(kind: str, pid: int) -> str:
    return f"127.{_FIRST_NETWORKS[kind] + pid // 256 % 64}.{pid % 256}"


def _sessions() -> Path:
    return FOLDER / "tests"


def _end_orphans() -> None:
    """Ends what sessions left that were killed."""
    for folder in _sessions().glob("*-*"):
        pid, _, started = folder.name.partition("-")
        if not is_alive(int(pid), int(started)):
            _end_session(folder)


def _end_session(folder: Path) -> None:
    for cluster in folder.glob("*/"):
        Cluster(cluster).destroy()
    shutil.rmtree(folder, ignore_errors=True)
