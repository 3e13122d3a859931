"""What commands need that work on the logs of a deployment while nothing of it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

from oms.log.v1 import log_pb2
from ordermesh.cli.data_directory import DataDirectory
from ordermesh.runtime import subjects
from ordermesh.runtime.ports import Bus
from ordermesh.runtime.settings import CannotStart, Settings

HEARTBEATS_HEARD = 5
"""So many heartbeats long it is listened for processes; one that runs sends one in each."""


@asynccontextmanager
async def with_nats(settings: Settings, bytes_max: int = 0) -> AsyncIterator[Settings]:
    """The settings with the log's address; the deployment's own nats-servers run meanwhile, and nothing else of it.

    `bytes_max` is what they have to be able to reserve, if that is more than usual. Raises DirectoryHeld, CannotStart.
    """
    if settings.nats:
        yield settings
        return
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.adapters.nats_cluster import own_servers  # noqa: PLC0415 # as above
    from ordermesh.adapters.nats_server import NatsServerError  # noqa: PLC0415 # as above
    from ordermesh.deployment import replicas_wanted  # noqa: PLC0415 # as above

    directory = DataDirectory(settings.data.absolute())
    directory.hold()
    try:
        directory.end_leftovers()
        limit = max(bytes_max, bootstrap.log_bytes_limit(settings))
        servers = own_servers(
            settings.data, replicas=replicas_wanted(settings), port=settings.nats_port, store_bytes_max=limit
        )
        async with AsyncExitStack() as ending:
            for server in servers:
                ending.push_async_callback(server.stop)
            await asyncio.gather(*(server.start() for server in servers))
            yield settings.model_copy(update={"nats": ",".join(server.url for server in servers)})
    except NatsServerError as error:
        raise CannotStart(str(error)) from error
    finally:
        directory.release()


async def members_heard(bus: Bus, heartbeat_s: float, roles: Collection[str]) -> list[str]:
    """The processes of these roles that say they run."""
    heard: set[str] = set()

    def hear(data: bytes) -> None:
        member = log_pb2.Member.FromString(data)
        if member.role in roles and not member.leaving:
            heard.add(member.instance)

    end = await bus.subscribe(subjects.MEMBERS, hear)
    await asyncio.sleep(HEARTBEATS_HEARD * heartbeat_s)
    await end()
    return sorted(heard)
