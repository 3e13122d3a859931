"""Three nats-servers of R3 streams, each behind proxies: one for its clients, one for the other two."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from ordermesh.adapters.nats_cluster import CLUSTER_NAME, MEMBERS, free_ports
from ordermesh.adapters.nats_server import ClusterMember, NatsServer
from ordermesh.testing.chaos.links import Links
from ordermesh.testing.chaos.proxy import Identify, Proxy

HOST = "127.0.0.1"


class NatsEnsemble:
    """`nats-1` to `nats-3`, each in a folder of its name."""

    def __init__(self, folder: Path, links: Links, identify: Identify) -> None:
        self.names = [f"nats-{number}" for number in range(1, MEMBERS + 1)]
        self._folder = folder
        self._links = links
        self._identify = identify
        self._proxies: list[Proxy] = []
        self.servers: dict[str, NatsServer] = {}
        self.urls: list[str] = []

    async def start(self) -> None:
        """Starts proxies and servers. Raises NatsServerError."""
        ports = free_ports(2 * MEMBERS)
        for_clients = [await self._proxy(name, port) for name, port in zip(self.names, ports[:MEMBERS], strict=True)]
        for_routes = [await self._proxy(name, port) for name, port in zip(self.names, ports[MEMBERS:], strict=True)]
        self.urls = [f"nats://{HOST}:{proxy.port}" for proxy in for_clients]
        for number, name in enumerate(self.names):
            routes = [f"nats-route://{HOST}:{proxy.port}" for proxy in for_routes if proxy.server != name]
            member = ClusterMember(
                server_name=name,
                cluster_name=CLUSTER_NAME,
                listen=f"{HOST}:{ports[MEMBERS + number]}",
                routes=tuple(routes),
                advertise=f"{HOST}:{for_routes[number].port}",
            )
            self.servers[name] = NatsServer(self._folder / name, port=ports[number], member=member)
        await asyncio.gather(*(server.start() for server in self.servers.values()))

    async def _proxy(self, name: str, port: int) -> Proxy:
        proxy = Proxy(name, (HOST, port), self._links, self._identify)
        await proxy.start((HOST, 0))
        self._proxies.append(proxy)
        return proxy

    def pids(self) -> dict[int, str]:
        """The servers that run."""
        return {server.pid: name for name, server in self.servers.items() if server.pid is not None}

    async def kill(self, *names: str) -> None:
        """Ends these as a crash would, all at once."""
        await asyncio.gather(*(self.servers[name].kill() for name in names))

    async def revive(self) -> None:
        """Starts all that do not run, together. Raises NatsServerError."""
        down = [server for server in self.servers.values() if server.pid is None]
        await asyncio.gather(*(server.start() for server in down))

    async def restart(self, name: str) -> None:
        """Ends it cleanly and starts it again. Raises NatsServerError."""
        await self.servers[name].stop()
        await self.servers[name].start()

    def pause(self, name: str) -> None:
        """Lets it hang."""
        self.servers[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Lets it go on."""
        self.servers[name].signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Ends everything, at once."""
        await self.kill(*self.servers)
        for proxy in self._proxies:
            await proxy.stop()
