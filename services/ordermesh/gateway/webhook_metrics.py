"""What a process that delivers webhooks measures: attempts by outcome, and how its endpoints do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from oms.notification.v1.webhook_pb2 import EndpointState
from ordermesh.notification.courier import Courier
from ordermesh.notification.deliverer import Deliverer

OUTCOMES = ("delivered", "failed", "given_up", "missed")


class WebhookMetrics(Collector):
    """The figures of a deliverer. Endpoints are counted, not named: there may be many."""

    def __init__(self, registry: CollectorRegistry, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Counters over all endpoints, and gauges of the worst of them."""
        figures, couriers = self._deliverer.figures, list(self._deliverer.couriers.values())
        attempts = CounterMetricFamily(
            "ordermesh_webhook_attempts", "Attempts to deliver, and events missed, by outcome.", labels=("outcome",)
        )
        for outcome in OUTCOMES:
            attempts.add_metric((outcome,), getattr(figures, outcome))
        yield attempts
        ended = figures.delivered + figures.failed + figures.given_up
        yield SummaryMetricFamily(
            "ordermesh_webhook_attempt_seconds", "What attempts took.", count_value=ended, sum_value=figures.seconds
        )
        yield self._states(couriers)
        for name, text, value in (
            ("ordermesh_webhook_waiting", "Events that were read and are not delivered.", _waiting(couriers)),
            ("ordermesh_webhook_oldest_age_seconds", "Age of the oldest of them.", self._deliverer.oldest_age_s()),
            ("ordermesh_webhook_failing_endpoints", "Endpoints in trouble.", _failing(couriers)),
        ):
            yield GaugeMetricFamily(name, text, value=value)

    @staticmethod
    def _states(couriers: list[Courier]) -> Metric:
        family = GaugeMetricFamily("ordermesh_webhook_endpoints", "Endpoints by state.", labels=("state",))
        numbers = Counter[int](courier.endpoint.endpoint.state for courier in couriers)
        for state in EndpointState.values():
            if state:
                name = EndpointState.Name(state).removeprefix("ENDPOINT_STATE_").lower()
                family.add_metric((name,), numbers[state])
        return family


def _waiting(couriers: list[Courier]) -> float:
    return sum(courier.waiting_count for courier in couriers)


def _failing(couriers: list[Courier]) -> float:
    return sum(courier.is_active and courier.trouble.is_serious for courier in couriers)
