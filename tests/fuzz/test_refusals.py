"""Refusals that hostile input found too large, too slow or too talkative; each was seen to fail by `scripts/fuzz`."""

from __future__ import annotations

import time

import grpc
import pytest

from oms.log.v1 import log_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.core import limits
from ordermesh.order.creation import prepare
from ordermesh.runtime.fields import VIOLATIONS_MAX, Violations
from ordermesh.runtime.problems import Problem, Violation, invalid
from ordermesh.shipping.model import parse_shipment_id
from ordermesh.testing.fuzz.judge import Refusal, refusal_of, wrong_with
from ordermesh.testing.fuzz.values import HOSTILE_TEXTS
from tests.e2e.api.client import Client, failure_of
from tests.unit.edge.shop import Shop

ORDER_ID = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"


def wrong_order() -> order_service_pb2.CreateOrderRequest:
    """An order with as many lines as may be, each with all that can be wrong."""
    request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(order_id=ORDER_ID, customer_id="ada"))
    request.order.lines.extend(order_pb2.OrderLine() for _ in range(limits.LINES_PER_ORDER_MAX))
    return request


def problem_of(request: order_service_pb2.CreateOrderRequest) -> Problem:
    """Why it is refused."""
    with pytest.raises(Problem) as caught:
        prepare(request, time.time_ns() // 1_000, lambda: ORDER_ID, None)
    return caught.value


def test_a_refusal_of_thousands_of_wrong_fields_fits_into_the_headers_of_a_call() -> None:
    """`grpc-status-details-bin` of 150 KiB came to the caller as RESOURCE_EXHAUSTED, made by its own library."""
    status = problem_of(wrong_order()).status()

    assert wrong_with(refusal_of(status)) == ""
    assert "order.payment_token" in status.message


def test_a_batch_of_the_worst_orders_does_not_hold_up_the_edge() -> None:
    """A thousand orders of 2,000 empty lines fit into one call; looking at every line took the edge half a minute."""
    problem = problem_of(wrong_order())

    assert VIOLATIONS_MAX <= len(problem.violations) < 2 * VIOLATIONS_MAX
    assert problem.status().ByteSize() < 4_096


@pytest.mark.parametrize("text", [text for text in HOSTILE_TEXTS if len(text) > 200])
def test_texts_of_a_caller_are_not_sent_back_whole(text: str) -> None:
    violations = Violations()
    violations.add(f"fields[{text}]", f"{text!r} is wrong")
    for problem in (
        invalid(violations),
        Problem("PARTITION_NOT_FOUND", f"There is no group {text}."),
        Problem("STOCK_NOT_FOUND", "Nothing is known of it.", metadata={"sku": text}),
        Problem("ORDER_NOT_CANCELLABLE", text, metadata={"subject": text}),
    ):
        assert wrong_with(refusal_of(problem.status())) == ""


def test_a_judge_sees_what_is_wrong_with_a_refusal() -> None:
    """What the fuzzer would not notice is not tested by it."""
    fine = invalid([Violation("sku", "is required")]).status()
    without = Problem("INVALID_REQUEST", "sku: is required").status()
    leaking = invalid([Violation("sku", "ValueError('x')")]).status()

    assert wrong_with(refusal_of(fine)) == ""
    assert "without BadRequest" in wrong_with(refusal_of(without))
    assert "tells of the server" in wrong_with(refusal_of(leaking))
    assert "code INTERNAL" in wrong_with(Refusal("INTERNAL", "oops", b"x"))
    assert "without details" in wrong_with(Refusal("UNAVAILABLE", "Stream removed", b""))
    fine.code = grpc.StatusCode.NOT_FOUND.value[0]
    assert "with code" in wrong_with(refusal_of(fine))


def test_an_id_with_thousands_of_digits_is_just_no_id() -> None:
    """The refusal told how Python's own limit for such a number is raised."""
    with pytest.raises(ValueError, match="is not an order's id, a hyphen and a number"):
        parse_shipment_id(f"{ORDER_ID}-" + "9" * 5_000)


async def test_a_list_from_a_year_that_nobody_lives_to_see_is_empty(client: Client) -> None:
    """The month of the year 10000 has no name: the call ended with INTERNAL."""
    request = order_service_pb2.ListOrdersRequest(customer_id="ada")
    request.create_time_from.seconds = 2**62

    assert not (await client.orders.ListOrders(request)).orders


async def test_where_no_orders_are_taken_a_batch_is_refused_before_it_is_judged(shop: Shop, client: Client) -> None:
    """Judging first took thirty times as long as refusing, and under overload nearly all is refused."""
    closed = log_pb2.PartitionStatus(group="orders", intake_open=False, intake_reason="busy", retry_after_ms=700)
    request = order_service_pb2.BatchCreateOrdersRequest(requests=[wrong_order()])
    await shop.stop_owner()  # it would say that it takes them
    for partition in range(2):
        closed.partition = partition
        shop.gate._hear_status(closed.SerializeToString())
    failure = await failure_of(client.orders.BatchCreateOrders(request))

    assert (failure.code, failure.reason, failure.retry_ms) == ("RESOURCE_EXHAUSTED", "OVERLOADED", 700)
