"""Holds of orders whose shipment is asked for: shipping is asked to stop first, and decides who came first."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_PENDING, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.core import limits
from ordermesh.testing.given import Outcome
from tests.unit.orders import ORDER_ID, money
from tests.unit.parts import (
    AUTHORIZED,
    BACKORDER,
    POLICY,
    SECOND,
    VOIDED,
    after,
    an_order,
    counts,
    dispatched,
    fewer,
    granted,
    last,
    more,
    outcome_of,
    paid,
    state_of,
    states,
    stopped,
)

SHIPPING = (granted(), AUTHORIZED)
HOLD = commands.PlaceHold(reason="LOOK", detail="no such street", request_id="hold")
RELEASE = commands.ReleaseHold(reason="LOOK", request_id="release")
TIMER = commands.StepTimer()
TOO_LATE = commands.ShipmentCancelRefused(number=1)
DONE, PENDING, REFUSED = (REQUEST_OUTCOME_DONE, ""), (REQUEST_OUTCOME_PENDING, ""), REQUEST_OUTCOME_REFUSED


def held(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Names, reasons and details of its holds."""
    return [(hold.hold_id, hold.reason, hold.detail) for hold in state_of(outcome).order.holds]


def created(outcome: Outcome) -> list[int]:
    """The numbers of the shipments that are asked for."""
    return [each.number for each in outcome.sent(shipping.CreateShipment)]


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def test_a_shipment_that_has_not_left_is_stopped_and_another_goes_with_the_release() -> None:
    outcome = after(an_order(), *SHIPPING, HOLD)
    assert outcome.messages == [shipping.CancelShipment(number=1)]
    assert (outcome_of(outcome, "hold"), held(outcome)) == (PENDING, [])
    assert outcome.when(ORDER_ID, HOLD).is_silent, "the same request again is the same"

    outcome.when(ORDER_ID, stopped())
    assert not outcome.messages
    assert (outcome_of(outcome, "hold"), held(outcome)) == (DONE, [("1", "LOOK", "no such street")])
    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "ALLOCATED")
    assert not outcome.later(3_600 * SECOND).when(ORDER_ID, TIMER).messages, "it waits for people"

    assert created(outcome.when(ORDER_ID, RELEASE)) == [2]
    assert outcome.when(ORDER_ID, RELEASE).is_silent
    outcome.when(ORDER_ID, dispatched(2)).when(ORDER_ID, paid(2))
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")


@pytest.mark.parametrize("answers", [[dispatched()], [TOO_LATE, dispatched()]], ids=["dispatched", "refused"])
def test_what_had_left_is_not_held_and_the_hold_is_refused(answers: list[Message]) -> None:
    outcome = after(an_order(), *SHIPPING, HOLD, *answers)

    assert outcome_of(outcome, "hold") == (REFUSED, "ORDER_NOT_HOLDABLE")
    assert not held(outcome)
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="1", amount=money(63))]
    refused = [entry.detail for entry in state_of(outcome).order.timeline if entry.event == "ChangeRefused"]
    assert refused == ["ORDER_NOT_HOLDABLE: DISPATCHED"]
    assert states(outcome.when(ORDER_ID, paid()))[0] == "COMPLETED"


def test_shipping_is_asked_again_to_stop_for_a_hold() -> None:
    outcome = after(an_order(), *SHIPPING, HOLD).later(POLICY.ask_again_us).when(ORDER_ID, TIMER)

    assert outcome.messages == [shipping.CancelShipment(number=1)]


def test_a_cancellation_wins_over_a_hold_that_shipping_has_not_answered() -> None:
    outcome = after(an_order(), *SHIPPING, HOLD, commands.Cancel(request_id="cancel"))
    assert outcome_of(outcome, "hold") == (REFUSED, "ORDER_NOT_HOLDABLE")

    outcome.when(ORDER_ID, stopped())
    assert {type(each) for each in outcome.messages} == {payment.Void, inventory.Release}
    outcome.when(ORDER_ID, commands.StockReleased(skus=["A", "B"])).when(ORDER_ID, VOIDED)
    assert (states(outcome)[0], outcome_of(outcome, "cancel")) == ("CANCELLED", DONE)


def test_while_shipping_decides_about_a_change_or_a_hold_another_has_to_wait() -> None:
    other = commands.PlaceHold(reason="OTHER", request_id="other")
    for first, second in ((HOLD, other), (HOLD, fewer(l1=1)), (fewer(l1=1), HOLD)):
        assert reason(after(an_order(), *SHIPPING, first, second)) == "ORDER_CHANGE_IN_PROGRESS"


def test_the_last_shipment_of_an_order_in_parts_is_stopped_and_one_before_it_is_not() -> None:
    split = an_order(policy=BACKORDER, split=True)
    first = after(split, granted(a=3), AUTHORIZED, HOLD)
    assert (first.event_names, first.messages) == (["OrderHeld"], []), "it keeps back the next"

    outcome = after(split, granted(a=3), AUTHORIZED, dispatched(), paid(), more("A", 5), HOLD)
    assert outcome.messages == [shipping.CancelShipment(number=2)]
    outcome.when(ORDER_ID, stopped(2))
    assert [name for _, name, _ in held(outcome)] == ["LOOK"]
    assert states(outcome)[2] == "PARTIALLY_SHIPPED"
    assert created(outcome.when(ORDER_ID, RELEASE)) == [3]
    outcome.when(ORDER_ID, dispatched(3)).when(ORDER_ID, paid(3))
    assert counts(outcome) == [(4, 0, 4), (2, 0, 2), (1, 0, 1)]
    assert states(outcome)[0] == "COMPLETED"


def test_a_shipment_that_the_warehouse_gave_up_meanwhile_is_as_good_as_stopped() -> None:
    outcome = after(an_order(), *SHIPPING, HOLD, stopped(), stopped())

    assert outcome.is_silent
    assert last(outcome)[0] == "OrderHeld"


def test_a_held_shipment_is_cancelled_as_what_is_held_before_shipping() -> None:
    outcome = after(an_order(), *SHIPPING, HOLD, stopped(), commands.Cancel(request_id="cancel"))

    assert {type(each) for each in outcome.messages} == {payment.Void, inventory.Release}
    assert not held(outcome)


def test_a_hold_over_the_limit_stops_no_shipment() -> None:
    split = an_order(policy=BACKORDER, split=True)
    outcome = after(split, granted(a=3), AUTHORIZED)
    for number in range(limits.HOLDS_PER_ORDER_MAX):
        outcome.when(ORDER_ID, commands.PlaceHold(reason="R", request_id=f"n{number}"))
    outcome.when(ORDER_ID, fewer(l1=1, l3=1))
    assert counts(outcome)[2] == (1, 1, 0), "what is left is in the shipment"

    assert reason(outcome.when(ORDER_ID, HOLD)) == "HOLD_LIMIT_REACHED"
