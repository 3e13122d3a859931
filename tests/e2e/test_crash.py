"""Crashes of real processes during a replay: nothing acknowledged is lost, nothing is charged or shipped twice.

The provider's ledger and the replay's journal are the outside truths that the engine is compared with. The seed of the
random moments is printed by a failure; CRASH_SEED repeats it, CRASH_KILLS gives another number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from ordermesh.cli.amounts import NANOS_PER_UNIT, nanos_of
from tests.e2e.engine import MONTH, Engine, environment, journal_lines, until

SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(1_000_000))))
KILLS = int(os.environ.get("CRASH_KILLS", "10"))
VICTIMS = (("edge",), ("owner",), ("relay",), ("nats",), ("supervisor",))
REPLAY_S = 400.0
STOPPED_S = 20.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "data", "--workers", "2", "--partitions", "2") as running:
        yield running


class ReplayRun:
    """A replay in a process of its own, with a journal."""

    def __init__(self, engine: Engine, journal: Path, *options: str) -> None:
        self.journal = journal
        command = [sys.executable, "-m", "ordermesh", "replay", str(MONTH), "--server", engine.grpc]
        command += ["--journal", str(journal), "--output", "json", *options]
        self._process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def acknowledged(self) -> int:
        """Calls acknowledged so far."""
        return len(self.journal.read_bytes().splitlines()) if self.journal.exists() else 0

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def summary(self) -> dict[str, Any]:
        """Waits for its end, which has to be a success."""
        out, err = self._process.communicate(timeout=REPLAY_S)
        assert self._process.returncode == 0, err + out
        result: dict[str, Any] = json.loads(out)
        return result


def read_orders(engine: Engine, order_ids: list[str]) -> list[order_pb2.Order]:
    """The orders, as the engine answers them now."""
    with grpc.insecure_channel(engine.grpc) as channel:
        stub = order_service_pb2_grpc.OrderServiceStub(channel)
        return [stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=order_id)).order for order_id in order_ids]


def assert_nothing_happened_twice(engine: Engine, order_ids: list[str]) -> None:
    """The provider charged, and the warehouse shipped, every order at most once and exactly."""
    operations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    keys: Counter[str] = Counter()
    for line in engine.ledger():
        operations[line["order_id"]].append(line)
        keys[line["idempotency_key"]] += 1
    assert [key for key, count in keys.items() if count > 1] == []
    for order in read_orders(engine, order_ids):
        names = [line["operation"] for line in operations[order.order_id]]
        is_completed = order.order_state == order_pb2.ORDER_STATE_COMPLETED
        assert names.count("authorize") <= 1, (order.order_id, names)
        assert names.count("capture") == int(is_completed), (order.order_id, names)
        assert names.count("void") <= int(not is_completed), (order.order_id, names)
        taken = {name: taken_nanos(operations[order.order_id], name) for name in ("capture", "refund")}
        due = order.due if order.HasField("due") else order.total
        assert taken["capture"] == (nanos_of(due) if is_completed else 0)
        assert taken["refund"] == nanos_of(order.refunded)
    assert_shipped_once(engine, order_ids)


def assert_shipped_once(engine: Engine, order_ids: list[str]) -> None:
    """No order has more than one shipment."""
    with grpc.insecure_channel(engine.grpc) as channel:
        stub = shipping_service_pb2_grpc.ShippingServiceStub(channel)
        for order_id in order_ids:
            answer = stub.ListShipments(shipping_service_pb2.ListShipmentsRequest(order_id=order_id))
            assert len(answer.shipments) <= 1, order_id


def taken_nanos(operations: list[dict[str, Any]], name: str) -> int:
    """What the provider moved by these operations."""
    amounts = [line["amount"] for line in operations if line["operation"] == name]
    return sum(amount["units"] * NANOS_PER_UNIT + amount["nanos"] for amount in amounts)


def assert_audit_holds(engine: Engine, journal: Path) -> None:
    """All invariants, with the journal's acknowledgements."""
    done = engine.call("verify", "--orders", journal)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kills_at_random_moments_of_a_replay_lose_and_repeat_nothing(engine: Engine, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    victims = [*VICTIMS, *chance.choices(VICTIMS, k=max(0, KILLS - len(VICTIMS)))][:KILLS]
    chance.shuffle(victims)
    run = ReplayRun(engine, tmp_path / "journal.jsonl", "--concurrency", "16")
    moments = sorted(chance.sample(range(20, 1400), len(victims)))

    for victim, moment in zip(victims, moments, strict=True):
        until(lambda: run.acknowledged() >= moment or not run.is_running, f"{moment} calls (seed {SEED})", REPLAY_S)  # noqa: B023 # called at once
        engine.kill(*victim)
        if victim == ("supervisor",):
            engine.start()

    summary = run.summary()
    order_ids = sorted({line["order_id"] for line in journal_lines(run.journal)})
    assert summary["amounts_equal"], (SEED, summary)
    assert len(order_ids) == 1559
    assert_audit_holds(engine, run.journal)
    assert_nothing_happened_twice(engine, order_ids)


def test_a_replay_that_is_killed_itself_goes_on_where_it_was(engine: Engine, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    for moment in (60, 150):
        run = ReplayRun(engine, journal, "--limit", "300")
        until(lambda: run.acknowledged() >= moment, f"{moment} calls", REPLAY_S)  # noqa: B023 # called at once
        run._process.kill()
        run._process.communicate()

    summary = ReplayRun(engine, journal, "--limit", "300").summary()

    order_ids = [line["order_id"] for line in journal_lines(journal) if line["call"] == "create"]
    assert len(set(order_ids)) == summary["orders"]["in_file"]
    assert summary["amounts_equal"]
    assert_audit_holds(engine, journal)
    assert_nothing_happened_twice(engine, sorted(set(order_ids)))


def test_an_owner_stopped_for_long_and_continued_does_no_harm(engine: Engine, tmp_path: Path) -> None:
    run = ReplayRun(engine, tmp_path / "journal.jsonl", "--concurrency", "16", "--limit", "1500")
    until(lambda: run.acknowledged() >= 100, "100 calls", REPLAY_S)
    owners = {partition["owner"] for partition in engine.json("partitions")["partitions"]}
    victim = int(min(owners).rpartition("-")[2])
    assert victim in engine.pids("owner")

    os.kill(victim, signal.SIGSTOP)
    try:
        before = run.acknowledged()
        time.sleep(STOPPED_S)
        taken = engine.json("partitions")["partitions"]
        assert all(not partition["owner"].endswith(f"-{victim}") for partition in taken), taken
        assert run.acknowledged() > before
    finally:
        os.kill(victim, signal.SIGCONT)

    summary = run.summary()
    assert victim in engine.pids("owner")
    order_ids = sorted({line["order_id"] for line in journal_lines(run.journal)})
    assert summary["amounts_equal"], summary
    assert_audit_holds(engine, run.journal)
    assert_nothing_happened_twice(engine, order_ids)
