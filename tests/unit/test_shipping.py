"""Shipments: the first of dispatch and cancellation wins."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.common.v1.address_pb2 import Address
from oms.order.v1 import order_commands_pb2 as answers
from oms.shipping.v1.shipping_commands_pb2 import CancelShipment, CreateShipment, Deliver, Dispatch, DispatchTimer
from oms.shipping.v1.shipping_pb2 import (
    SHIPMENT_STATE_CANCELLED,
    SHIPMENT_STATE_DISPATCHED,
    SHIPMENT_STATE_PENDING,
    Shipment,
    ShipmentLine,
)
from ordermesh.shipping.app import SERVICE as AT_ONCE
from ordermesh.shipping.app import make_service
from ordermesh.shipping.model import ShippingPolicy, parse_shipment_id, shipment_id_of, shipment_key
from ordermesh.shipping.rows import columns
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID

BY_HAND = make_service(ShippingPolicy(dispatch_automatically=False))
LATER = make_service(ShippingPolicy(dispatch_delay_us=5_000_000))
KEY = shipment_key(TENANT, ORDER_ID, 1)
CREATE = CreateShipment(
    number=1, lines=[ShipmentLine(line_id="1", sku="A", quantity=2)], ship_to=Address(recipient="Ada")
)
CANCEL = CancelShipment(number=1)
CANCELLED = [answers.ShipmentCancelled(number=1)]


def asked(*messages: Message) -> Outcome:
    """A shipment that is dispatched by hand, to which these came."""
    outcome = given(BY_HAND)
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def dispatch(tracking: str = "T1", request_id: str = "") -> Dispatch:
    """It left."""
    return Dispatch(number=1, tracking=tracking, request_id=request_id)


def shipment(outcome: Outcome) -> Shipment:
    """The resource."""
    found: Shipment = outcome.state(KEY).shipment
    return found


def test_an_automatic_shipment_without_delay_leaves_at_once_in_two_events() -> None:
    outcome = given(AT_ONCE).when(ORDER_ID, CREATE)

    assert outcome.event_names == ["ShipmentCreated", "ShipmentDispatched"]
    assert [message.number for message in outcome.sent(answers.ShipmentDispatched)] == [1]
    assert columns(KEY, outcome.state(KEY)) == ("DISPATCHED", shipment(outcome).tracking)


def test_a_shipment_has_its_lines_and_its_address() -> None:
    found = shipment(asked(CREATE))

    assert found.shipment_id == shipment_id_of(ORDER_ID, 1) == f"{ORDER_ID}-1"
    assert parse_shipment_id(found.shipment_id) == (ORDER_ID, 1)
    assert list(found.lines) == list(CREATE.lines)
    assert found.ship_to.recipient == "Ada"
    assert found.state == SHIPMENT_STATE_PENDING


@pytest.mark.parametrize("text", ["", ORDER_ID[:8], "x-0", "x-01", "-1", "x-y", "x-²"])
def test_what_is_no_shipment_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an order's id"):
        parse_shipment_id(text)


def test_an_automatic_shipment_with_delay_leaves_when_its_timer_is_due() -> None:
    outcome = given(LATER).when(ORDER_ID, CREATE)
    (timer,) = outcome.timers
    assert timer.message == DispatchTimer(number=1)
    assert timer.due_us == outcome.now_us - 1 + 5_000_000

    outcome.when(ORDER_ID, DispatchTimer(number=1))
    assert outcome.event_names == ["ShipmentDispatched"]
    assert outcome.when(ORDER_ID, DispatchTimer(number=1)).is_silent


def test_a_cancellation_before_the_timer_stops_the_shipment() -> None:
    outcome = given(LATER).when(ORDER_ID, CREATE).when(ORDER_ID, CANCEL)

    assert outcome.messages == CANCELLED
    assert [timer.message for timer in outcome.timers] == [None]
    assert outcome.when(ORDER_ID, DispatchTimer(number=1)).is_silent
    assert shipment(outcome).state == SHIPMENT_STATE_CANCELLED


def test_a_cancellation_after_the_dispatch_is_refused() -> None:
    outcome = asked(CREATE, dispatch(), CANCEL)

    assert outcome.messages == [answers.ShipmentCancelRefused(number=1)]
    assert not outcome.events
    outcome.when(ORDER_ID, Deliver(number=1)).when(ORDER_ID, CANCEL)
    assert outcome.messages == [answers.ShipmentCancelRefused(number=1)]


def test_a_cancellation_said_twice_is_answered_twice() -> None:
    outcome = asked(CREATE, CANCEL, CANCEL)

    assert outcome.messages == CANCELLED
    assert not outcome.events


def test_a_cancellation_that_finds_nothing_leaves_a_mark_that_a_late_shipment_cannot_pass() -> None:
    outcome = asked(CANCEL)
    assert outcome.messages == CANCELLED

    outcome.when(ORDER_ID, CREATE)
    assert outcome.messages == CANCELLED
    assert shipment(outcome).state == SHIPMENT_STATE_CANCELLED
    assert shipment(outcome).order_id == ORDER_ID


def test_a_shipment_asked_for_again_is_answered_with_what_became_of_it() -> None:
    assert asked(CREATE, CREATE).is_silent
    outcome = asked(CREATE, dispatch(), CREATE)
    assert outcome.messages == [answers.ShipmentDispatched(number=1, tracking="T1")]
    assert not outcome.events


def test_a_dispatch_is_done_once() -> None:
    outcome = asked(CREATE, dispatch(request_id="r1"))
    assert outcome.messages == [answers.ShipmentDispatched(number=1, tracking="T1")]
    assert shipment(outcome).state == SHIPMENT_STATE_DISPATCHED

    assert outcome.when(ORDER_ID, dispatch(request_id="r1")).is_silent
    assert outcome.when(ORDER_ID, dispatch()).is_silent
    assert outcome.when(ORDER_ID, dispatch(tracking="")).is_silent


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((dispatch(),), "SHIPMENT_NOT_FOUND"),
        ((CREATE, CANCEL, dispatch()), "SHIPMENT_NOT_DISPATCHABLE"),
        ((CREATE, dispatch("T1"), dispatch("T2")), "SHIPMENT_NOT_DISPATCHABLE"),
        ((CREATE, dispatch("T1", "r1"), dispatch("T2", "r1")), "REQUEST_ID_REUSED"),
        ((Deliver(number=1),), "SHIPMENT_NOT_FOUND"),
        ((CREATE, Deliver(number=1)), "SHIPMENT_NOT_DELIVERABLE"),
        ((CREATE, CANCEL, Deliver(number=1)), "SHIPMENT_NOT_DELIVERABLE"),
    ],
)
def test_what_a_shipment_does_not_allow_is_refused(messages: tuple[Message, ...], reason: str) -> None:
    refusal = asked(*messages).refusal

    assert refusal is not None
    assert refusal.reason == reason


def test_a_delivery_is_told_once() -> None:
    outcome = asked(CREATE, dispatch(), Deliver(number=1, request_id="r1"))

    assert outcome.messages == [answers.ShipmentDelivered(number=1)]
    assert outcome.when(ORDER_ID, Deliver(number=1, request_id="r1")).is_silent
    assert outcome.when(ORDER_ID, Deliver(number=1)).is_silent
