"""A cluster of nodes in a folder: made, lost, brought back, ended.

The folder holds `jars/`, `lock`, `cluster.json` (the options of the last `up`) and for each size a `cluster-N/` with
`node1/` ... of its own, because the data of one node are no third of three. Whatever changes something takes the lock.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ordermesh.testing.cassandra_nodes.config import tool_arguments
from ordermesh.testing.cassandra_nodes.errors import ClusterError
from ordermesh.testing.cassandra_nodes.jars import find_java, has_jars, provide_jars
from ordermesh.testing.cassandra_nodes.lock import locked
from ordermesh.testing.cassandra_nodes.node import Node
from ordermesh.testing.cassandra_nodes.options import SIZES, ClusterOptions
from ordermesh.testing.cassandra_nodes.probe import PasswordRefused, agree

UP_SECONDS_MAX = 300.0
FIRST_USER_SECONDS_MAX = 20.0
_PAUSE_SECONDS = 0.2

Progress = Callable[[str], None]
"""Is told what is being waited for, again and again."""


def _silent(text: str) -> None:
    """Nobody looks."""


class Cluster:
    """The cluster in a folder. `jars` may be shared by several; it is in the folder unless given."""

    def __init__(self, folder: Path, jars: Path | None = None, progress: Progress = _silent) -> None:
        self.folder = folder.absolute()
        self.jars = jars if jars is not None else self.folder / "jars"
        self._progress = progress

    @property
    def options(self) -> ClusterOptions:
        """Of the last `up`. Raises ClusterError if there was none."""
        options = ClusterOptions.read(self._options_file)
        if options is None:
            raise ClusterError(f"there is no cluster in {self.folder}; make one: scripts/cassandra up")
        return options

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Of the last `up`, node 1 first. Raises ClusterError if there was none."""
        return self._nodes(self.options)

    def up(self, options: ClusterOptions, *, fresh: bool = False, timeout_s: float = UP_SECONDS_MAX) -> None:
        """Starts what of it does not run, wakes what is paused, and waits until every node answers CQL.

        A cluster of the other size in this folder is ended first; `fresh` deletes the data before. Raises ClusterError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            java = find_java()
            if not has_jars(self.jars):
                self._progress("getting Cassandra's jars by Maven")
                provide_jars(self.jars)
            self._make_room(options, fresh=fresh)
            options.write(self._options_file)
            nodes = self._nodes(options)
            for node in nodes:
                node.resume()
                node.start(java)
            self._wait(nodes, timeout_s)

    def down(self) -> None:
        """Ends every node in the folder, of whatever size; idempotent."""
        with self._locked():
            self._progress("stopping")
            _stop(self._of_all_sizes())

    def destroy(self) -> None:
        """Ends every node in the folder at once, and deletes the data; for what nobody will look at again."""
        with self._locked():
            for node in self._of_all_sizes():
                node.kill()
            for size in SIZES:
                shutil.rmtree(self._home(ClusterOptions(size)), ignore_errors=True)

    def node(self, number: int) -> Node:
        """Node `number`, from 1. Raises ClusterError if there is none."""
        nodes = self.nodes
        if not 1 <= number <= len(nodes):
            raise ClusterError(f"there is no node {number}; the cluster has {len(nodes)}")
        return nodes[number - 1]

    def kill(self, number: int) -> None:
        """Ends a node as a crash would (SIGKILL)."""
        with self._locked():
            self.node(number).kill()

    def pause(self, number: int) -> None:
        """Lets a node hang (SIGSTOP). Raises ClusterError if it does not run."""
        with self._locked():
            self._running(number).pause()

    def resume(self, number: int) -> None:
        """Lets a node that hangs go on (SIGCONT). Raises ClusterError if it does not run."""
        with self._locked():
            self._running(number).resume()

    def restart(self, number: int, *, timeout_s: float = UP_SECONDS_MAX) -> None:
        """Starts a node, after ending it cleanly if it runs, and waits until it answers CQL."""
        with self._locked():
            node = self.node(number)
            node.stop()
            node.start(find_java())
            self._wait([node], timeout_s)

    def start(self, *numbers: int, timeout_s: float = UP_SECONDS_MAX) -> None:
        """Starts several nodes at once, those that do not run, and waits until they answer CQL."""
        with self._locked():
            nodes = [self.node(number) for number in numbers]
            for node in nodes:
                node.start(find_java())
            self._wait(nodes, timeout_s)

    def nodetool(self, number: int, arguments: Sequence[str]) -> int:
        """Runs Cassandra's nodetool on a node; its exit status. Raises ClusterError if the cluster has no JMX."""
        self._running(number)
        if not (port := self.options.jmx_port):
            raise ClusterError("nodetool needs JMX; start the cluster with it: scripts/cassandra up --jmx-port 7199")
        place = ["-h", "127.0.0.1", "-p", str(port + number - 1)]
        command = tool_arguments(self.folder, self.jars, "org.apache.cassandra.tools.NodeTool")
        return subprocess.run([str(find_java()), *command, *place, *arguments], check=False).returncode

    def _wait(self, nodes: Sequence[Node], timeout_s: float) -> None:
        """Until these answer, and see the others if all run. Raises ClusterError with the log's end."""
        begin = time.monotonic()
        while True:
            mute = [node for node in nodes if not node.answers()]
            strangers = [] if mute else self._strangers(begin)
            if not mute and not strangers:
                return
            what = f"{len(nodes) - len(mute)} of {len(nodes)} nodes answer" if mute else "the nodes find each other"
            self._progress(what)
            for node in mute:
                if node.pid is None:
                    raise ClusterError(f"node {node.number} ended while it started; {node.log_tail()}")
            if time.monotonic() - begin > timeout_s:
                slow = (mute or strangers)[0]
                raise ClusterError(f"node {slow.number} does not serve after {timeout_s:.0f} s; {slow.log_tail()}")
            time.sleep(_PAUSE_SECONDS)

    def _strangers(self, since: float) -> list[Node]:
        """If every node of the cluster runs, but they do not see each other yet: all of them; else none."""
        nodes = self.nodes
        if any(node.pid is None or node.is_paused for node in nodes):
            return []
        try:
            agreed = agree([node.address for node in nodes], self.options.port)
        except PasswordRefused:
            # Cassandra makes its first user soon after it answers. If it is refused for long, somebody changed it.
            agreed = time.monotonic() - since > FIRST_USER_SECONDS_MAX
        return [] if agreed else list(nodes)

    def _running(self, number: int) -> Node:
        node = self.node(number)
        if node.pid is None:
            raise ClusterError(f"node {number} does not run; start it: scripts/cassandra restart {number}")
        return node

    def _make_room(self, options: ClusterOptions, *, fresh: bool) -> None:
        """Ends what must not run beside it. Raises ClusterError if these options do not go with what there is."""
        unwanted = [
            node for size in SIZES if fresh or size != options.size for node in self._nodes(options.resized(size))
        ]
        if any(node.pid is not None for node in unwanted):
            self._progress("stopping what runs in this folder")
            _stop(unwanted)
        home, nodes = self._home(options), self._nodes(options)
        if fresh:
            shutil.rmtree(home, ignore_errors=True)
        if any(node.pid is not None for node in nodes) and self.options != options:
            raise ClusterError(
                f"the cluster in {self.folder} runs with other options (see {self._options_file}); "
                "stop it first: scripts/cassandra down"
            )
        if (before := nodes[0].address_before) not in (None, nodes[0].address):
            raise ClusterError(f"the data in {home} are of a node on {before}; give its --network, or --fresh")

    def _nodes(self, options: ClusterOptions) -> tuple[Node, ...]:
        home = self._home(options)
        return tuple(Node(options, number, home / f"node{number}", self.jars) for number in range(1, options.size + 1))

    def _of_all_sizes(self) -> list[Node]:
        options = ClusterOptions.read(self._options_file) or ClusterOptions()
        return [node for size in SIZES for node in self._nodes(options.resized(size))]

    def _home(self, options: ClusterOptions) -> Path:
        return self.folder / f"cluster-{options.size}"

    @property
    def _options_file(self) -> Path:
        return self.folder / "cluster.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one at a time changes a cluster. Where there is no folder there is none."""
        if not self.folder.is_dir():
            yield
            return
        with locked(self.folder / "lock", lambda: self._progress("waiting for another scripts/cassandra to end")):
            yield


def _stop(nodes: Sequence[Node]) -> None:
    """All at once, because each takes seconds to say goodbye."""
    for node in nodes:
        node.terminate()
    for node in nodes:
        node.wait_for_end()
