"""What a process hears from the others on the bus: who is there, and how partitions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oms.log.v1 import log_pb2
from ordermesh.runtime.ports import Clock


class Neighbours:
    """The processes of every role that were heard of lately."""

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._heard: dict[str, tuple[log_pb2.Member, float]] = {}

    def hear(self, data: bytes) -> None:
        """Takes a sign of life from the bus."""
        member = log_pb2.Member.FromString(data)
        self._heard[member.instance] = (member, self._clock.monotonic())
        if member.leaving:
            del self._heard[member.instance]

    def members(self) -> list[log_pb2.Member]:
        """Those heard of within the time-out, by role and name."""
        too_old = self._clock.monotonic() - self._timeout_s
        self._heard = {name: (member, heard) for name, (member, heard) in self._heard.items() if heard > too_old}
        return sorted((member for member, _ in self._heard.values()), key=lambda member: (member.role, member.instance))


class Statuses:
    """The newest status of every partition that was heard of lately."""

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._heard: dict[tuple[str, int], tuple[log_pb2.PartitionStatus, float]] = {}

    def hear(self, data: bytes) -> None:
        """Takes what an owner says of a partition."""
        status = log_pb2.PartitionStatus.FromString(data)
        self._heard[status.group, status.partition] = (status, self._clock.monotonic())

    def all(self) -> list[log_pb2.PartitionStatus]:
        """Those heard of within the time-out, by partition."""
        too_old = self._clock.monotonic() - self._timeout_s
        return [status for _, (status, heard) in sorted(self._heard.items()) if heard > too_old]

    def of(self, instance: str) -> Callable[[], Sequence[log_pb2.PartitionStatus]]:
        """Gives what that process says of its own partitions."""
        return lambda: [status for status in self.all() if status.instance == instance]
