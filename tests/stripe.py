"""Runs the stand-in for Stripe in a thread of its own, and says how an engine is told to use it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ordermesh.testing.stripe_fake.server import StripeFake

SECRET = "whsec_of_the_test"
"""What Stripe's webhooks are signed with."""


@contextmanager
def served(fake: StripeFake) -> Iterator[StripeFake]:
    """Runs the stand-in in a thread of its own."""
    begun, ended = threading.Event(), threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        async with fake:
            stop.append((asyncio.get_running_loop(), asyncio.Event()))
            begun.set()
            await stop[0][1].wait()

    def thread() -> None:
        try:
            asyncio.run(run())
        finally:
            ended.set()

    threading.Thread(target=thread, daemon=True).start()
    assert begun.wait(30)
    try:
        yield fake
    finally:
        loop, event = stop[0]
        loop.call_soon_threadsafe(event.set)
        assert ended.wait(30)


def options_at(fake: StripeFake, folder: Path) -> Sequence[str]:
    """The options of an engine that has its secrets in files."""
    (folder / "key").write_text(fake.api_key)
    (folder / "webhooks").write_text(f"whsec_of_before\n{SECRET}\n")
    return (
        *("--payment-provider", "stripe", "--stripe-api-base", fake.url, "--stripe-timeout-s", "2"),
        *("--stripe-api-key-file", str(folder / "key"), "--stripe-webhook-secret-file", str(folder / "webhooks")),
    )
