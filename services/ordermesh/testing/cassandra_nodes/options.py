"""The shape of a cluster: how many nodes, where they listen, what they may use."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from ordermesh.testing.cassandra_nodes.errors import ClusterError

SIZES = (1, 3)
"""How many nodes there may be: one to develop on, three to lose one of."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """What `scripts/cassandra up` was told. Frozen: a cluster keeps what it started with."""

    size: int = 1
    """Nodes; one of SIZES."""
    network: str = "127.0.0"
    """The first three numbers of the nodes' addresses; node N listens on network.N."""
    port: int = 9042
    """Of the native protocol (CQL), the same on every node."""
    storage_port: int = 7000
    """By which the nodes speak to each other, the same on every node."""
    jmx_port: int = 0
    """Node N serves JMX, for nodetool, on 127.0.0.1 at jmx_port + N - 1; 0: not at all."""
    authentication: bool = False
    """Whether clients need a user and a password; the first one is cassandra with password cassandra."""
    heap_mebibytes: int = 320
    """Of each node's JVM."""
    steady: bool = False
    """Whether the heap has its full size from the start, as in production. To make it larger while it is used, as
    happens else, stops a node for up to a second."""
    optimise: bool = False
    """Whether the JVM compiles as hard as in production: slow to start, about as fast as it gets after minutes."""
    told_offset: int = 0
    """Node N tells clients that it is at network.(N + told_offset): where a proxy stands before it."""

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ClusterError(f"a cluster has {' or '.join(map(str, SIZES))} nodes, not {self.size}")
        try:
            loopback = ipaddress.ip_address(f"{self.network}.1").is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ClusterError(f"{self.network}: expected the first three numbers of a loopback network, as in 127.0.1")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the nodes listen, node 1 first."""
        return tuple(f"{self.network}.{number}" for number in range(1, self.size + 1))

    @property
    def told_addresses(self) -> tuple[str, ...]:
        """Where clients are told to find the nodes, node 1 first."""
        return tuple(f"{self.network}.{number + self.told_offset}" for number in range(1, self.size + 1))

    def resized(self, size: int) -> Self:
        """The same with another number of nodes."""
        return replace(self, size=size)

    def write(self, path: Path) -> None:
        """Keeps them in a file for the commands that follow."""
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n")
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What `write` kept; None if there is no such file. Raises ClusterError if it is something else."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise ClusterError(f"{path} is not what scripts/cassandra wrote: {error}; remove it") from error
