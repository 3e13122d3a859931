"""What every ledger of the sandbox provider does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from ordermesh.adapters import nats_ledger
from ordermesh.adapters.nats_cluster import cluster_servers
from ordermesh.adapters.nats_ledger import NatsLedger
from ordermesh.adapters.nats_server import NatsServer
from ordermesh.adapters.provider_ledger import Ledger, LedgerEntry, ProviderLedger

Opening = Callable[[], Awaitable[Ledger]]
"""A ledger of one more process, over the same truth."""


@pytest_asyncio.fixture(params=["file", "nats", "nats of three servers"])
async def opening(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opening]:
    """An empty truth."""
    async with AsyncExitStack() as closing:
        servers: list[NatsServer] = []
        if request.param != "file":
            servers = [NatsServer(tmp_path)] if request.param == "nats" else cluster_servers(tmp_path)
            for server in servers:
                closing.push_async_callback(server.kill)
            await asyncio.gather(*(server.start() for server in servers))

        async def one() -> Ledger:
            if not servers:
                ledger: Ledger = ProviderLedger(tmp_path / "ledger.jsonl")
            else:
                nats = NatsLedger([server.url for server in servers], name="test", replicas=len(servers))
                await nats.open()
                ledger = nats
            closing.push_async_callback(ledger.close)
            return ledger

        yield one


def entry(key: str, order_id: str = "order-1") -> LedgerEntry:
    """An operation."""
    return LedgerEntry("2026-01-01T00:00:00Z", order_id, "capture", "GBP", 12, 500_000_000, key, "1")


async def entries_of(ledger: Ledger) -> list[LedgerEntry]:
    """All that took effect, read as an audit reads it."""
    return await asyncio.to_thread(lambda: list(ledger.entries()))


async def test_what_took_effect_is_there_whole_and_in_order(opening: Opening) -> None:
    ledger = await opening()
    assert await entries_of(ledger) == []

    for key in ("a", "b", "c/with.dots > and * spaces"):
        assert await ledger.add(entry(key))

    assert await entries_of(ledger) == [entry("a"), entry("b"), entry("c/with.dots > and * spaces")]


async def test_a_key_takes_effect_once_whoever_asks(opening: Opening) -> None:
    processes = [await opening() for _ in range(3)]

    added = await asyncio.gather(
        *(ledger.add(entry(f"key-{number}", f"order-{index}")) for number in range(20)
          for index, ledger in enumerate(processes))
    )  # fmt: skip

    assert Counter(added) == {True: 20, False: 40}
    for ledger in processes:
        assert Counter(each.idempotency_key for each in await entries_of(ledger)) == {
            f"key-{number}": 1 for number in range(20)
        }


async def test_a_process_started_later_knows_the_keys_of_before(opening: Opening) -> None:
    first = await opening()
    assert await first.add(entry("key"))
    await first.close()

    later = await opening()

    assert not await later.add(entry("key"))
    assert await entries_of(later) == [entry("key")]


async def test_more_than_a_page_is_read_whole(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_ledger, "PAGE_ENTRIES", 7)
    ledger = await opening()
    await asyncio.gather(*(ledger.add(entry(f"key-{number}")) for number in range(50)))

    assert {each.idempotency_key for each in await entries_of(ledger)} == {f"key-{number}" for number in range(50)}
