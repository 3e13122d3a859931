"""Webhooks and events of a real engine, received by the programs under docs/examples, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_server import die_with_parent
from tests.e2e.engine import ROOT, Engine, until

OPTIONS = (
    *("--webhook-allow-http", "--webhook-allow-private", "--webhook-ports", "1-65535"),
    *("--webhook-retry-scale", "0.01", "--events-format", "json"),
)
LIFE = ["oms.order.placed.v1", "oms.order.confirmed.v1", "oms.order.completed.v1"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that may send to this machine."""
    with Engine(tmp_path / "data", *OPTIONS) as running:
        assert running.call("stock", "receive", "TEA", "1000").returncode == 0
        yield running


class Example:
    """A program of docs/examples, which prints a line of JSON for each event that it takes."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self._output = folder / f"{name}.jsonl"
        self._command = [sys.executable, str(ROOT / "docs" / "examples" / f"{name}.py"), *options]
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs it meanwhile."""
        with self._output.open("ab") as output:
            process = subprocess.Popen(self._command, stdout=output, preexec_fn=die_with_parent())  # noqa: PLW1509 # no thread of a test holds a lock
        try:
            yield
            assert process.poll() is None, "it did not end by itself"
        finally:
            process.kill()
            process.wait()

    def events(self, order_id: str = "") -> list[dict[str, Any]]:
        """What it took so far, of that order or of all."""
        found = [json.loads(line) for line in self._output.read_text().splitlines()] if self._output.exists() else []
        return [event for event in found if order_id in ("", event["subject"])]

    def types(self, order_id: str) -> list[str]:
        """The types of what it took of an order, without shipping's."""
        return [event["type"] for event in self.events(order_id) if event["type"].startswith("oms.order.")]


def created(engine: Engine, url: str, *types: str) -> tuple[str, str]:
    """A new endpoint and its secret."""
    made = engine.json("webhooks", "create", url, *(part for each in types for part in ("--event-type", each)))
    return made["endpoint"]["endpoint_id"], made["secret"]


def ordered(engine: Engine, number: int = 1) -> Sequence[str]:
    """So many new orders."""
    return [
        engine.json("order", "create", "--customer", "ada", "--line", "TEA:1:4.99")["order"]["order_id"]
        for _ in range(number)
    ]


def test_the_example_receives_and_nothing_is_lost_when_who_delivers_is_killed(engine: Engine, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    endpoint_id, secret = created(engine, f"http://127.0.0.1:{port}/hooks", "oms.order.*")
    receiver = Example(tmp_path, "webhook_receiver", "--port", str(port), "--secret", secret)
    (early,) = ordered(engine)
    with receiver.running():
        until(lambda: receiver.types(early) == LIFE, "what was tried before the receiver was there")
        order_ids: list[str] = []
        for _ in range(3):
            order_ids += ordered(engine, 2)
            engine.kill("webhooks")
        for order_id in order_ids:
            until(lambda order_id=order_id: receiver.types(order_id) == LIFE, "an order's life, in order")  # type: ignore[misc]  # bound now
        assert engine.call("webhooks", "test", endpoint_id).returncode == 0
        until(lambda: receiver.events(endpoint_id), "the test arrives")
    listed = engine.json("webhooks", "deliveries", endpoint_id, "--outcome", "delivered", "--subject", early)
    assert {each["event_type"] for each in listed["deliveries"]} == set(LIFE)
    assert engine.json("webhooks", "get", endpoint_id)["endpoint"]["health"]["missed_count"] == "0"


def test_a_life_of_an_endpoint_by_the_command_line(engine: Engine, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    endpoint_id, secret = created(engine, f"http://127.0.0.1:{port}/hooks", "oms.order.placed.v1")
    rotated = engine.json("webhooks", "rotate-secret", endpoint_id)["secret"]
    assert rotated != secret
    paused = engine.json("webhooks", "pause", endpoint_id)["endpoint"]
    assert paused["state"] == "ENDPOINT_STATE_PAUSED"
    (order_id,) = ordered(engine)
    receiver = Example(tmp_path, "webhook_receiver", "--port", str(port), "--secret", rotated)
    with receiver.running():
        assert engine.json("webhooks", "resume", endpoint_id)["endpoint"]["state"] == "ENDPOINT_STATE_ACTIVE"
        until(lambda: receiver.events(order_id), "what waited arrives")
        (attempt,) = until(
            lambda: engine.json("webhooks", "deliveries", endpoint_id)["deliveries"], "the attempt is listed"
        )
        again = engine.call("webhooks", "redeliver", endpoint_id, "--delivery", attempt["delivery_id"])
        assert again.returncode == 0, again.stderr
        until(lambda: len(engine.json("webhooks", "deliveries", endpoint_id)["deliveries"]) == 2, "it goes again")
    assert len(receiver.events(order_id)) == 1, "the receiver knows it by its id"
    for command in (("list",), ("get", endpoint_id), ("deliveries", endpoint_id)):
        done = engine.call("webhooks", *command)
        assert done.returncode == 0, done.stderr
        assert secret not in done.stdout
        assert rotated not in done.stdout
    assert engine.call("webhooks", "update", endpoint_id, "--description", "orders").returncode == 0
    assert engine.call("webhooks", "delete", endpoint_id).returncode == 0
    assert engine.call("webhooks", "get", endpoint_id).returncode == 4
    refused = engine.call("webhooks", "create", "ftp://shop.example")
    assert refused.returncode == 2
    assert "has to begin with" in refused.stderr
    tail = engine.call("log", "tail", "notification/0")
    assert "[redacted]" in tail.stdout
    assert "whsec_" not in tail.stdout


def test_the_example_consumes_events_in_order_and_goes_on_where_it_was(engine: Engine, tmp_path: Path) -> None:
    consumer = Example(
        tmp_path, "consume_events", "--nats", engine.ready["nats"], "--durable", "billing",
        "--filter", "om.events.v1.order.>",
    )  # fmt: skip
    with consumer.running():
        (first,) = ordered(engine)
        until(lambda: consumer.types(first) == LIFE, "the first order's life")
    (second,) = ordered(engine)
    with consumer.running():
        until(lambda: consumer.types(second) == LIFE, "what happened while it was away")
    assert consumer.types(first) == LIFE, "nothing came again"
    assert consumer.events(first)[0]["data"]["customer_id"] == "ada"
