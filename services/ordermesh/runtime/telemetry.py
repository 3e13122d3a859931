"""What an edge measures: rate, errors and duration of every method, and what owners say of their partitions.

Names follow OpenTelemetry's conventions for RPC metrics, in Prometheus' spelling. One histogram per method and code
gives all three of rate, errors and duration; its children are bound once, so that a call costs one `observe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from oms.log.v1 import log_pb2

DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds: fine around an idle answer (milliseconds), coarse above the answer time-out (one second)."""


class MethodMetrics:
    """One method's durations by status code, and its calls under way."""

    __slots__ = ("_children", "_duration", "in_flight", "name")

    def __init__(self, duration: Histogram, name: str) -> None:
        self._duration = duration
        self.name = name
        self._children: dict[str, Histogram] = {}
        self.in_flight = 0

    def ended(self, code: str, seconds: float) -> None:
        """Counts a call that ended with that status code's name."""
        child = self._children.get(code)
        if child is None:
            child = self._children[code] = self._duration.labels(self.name, code)
        child.observe(seconds)


class CallMetrics(Collector):
    """The methods of one server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._methods: dict[str, MethodMetrics] = {}
        self._duration = Histogram(
            "rpc_server_call_duration_seconds",
            "Duration of calls, by method and status code.",
            ("rpc_method", "rpc_response_status_code"),
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        registry.register(self)

    def method(self, name: str) -> MethodMetrics:
        """The metrics of `package.Service/Method`."""
        return self._methods.setdefault(name, MethodMetrics(self._duration, name))

    def collect(self) -> Iterable[Metric]:
        """Calls under way."""
        family = GaugeMetricFamily("rpc_server_active_calls", "Calls under way.", labels=("rpc_method",))
        for name, method in self._methods.items():
            family.add_metric((name,), method.in_flight)
        yield family


_PARTITION_GAUGES: Sequence[tuple[str, str, Callable[[log_pb2.PartitionStatus], float]]] = (
    ("ordermesh_partition_lag_commands", "Commands read and not yet decided.", lambda status: status.lag),
    ("ordermesh_partition_lag_seconds", "Age of the oldest undecided command.", lambda status: status.lag_ms / 1000),
    ("ordermesh_partition_epoch", "The taking of the partition.", lambda status: status.epoch),
    ("ordermesh_partition_agenda", "Open timers, effects and parked commands.", lambda status: status.agenda),
    ("ordermesh_partition_intake_open", "Whether clients' commands are taken.", lambda status: status.intake_open),
    ("ordermesh_partition_stopped", "Whether its owner stopped it.", lambda status: bool(status.stopped_reason)),
    ("ordermesh_partition_last_sequence", "Last sequence of its log.", lambda status: status.last_sequence),
    (
        "ordermesh_partition_checkpoint_sequence",
        "Sequence up to which everything is stored.",
        lambda status: status.checkpoint_sequence,
    ),
)


class PartitionMetrics(Collector):
    """The newest status heard of every partition, as gauges."""

    def __init__(self, registry: CollectorRegistry, statuses: Callable[[], Sequence[log_pb2.PartitionStatus]]) -> None:
        self._statuses = statuses
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """One family per figure, labelled with group and partition."""
        statuses = self._statuses()
        for name, text, figure in _PARTITION_GAUGES:
            family = GaugeMetricFamily(name, text, labels=("group", "partition"))
            for status in statuses:
                family.add_metric((status.group, str(status.partition)), float(figure(status)))
            yield family
