"""Reading an Online Retail file: what is an order, what cancels, what is no sale, and that no penny is rounded."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordermesh.cli.replay_file import FileError, Invoice, nanos, parse_rows, parse_time, read_sales

BUNDLED = Path(__file__).parents[2] / "data" / "online-retail-2010-12.csv.xz"
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def row(invoice: str, quantity: int = 1, price: str = "1.00", customer: str = "7", sku: str = "TEA") -> dict[str, str]:
    return {
        "InvoiceNo": invoice,
        "StockCode": sku,
        "Quantity": str(quantity),
        "InvoiceDate": "2010-12-01T08:26:00",
        "UnitPrice": price,
        "CustomerID": customer,
        "Country": "United Kingdom",
    }


def invoices(*rows: dict[str, str]) -> list[Invoice]:
    return list(parse_rows(rows))


@pytest.fixture(scope="module")
def bundled() -> tuple[Invoice, ...]:
    return read_sales(BUNDLED).invoices


def test_the_bundled_month_has_the_documented_counts(bundled: tuple[Invoice, ...]) -> None:
    sales = [invoice for invoice in bundled if not invoice.cancels]
    only_sales = [invoice for invoice in sales if invoice.lines and not invoice.no_sale]
    mixed = [invoice for invoice in sales if invoice.lines and invoice.no_sale]

    assert len(bundled) == 2025
    assert len(sales) == 1699
    assert (len(only_sales), len(mixed), len([i for i in sales if not i.lines])) == (1550, 9, 140)
    assert sum(invoice.is_order for invoice in bundled) == 1559
    assert sum(invoice.cancels for invoice in bundled) == 326


def test_every_row_of_the_bundled_month_is_either_a_line_or_counted_as_no_sale(bundled: tuple[Invoice, ...]) -> None:
    lines = sum(len(invoice.lines) for invoice in bundled)
    no_sale = sum((Counter(invoice.no_sale) for invoice in bundled), Counter[str]())

    assert lines + no_sale.total() == 42_481
    assert no_sale == {"price not positive": 203, "quantity not positive": 70}


def test_post_and_bank_charges_are_ordinary_lines(bundled: tuple[Invoice, ...]) -> None:
    sold = {line.sku for invoice in bundled if invoice.is_order for line in invoice.lines}

    assert {"POST", "DOT", "M", "BANK CHARGES"} <= sold
    assert {"M", "m"} <= {line.sku for invoice in bundled for line in invoice.lines}


def test_repeated_rows_count_each() -> None:
    (invoice,) = invoices(row("1", 2), row("1", 2))

    assert [line.line_id for line in invoice.lines] == ["1", "2"]
    assert invoice.amount_nanos == 4_000_000_000


def test_rows_of_an_invoice_need_not_stand_together() -> None:
    assert [(i.number, len(i.lines)) for i in invoices(row("1"), row("2"), row("1"))] == [("1", 2), ("2", 1)]


def test_an_invoice_with_some_rows_of_no_sale_keeps_the_others() -> None:
    (invoice,) = invoices(row("1", 0), row("1", 3, "0.00"), row("1", 3, "0.125"))

    assert invoice.is_order
    assert invoice.amount_nanos == 375_000_000
    assert invoice.no_sale == {"quantity not positive": 1, "price not positive": 1}


def test_an_adjustment_sells_nothing() -> None:
    (invoice,) = invoices(row("A5", 1, "11062.06"))

    assert not invoice.is_order
    assert invoice.no_sale == {"adjustment": 1}


def test_a_cancellation_has_positive_quantities_and_is_no_order() -> None:
    (invoice,) = invoices(row("C1", -3))

    assert invoice.cancels
    assert not invoice.is_order
    assert [line.quantity for line in invoice.lines] == [3]


def test_an_empty_customer_becomes_a_guest_of_that_invoice() -> None:
    (invoice,) = invoices(row("1", customer=" "))

    assert invoice.customer_id == "guest-1"
    assert invoice.is_guest


@pytest.mark.parametrize(("text", "expected"), [("2.55", 2_550_000_000), ("0.001", 1_000_000), ("-3", -3_000_000_000)])
def test_prices_are_read_exactly_to_nine_decimals(text: str, expected: int) -> None:
    assert nanos(text) == expected


@pytest.mark.parametrize("text", ["2010-12-01T08:26:00", "2010-12-01 08:26", "12/1/2010 8:26"])
def test_times_are_read_in_the_forms_that_the_file_comes_in(text: str) -> None:
    assert parse_time(text) == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_plain_and_compressed_files_are_the_same_file(tmp_path: Path) -> None:
    text = HEAD + "1,TEA,tea,2,2010-12-01T08:26:00,1.5,7,UK\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))

    assert read_sales(tmp_path / "a.csv") == read_sales(tmp_path / "a.csv.gz")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("InvoiceNo,Quantity\n1,2\n", "has no column StockCode"),
        (HEAD + "1,TEA,tea,two,2010-12-01T08:26:00,1.5,7,UK\n", "invoice 1: invalid literal"),
        (HEAD + "1,TEA,tea,2,yesterday,1.5,7,UK\n", "invoice 1: time 'yesterday'"),
    ],
)
def test_a_bad_file_is_named_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "bad.csv").write_text(text)

    with pytest.raises(FileError, match=expected):
        read_sales(tmp_path / "bad.csv")


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_sales(tmp_path / "none.csv")
