"""What an order may say of times and shortages, and what it may be amended to, before anything is logged."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2
from ordermesh.core import limits
from ordermesh.order.creation import check_lines
from ordermesh.order.terms import amendment
from ordermesh.runtime.fields import Violations
from ordermesh.runtime.problems import Problem
from tests.unit.test_creation import NOW_MS, judge, order, refused

NOW_S = NOW_MS // 1000
BACKORDER = order_pb2.FULFILLMENT_POLICY_BACKORDER
YEAR_S = limits.AHEAD_DAYS_MAX * 86_400


def fields(problem: Problem) -> list[str]:
    """The fields that are wrong."""
    return [violation.field for violation in problem.violations]


def amended(**changes: Any) -> order_commands_pb2.Amend:
    """The command of an amendment to one line."""
    line = {"sku": "TEA", "quantity": 2, "unit_price": {"currency_code": "GBP", "units": 3}}
    request = order_service_pb2.AmendOrderRequest(**{"order_id": "x", "lines": [line], **changes})
    return amendment(request, check_lines, Violations())


def test_a_time_up_to_a_year_ahead_is_taken_and_no_later_one() -> None:
    latest = Timestamp(seconds=NOW_S + YEAR_S)
    assert judge(order(not_before=latest)).order.not_before == latest

    latest.seconds += 1
    assert fields(refused(order(not_before=latest))) == ["order.not_before"]
    asked = order(fulfillment_policy=BACKORDER, backorder_expire_time=latest)
    assert fields(refused(asked)) == ["order.backorder_expire_time"]


def test_a_time_that_has_passed_is_taken_because_the_same_order_may_come_again() -> None:
    past = Timestamp(seconds=NOW_S - 10)

    assert judge(order(not_before=past)).order.not_before == past
    assert judge(order(fulfillment_policy=BACKORDER, backorder_expire_time=past)).order.HasField(
        "backorder_expire_time"
    )


@pytest.mark.parametrize(
    ("time", "field"),
    [
        (Timestamp(seconds=-1), "order.not_before"),
        (Timestamp(seconds=NOW_S, nanos=-1), "order.not_before.nanos"),
        (Timestamp(seconds=NOW_S, nanos=1_000_000_000), "order.not_before.nanos"),
        (Timestamp(seconds=2**62), "order.not_before"),
    ],
    ids=["before 1970", "nanos below 0", "nanos of a second", "the end of time"],
)
def test_what_is_no_time_is_refused(time: Timestamp, field: str) -> None:
    assert fields(refused(order(not_before=time))) == [field]


def test_a_backorder_expires_after_it_begins() -> None:
    begins, ends = Timestamp(seconds=NOW_S + 20), Timestamp(seconds=NOW_S + 20)
    asked = order(fulfillment_policy=BACKORDER, not_before=begins, backorder_expire_time=ends)
    assert fields(refused(asked)) == ["order.backorder_expire_time"]

    ends.seconds += 1
    assert judge(order(fulfillment_policy=BACKORDER, not_before=begins, backorder_expire_time=ends))


@pytest.mark.parametrize("policy", [0, order_pb2.FULFILLMENT_POLICY_REJECT, order_pb2.FULFILLMENT_POLICY_PARTIAL])
def test_what_is_for_backorders_is_refused_on_other_orders(policy: Any) -> None:
    ends = Timestamp(seconds=NOW_S + 20)
    asked = order(fulfillment_policy=policy, allow_split_shipments=True, backorder_expire_time=ends)

    assert fields(refused(asked)) == ["order.allow_split_shipments", "order.backorder_expire_time"]


def test_an_amendment_gets_line_ids_and_keeps_a_charge_of_nothing() -> None:
    command = amended(shipping_charge={"currency_code": "GBP"}, etag="3")

    assert command.lines[0].line_id == "1"
    assert command.HasField("shipping_charge")
    assert (command.etag, command.HasField("ship_to")) == ("3", False)


def test_the_outputs_of_an_amended_line_are_dropped() -> None:
    line = {"sku": "TEA", "quantity": 2, "unit_price": {"currency_code": "GBP", "units": 3}, "cancelled_quantity": 1}

    assert not amended(lines=[{**line, "shipped_quantity": 1}]).lines[0].shipped_quantity
    assert not amended(lines=[line]).lines[0].cancelled_quantity


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "TEA", "quantity": 0, "unit_price": {"currency_code": "GBP"}}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "TEA", "quantity": 1}]}, "lines[0].unit_price"),
        ({"shipping_charge": {"currency_code": "EUR", "units": 1}}, "shipping_charge.currency_code"),
        ({"lines": [{"sku": "x" * limits.ORDER_BYTES_MAX, "quantity": 1}]}, "lines"),
    ],
    ids=["no lines", "no pieces", "no price", "another currency", "too large"],
)
def test_an_amendment_that_cannot_be_is_refused_with_its_field(changes: Any, field: str) -> None:
    with pytest.raises(Problem) as raised:
        amended(**changes)
    assert fields(raised.value) == [field]
