"""What an owner process measures of the partitions that it owns now, beside what it tells everybody on the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from ordermesh.runtime.owner import Owner
from ordermesh.runtime.ports import Clock, PartitionId

LABELS = ("group", "partition")


def _checkpoint_age_s(owner: Owner, now_us: int) -> float:
    """How old the newest checkpoint is; 0 while the log has nothing after it."""
    saved = owner.flusher.checkpoint or owner.checkpoint
    if saved.frame >= owner.head.frame.number:
        return 0.0
    return max(0, now_us - saved.clock_us) / 1_000_000


_GAUGES: Sequence[tuple[str, str, Callable[[Owner, int], float]]] = (
    (
        "ordermesh_partition_unflushed_bytes",
        "Decided and not in the store.",
        lambda owner, _: owner.flusher.unflushed_bytes,
    ),
    ("ordermesh_partition_store_failing", "Whether flushes fail now.", lambda owner, _: owner.flusher.is_failing),
    (
        "ordermesh_partition_dirty",
        "Aggregates changed and not stored.",
        lambda owner, _: len(owner.cache.dirty),
    ),
    ("ordermesh_partition_checkpoint_age_seconds", "Age of what a new owner would begin with.", _checkpoint_age_s),
)


class OwnerMetrics(Collector):
    """The figures of every owner of the process. Frames' fill is `ordermesh_frame_items`: sum over count."""

    def __init__(self, registry: CollectorRegistry, owners: Mapping[PartitionId, Owner], clock: Clock) -> None:
        self._owners = owners
        self._clock = clock
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """One family per figure, labelled with group and partition."""
        now_us = self._clock.now_us()
        for name, text, figure in _GAUGES:
            family = GaugeMetricFamily(name, text, labels=LABELS)
            for partition, owner in self._owners.items():
                family.add_metric((partition.group, str(partition.number)), float(figure(owner, now_us)))
            yield family
        fill = SummaryMetricFamily("ordermesh_frame_items", "Commands decided in a frame.", labels=LABELS)
        for partition, owner in self._owners.items():
            labels = (partition.group, str(partition.number))
            fill.add_metric(labels, count_value=owner.frames, sum_value=owner.decided)
        yield fill
