"""Amounts: no rounding but where it is said, and that adds up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oms.order.v1.order_pb2 import Order, OrderLine
from ordermesh.core.ids import canonical_order_id, order_id_of, time_ms_of
from ordermesh.core.money import NANOS_PER_UNIT, UNITS_MAX, money_of, nanos_of, pro_rata
from ordermesh.order.model import complete, content_of, worth_nanos
from tests.unit.orders import line, money

amounts = st.integers(-UNITS_MAX * NANOS_PER_UNIT, UNITS_MAX * NANOS_PER_UNIT)
order_lines = st.builds(
    line, st.sampled_from("ABC"), st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, NANOS_PER_UNIT - 1)
)


@given(amounts)
def test_every_amount_survives_its_message(nanos: int) -> None:
    assert nanos_of(money_of("GBP", nanos)) == nanos


@given(amounts, amounts)
def test_amounts_have_one_form(one: int, other: int) -> None:
    assert (money_of("GBP", one) == money_of("GBP", other)) == (one == other)


@given(st.integers(0, 10**30), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_shares_are_never_negative_and_add_up_exactly(total: int, parts: list[int]) -> None:
    whole, so_far, shares = sum(parts), 0, []
    for part in parts:
        shares.append(pro_rata(total, so_far + part, whole) - pro_rata(total, so_far, whole))
        so_far += part

    assert min(shares) >= 0
    assert sum(shares) == total


@given(st.lists(order_lines, min_size=1, max_size=8), st.integers(0, 10**6))
def test_the_total_is_what_all_lines_are_worth_when_they_come_back_and_the_charge(
    lines: list[OrderLine], charge: int
) -> None:
    order = Order(shipping_charge=money(charge))
    order.lines.extend(lines)
    complete(order)

    worth = sum(worth_nanos(each, each.quantity) for each in order.lines)
    assert nanos_of(order.total) == worth + charge * NANOS_PER_UNIT


@given(st.lists(order_lines, min_size=1, max_size=8))
def test_completing_twice_changes_nothing(lines: list[OrderLine]) -> None:
    order = Order()
    order.lines.extend(lines)
    complete(order)
    again = Order()
    again.CopyFrom(order)
    complete(again)

    assert again == order == content_of(order)
    assert len({each.line_id for each in order.lines}) == len(lines)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_an_id_is_canonical_and_keeps_its_time(time_ms: int, chance: bytes) -> None:
    order_id = order_id_of(time_ms, chance)

    assert canonical_order_id(order_id.upper()) == order_id
    assert time_ms_of(order_id) == time_ms
