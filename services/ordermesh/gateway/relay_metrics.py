"""How far partitions are relayed, as relays tell on the bus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from oms.log.v1 import log_pb2


class RelayMetrics(Collector):
    """The newest position heard of every partition."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sequences: dict[tuple[str, int], int] = {}
        registry.register(self)

    def hear(self, data: bytes) -> None:
        """Takes what a relay says of a partition."""
        position = log_pb2.RelayPosition.FromString(data)
        place = position.group, position.partition
        self._sequences[place] = max(position.sequence, self._sequences.get(place, 0))

    def collect(self) -> Iterable[Metric]:
        """One gauge for each partition."""
        family = GaugeMetricFamily(
            "ordermesh_relay_sequence", "Sequence up to which events are published.", labels=("group", "partition")
        )
        for (group, number), sequence in self._sequences.items():
            family.add_metric((group, str(number)), sequence)
        yield family
