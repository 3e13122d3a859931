"""The last that is done with logs which are given up: what is in them is decided and told, and nothing new is begun.

No timer falls due, no provider is asked, nothing is trimmed: what is open stays on the agenda.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.message import Message

from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.host import OwnerHost
from ordermesh.runtime.owner import Owner
from ordermesh.runtime.ports import Kind, Log, LogUnavailable, PartitionId
from ordermesh.runtime.relay import Relay

POLL_S = 0.1
"""Between two looks whether all is at rest."""
PATIENCE_S = 60.0
"""Without any progress for that long it is given up: log or store do not answer, or something runs that should not."""

_INTAKE: Sequence[Kind] = ("commands", "messages")


class Stuck(Exception):
    """It does not go on; the text says where."""


class Interfered(Exception):
    """Another owner runs; the text names it."""


async def leave_open(_request: Message, _key: str) -> Message:
    """In place of the provider: the effect stays on the agenda."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets that")


class DrainHost(OwnerHost):
    """Owners without what comes by the clock."""

    async def _look_after(self, owner: Owner) -> None:
        """Wakes what is parked; no timer falls due."""
        while True:
            if owner.memory.agenda.parked and not owner.loader.is_silent:
                owner.unpark_wanted = True
                owner.wake()
            await asyncio.sleep(self._options.tick_s)

    def check(self) -> None:
        """Raises Contradiction for a partition that has stopped, Interfered where another owner is heard of."""
        for partition, reason in self._stopped.items():
            raise Contradiction(f"{partition} is stopped: {reason}")
        others = [member.instance for member in self._membership.members()[1:]]
        if others:
            raise Interfered(f"owners run: {', '.join(sorted(others))}. Stop them, and run this again")


class _Looked(NamedTuple):
    """What one look found of a partition: its log's last sequence, its last decision's, and why it is not at rest."""

    last_sequence: int
    decided: int
    head: int
    why: str


async def drain(
    host: DrainHost, log: Log, partitions: Sequence[PartitionId], tell: Callable[[int], None]
) -> Mapping[PartitionId, int]:
    """Decides all that is in the logs, until no partition has anything for another, and checkpoints it; `tell` hears
    how much waits. Gives the sequence of each log's last decision frame. Raises Contradiction, Interfered, Stuck."""
    running = asyncio.create_task(host.run())
    rest = _Rest(host, log, partitions, tell)
    try:
        await _until(rest.is_reached, running)
        host.stop()
        await running
        host.check()
        return rest.heads()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class _Rest:
    """Two looks in a row that find everybody at rest and no log grown: then nothing was under way between them."""

    def __init__(
        self, host: DrainHost, log: Log, partitions: Sequence[PartitionId], tell: Callable[[int], None]
    ) -> None:
        self._host = host
        self._log = log
        self._partitions = partitions
        self._tell = tell
        self._before: Mapping[PartitionId, _Looked] = {}

    async def is_reached(self) -> tuple[bool, Any, str]:
        """Whether it is, what changes as long as it goes on, and what is waited for."""
        self._host.check()
        found = {partition: await self._look(partition) for partition in self._partitions}
        taken = [each for each in found.values() if each.head]
        self._tell(sum(each.last_sequence - max(each.decided, each.head) for each in taken))
        waits = [f"{partition} {each.why}" for partition, each in found.items() if each.why]
        is_reached = not waits and found == self._before
        self._before = found
        return is_reached, found, "; ".join(waits)

    def heads(self) -> Mapping[PartitionId, int]:
        """Where the decisions of each partition end."""
        return {partition: each.head for partition, each in self._before.items()}

    async def _look(self, partition: PartitionId) -> _Looked:
        owner = self._host.owners.get(partition)
        try:
            last_sequence = (await self._log.state(partition)).last_sequence
            last = [await self._log.last(partition, kind) for kind in _INTAKE]
        except LogUnavailable as error:
            return _Looked(0, 0, 0, f"has a log that does not answer ({error})")
        if owner is None:
            return _Looked(last_sequence, 0, 0, "is not taken yet")
        frame, head = owner.head.frame, owner.head.sequence
        asked = max((stored.sequence for stored in last if stored is not None), default=0)
        why = ""
        if asked > frame.decided_sequence or (asked == frame.decided_sequence and frame.decided_index >= 0):
            why = "has more to decide"
        elif owner.memory.agenda.parked:
            why = "has parked commands that wait for the store"
        elif any(sent < head for sent in owner.outbox.sent_through().values()):
            why = "has messages for others"
        return _Looked(last_sequence, frame.decided_sequence, head, why)


async def publish(relay: Relay, log: Log, partitions: Sequence[PartitionId]) -> None:
    """Tells the world all that was decided. Raises Stuck."""
    ends = {}
    for partition in partitions:
        last = await log.last(partition, "decisions")
        if last is not None:
            ends[partition] = last.sequence

    async def is_reached() -> tuple[bool, Any, str]:
        places = relay.places()
        behind = [
            partition
            for partition, end in ends.items()
            if (place := places.get(partition)) is None or place.sequence < end
        ]
        return not behind, (relay.published, places), f"not published yet: {', '.join(map(str, behind))}"

    running = asyncio.create_task(relay.run())
    try:
        await _until(is_reached, running)
        relay.stop()
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _until(look: Callable[[], Any], running: asyncio.Task[None]) -> None:
    """Looks until it is reached. Raises Stuck when nothing changes any more, and whatever `running` raises."""
    loop = asyncio.get_running_loop()
    changed_at, known = loop.time(), None
    while True:
        if running.done():
            await running
            raise Stuck("it has ended too early")
        is_reached, changing, why = await look()
        if is_reached:
            return
        if changing != known:
            changed_at, known = loop.time(), changing
        elif loop.time() - changed_at > PATIENCE_S:
            raise Stuck(f"no progress for {PATIENCE_S:.0f} s: {why}")
        await asyncio.sleep(POLL_S)
