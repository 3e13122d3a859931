"""Webhooks of real invoices to a receiver that fails at random, while processes are killed: judged as chaos judges."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from urllib.parse import unquote

from ordermesh.adapters.jetstream_event_reader import JetStreamEventReader
from ordermesh.testing.chaos.checks import Violation, check_webhooks
from ordermesh.testing.chaos.collector import published as published_as
from ordermesh.testing.chaos.evidence import Arrived, Evidence, Published
from ordermesh.testing.chaos.webhooks import Webhooks, read_arrived
from tests.chaos.truth import OPTIONS
from tests.e2e.engine import MONTH, Engine

SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(1_000_000))))
INVOICES, KILLS = 20, 6
VICTIMS = ("webhooks", "relay", "owner", "webhooks", "nats", "edge")


async def published(nats: str) -> list[Published]:
    """All that the stream of events has."""
    reader = JetStreamEventReader([nats], name="test")
    await reader.open()
    found: list[Published] = []
    try:
        place = 0
        while page := await reader.page(place, 200):
            place = page[-1].sequence
            for event in page:
                _oms, service, name, _v1 = event.headers["ce-type"].split(".")
                found.append(published_as(service, name, unquote(event.headers["ce-subject"]), event.data))
    finally:
        await reader.close()
    return found


async def test_every_webhook_is_taken_once_at_least_and_in_order_whatever_fails(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with Engine(tmp_path / "data", *OPTIONS) as engine:
        webhooks = Webhooks(tmp_path, SEED)
        await webhooks.start(engine.grpc)
        try:
            for number in range(KILLS):
                done = engine.call("replay", MONTH, "--limit", str(INVOICES * (number + 1)), "--concurrency", "4")
                assert done.returncode == 0, done.stderr
                engine.kill(VICTIMS[number])
                await asyncio.sleep(chance.random())
            webhooks.heal()
            told: list[Published] = []
            arrived: list[Arrived] = []
            while told != (now_told := await published(engine.ready["nats"])):  # the relay may have some to tell yet
                told = now_told
                arrived = await webhooks.arrived(told, lambda _text: None)
        finally:
            await webhooks.stop()

    evidence = Evidence(journal=[], orders={}, stocks={}, ledger=[], events=told, arrived=arrived)
    violations = [found.text for found in check_webhooks(evidence) if isinstance(found, Violation)]
    assert not violations, f"CRASH_SEED={SEED}: {violations[:5]}"
    never = set(told) - {one.event for one in arrived if one.is_taken}
    assert not never, f"CRASH_SEED={SEED}: {sorted(never)[:5]} never arrived"
    assert len(told) > INVOICES * KILLS
    failed = [one for one in read_arrived(webhooks.journal) if not one.is_taken]
    assert failed, "the receiver failed now and then"
