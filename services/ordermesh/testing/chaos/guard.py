"""Cleans up after a chaos run, however it ends: waits until its parent has gone, then ends the Cassandra nodes in the
run's folder and unmounts its small disk. All other processes die with their parent by themselves."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ordermesh.testing.cassandra_nodes import Cluster
from ordermesh.testing.cassandra_nodes.errors import ClusterError
from ordermesh.testing.chaos.disk import NoDisk, unmount

CASSANDRA, SMALL_DISK = "cassandra", "nats-3"
"""Folders within the run's: of the nodes, and where the small disk is mounted."""
CLEAN_S = 60.0


class Guard:
    """The process that cleans up."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ordermesh.testing.chaos.guard", str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def clean(self) -> None:
        """Has everything cleaned up, and waits for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(CLEAN_S)


def clean(folder: Path) -> None:
    """Ends what was left; idempotent."""
    cluster = Cluster(folder / CASSANDRA)
    with suppress(ClusterError):
        for node in cluster.nodes:
            node.kill()
    with suppress(NoDisk):
        unmount(folder / SMALL_DISK)
    (folder / SMALL_DISK).with_suffix(".img").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.stdin.read()
    clean(Path(sys.argv[1]))
