"""The small parts of the command line: amounts, output, percentiles, journals, the orders of a benchmark, flags."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import fields
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.cli.amounts import decimal_text, money, nanos_of, parse_nanos
from ordermesh.cli.app import app
from ordermesh.cli.bench_orders import OrderSource, batch_of, new_order_id
from ordermesh.cli.bench_plot import latency_svg
from ordermesh.cli.journal import Journal, JournalError, read_journal
from ordermesh.cli.latency import percentile_ms
from ordermesh.cli.output import yaml_lines
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.settings import Settings


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_an_amount_survives_all_its_forms(nanos: int) -> None:
    amount = money(nanos, "GBP")

    assert nanos_of(amount) == nanos
    assert amount.units * amount.nanos >= 0
    assert parse_nanos(decimal_text(nanos).replace(",", "")) == nanos


@pytest.mark.parametrize("text", ["", "two", "NaN", "Infinity", "0.0000000001"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_nanos(text)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (0.999, 100.0), (0.0, 1.0), (1.0, 100.0)])
def test_percentiles_are_by_nearest_rank(share: float, expected: float) -> None:
    assert percentile_ms([number / 1000 for number in range(1, 101)], share) == expected


def test_yaml_is_in_blocks_with_quoted_texts() -> None:
    data = {"order": {"order_id": "7", "lines": [{"sku": "on"}], "holds": []}, "no": None, "a b": True}

    assert list(yaml_lines(data)) == [
        "order:",
        '  order_id: "7"',
        "  lines:",
        "    -",
        '      sku: "on"',
        "  holds: []",
        '"no": null',
        '"a b": true',
    ]


def an_order() -> order_pb2.Order:
    return order_pb2.Order(order_id="id-1", total=money(2_550_000_000, "GBP"))


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    journal = Journal(path)
    journal.add("536365", "create", an_order(), consistency_pb2.PERSISTENCE_STORED)

    (entry,) = read_journal(path)

    assert entry == ("536365", "id-1", "create", "STORED", "GBP", 2_550_000_000)
    assert json.loads(path.read_text())["total"] == {"currency_code": "GBP", "units": 2, "nanos": 550_000_000}
    journal.close()


def test_a_line_that_a_crash_cut_off_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for number in ("1", "2"):
        journal = Journal(path)
        journal.add(number, "create", an_order(), consistency_pb2.PERSISTENCE_LOGGED)
        journal.close()
        with path.open("ab") as file:
            file.write(b'{"invoice": "cut')

    assert [entry.invoice for entry in read_journal(path)] == ["1", "2"]


def test_another_file_than_a_journal_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "other").write_text('{"invoice": "1"}\n')

    with pytest.raises(JournalError, match="is it the journal of a replay"):
        read_journal(tmp_path / "other")
    assert read_journal(tmp_path / "none") == []


def parsed(request: bytes) -> order_service_pb2.CreateOrderRequest:
    return order_service_pb2.CreateOrderRequest.FromString(request)


def test_an_order_of_the_benchmark_has_three_lines_and_the_id_that_was_appended() -> None:
    source = OrderSource(500, "run")
    made = [order for _ in range(500) if (order := source.take()) is not None]
    orders = [parsed(order.request).order for order in made]

    assert source.take() is None
    assert [order.order_id for order in orders] == [outgoing.order_id for outgoing in made]
    assert {len({line.sku for line in order.lines}) for order in orders} == {3}
    assert sum(order.payment_token == "tok_decline" for order in orders) == 10


def test_a_batch_of_the_benchmark_is_a_request_of_the_contract() -> None:
    source = OrderSource(3, "run")
    orders = [order for _ in range(3) if (order := source.take()) is not None]

    batch: Message = order_service_pb2.BatchCreateOrdersRequest.FromString(batch_of(orders))

    assert list(batch.requests) == [parsed(order.request) for order in orders]  # type: ignore[attr-defined]  # generated


def test_ids_of_the_benchmark_are_uuid7_of_now() -> None:
    made = uuid.UUID(new_order_id())

    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_the_picture_of_latencies_is_made_of_any_number_of_them() -> None:
    for count in (1, 2, 1000):
        assert latency_svg(sorted(random.Random(1).random() for _ in range(count)), "unary").startswith("<svg")


def test_every_setting_has_a_flag() -> None:
    shown = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["up", "--help"]).output
    settings = [name for name in Settings.model_fields if name != "kernel"]
    kernel = [f"kernel-{field.name}" for field in fields(OwnerOptions)]

    assert [name for name in [*settings, *kernel] if f"--{name.replace('_', '-')}" not in shown] == []
