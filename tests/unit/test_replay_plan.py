"""Planning a replay: derived ids, stock that leaves few orders short, and returns matched to earlier purchases."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordermesh.cli.replay_file import Invoice, Line, SalesFile, read_sales
from ordermesh.cli.replay_plan import Plan, make_plan, order_id_of

BUNDLED = Path(__file__).parents[2] / "data" / "online-retail-2010-12.csv.xz"
TIME = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
Lines = Sequence[tuple[str, int, int]]


def invoice(number: str, lines: Lines, customer: str = "7") -> Invoice:
    """Lines are (SKU, quantity, price in nanos)."""
    made = tuple(Line(str(index), *line) for index, line in enumerate(lines, start=1))
    return Invoice(number, TIME, customer, "UK", number.startswith("C"), made)


def plan(*invoices: Invoice, limit: int | None = None) -> Plan:
    return make_plan(SalesFile(invoices, "digest"), limit)


@pytest.fixture(scope="module")
def bundled() -> Plan:
    return make_plan(read_sales(BUNDLED))


def test_an_order_id_is_a_uuid7_of_the_invoice_time() -> None:
    order_id = uuid.UUID(order_id_of("536365", TIME))

    assert order_id.version == 7
    assert order_id.variant == uuid.RFC_4122
    assert order_id.int >> 80 == int(TIME.timestamp() * 1000)
    assert str(order_id) == order_id_of("536365", TIME)
    assert str(order_id) != order_id_of("536366", TIME)


def test_the_bundled_month_is_planned_whole(bundled: Plan) -> None:
    assert len(bundled.purchases) == len({purchase.order_id for purchase in bundled.purchases}) == 1559
    assert len(bundled.cancellations) == 326
    assert bundled.invoices - bundled.empty_invoices == 1559 + 326


def test_the_stock_of_the_bundled_month_lacks_for_about_one_order_in_a_hundred(bundled: Plan) -> None:
    needed: Counter[str] = Counter()
    for purchase in bundled.purchases:
        for line in purchase.invoice.lines:
            needed[line.sku] += line.quantity
    received = {receipt.sku: receipt.quantity for receipt in bundled.receipts}
    short = {sku for sku, quantity in needed.items() if received.get(sku, 0) < quantity}
    rejected = [p for p in bundled.purchases if short & {line.sku for line in p.invoice.lines}]

    assert len(rejected) == len(short) == 16
    assert all(received.get(sku, 0) == quantity for sku, quantity in needed.items() if sku not in short)


def test_planning_again_gives_the_same_ids(bundled: Plan) -> None:
    assert make_plan(read_sales(BUNDLED)) == bundled


def test_a_limited_plan_is_the_beginning_of_the_whole_one_with_all_the_stock(bundled: Plan) -> None:
    limited = make_plan(read_sales(BUNDLED), 200)

    assert limited.invoices == 200
    assert limited.steps == bundled.steps[: len(limited.steps)]
    assert limited.receipts == bundled.receipts


def test_what_is_taken_back_is_never_more_than_was_bought(bundled: Plan) -> None:
    bought = {(p.order_id, line.line_id): line.quantity for p in bundled.purchases for line in p.invoice.lines}
    taken: Counter[tuple[str, str]] = Counter()
    for step in bundled.cancellations:
        for part in step.parts:
            for line_id, quantity in part.lines:
                taken[part.order_id, line_id] += quantity

    assert taken
    assert all(quantity <= bought[line] for line, quantity in taken.items())


def test_every_cancelled_piece_is_either_taken_back_or_reported(bundled: Plan) -> None:
    for step in bundled.cancellations:
        cancelled = sum(line.quantity for line in step.invoice.lines)
        taken = sum(quantity for part in step.parts for _line, quantity in part.lines)

        assert cancelled == taken + sum(item.quantity for item in step.unmatched)


def test_a_cancellation_of_a_whole_order_says_so() -> None:
    both = [("TEA", 2, 5), ("CUP", 1, 7)]
    (step,) = plan(invoice("1", both), invoice("C2", both)).cancellations

    assert [(part.whole, part.lines, part.amount_nanos) for part in step.parts] == [(True, (("1", 2), ("2", 1)), 17)]


def test_a_cancellation_takes_the_newest_purchase_at_the_same_price_first() -> None:
    made = plan(
        invoice("1", [("TEA", 5, 100)]),
        invoice("2", [("TEA", 5, 100)]),
        invoice("3", [("TEA", 5, 90)]),
        invoice("C4", [("TEA", 12, 100)]),
    )
    (step,) = made.cancellations
    numbers = {purchase.order_id: purchase.invoice.number for purchase in made.purchases}

    assert [(numbers[part.order_id], part.lines) for part in step.parts] == [
        ("2", (("1", 5),)),
        ("1", (("1", 5),)),
        ("3", (("1", 2),)),
    ]
    assert not step.unmatched


@pytest.mark.parametrize(
    ("cancelling", "kind"),
    [
        (invoice("C2", [("TEA", 6, 100)]), "more than was bought"),
        (invoice("C2", [("tea", 1, 100)]), "no earlier purchase"),
        (invoice("C2", [("TEA", 1, 100)], customer="8"), "no earlier purchase"),
        (invoice("C2", [("TEA", 1, 100)], customer="guest-C2"), "no customer"),
    ],
)
def test_what_matches_no_purchase_is_reported_by_kind(cancelling: Invoice, kind: str) -> None:
    (step,) = plan(invoice("1", [("TEA", 5, 100)]), cancelling).cancellations

    assert [(item.kind, item.quantity, item.amount_nanos) for item in step.unmatched] == [(kind, 1, 100)]


def test_a_purchase_after_the_cancellation_is_not_taken_back() -> None:
    (step,) = plan(invoice("C1", [("TEA", 1, 100)]), invoice("2", [("TEA", 1, 100)])).cancellations

    assert not step.parts
