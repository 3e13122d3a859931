"""Whether an answer about a replicated stream comes from the leader that a majority follows.

A leader that is cut off from the others goes on answering what is only read: from memory, for seconds (seen: messages
for 8 s, the stream's extent for more than 16 s), while the others have elected another and append there. What it says
is true, but old. Two things tell: an operation that the majority has to agree to, and how long ago it heard of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ordermesh.adapters.jetstream_api import NO_PEERS, ApiError, call, stream_name
from ordermesh.adapters.nats_connection import Requests
from ordermesh.runtime.ports import LogError, LogUnavailable, PartitionId

CONFIRM_SECONDS = 3.0
"""For the agreement of a majority; a fraction of that while nothing is lost (1 to 2 ms)."""
SILENCE_SECONDS_MAX = 4.0
"""A leader hears of its followers every second; a follower that hears of no leader elects one after 4 s at least."""
ELECTION_SECONDS = 30.0
"""A cluster that starts, or has lost a leader, has another within that time, and knows all its members."""
ELECTION_PAUSE_SECONDS = 0.25
"""Between two looks whether it has."""


class Leadership:
    """Asks leaders for a proof; what has one replica needs none."""

    def __init__(self, requests: Requests) -> None:
        """`requests` are answered by the servers."""
        self._requests = requests
        self._replicas: dict[PartitionId, int] = {}

    async def confirm(self, partition: PartitionId) -> None:
        """Returns when a majority agreed with the leader after the call, so that what is read next is not older.

        The operation removes what is before sequence 1, which is nothing. Raises LogUnavailable.
        """
        stream = stream_name(partition)
        replicas = self._replicas.get(partition)
        if replicas is None:
            info = await call(self._requests, f"STREAM.INFO.{stream}", {}, CONFIRM_SECONDS)
            replicas = self._replicas[partition] = int(info["config"]["num_replicas"])
        if replicas > 1:
            await call(self._requests, f"STREAM.PURGE.{stream}", {"seq": 1}, CONFIRM_SECONDS)


def check_is_led(info: Mapping[str, Any]) -> None:
    """Raises LogUnavailable where what is told of a stream comes from a server that no majority has followed lately."""
    followers_needed = int(info["config"]["num_replicas"]) // 2
    if not followers_needed:
        return
    cluster = info.get("cluster") or {}
    heard = [
        follower
        for follower in cluster.get("replicas") or ()
        if not follower.get("offline") and int(follower.get("active", 0)) < SILENCE_SECONDS_MAX * 1e9
    ]
    if not cluster.get("leader") or len(heard) < followers_needed:
        raise LogUnavailable(f"{info['config']['name']} has no leader that a majority follows")


async def through_election(attempt: Callable[[], Awaitable[None]], replicas: int) -> None:
    """Repeats what fails while a cluster elects or gathers, for `ELECTION_SECONDS`; once where there is one replica.

    Raises what the last attempt raised.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + (ELECTION_SECONDS if replicas > 1 else 0.0)
    while True:
        try:
            return await attempt()
        except LogError as error:
            if not _may_pass(error) or loop.time() > ends_at:
                raise
        await asyncio.sleep(ELECTION_PAUSE_SECONDS)


def _may_pass(error: LogError) -> bool:
    """No leader, or fewer members than replicas: so says a cluster too whose members do not know each other yet."""
    reason = error.__cause__ or error
    return isinstance(error, LogUnavailable) or (isinstance(reason, ApiError) and reason.code == NO_PEERS)
