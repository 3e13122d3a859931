"""The tool that runs Cassandra for development: what it promises of nodes, folders and errors, on real nodes."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordermesh.testing.cassandra_nodes import Cluster, ClusterError, ClusterOptions, ToolMissing
from ordermesh.testing.cassandra_nodes.config import marker
from ordermesh.testing.cassandra_nodes.jars import find_java, provide_jars
from ordermesh.testing.cassandra_nodes.node import find_nodes, wait_until_found
from tests.cassandra_nodes import FOLDER, session_of

NETWORK = f"127.{224 + os.getpid() // 256 % 16}.{os.getpid() % 256}"
ONE = ClusterOptions(network=NETWORK)


@pytest.fixture
def cluster(contact_points: str, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of this test's, not started. That of the session is asked for to skip where there can be none."""
    cluster = Cluster(tmp_path / "cassandra", jars=FOLDER / "jars")
    yield cluster
    cluster.destroy()


def test_a_node_keeps_what_it_acknowledged_through_a_crash_and_a_hang(cluster: Cluster) -> None:
    cluster.up(ONE)
    node = cluster.node(1)
    begun = node.pid
    cluster.up(ONE)
    assert node.pid == begun, "up leaves alone what runs"
    assert node.state == "up"
    with session_of(node) as session:
        session.execute("CREATE KEYSPACE kept WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE kept.words (word text PRIMARY KEY)")
        session.execute("INSERT INTO kept.words (word) VALUES ('acknowledged')")

    cluster.kill(1)
    assert (node.state, node.answers()) == ("down", False)
    cluster.up(ONE)
    assert node.pid != begun

    cluster.pause(1)
    assert (node.state, node.answers()) == ("paused", False)
    cluster.resume(1)
    assert (node.state, node.answers()) == ("up", True)

    cluster.restart(1)
    with session_of(node) as session:
        assert session.execute("SELECT word FROM kept.words").one().word == "acknowledged"
        assert session.execute("SELECT data_center FROM system.local").one().data_center == "datacenter1"

    cluster.pause(1)
    cluster.down()
    assert node.state == "down"
    assert find_nodes(node.folder) == []


def test_other_options_are_refused_while_it_runs_and_another_network_for_its_data(cluster: Cluster) -> None:
    cluster.up(ONE)
    with pytest.raises(ClusterError, match=r"runs with other options.*scripts/cassandra down"):
        cluster.up(ClusterOptions(network=NETWORK, authentication=True))
    os.kill(cluster.node(1).pid or 0, signal.SIGKILL)
    cluster.down()
    with pytest.raises(ClusterError, match=rf"are of a node on {NETWORK}\.1"):
        cluster.up(ClusterOptions(network="127.31.31"))


def test_a_port_that_is_taken_is_named_with_who_has_it(cluster: Cluster) -> None:
    with socket.create_server((f"{NETWORK}.1", ONE.port)), pytest.raises(ClusterError) as refused:
        cluster.up(ONE)

    taken = f"cannot listen on {NETWORK}.1:9042: Address already in use; on it listens process {os.getpid()} ("
    assert taken in str(refused.value)


def test_a_node_that_cannot_start_is_told_with_the_end_of_its_log(cluster: Cluster) -> None:
    home = cluster.folder / "cluster-1" / "node1"
    home.mkdir(parents=True)
    (home / "data").write_text("no folder")

    with pytest.raises(
        ClusterError, match=r"node 1 ended while it started; .*system\.log ends with:\n[\s\S]*node1/data"
    ):
        cluster.up(ONE)


def test_commands_for_a_node_that_is_not_there_say_so(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="there is no cluster in"):
        cluster.kill(1)
    assert not cluster.folder.exists()
    cluster.folder.mkdir()
    ONE.write(cluster.folder / "cluster.json")
    with pytest.raises(ClusterError, match="there is no node 2; the cluster has 1"):
        cluster.kill(2)
    with pytest.raises(ClusterError, match="node 1 does not run; start it: scripts/cassandra restart 1"):
        cluster.pause(1)


def test_the_size_and_the_network_are_checked() -> None:
    with pytest.raises(ClusterError, match="has 1 or 3 nodes, not 2"):
        ClusterOptions(size=2)
    for network in ("10.0.0", "127.0", "127.0.0.1", "localhost"):
        with pytest.raises(ClusterError, match="expected the first three numbers of a loopback network"):
            ClusterOptions(network=network)


def script(folder: Path, name: str, text: str) -> None:
    """A program that anybody can run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(stat.S_IRWXU)


def test_a_missing_or_unfit_java_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"there is no java in JAVA_HOME .*needs Java 17"):
        find_java()

    script(tmp_path / "bin", "java", "echo 'openjdk version \"21.0.2\"' >&2")
    with pytest.raises(ToolMissing, match=r'is openjdk version "21\.0\.2"\. Cassandra 5\.0 needs Java 17'):
        find_java()


def test_jars_that_are_not_those_that_were_tried_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(ToolMissing, match="there is no mvn"):
        provide_jars(tmp_path / "jars")

    copy = 'for given; do case $given in -DoutputDirectory=*) target=${given#*=};; esac; done; mkdir "$target"'
    script(tmp_path / "bin", "mvn", f'{copy}; echo other >"$target/cassandra-all-5.0.9.jar"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    with pytest.raises(ClusterError, match=r"Maven gave other jars than jars\.sha256 lists"):
        provide_jars(tmp_path / "jars")
    assert not (tmp_path / "jars").exists()


def test_a_node_counts_as_started_when_its_own_arguments_are_seen(tmp_path: Path) -> None:
    becomes_the_node = ["sh", "-c", f"read line; exec sh -c 'read line' sh {marker(tmp_path)}"]
    with subprocess.Popen(becomes_the_node, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        waiting = threading.Thread(target=wait_until_found, args=(process.pid, tmp_path))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        process.stdin.write(b"\n")
        process.stdin.flush()
        waiting.join(10.0)
        assert find_nodes(tmp_path) == [process.pid]
        process.kill()
        process.wait()
    wait_until_found(process.pid, tmp_path)
    assert find_nodes(tmp_path) == []
