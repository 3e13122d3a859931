"""A log and a store that measure what is asked of them, for /metrics: durations, failures, and how full logs are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.ports import (
    Kind,
    Log,
    LogError,
    LogState,
    Page,
    PartitionId,
    Reader,
    Store,
    Stored,
    StoredAggregate,
    StoreUnavailable,
    Written,
)

APPEND_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds: fine around a sync of a disk (a millisecond), up to the time after which an append is repeated."""
STORE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds: from a commit on this machine to a cluster that is in trouble."""


class MeasuredLog(Collector):
    """The `Log` given, measured."""

    def __init__(self, log: Log, registry: CollectorRegistry) -> None:
        self._log = log
        self._states: dict[PartitionId, LogState] = {}
        self._seconds = Histogram(
            "ordermesh_log_append_seconds", "Time of an append until it is durable.", ("kind",),
            buckets=APPEND_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._failures = Counter(
            "ordermesh_log_append_failures", "Appends that failed, by error.", ("kind", "error"), registry=registry
        )
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """How full the logs are that this process has looked at."""
        used = GaugeMetricFamily("ordermesh_log_bytes", "Bytes in a partition's log.", labels=("group", "partition"))
        room = GaugeMetricFamily("ordermesh_log_bytes_max", "Bytes reserved for it.", labels=("group", "partition"))
        for partition, state in self._states.items():
            used.add_metric((partition.group, str(partition.number)), state.bytes_used)
            room.add_metric((partition.group, str(partition.number)), state.bytes_max)
        yield from (used, room)

    async def create(self, partition: PartitionId, bytes_max: int) -> None:
        """See `Log.create`."""
        await self._log.create(partition, bytes_max)

    async def append(
        self,
        partition: PartitionId,
        kind: Kind,
        data: bytes,
        *,
        frame_id: str,
        dedupe: bool,
        expected: int | None = None,
    ) -> int:
        """See `Log.append`."""
        begun = time.perf_counter()
        try:
            sequence = await self._log.append(
                partition, kind, data, frame_id=frame_id, dedupe=dedupe, expected=expected
            )
        except LogError as error:
            self._failures.labels(kind, type(error).__name__).inc()
            raise
        self._seconds.labels(kind).observe(time.perf_counter() - begun)
        return sequence

    async def read(
        self,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool = False,
    ) -> Reader:
        """See `Log.read`."""
        return await self._log.read(partition, kinds, after, deliver, headers_only=headers_only)

    async def fetch(self, partition: PartitionId, kinds: Sequence[Kind], after: int, count_max: int) -> list[Stored]:
        """See `Log.fetch`."""
        return await self._log.fetch(partition, kinds, after, count_max)

    async def last(self, partition: PartitionId, kind: Kind) -> Stored | None:
        """See `Log.last`."""
        return await self._log.last(partition, kind)

    async def state(self, partition: PartitionId) -> LogState:
        """See `Log.state`."""
        state = self._states[partition] = await self._log.state(partition)
        return state

    async def trim(self, partition: PartitionId, through: int) -> None:
        """See `Log.trim`."""
        await self._log.trim(partition, through)


class MeasuredStore:
    """The `Store` given, measured: what flushes and checkpoints take, and everything that fails."""

    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        self._store = store
        self._seconds = Histogram(
            "ordermesh_store_write_seconds", "Time of a flush's write, or of a checkpoint's.", ("operation",),
            buckets=STORE_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._failures = Counter(
            "ordermesh_store_failures", "What the store did not do.", ("operation",), registry=registry
        )

    async def write(self, rows: Sequence[Row]) -> Written:
        """See `Store.write`."""
        with _Measured(self._seconds, self._failures, "write"):
            return await self._store.write(rows)

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """See `Store.save_checkpoint`."""
        with _Measured(self._seconds, self._failures, "checkpoint"):
            await self._store.save_checkpoint(partition, checkpoint, write_time)

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load`."""
        with _Measured(self._seconds, self._failures, "load"):
            return await self._store.load(table, keys)

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """See `Store.load_weakly`."""
        return await self._store.load_weakly(table, keys)

    async def query(
        self, table: Table, partition: Sequence[object], *, after: bytes = b"", count_max: int, quorum: bool = True
    ) -> Page:
        """See `Store.query`."""
        return await self._store.query(table, partition, after=after, count_max=count_max, quorum=quorum)

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """See `Store.scan`."""
        return await self._store.scan(table, after=after, count_max=count_max)

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """See `Store.load_checkpoint`."""
        return await self._store.load_checkpoint(partition)

    async def load_deployment(self) -> bytes | None:
        """See `Store.load_deployment`."""
        return await self._store.load_deployment()

    async def create_deployment(self, deployment: bytes) -> bytes:
        """See `Store.create_deployment`."""
        return await self._store.create_deployment(deployment)

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """See `Store.replace_deployment`."""
        return await self._store.replace_deployment(known, deployment)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._store.close()


class _Measured:
    """The time of a block that ends well, or the failure."""

    __slots__ = ("_begun", "_failures", "_operation", "_seconds")

    def __init__(self, seconds: Histogram, failures: Counter, operation: str) -> None:
        self._seconds = seconds
        self._failures = failures
        self._operation = operation
        self._begun = 0.0

    def __enter__(self) -> None:
        """Begins."""
        self._begun = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """Observes."""
        if kind is None:
            self._seconds.labels(self._operation).observe(time.perf_counter() - self._begun)
        elif issubclass(kind, StoreUnavailable):
            self._failures.labels(self._operation).inc()
