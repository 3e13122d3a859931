"""Judging an order before it is logged: what is completed, what is refused, and by which names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.core import ids, limits
from ordermesh.order.creation import Creation, prepare
from ordermesh.runtime.problems import Problem

NOW_MS = 1_795_000_000_000
ID = ids.order_id_of(NOW_MS, b"0123456789")
TOKENS = frozenset({"tok_ok", "tok_decline"})


def order(**changes: Any) -> order_pb2.Order:
    """A good order."""
    line = {"sku": "TEA", "quantity": 2, "unit_price": {"currency_code": "GBP", "units": 3}}
    return order_pb2.Order(
        **{"order_id": ID, "customer_id": "ada", "payment_token": "tok_ok", "lines": [line], **changes}
    )


def judge(asked: order_pb2.Order, durability: int = 0) -> Creation:
    """The order as it would be logged."""
    request = order_service_pb2.CreateOrderRequest(order=asked, durability=durability)  # type: ignore[arg-type]  # a number
    return prepare(request, NOW_MS * 1000, lambda: ID, TOKENS)


def refused(asked: order_pb2.Order) -> Problem:
    """Why it is not."""
    with pytest.raises(Problem) as raised:
        judge(asked)
    assert raised.value.metadata["order_id"]
    return raised.value


def test_what_a_client_may_leave_out_is_filled_in() -> None:
    creation = judge(order(order_id=""))

    assert creation.order.order_id == ID
    assert creation.order.lines[0].line_id == "1"
    assert (creation.order.total.currency_code, creation.order.total.units) == ("GBP", 6)
    assert creation.order.fulfillment_policy == order_pb2.FULFILLMENT_POLICY_REJECT
    assert creation.durability == consistency_pb2.DURABILITY_STORED


def test_what_is_output_only_or_unknown_is_dropped() -> None:
    asked = order(order_state=order_pb2.ORDER_STATE_COMPLETED, version=7, etag="7", state_reason="because")
    asked.MergeFromString(b"\xa2\x1f\x03abc")

    completed = judge(asked).order

    assert completed == judge(order()).order
    assert b"abc" not in completed.SerializeToString()


def test_ids_become_canonical_before_they_are_hashed() -> None:
    assert judge(order(order_id=ID.upper())).order.order_id == ID


def test_equal_requests_become_equal_bytes() -> None:
    spelled = order(shipping_charge={"currency_code": "GBP"})
    spelled.lines[0].line_id = "1"
    spelled.lines[0].tax.currency_code = "GBP"

    assert judge(spelled).command().SerializeToString() == judge(order()).command().SerializeToString()


@pytest.mark.parametrize(
    ("number", "most", "make"),
    [
        (limits.LINES_PER_ORDER_MAX + 1, limits.LINES_PER_ORDER_MAX, lambda n: order(lines=[order().lines[0]] * n)),
        (
            limits.LABELS_PER_ORDER_MAX + 1,
            limits.LABELS_PER_ORDER_MAX,
            lambda n: order(labels={str(k): "" for k in range(n)}),
        ),
    ],
)
def test_a_limit_says_both_numbers(number: int, most: int, make: Any) -> None:
    problem = refused(make(number))

    assert problem.reason == "LIMIT_EXCEEDED"
    assert (problem.metadata["limit"], problem.metadata["actual"]) == (str(most), str(number))


def test_an_id_may_be_ten_seconds_ahead_and_no_more() -> None:
    judge(order(order_id=ids.order_id_of(NOW_MS + 10_000, b"0123456789")))

    assert refused(order(order_id=ids.order_id_of(NOW_MS + 10_001, b"0123456789"))).reason == "ORDER_ID_IN_FUTURE"


@pytest.mark.parametrize("text", ["x" * 257, "a\nb", "a\x1fb", "a\x00"])
def test_texts_of_keys_are_short_and_printable(text: str) -> None:
    line = {"sku": text, "quantity": 1, "unit_price": {"currency_code": "GBP", "units": 3}, "line_id": text}
    problem = refused(order(customer_id=text, lines=[line]))

    fields = {violation.field for violation in problem.violations}
    assert fields == {"order.customer_id", "order.lines[0].sku", "order.lines[0].line_id"}


def test_a_token_that_the_provider_does_not_know_is_answered_with_those_that_it_knows() -> None:
    (violation,) = refused(order(payment_token="tok_other")).violations

    assert violation.field == "order.payment_token"
    assert violation.description.endswith("tok_decline, tok_ok")


def test_line_ids_are_unique() -> None:
    line = {"sku": "A", "quantity": 1, "unit_price": {"currency_code": "GBP", "units": 3}, "line_id": "same"}

    assert [v.field for v in refused(order(lines=[line, line])).violations] == ["order.lines[1].line_id"]


def test_amounts_are_judged_by_the_model_and_named_by_their_path() -> None:
    asked = order()
    asked.lines[0].unit_price.nanos = -5

    assert [v.field for v in refused(asked).violations] == ["order.lines[0].unit_price"]


@given(st.binary(max_size=300))
def test_whatever_the_bytes_say_it_is_taken_or_refused(data: bytes) -> None:
    """No input raises anything but a Problem, and what is taken can be taken again."""
    asked = order()
    try:
        asked.MergeFromString(data)
    except Exception:  # noqa: BLE001 # what cannot be parsed never gets here
        return
    try:
        creation = judge(asked)
    except Problem:
        return
    again = order_pb2.Order()
    again.CopyFrom(creation.order)
    assert judge(again).order == creation.order


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_whatever_the_numbers_are_a_total_is_exact_or_the_order_refused(quantity: int, units: int, nanos: int) -> None:
    asked = order()
    asked.lines[0].quantity = quantity
    asked.lines[0].unit_price.units, asked.lines[0].unit_price.nanos = units, nanos
    try:
        total = judge(asked).order.total
    except Problem:
        return
    assert total.units * 10**9 + total.nanos == quantity * (units * 10**9 + nanos)
    assert total.units >= 0
    assert total.nanos >= 0
