"""The scenarios of an engine that has its payments at a stand-in for Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import scenarios

from ordermesh.testing.stripe_fake.server import StripeFake
from tests.e2e.engine import Engine
from tests.scenarios.client import Client
from tests.scenarios.halves import AT_STRIPE, FEATURES
from tests.stripe import options_at, served

scenarios(*(f"{FEATURES}/{name}" for name in AT_STRIPE))


@pytest.fixture(scope="module")
def fake() -> Iterator[StripeFake]:
    """The stand-in, which a scenario may look into."""
    with served(StripeFake()) as running:
        yield running


@pytest.fixture(scope="module")
def engine(fake: StripeFake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose shipments wait for the warehouse, and whose money is at the stand-in."""
    folder = tmp_path_factory.mktemp("at-stripe")
    options = ("--partitions", "1", "--no-dispatch-automatically", *options_at(fake, folder))
    with Engine(folder / "data", *options) as running:
        yield running


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[Client]:
    """A client of the engine."""
    connected = Client(engine.grpc)
    yield connected
    connected.close()
