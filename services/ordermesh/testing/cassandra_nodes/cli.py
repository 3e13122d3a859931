"""The commands of scripts/cassandra."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ordermesh.testing.cassandra_nodes.cluster import UP_SECONDS_MAX, Cluster
from ordermesh.testing.cassandra_nodes.errors import ClusterError
from ordermesh.testing.cassandra_nodes.jars import cassandra_version
from ordermesh.testing.cassandra_nodes.options import ClusterOptions

FOLDER = Path(".cassandra")
JARS = FOLDER / "jars"
QUIET_SECONDS = 15.0
"""Where progress goes to a file, a line is written that often."""
DEFAULTS = ClusterOptions()

Data = Annotated[Path, typer.Option("--data", help="Folder of the cluster: its data, logs and options.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The node, from 1.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "A real Cassandra for development: one node or three on 127.0.0.1 (.2, .3), port 9042, of Maven's jars. "
        "Needs Java 17 and Maven. The nodes stay until `down`; their data stay longer."
    ),
)


class ProgressLine:
    """Says on stderr what is being waited for: in one line that changes, or a line now and then where none can."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._said_at = float("-inf")
        self._width = 0

    @property
    def elapsed_s(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._begin

    def __call__(self, text: str) -> None:
        """Says it, with the time that passed."""
        line = f"Cassandra: {text}, {self.elapsed_s:.0f} s"
        if sys.stderr.isatty():
            print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(line)
        elif time.monotonic() - self._said_at >= QUIET_SECONDS:
            print(line, file=sys.stderr, flush=True)
            self._said_at = time.monotonic()

    def close(self) -> None:
        """Ends the line."""
        if self._width:
            print(file=sys.stderr)


@contextmanager
def _cluster(data: Path, progress: ProgressLine) -> Iterator[Cluster]:
    """The cluster in the folder; what goes wrong with it ends the program in words."""
    try:
        yield Cluster(data, jars=JARS, progress=progress)
    except ClusterError as error:
        progress.close()
        print(f"scripts/cassandra: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        progress.close()
        print("Interrupted; what was started stays. Stop it with: scripts/cassandra down", file=sys.stderr)
        raise typer.Exit(130) from None
    progress.close()


@app.command()
def up(
    size: Annotated[int, typer.Argument(metavar="[1|3]", help="How many nodes.")] = DEFAULTS.size,
    *,
    data: Data = FOLDER,
    network: Annotated[str, typer.Option(help="Node N listens on NETWORK.N.")] = DEFAULTS.network,
    port: Annotated[int, typer.Option(help="Of CQL, on every node.")] = DEFAULTS.port,
    storage_port: Annotated[int, typer.Option(help="Between nodes, on every node.")] = DEFAULTS.storage_port,
    jmx_port: Annotated[int, typer.Option(help="Of node 1, one more for each, on 127.0.0.1; 0: none.")] = 0,
    auth: Annotated[bool, typer.Option("--auth", help="Ask for user and password: cassandra, cassandra.")] = False,
    heap: Annotated[int, typer.Option(help="MiB of each node's JVM.")] = DEFAULTS.heap_mebibytes,
    steady: Annotated[bool, typer.Option("--steady", help="Give the heap its full size from the start.")] = False,
    optimise: Annotated[bool, typer.Option("--optimise", help="Compile as in production: for measuring.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data first.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds until it gives up.")] = UP_SECONDS_MAX,
) -> None:
    """Start the cluster, or what of it does not run, and wait until every node answers CQL."""
    progress = ProgressLine()
    with _cluster(data, progress) as cluster:
        options = ClusterOptions(
            size=size, network=network, port=port, storage_port=storage_port, jmx_port=jmx_port,
            authentication=auth, heap_mebibytes=heap, steady=steady, optimise=optimise,
        )  # fmt: skip
        cluster.up(options, fresh=fresh, timeout_s=timeout)
    where = ", ".join(options.addresses)
    print(f"Cassandra {cassandra_version()} answers on {where}, port {port}, after {progress.elapsed_s:.0f} s")


@app.command()
def down(data: Data = FOLDER) -> None:
    """Stop all nodes; their data stay."""
    with _cluster(data, ProgressLine()) as cluster:
        cluster.down()
    print("Cassandra is stopped")


@app.command()
def kill(number: Number, data: Data = FOLDER) -> None:
    """End a node as a crash would (SIGKILL)."""
    with _cluster(data, ProgressLine()) as cluster:
        cluster.kill(number)
    print(f"Node {number} is killed")


@app.command()
def restart(number: Number, data: Data = FOLDER) -> None:
    """Start a node again, after a clean stop if it runs, and wait until it answers CQL."""
    progress = ProgressLine()
    with _cluster(data, progress) as cluster:
        cluster.restart(number)
    print(f"Node {number} answers after {progress.elapsed_s:.0f} s")


@app.command()
def pause(number: Number, data: Data = FOLDER) -> None:
    """Let a node hang (SIGSTOP)."""
    with _cluster(data, ProgressLine()) as cluster:
        cluster.pause(number)
    print(f"Node {number} hangs")


@app.command()
def resume(number: Number, data: Data = FOLDER) -> None:
    """Let a node that hangs go on (SIGCONT)."""
    with _cluster(data, ProgressLine()) as cluster:
        cluster.resume(number)
    print(f"Node {number} goes on")


@app.command(context_settings={"ignore_unknown_options": True})
def nodetool(
    number: Number,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND...", help="As in: tablestats KEYSPACE")
    ] = None,
    data: Data = FOLDER,
) -> None:
    """Run Cassandra's nodetool on a node of a cluster that was started with --jmx-port."""
    with _cluster(data, ProgressLine()) as cluster:
        result = cluster.nodetool(number, arguments or [])
    raise typer.Exit(result)


@app.command()
def status(data: Data = FOLDER) -> None:
    """Print each node's address, process and state; exit status 0 only if all answer."""
    with _cluster(data, ProgressLine()) as cluster:
        states = [(node, node.state) for node in cluster.nodes]
    for node, state in states:
        print(f"{node.number}  {node.address}:{node.options.port}  {node.pid or '-'}  {state}")
    if any(state != "up" for _, state in states):
        raise typer.Exit(1)
