"""Replaying real invoices through the real engine: everything once, amounts exactly, and nothing the second time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.engine import MONTH, Engine, journal_lines

LIMIT = "200"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("replay") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def journal(engine: Engine) -> Path:
    return engine.data.with_name("journal.jsonl")


@pytest.fixture(scope="module")
def first(engine: Engine, journal: Path) -> dict[str, Any]:
    """The summary of the first replay."""
    summary: dict[str, Any] = engine.json("replay", MONTH, "--limit", LIMIT, "--journal", journal)
    return summary


def test_every_invoice_becomes_an_order_and_amounts_equal_the_file(first: dict[str, Any]) -> None:
    orders = first["orders"]

    assert first["invoices"] == int(LIMIT)
    assert orders["created"] == orders["in_file"] == orders["completed"] + orders["rejected"] + orders["cancelled"]
    assert first["amounts_equal"]
    assert first["amounts"]["file"] == first["amounts"]["orders"]
    assert first["failures"] == 0


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
