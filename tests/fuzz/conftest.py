"""A shop in memory for each test, with its client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.api.client import Client
from tests.unit.edge.shop import Shop


@pytest.fixture
def shop() -> Shop:
    """A shop that is not open yet."""
    return Shop()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Client]:
    """A client of the open shop."""
    async with shop.open() as connected:
        yield connected
