"""The nats-servers of `ordermesh up`: one, or three as a cluster on this machine, and what each of them is told.

They know each other by fixed names, so ports may be others at every start; only directories have to stay.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ordermesh.adapters.nats_server import STORE_BYTES_DEFAULT, ClusterMember, NatsServer, NatsServerError

MEMBERS = 3
"""One may be lost: the other two are a majority."""
CLUSTER_NAME = "ordermesh"
PORTS = range(20_000, 32_000)
"""Below those that the system gives to connections: nobody's connection takes a port while its server is down."""
PORT_TRIES_MAX = 1_000
"""Ports that are looked at before it is given up."""


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """So many different ports on which nobody listens now. Raises NatsServerError where there are none."""
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(PORT_TRIES_MAX):
            port = random.choice(PORTS)
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise NatsServerError(f"{count} free ports between {PORTS.start} and {PORTS.stop} on {host} were not found")


def own_servers(data: Path, *, replicas: int, port: int, store_bytes_max: int) -> list[NatsServer]:
    """One server in `nats`, or the members of a cluster; `port` 0 takes free ones, else it is that of the first and
    the others have the next. Raises NatsServerError."""
    if replicas == 1:
        return [NatsServer(data / "nats", port=port, store_bytes_max=store_bytes_max)]
    ports = range(port, port + MEMBERS) if port else ()
    return cluster_servers(data, ports=ports, store_bytes_max=store_bytes_max)


def member_directories(data: Path) -> list[Path]:
    """Where the members of a cluster keep what is theirs: `nats-1`, `nats-2`, `nats-3`."""
    return [data / f"nats-{number}" for number in range(1, MEMBERS + 1)]


def cluster_servers(
    data: Path, *, ports: Sequence[int] = (), store_bytes_max: int = STORE_BYTES_DEFAULT
) -> list[NatsServer]:
    """The members of a cluster on the loopback, not started; `ports` are those for clients, free ones if not given.

    Start them together. Raises NatsServerError where there are not enough free ports.
    """
    free = free_ports(2 * MEMBERS)
    among_them, for_clients = free[:MEMBERS], ports or free[MEMBERS:]
    routes = tuple(f"nats-route://127.0.0.1:{port}" for port in among_them)
    return [
        NatsServer(
            directory,
            port=client_port,
            store_bytes_max=store_bytes_max,
            member=ClusterMember(
                server_name=directory.name,
                cluster_name=CLUSTER_NAME,
                listen=f"127.0.0.1:{route_port}",
                routes=tuple(route for route in routes if not route.endswith(f":{route_port}")),
            ),
        )
        for directory, client_port, route_port in zip(member_directories(data), for_clients, among_them, strict=True)
    ]
