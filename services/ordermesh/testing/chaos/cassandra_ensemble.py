"""Three Cassandra nodes, each behind a proxy at the address that it tells its clients."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from ordermesh.testing.cassandra_nodes import Cluster, ClusterOptions
from ordermesh.testing.chaos.links import Links
from ordermesh.testing.chaos.proxy import Identify, Proxy

FIRST_NETWORK, NETWORKS = 192, 32
"""Second numbers of 127.x.y: apart from those that tests and people use."""
TOLD_OFFSET = 10


class CassandraEnsemble:
    """`cassandra-1` to `cassandra-3`. What blocks is done in a thread."""

    def __init__(
        self, folder: Path, jars: Path, links: Links, identify: Identify, progress: Callable[[str], None]
    ) -> None:
        """`progress` is told of the first start only: later ones are faults that end."""
        pid = os.getpid()
        network = f"127.{FIRST_NETWORK + pid // 256 % NETWORKS}.{pid % 256}"
        self._options = ClusterOptions(size=3, network=network, told_offset=TOLD_OFFSET)
        self.names = [f"cassandra-{number}" for number in range(1, self._options.size + 1)]
        self._folder, self._jars = folder, jars
        self._cluster = Cluster(folder, jars, progress)
        self._links = links
        self._identify = identify
        self._proxies: list[Proxy] = []

    @property
    def contact_points(self) -> str:
        """As the engine's setting has them: the proxies."""
        return ",".join(f"{address}:{self._options.port}" for address in self._options.told_addresses)

    async def start(self) -> None:
        """Starts proxies and nodes. Raises ClusterError."""
        ends = zip(self.names, self._options.addresses, self._options.told_addresses, strict=True)
        for name, address, told in ends:
            proxy = Proxy(name, (address, self._options.port), self._links, self._identify)
            await proxy.start((told, self._options.port))
            self._proxies.append(proxy)
        await asyncio.to_thread(self._cluster.up, self._options)
        self._cluster = Cluster(self._folder, self._jars)

    async def kill(self, name: str) -> None:
        """Ends it as a crash would."""
        await asyncio.to_thread(self._cluster.kill, _number(name))

    async def pause(self, name: str) -> None:
        """Lets it hang."""
        await asyncio.to_thread(self._cluster.pause, _number(name))

    async def resume(self, name: str) -> None:
        """Lets it go on."""
        await asyncio.to_thread(self._cluster.resume, _number(name))

    async def revive(self) -> None:
        """Wakes and starts what does not run, and waits until every node answers. Raises ClusterError."""
        await asyncio.to_thread(self._cluster.up, self._options)

    async def stop(self) -> None:
        """Ends the proxies, and the nodes at once."""
        for proxy in self._proxies:
            await proxy.stop()
        await asyncio.to_thread(self._kill_nodes)

    def _kill_nodes(self) -> None:
        for number in range(1, self._options.size + 1):
            self._cluster.kill(number)


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
