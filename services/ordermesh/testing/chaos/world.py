"""Everything that a chaos run has running, in one folder: the ensembles, the engine, and the links between them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ordermesh import bootstrap
from ordermesh.runtime.settings import Settings, load_settings
from ordermesh.testing.chaos import guard, webhooks
from ordermesh.testing.chaos.cassandra_ensemble import CassandraEnsemble
from ordermesh.testing.chaos.disk import NoDisk, SmallDisk
from ordermesh.testing.chaos.engines import Engines
from ordermesh.testing.chaos.links import Links
from ordermesh.testing.chaos.nats_ensemble import NatsEnsemble
from ordermesh.testing.chaos.peers import Address, owner_of

ROLES = {"owner": 3, "edge": 2, "relay": 1, "webhooks": 1}
PARTITIONS = 2
LOG_BYTES = 128 << 20
DISK_BYTES = 2 << 30
"""Of the disk that is filled: more than a run of an hour writes."""
DISPATCH_DELAY_S = 0.5
"""So that cancellations meet shipments."""
MYSELF = "observer"
"""What this process is called: it prepares the deployment, and no fault is aimed at it."""

Say = Callable[[str], None]


class World:
    """Start it, let faults happen, heal it, look at it, stop it."""

    def __init__(self, folder: Path, jars: Path, say: Say) -> None:
        self.folder = folder
        self.links = Links()
        self.say = say
        self.disk: SmallDisk | None = None
        self.nats = NatsEnsemble(folder, self.links, self._name_of)
        self.cassandra = CassandraEnsemble(folder / guard.CASSANDRA, jars, self.links, self._name_of, say)
        self._engines: Engines | None = None

    @property
    def engines(self) -> Engines:
        """The engine's processes."""
        assert self._engines is not None
        return self._engines

    @property
    def data(self) -> Path:
        """The engine's data directory: the provider's ledger is in it."""
        return self.folder / "data"

    @property
    def edges(self) -> list[str]:
        """Where the edges serve that were there from the start."""
        return list(self.engines.addresses.values())[: ROLES["edge"]]

    async def start(self) -> None:
        """Starts everything, and waits until it serves. Raises what cannot be."""
        logs = self.data / "logs"
        logs.mkdir(parents=True)
        self._make_disk()
        self.say("starting three nats-servers and three Cassandra nodes")
        await asyncio.gather(self.nats.start(), self.cassandra.start())
        settings = self._settings()
        await bootstrap.prepare(settings, settings.nats)
        self._engines = Engines(settings, logs, self.say)
        for role, count in ROLES.items():
            for _ in range(count):
                self._engines.add(role)
        self.say("starting the engine")
        await self._engines.until_serving()

    def _make_disk(self) -> None:
        disk = SmallDisk(self.folder / guard.SMALL_DISK, DISK_BYTES)
        try:
            disk.make()
        except NoDisk as error:
            self.say(f"NOT TESTED: a full disk ({error}); that fault needs root and loop devices")
        else:
            self.disk = disk

    def _settings(self) -> Settings:
        given: dict[str, Any] = {
            "data": self.data,
            "nats": ",".join(self.nats.urls),
            "replicas": len(self.nats.names),
            "partitions": PARTITIONS,
            "log_bytes": LOG_BYTES,
            "store": "cassandra",
            "cassandra_contact_points": self.cassandra.contact_points,
            "dispatch_delay_s": DISPATCH_DELAY_S,
            **webhooks.SETTINGS,
        }
        return load_settings(given)

    async def heal(self) -> None:
        """Mends and wakes and starts everything, until all of it serves. Raises what does not come back."""
        self.links.mend_all()
        if self.disk is not None:
            self.disk.free()
        for name in self.nats.names:
            self.nats.resume(name)
        for name in self.engines.names:
            self.engines.send(name, signal.SIGCONT)
        await asyncio.gather(self.nats.revive(), self.cassandra.revive())
        await self.engines.until_serving()

    async def stop(self) -> None:
        """Ends everything at once."""
        if self._engines is not None:
            await self._engines.stop()
        await self.nats.stop()
        await self.cassandra.stop()

    def _name_of(self, end: Address, other_end: Address) -> str:
        """The name of the process whose socket is bound to `end`."""
        engines = {} if self._engines is None else self._engines.pids()
        names = {os.getpid(): MYSELF, **self.nats.pids(), **engines}
        return names.get(owner_of(end, other_end, names) or 0, "")
