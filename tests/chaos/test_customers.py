"""Customers at a real engine whose owner is killed: what they were told holds, and what is planted is found.

The chaos run itself (scripts/chaos) takes minutes and three nodes of everything; this is its shop and its judgement.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.adapters.provider_ledger import read_ledger
from ordermesh.bootstrap import LEDGER_FILE
from ordermesh.testing.chaos.checks import judge
from ordermesh.testing.chaos.collector import Collector
from ordermesh.testing.chaos.evidence import Evidence
from ordermesh.testing.chaos.journal import read_journal
from ordermesh.testing.chaos.webhooks import Webhooks
from tests.chaos.truth import OPTIONS
from tests.e2e.engine import ROOT, STOP_S, Engine, environment, until

RATE, ORDERS, DRAIN_S = 15, 120, 60
CHANGES = {"amend", "cut", "hold", "release"}
"""Calls that some of so many customers make."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on this machine, with time between a shipment and its dispatch."""
    with Engine(tmp_path / "data", "--partitions", "2", "--dispatch-delay-s", "0.3", *OPTIONS) as running:
        yield running


def acknowledged(journal: Path) -> int:
    """Orders so far."""
    if not journal.exists():
        return 0
    return len({told.key for told in read_journal(journal) if told.call == "create" and told.is_ok})


def trade(engine: Engine, journal: Path) -> None:
    """Customers come, the owner dies, customers go on and leave."""
    arguments = ["--servers", engine.grpc, "--journal", journal, "--rate", RATE, "--seed", 5, "--drain", DRAIN_S]
    customers = subprocess.Popen(
        [sys.executable, "-m", "ordermesh.testing.chaos.customers", *map(str, arguments)],
        env=environment(),
        cwd=ROOT,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
    )
    try:
        until(lambda: acknowledged(journal) >= ORDERS // 2, "customers are served")
        for pid in engine.pids("owner"):
            os.kill(pid, signal.SIGKILL)
        until(lambda: acknowledged(journal) >= ORDERS, "customers are served again")
        customers.terminate()
        assert customers.wait(DRAIN_S + STOP_S) == 0
    finally:
        customers.kill()


async def test_what_customers_were_told_holds_and_what_is_planted_is_found(engine: Engine, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    nats = engine.ready["nats"]
    webhooks = Webhooks(tmp_path, seed=5)
    await webhooks.start(engine.grpc)
    try:
        trade(engine, journal)
        webhooks.heal()
        evidence = await Collector([engine.grpc], [nats], lambda _text: None).collect(journal, engine.data)
        evidence.arrived = await webhooks.arrived(evidence.events, lambda _text: None)
    finally:
        await webhooks.stop()
    verdict = judge(evidence)
    assert verdict.violations == []
    assert {told.call for told in evidence.journal} >= CHANGES
    assert "OrderAmended" in {entry.event for order in evidence.orders.values() if order for entry in order.timeline}
    assert all(verdict.compared[name] for name in ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9")), verdict.compared
    assert len(evidence.ledger) == len(list(read_ledger(engine.data / LEDGER_FILE)))
    for planted, invariant in (
        (charged_twice(evidence), "I4"),
        (forgotten(evidence), "I1"),
        (oversold(evidence), "I3"),
    ):
        assert invariant in {violation.invariant for violation in judge(planted).violations}


def charged_twice(evidence: Evidence) -> Evidence:
    """The provider took the money of an order once more."""
    capture = next(entry for entry in evidence.ledger if entry.operation == "capture")
    return replace(evidence, ledger=[*evidence.ledger, capture._replace(idempotency_key="another")])


def forgotten(evidence: Evidence) -> Evidence:
    """The engine knows nothing of an order that it acknowledged."""
    key = next(told.key for told in evidence.journal if told.call == "create" and told.is_decided)
    return replace(evidence, orders={**evidence.orders, key: None})


def oversold(evidence: Evidence) -> Evidence:
    """One piece more left the warehouse than was sold."""
    sku, stock = next((sku, stock) for sku, stock in evidence.stocks.items() if stock.committed)
    fewer = stock._replace(committed=stock.committed + 1, on_hand=stock.on_hand - 1, available=stock.available - 1)
    return replace(evidence, stocks={**evidence.stocks, sku: fewer})
