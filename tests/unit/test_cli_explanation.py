"""An explanation as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from oms.order.v1 import order_explanation_pb2 as told
from ordermesh.cli.explanation import explanation_rows

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def explanation() -> told.OrderExplanation:
    """An order that waits for its dispatch."""
    found = told.OrderExplanation(
        order_id="id",
        partition="orders/000",
        waiting_for=told.WAITING_FOR_DISPATCH,
        text="It waits until the goods leave.",
        outcomes=["Dispatched: the money is taken."],
        parts=[told.AwaitedPart(service="shipping", key="id-1", state="SHIPMENT_STATE_PENDING", text="It is there.")],
        remedies=[told.Remedy(party=told.PARTY_WAREHOUSE, method="oms.S.DispatchShipment", text="Sends it.")],
    )
    found.since.FromDatetime(NOW - timedelta(hours=2, minutes=10, seconds=5))
    found.asked_again_at.FromDatetime(NOW + timedelta(seconds=30))
    return found


def test_a_wait_is_told_line_by_line() -> None:
    assert explanation_rows(explanation(), NOW) == [
        ("order", "id in partition orders/000"),
        ("waits for", "DISPATCH"),
        ("why", "It waits until the goods leave."),
        ("since", "2026-11-23 11:49:55 UTC (2 h 10 min ago)"),
        ("asked again", "2026-11-23 14:00:30 UTC (in 30 s)"),
        ("gives up", "never: it is asked until there is an answer"),
        ("then", "Dispatched: the money is taken."),
        ("shipping", "id-1: It is there. (SHIPMENT_STATE_PENDING)"),
        ("warehouse can", "Sends it. DispatchShipment."),
        ("in the way", "nothing that is known"),
    ]


def test_what_is_in_the_way_comes_last_and_a_time_to_give_up_is_told() -> None:
    found = explanation()
    found.gives_up_at.FromDatetime(NOW + timedelta(days=3, minutes=1))
    found.obstacles.add(kind=told.OBSTACLE_KIND_NO_OWNER, text="Nobody owns it.")
    found.obstacles.add(kind=told.OBSTACLE_KIND_STORE, text="It does not answer.")

    rows = explanation_rows(found, NOW)

    assert ("gives up", "2026-11-26 14:01:00 UTC (in 3 d 1 min)") in rows
    assert rows[-2:] == [("in the way", "NO_OWNER: Nobody owns it."), ("in the way", "STORE: It does not answer.")]


def test_an_order_that_waits_for_nothing_is_asked_nothing() -> None:
    found = told.OrderExplanation(order_id="id", waiting_for=told.WAITING_FOR_NOTHING, text="It has ended.")

    names = [name for name, _ in explanation_rows(found, NOW)]

    assert "asked again" not in names
    assert "gives up" not in names


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59.6, "1 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h")])
def test_a_span_is_told_by_its_two_largest_units(seconds: float, text: str) -> None:
    found = explanation()
    found.since.FromDatetime(NOW - timedelta(seconds=seconds))

    assert dict(explanation_rows(found, NOW))["since"].endswith(f"({text} ago)")
