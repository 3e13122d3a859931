"""An open shop that is called by gRPC and by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ordermesh.gateway.http_port import HttpPort, Probes
from tests.e2e.api.client import Client
from tests.unit.edge.shop import Shop


@pytest.fixture
async def shop() -> Shop:
    """A shop that is not open yet."""
    return Shop()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Client]:
    """A gRPC client of the open shop."""
    async with shop.open() as connected:
        yield connected


@pytest.fixture
async def address(shop: Shop, client: Client) -> AsyncIterator[str]:
    """HOST:PORT of the shop's HTTP port."""
    probes = Probes(CollectorRegistry())
    probes.api = shop.edge.http.application()
    probes.begin(shop.edge.readiness)
    port = HttpPort(probes.application())
    try:
        yield await port.start("127.0.0.1:0")
    finally:
        await port.stop()


@pytest.fixture
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the open shop."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30.0) as connected:
        yield connected
