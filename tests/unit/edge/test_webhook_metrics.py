"""The figures of who delivers webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from oms.notification.v1 import webhook_pb2
from oms.notification.v1.webhook_state_pb2 import StoredEndpoint
from ordermesh.adapters.http_post import HttpPost
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.gateway.webhook_metrics import WebhookMetrics
from ordermesh.notification.courier import Courier, Figures
from ordermesh.notification.feed import EventFeed
from ordermesh.notification.sending import Sender
from tests.unit.edge.shop import WEBHOOK_RULES, Shop


@dataclass
class Deliverer:
    """What the figures are made of."""

    figures: Figures = field(default_factory=Figures)
    couriers: dict[str, Courier] = field(default_factory=dict)

    def oldest_age_s(self) -> float:
        """As a deliverer says."""
        return 12.5


def courier(shop: Shop, state: webhook_pb2.EndpointState, figures: Figures) -> Courier:
    """One that has nothing to do yet."""
    endpoint = StoredEndpoint(endpoint=webhook_pb2.Endpoint(endpoint_id="we_1", state=state))
    post = HttpPost(WEBHOOK_RULES, user_agent="test")
    sender = Sender(post, WEBHOOK_RULES, shop.clock, lambda: None)
    post.close()
    feed = EventFeed(MemoryEvents())
    return Courier(
        "default",
        endpoint,
        feed=feed,
        sender=sender,
        clock=shop.clock,
        figures=figures,
        scale=1.0,
        disable_after_s=60.0,
    )


async def test_attempts_endpoints_and_trouble_are_told() -> None:
    shop, deliverer, registry = Shop(), Deliverer(), CollectorRegistry()
    figures = deliverer.figures
    figures.delivered, figures.failed, figures.missed, figures.seconds = 7, 2, 1, 0.5
    active, disabled = webhook_pb2.ENDPOINT_STATE_ACTIVE, webhook_pb2.ENDPOINT_STATE_DISABLED
    for number, state in enumerate((active, active, disabled)):
        deliverer.couriers[f"we_{number}"] = courier(shop, state, figures)
    for number in range(3):
        deliverer.couriers["we_0"].trouble.failed(f"order-{number}", "no", shop.clock.now_us(), 0.0)
    told: Any = deliverer
    WebhookMetrics(registry, told)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("ordermesh_webhook_attempts_total", outcome="delivered") == 7
    assert value("ordermesh_webhook_attempts_total", outcome="missed") == 1
    assert value("ordermesh_webhook_attempts_total", outcome="given_up") == 0
    assert (value("ordermesh_webhook_attempt_seconds_count"), value("ordermesh_webhook_attempt_seconds_sum")) == (
        9,
        0.5,
    )
    assert value("ordermesh_webhook_endpoints", state="active") == 2
    assert value("ordermesh_webhook_endpoints", state="disabled") == 1
    assert value("ordermesh_webhook_failing_endpoints") == 1
    assert value("ordermesh_webhook_oldest_age_seconds") == 12.5
