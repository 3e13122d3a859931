"""Whether this process can serve, and if not, why.

Ready means: the log answers. The store and the owners may be away, because orders are taken without them; they are
reasons only until everything was there once, so that nobody is sent to a deployment that is still starting. A process
that starts into an outage waits for them half a minute, and then serves with what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oms.log.v1 import log_pb2
from ordermesh.runtime.ports import Clock, Log, LogError, PartitionId, Store, StoreUnavailable

CHECK_TIMEOUT_S = 1.0
"""A dependency that does not answer in this time counts as away."""
STARTING_S = 30.0
"""How long a process that has not yet seen everything there counts as starting."""
CHECK_AGE_MAX_S = 0.5
"""Probes within this time share one answer, however many ask."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`ready` decides; `reasons` say what is missing; `degraded` says what is away without being needed to serve."""

    ready: bool
    reasons: Sequence[str]
    degraded: Sequence[str]


class ReadinessCheck:
    """Asks log, store and owners, at most twice a second."""

    def __init__(
        self,
        *,
        log: Log,
        store: Store,
        clock: Clock,
        partitions: Sequence[PartitionId],
        statuses: Callable[[], Sequence[log_pb2.PartitionStatus]],
    ) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._partitions = partitions
        self._statuses = statuses
        self._next_partition = 0
        self._was_complete = False
        self._made_at = clock.monotonic()
        self._stopping = False
        self._checked_at = float("-inf")
        self._checking = asyncio.Lock()
        self._newest = Readiness(False, ("starting",), ())

    def stop(self) -> None:
        """From now on the answer is no."""
        self._stopping = True

    async def check(self) -> Readiness:
        """The newest answer, at most half a second old."""
        if self._stopping:
            return Readiness(False, ("stopping",), ())
        async with self._checking:
            if self._clock.monotonic() - self._checked_at > CHECK_AGE_MAX_S:
                self._newest = await self._ask()
                self._checked_at = self._clock.monotonic()
        return self._newest

    async def _ask(self) -> Readiness:
        log, store = await asyncio.gather(self._log_problem(), self._store_problem())
        needed = [problem for problem in (log,) if problem]
        wanted = [problem for problem in (store, *self._owner_problems()) if problem]
        is_starting = not self._was_complete and self._clock.monotonic() - self._made_at < STARTING_S
        if is_starting and (needed or wanted):
            return Readiness(False, (*needed, *wanted), ())
        self._was_complete = True
        return Readiness(not needed, needed, wanted)

    async def _log_problem(self) -> str:
        """Asks one partition's leader, another one each time."""
        partition = self._partitions[self._next_partition % len(self._partitions)]
        self._next_partition += 1
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self._log.state(partition)
        except (LogError, TimeoutError):
            return f"log of {partition} does not answer"
        return ""

    async def _store_problem(self) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self._store.load_deployment()
        except (StoreUnavailable, TimeoutError):
            return "store does not answer"
        return ""

    def _owner_problems(self) -> list[str]:
        statuses = {PartitionId(status.group, status.partition): status for status in self._statuses()}
        ownerless = [str(partition) for partition in self._partitions if partition not in statuses]
        problems = [f"no owner known for {', '.join(ownerless)}"] if ownerless else []
        for partition, status in statuses.items():
            if status.stopped_reason:
                problems.append(f"{partition} is stopped: {status.stopped_reason}")
        return problems
