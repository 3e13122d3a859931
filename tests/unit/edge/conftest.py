"""A shop for each test, and an audit that does not wait long."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ordermesh.admin import pauses, verify
from tests.e2e.api.client import Client
from tests.unit.edge.shop import Shop


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that is not open yet."""
    monkeypatch.setattr(verify, "SETTLE_POLL_S", 0.03)
    monkeypatch.setattr(verify, "SETTLE_S", 2.0)
    monkeypatch.setattr(pauses, "PAUSES_S", (0.01,) * 5)
    return Shop()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Client]:
    """A client of the open shop."""
    async with shop.open() as connected:
        yield connected
