"""Replaying real invoices through the real engine: everything once, amounts exactly, and nothing the second time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oms.shipping.v1 import shipping_pb2, shipping_service_pb2
from ordermesh.cli.amounts import decimal_text
from ordermesh.cli.replay_file import read_sales
from ordermesh.cli.replay_plan import make_plan
from tests.e2e.api.client import Client
from tests.e2e.engine import MONTH, Engine, journal_lines

EARLY, LIMIT = "200", "500"
"""What is replayed at first, and then: of the early orders, which have ended by then, pieces come back."""
BY_HAND = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,TEA,,6,2010-12-01T08:26:00,2.50,17850,United Kingdom
536365,CUP,,3,2010-12-01T08:26:00,1.00,17850,United Kingdom
C536379,TEA,,-2,2010-12-01T09:41:00,2.50,17850,United Kingdom
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("replay") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def journal(engine: Engine) -> Path:
    return engine.data.with_name("journal.jsonl")


@pytest.fixture(scope="module")
def first(engine: Engine, journal: Path) -> dict[str, Any]:
    """The summary of the first whole replay, after one of its beginning."""
    early = engine.json("replay", MONTH, "--limit", EARLY)
    assert early["orders"]["created"] == early["orders"]["in_file"]
    summary: dict[str, Any] = engine.json("replay", MONTH, "--limit", LIMIT, "--journal", journal)
    assert summary["orders"]["there_already"] == early["orders"]["in_file"]
    return summary


def test_every_invoice_becomes_an_order_and_amounts_equal_the_file(first: dict[str, Any]) -> None:
    orders = first["orders"]

    assert first["invoices"] == int(LIMIT)
    assert orders["created"] + orders["there_already"] == orders["in_file"]
    assert orders["in_file"] == orders["completed"] + orders["rejected"] + orders["cancelled"]
    assert first["amounts_equal"]
    assert first["amounts"]["file"] == first["amounts"]["orders"]
    assert first["failures"] == 0


def test_what_is_taken_back_of_orders_that_left_is_returned_and_refunded(first: dict[str, Any], journal: Path) -> None:
    plan = make_plan(read_sales(MONTH), int(LIMIT))
    parts = {(step.invoice.number, part.order_id): part for step in plan.cancellations for part in step.parts}
    calls = {(line["invoice"], line["order_id"]): line["call"] for line in journal_lines(journal)}
    returned = [name for name in parts if calls.get(name) == "return"]

    assert not all(part.whole for part in parts.values())
    assert first["cancellations"]["return_calls"] == len(returned) > 0
    assert sum(first["cancellations"]["not_applied"].values()) == sum(name not in calls for name in parts)
    assert first["orders"]["with_returns"] == len({order_id for _, order_id in returned})
    assert first["amounts"]["refunded"] == decimal_text(sum(parts[name].amount_nanos for name in returned))


def test_the_journal_has_a_line_for_each_acknowledged_call(first: dict[str, Any], journal: Path) -> None:
    lines = journal_lines(journal)
    creations = [line for line in lines if line["call"] == "create"]

    assert len(creations) == first["orders"]["in_file"] == len({line["order_id"] for line in creations})
    assert (
        len(lines) == len(creations) + first["cancellations"]["cancel_calls"] + first["cancellations"]["return_calls"]
    )
    assert all(set(line) == {"invoice", "order_id", "call", "persistence", "total", "time"} for line in lines)
    assert all(type(line["total"][name]) is int for line in lines for name in ("units", "nanos"))


def test_an_order_carries_its_invoice_number(engine: Engine, first: dict[str, Any], journal: Path) -> None:
    line = journal_lines(journal)[0]

    assert engine.json("order", "get", line["order_id"])["order"]["labels"]["invoice_no"] == line["invoice"]


def test_the_audit_finds_every_acknowledged_order(engine: Engine, first: dict[str, Any], journal: Path) -> None:
    invariants = {item["id"]: item for item in engine.json("verify", "--orders", journal)["invariants"]}

    assert all(item["holds"] for item in invariants.values()), invariants
    assert invariants["I1"]["checked"] >= first["orders"]["in_file"]


def test_the_audit_names_an_order_that_is_missing(
    engine: Engine, first: dict[str, Any], tmp_path: Path, journal: Path
) -> None:
    line = {**journal_lines(journal)[0], "order_id": "012ca109-c1c0-7000-8000-000000000000"}
    (tmp_path / "journal.jsonl").write_text(json.dumps(line) + "\n")

    done = engine.call("verify", "--orders", tmp_path / "journal.jsonl")

    assert done.returncode == 1
    assert "012ca109-c1c0-7000-8000-000000000000" in done.stderr


def test_a_second_replay_finds_nothing_new(engine: Engine, first: dict[str, Any], journal: Path) -> None:
    lines = len(journal_lines(journal))

    done = engine.call("replay", MONTH, "--limit", LIMIT, "--journal", journal)

    assert done.returncode == 0, done.stderr
    assert "Nothing new" in done.stderr
    assert len(journal_lines(journal)) == lines


def test_a_replay_without_the_journal_creates_and_receives_nothing_either(
    engine: Engine, first: dict[str, Any]
) -> None:
    events = len(list(engine.ledger()))
    stock = engine.json("stock", "get", "85123A")["stock"]

    second = engine.json("replay", MONTH, "--limit", LIMIT)

    assert second["orders"]["created"] == 0
    assert second["orders"]["there_already"] == second["orders"]["in_file"]
    assert second["amounts_equal"]
    for name in ("completed", "rejected", "cancelled"):
        assert second["orders"][name] == first["orders"][name]
    assert engine.json("stock", "get", "85123A")["stock"] == stock
    assert len(list(engine.ledger())) == events


def test_a_journal_cut_off_in_a_line_is_continued(
    engine: Engine, first: dict[str, Any], tmp_path: Path, journal: Path
) -> None:
    torn = tmp_path / "journal.jsonl"
    torn.write_bytes(journal.read_bytes()[:-20])

    again = engine.json("replay", MONTH, "--limit", LIMIT, "--journal", torn)

    assert again["orders"]["created"] == 0
    assert len(journal_lines(torn)) == len(journal_lines(journal))


async def test_what_is_taken_back_of_orders_that_wait_for_the_warehouse_is_cancelled(tmp_path: Path) -> None:
    """The replay goes on when the rest has left; begun again it takes nothing back a second time."""
    (tmp_path / "sales.csv").write_text(BY_HAND)
    journal = tmp_path / "journal.jsonl"
    with Engine(tmp_path / "data", "--partitions", "1", "--no-dispatch-automatically") as engine:
        client = Client(engine.grpc)
        replay = asyncio.create_task(
            asyncio.to_thread(engine.json, "replay", tmp_path / "sales.csv", "--journal", journal)
        )
        while not replay.done():
            await asyncio.sleep(0.1)
            calls = {line["call"]: line["order_id"] for line in journal_lines(journal)} if journal.exists() else {}
            if "cancel" in calls:
                await dispatch_all(client, calls["cancel"])
        summary = await replay
        again = await asyncio.to_thread(engine.json, "replay", tmp_path / "sales.csv")
        order = (await client.get(calls["cancel"])).order
        await client.channel.close()

    assert again["cancellations"] == summary["cancellations"]
    assert (summary["cancellations"]["cancel_calls"], summary["cancellations"]["return_calls"]) == (1, 0)
    assert summary["orders"]["completed"] == again["orders"]["completed"] == 1
    assert summary["amounts_equal"]
    assert again["amounts"]["refunded"] == "0.00"
    assert [line.cancelled_quantity for line in order.lines] == [2, 0]


async def dispatch_all(client: Client, order_id: str) -> None:
    """Whatever of an order waits for the warehouse leaves."""
    request = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)
    for shipment in (await client.shipping.ListShipments(request)).shipments:
        if shipment.state == shipping_pb2.SHIPMENT_STATE_PENDING:
            asked = shipping_service_pb2.DispatchShipmentRequest(shipment_id=shipment.shipment_id, tracking="T")
            await client.shipping.DispatchShipment(asked)
