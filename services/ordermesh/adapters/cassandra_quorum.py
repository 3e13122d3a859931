"""Where a quorum of replicas was lost, and how that heals.

While it is lost nobody waits for it: a write goes to one replica at once, a read at quorum is refused at once. One
request at a time, and the less often the longer it lasts, is tried at quorum in the background beside its weaker self;
the first that is answered ends it. Only what is really asked for is tried, so a request that always fails cannot keep
up the appearance that nothing works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

import structlog

from ordermesh.runtime.ports import StoreUnavailable

TIMEOUTS_MAX = 3
"""Time-outs in a row of which no server said that replicas are missing: one or two may be a moment's, or a node's."""

PROBE_MIN_S, PROBE_MAX_S = 0.1, 1.0
"""Pauses between two tries: a slow moment is over in the first, and an outage costs at most one time-out a second."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Lost:
    """Since when, and when to try next."""

    since: float
    probe_at: float
    pause_s: float = PROBE_MIN_S
    probe: asyncio.Task[None] | None = None


class Quorum:
    """Of reads or of writes, by replica set. Make it on the running event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._lost: dict[Hashable, _Lost] = {}
        self._timeouts: dict[Hashable, int] = {}
        self.losses = 0

    @property
    def lost_sets(self) -> int:
        """Replica sets without a quorum, as far as is known."""
        return len(self._lost)

    def is_lost(self, replicas: Hashable) -> bool:
        """Whether nobody should wait for a quorum of these replicas."""
        return replicas in self._lost

    def failed(self, replicas: Hashable, reason: object, *, is_certain: bool) -> None:
        """A request at quorum was not answered by enough replicas: said by a server, if that is certain."""
        if replicas in self._lost:
            return
        timeouts = self._timeouts.get(replicas, 0) + 1
        self._timeouts[replicas] = timeouts
        if is_certain or timeouts >= TIMEOUTS_MAX:
            now = self._loop.time()
            self._lost[replicas] = _Lost(since=now, probe_at=now)
            self.losses += 1
            _log.warning("no quorum of replicas answers", of=self._name, reason=str(reason))

    def answered(self, replicas: Hashable) -> None:
        """A request at quorum was answered."""
        self._timeouts.pop(replicas, None)

    def try_beside(self, replicas: Hashable, attempt: Callable[[], Awaitable[object]]) -> None:
        """Has the attempt made in the background, if it is time to try."""
        lost = self._lost.get(replicas)
        if lost is None or lost.probe is not None or self._loop.time() < lost.probe_at:
            return
        lost.probe = asyncio.create_task(self._try(replicas, lost, attempt), name=f"quorum of {self._name}")

    async def close(self) -> None:
        """Ends what runs in the background."""
        probes = [lost.probe for lost in self._lost.values() if lost.probe is not None]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _try(self, replicas: Hashable, lost: _Lost, attempt: Callable[[], Awaitable[object]]) -> None:
        try:
            await attempt()
        except StoreUnavailable:
            lost.probe_at = self._loop.time() + lost.pause_s
            lost.pause_s = min(2 * lost.pause_s, PROBE_MAX_S)
        else:
            del self._lost[replicas]
            self.answered(replicas)
            _log.info("a quorum answers again", of=self._name, after_s=round(self._loop.time() - lost.since, 1))
        finally:
            lost.probe = None
