"""One engine for all tests of the API, and a channel for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.e2e.api.client import Client
from tests.e2e.engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two partitions of each group, so that SKUs and orders do not always share one."""
    running = Engine(tmp_path_factory.mktemp("api") / "data", "--partitions", "2")
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    """A client of the engine."""
    connected = Client(engine.grpc)
    yield connected
    await connected.channel.close()
