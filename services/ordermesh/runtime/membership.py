"""Who is there, and who should own what: heartbeats on the bus and rendezvous hashing.

All of it is a hint. Two members that disagree may both take a partition for a moment; the fence of the log decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

from oms.log.v1 import log_pb2
from ordermesh.runtime import subjects
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Bus, Clock, PartitionId


def preferred(partition: PartitionId, instances: Sequence[str]) -> str | None:
    """Rendezvous hashing: the member with the highest weight for this partition; few partitions move when one goes."""

    def weight(instance: str) -> bytes:
        return blake2b(f"{partition}\x1f{instance}".encode(), digest_size=8).digest()

    return max(instances, key=weight, default=None)


def serves(member: log_pb2.Member, group: str) -> bool:
    """Whether a member is there for a group: for all, unless it says which."""
    return not member.groups or group in member.groups


class Membership:
    """Announces this process and knows the others of its role."""

    def __init__(
        self, instance: str, role: str, groups: Sequence[str], build: str, bus: Bus, clock: Clock, options: OwnerOptions
    ) -> None:
        self._self = log_pb2.Member(instance=instance, role=role, groups=groups, build=build)
        self._bus = bus
        self._clock = clock
        self._options = options
        self._seen: dict[str, tuple[log_pb2.Member, float]] = {}
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Announces until cancelled; answers a newcomer at once, so that it need not wait to know everybody."""
        ends = [
            await self._bus.subscribe(subjects.MEMBERS, self._hear),
            await self._bus.subscribe(subjects.DRAIN, self._hear_drain),
        ]
        try:
            while True:
                self._announce()
                self._forget()
                await asyncio.sleep(self._options.heartbeat_s)
        finally:
            for end in ends:
                await end()

    def leave(self) -> None:
        """Tells the others not to wait for the time-out."""
        self._self.leaving = True
        self._announce()

    @property
    def is_draining(self) -> bool:
        """Whether an operator wants this process to own nothing."""
        return self._self.draining

    def handed_over(self) -> None:
        """Nothing is owned any more: if this process is to be drained, the others may take what it had."""
        if self._self.draining and not self._self.drained:
            self._self.drained = True
            self._announce()

    def owner_of(self, partition: PartitionId) -> str | None:
        """Who should own a partition, as far as this process knows. Drained members stand in where nobody else is."""
        members = [member for member, _ in self._seen.values()]
        able = {each.instance: each.drained for each in members if serves(each, partition.group)}
        if not self._self.leaving and serves(self._self, partition.group):
            able[self._self.instance] = self._self.draining
        willing = [instance for instance, is_drained in able.items() if not is_drained]
        return preferred(partition, sorted(willing or able))

    def is_mine(self, partition: PartitionId) -> bool:
        """Whether that is this process."""
        return self.owner_of(partition) == self._self.instance

    def members(self) -> list[log_pb2.Member]:
        """Everybody of this role, this process first."""
        return [self._self, *(member for member, _ in self._seen.values())]

    def _announce(self) -> None:
        self._bus.publish(subjects.MEMBERS, self._self.SerializeToString())

    def _hear(self, data: bytes) -> None:
        member = log_pb2.Member.FromString(data)
        if member.role != self._self.role or member.instance == self._self.instance:
            return
        known = self._seen.get(member.instance)
        if member.leaving:
            if self._seen.pop(member.instance, None) is not None:
                self.changed.set()
            return
        self._seen[member.instance] = (member, self._clock.monotonic())
        if known is None or known[0].drained != member.drained:
            self.changed.set()
        if known is None:
            self._announce()

    def _hear_drain(self, data: bytes) -> None:
        drain = log_pb2.Drain.FromString(data)
        if drain.instance != self._self.instance:
            return
        self._self.draining = drain.drained
        if not drain.drained:
            self._self.drained = False
        self.changed.set()
        self._announce()

    def _forget(self) -> None:
        too_old = self._clock.monotonic() - self._options.member_timeout_s
        for instance in [name for name, (_, heard) in self._seen.items() if heard < too_old]:
            del self._seen[instance]
            self.changed.set()
