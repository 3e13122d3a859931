"""The processes of a deployment: who was heard of lately, and taking an owner out of work and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from oms.log.v1 import log_pb2
from ordermesh.runtime import subjects
from ordermesh.runtime.membership import serves
from ordermesh.runtime.ports import Bus, Clock
from ordermesh.runtime.problems import Problem, not_yet_known

POLL_S = 0.1
"""Between two words to a process, which may be lost, and looks whether it has done it."""
NAME_CHARACTERS_MAX = 128
"""Of what was given as a name, in an answer."""

Members = Callable[[], Sequence[log_pb2.Member]]
"""The processes heard of lately."""


class Fleet:
    """The processes, as one of them hears of the others on the bus."""

    def __init__(self, members: Members, bus: Bus, clock: Clock) -> None:
        self._members = members
        self._bus = bus
        self._clock = clock

    def members(self) -> Sequence[log_pb2.Member]:
        """Those heard of lately."""
        return self._members()

    async def drain(self, instance: str, groups: Sequence[str], timeout_s: float) -> log_pb2.Member:
        """Has an owner hand over all that it has, and returns it then. `groups` are those of the deployment.

        Raises Problem, also where it takes longer.
        """
        owner = self._owner(instance)
        for group in groups:
            if serves(owner, group) and not self._has_others(owner, group):
                message = f"{instance} is the only owner at work for the group {group}; start another first."
                raise Problem("INSTANCE_NOT_DRAINABLE", message, metadata={"subject": instance, "group": group})
        return await self._until(instance, timeout_s, drained=True)

    async def resume(self, instance: str, timeout_s: float) -> log_pb2.Member:
        """Has a drained owner take its part again. Raises Problem."""
        return await self._until(instance, timeout_s, drained=False)

    async def _until(self, instance: str, timeout_s: float, *, drained: bool) -> log_pb2.Member:
        ends_at = self._clock.monotonic() + timeout_s
        word = log_pb2.Drain(instance=instance, drained=drained).SerializeToString()
        while (owner := self._owner(instance)).drained != drained or owner.draining != drained:
            if self._clock.monotonic() > ends_at:
                done = "handed over all that it has" if drained else "said that it takes part again"
                raise not_yet_known(f"{instance} has not {done} yet; ask again.", subject=instance)
            self._bus.publish(subjects.DRAIN, word)
            await asyncio.sleep(POLL_S)
        return owner

    def _owner(self, instance: str) -> log_pb2.Member:
        """The owner of that name. Raises Problem."""
        for member in self._members():
            if member.role == "owner" and member.instance == instance:
                return member
        named = instance[:NAME_CHARACTERS_MAX]
        message = f"No owner process {named!r} was heard of lately; `ordermesh partitions` names them."
        raise Problem("INSTANCE_NOT_FOUND", message, metadata={"instance": named})

    def _has_others(self, owner: log_pb2.Member, group: str) -> bool:
        return any(
            member.role == "owner" and member.instance != owner.instance and not member.draining
            for member in self._members()
            if serves(member, group)
        )
