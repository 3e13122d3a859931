"""One engine for all scenarios of a file, a shop for each, and the orders' timelines where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.engine import Engine
from tests.scenarios.client import Client
from tests.scenarios.shop import PARTITIONS, Shop
from tests.scenarios.steps import (
    at_stripe,
    cancelling,
    caring,
    counting,
    explaining,
    giving_back,
    in_parts,
    listening,
    ordering,
    reading,
    sending,
    stock,
)

STEPS = (
    at_stripe, cancelling, caring, counting, explaining, giving_back, in_parts, listening, ordering, reading, sending,
    stock,
)  # fmt: skip
WEBHOOKS = (
    "--webhook-allow-http", "--webhook-allow-private", "--webhook-ports", "1024-65535",
    "--webhook-retry-scale", "0.001",
)  # fmt: skip
"""So that a scenario's own receiver is told, and told again soon."""
RULES = ("--fraud-review-above", "GBP:1000", "--fraud-decline-above", "GBP:5000")
"""Orders that cost so much are looked at, or undone."""


def pytest_configure(config: pytest.Config) -> None:
    """Makes the steps known: they are fixtures of plugins."""
    for steps in STEPS:
        if not config.pluginmanager.is_registered(steps):
            config.pluginmanager.register(steps, steps.__name__)


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Any) -> None:
    """Says what became of the scenario's orders."""
    if "shop" in request.fixturenames:
        shop: Shop = request.getfixturevalue("shop")
        told = f"at: {step.keyword} {step.name}\n\n{shop.told()}"
        request.node.add_report_section("call", "orders of the scenario", told)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose shipments wait for the warehouse, so that a scenario says when they leave. Each service has logs
    and partitions of its own: what one tells another is under way for a while, and calls may come in between."""
    data = tmp_path_factory.mktemp("scenarios") / "data"
    options = ("--partitions", str(PARTITIONS), "--groups", "per-service", "--no-dispatch-automatically")
    with Engine(data, *options, *WEBHOOKS, *RULES) as running:
        yield running


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[Client]:
    """A client of the engine."""
    connected = Client(engine.grpc)
    yield connected
    connected.close()


@pytest.fixture
def shop(engine: Engine, client: Client) -> Iterator[Shop]:
    """The scenario's shop; at its end no call may have failed that nobody looked at."""
    opened = Shop(engine, client)
    yield opened
    opened.expect_no_failure()
