"""Amounts: exact, bounded, of one currency."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from google.type.money_pb2 import Money

from oms.order.v1.order_pb2 import Order
from ordermesh.core.money import UNITS_MAX, InvalidAmount, coin_of, money_of, nanos_of, pro_rata, text_of
from ordermesh.order.model import complete, worth_nanos
from tests.unit.orders import line, money, order_of


@pytest.mark.parametrize(
    ("amount", "nanos"),
    [
        (money(0), 0),
        (money(1, 250_000_000), 1_250_000_000),
        (money(-1, -5), -1_000_000_005),
        (money(UNITS_MAX, 999_999_999), UNITS_MAX * 10**9 + 999_999_999),
    ],
    ids=["nothing", "some", "below nothing", "most"],
)
def test_an_amount_is_an_integer_of_nanos_and_back(amount: Money, nanos: int) -> None:
    assert nanos_of(amount) == nanos
    assert money_of("GBP", nanos) == amount


@pytest.mark.parametrize("amount", [money(1, -1), money(-1, 1), money(0, 10**9), money(0, -(10**9))], ids=str)
def test_units_and_nanos_that_contradict_each_other_are_no_amount(amount: Money) -> None:
    with pytest.raises(InvalidAmount):
        nanos_of(amount)


def test_an_amount_beyond_int64_is_refused() -> None:
    with pytest.raises(InvalidAmount, match="more than an amount can hold"):
        money_of("GBP", (UNITS_MAX + 1) * 10**9)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(12_500_000_000, "12.50 GBP"), (85_000_000, "0.085 GBP"), (-1_000_000_000, "-1.00 GBP"), (0, "0.00 GBP")],
)
def test_an_amount_reads_as_people_write_it(nanos: int, text: str) -> None:
    assert text_of(money_of("GBP", nanos)) == text


def test_the_total_has_discount_and_tax_per_line_and_the_shipping_charge() -> None:
    order = Order(lines=[line("A", 3, 0, 85_000_000), line("B", 1, 20)], shipping_charge=money(4, 990_000_000))
    order.lines[1].discount.CopyFrom(money(2))
    order.lines[1].tax.CopyFrom(money(3, 600_000_000))

    complete(order)

    assert order.total == money(26, 845_000_000)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda order: order.lines[0].unit_price.CopyFrom(money(-1)), "lines[0].unit_price"),
        (lambda order: order.lines[1].tax.CopyFrom(money(-1)), "lines[1].tax"),
        (lambda order: order.lines[1].discount.CopyFrom(money(11)), "lines[1].discount"),
        (lambda order: order.shipping_charge.CopyFrom(Money(currency_code="EUR")), "shipping_charge.currency_code"),
        (lambda order: setattr(order.lines[1].unit_price, "currency_code", "EUR"), "lines[1].unit_price.currency_code"),
        (lambda order: setattr(order.lines[0].unit_price, "currency_code", "gb"), "lines[0].unit_price.currency_code"),
        (lambda order: setattr(order.lines[0].unit_price, "nanos", -1), "lines[0].unit_price"),
        (lambda order: setattr(order.lines[0], "quantity", 0), "lines[0].quantity"),
        (lambda order: setattr(order.lines[0].unit_price, "units", UNITS_MAX), "total"),
    ],
    ids=["price", "tax", "discount", "charge", "two currencies", "no currency", "signs", "quantity", "total"],
)
def test_an_amount_that_is_wrong_is_named_by_its_field(change: Callable[[Order], None], field: str) -> None:
    order = order_of()
    change(order)

    with pytest.raises(InvalidAmount) as raised:
        complete(order)

    assert raised.value.field == field


def test_completing_names_lines_around_the_names_given_and_drops_outputs() -> None:
    order = Order(lines=[line("A", 1), line("B", 1), line("C", 1)], etag="9", version=9)
    order.lines[2].line_id = "1"
    order.lines[0].returned_quantity = 5
    order.lines[1].discount.CopyFrom(money(0))

    complete(order)

    assert [each.line_id for each in order.lines] == ["2", "3", "1"]
    assert (order.etag, order.version, order.lines[0].returned_quantity) == ("", 0, 0)
    assert not order.lines[1].HasField("discount")


def test_pieces_given_back_one_by_one_add_up_to_the_line() -> None:
    a_line = line("A", 3, 3, 333_333_334)
    a_line.tax.CopyFrom(money(0, 1))
    shares = [worth_nanos(a_line, number + 1) - worth_nanos(a_line, number) for number in range(3)]

    assert sum(shares) == 3 * 3_333_333_334 + 1
    assert max(shares) - min(shares) <= 1


def test_a_share_without_rest_is_exact() -> None:
    assert pro_rata(850_000_000, 5, 10) == 425_000_000


@pytest.mark.parametrize(
    ("currency", "units", "expected"),
    [("GBP", 10, [3_330_000_000, 3_330_000_000, 3_340_000_000]), ("JPY", 10, [3 * 10**9, 3 * 10**9, 4 * 10**9])],
)
def test_shares_are_whole_coins_of_the_currency_and_add_up(currency: str, units: int, expected: list[int]) -> None:
    total = units * 10**9
    sums = [pro_rata(total, part, 3, coin_of(currency)) for part in range(4)]

    assert [after - before for before, after in pairwise(sums)] == expected


def test_shares_of_what_is_not_in_whole_coins_are_exact_to_a_nano() -> None:
    assert pro_rata(10_005_000_001, 1, 2, coin_of("GBP")) == 5_002_500_000
