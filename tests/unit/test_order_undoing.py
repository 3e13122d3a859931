"""What ends an order early, at every stage and in every order of the answers."""

from __future__ import annotations

from itertools import permutations

import pytest
from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_PENDING, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.core.requests import find
from ordermesh.order.app import SERVICE
from ordermesh.order.model import order_key
from ordermesh.order.rows import columns
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, order_of

KEY = order_key(TENANT, ORDER_ID)
SECOND = 1_000_000
RESERVED = commands.StockReserved(skus=["A", "B"])
AUTHORIZED = commands.PaymentAuthorized()
DISPATCHED = commands.ShipmentDispatched(number=1, tracking="T1")
CAPTURED = commands.PaymentCaptured(capture_id="1")
RELEASED = commands.StockReleased(skus=["A", "B"])
VOIDED = commands.PaymentVoided()
DECLINED = commands.PaymentDeclined(code="no_funds")
STOPPED = commands.ShipmentCancelled(number=1)
TOO_LATE = commands.ShipmentCancelRefused(number=1)
CANCEL = commands.Cancel(reason="changed my mind", request_id="r1")
SHORT = commands.StockRejected(skus=["A", "B"], shortages=[commands.Shortage(sku="A", wanted=5, available=2)])


def after(*messages: Message) -> Outcome:
    """An order to which these came, one after another."""
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def order(outcome: Outcome) -> Order:
    """The resource."""
    found: Order = outcome.state(KEY).order
    return found


def states(outcome: Outcome) -> tuple[str, str, str]:
    """The three states, in words."""
    _, *names = columns(KEY, outcome.state(KEY))
    return names[0], names[1], names[2]


def asked(outcome: Outcome) -> list[type[Message]]:
    """The kinds of questions of the last decision."""
    return [type(message) for message in outcome.messages]


def has_ended(outcome: Outcome) -> bool:
    """Whether the last decision ended the order and its timer."""
    return [timer.message for timer in outcome.timers] == [None]


def outcome_of(outcome: Outcome, request_id: str) -> tuple[int, str]:
    """What is remembered of a request."""
    record = find(outcome.state(KEY).requests, request_id)
    assert record is not None
    return record.outcome, record.reason


def test_out_of_stock_rejects_at_once_and_says_what_is_missing() -> None:
    outcome = after(SHORT)

    assert states(outcome) == ("REJECTED", "NONE", "UNALLOCATED")
    assert order(outcome).state_reason == "OUT_OF_STOCK"
    assert order(outcome).timeline[-1].detail == "OUT_OF_STOCK: A: 5 wanted, 2 available"
    assert not outcome.messages
    assert has_ended(outcome)
    assert outcome.when(ORDER_ID, SHORT).is_silent


@pytest.mark.parametrize("reserved_first", [True, False], ids=["reserved before", "reserved after"])
def test_out_of_stock_in_one_partition_releases_the_others_before_it_rejects(reserved_first: bool) -> None:
    reserved = commands.StockReserved(skus=["B"])
    short = commands.StockRejected(skus=["A"], shortages=SHORT.shortages)
    outcome = after(*([reserved, short] if reserved_first else [short]))

    assert states(outcome)[0] == "CANCELLING"
    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["B"])]
    if not reserved_first:
        assert outcome.when(ORDER_ID, reserved).is_silent
    outcome.when(ORDER_ID, commands.StockReleased(skus=["B"]))
    assert states(outcome) == ("REJECTED", "NONE", "UNALLOCATED")
    assert order(outcome).state_reason == "OUT_OF_STOCK"
    assert has_ended(outcome)


def test_two_partitions_out_of_stock_reject_once() -> None:
    outcome = after(commands.StockRejected(skus=["A"]), commands.StockRejected(skus=["B"]))
    assert outcome.is_silent

    assert states(outcome.when(ORDER_ID, commands.StockReleased(skus=["B"])))[0] == "REJECTED"


def test_many_shortages_are_told_in_short() -> None:
    shortages = [commands.Shortage(sku=f"s{number}", wanted=1) for number in range(9)]
    outcome = after(commands.StockRejected(skus=["A", "B"], shortages=shortages))

    assert order(outcome).timeline[-1].detail.endswith("; 4 more")


def test_a_declined_payment_releases_the_stock_and_cancels() -> None:
    outcome = after(RESERVED, DECLINED)
    assert states(outcome) == ("CANCELLING", "DECLINED", "ALLOCATED")
    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A", "B"])]

    outcome.when(ORDER_ID, RELEASED)
    assert states(outcome) == ("CANCELLED", "DECLINED", "UNALLOCATED")
    assert order(outcome).state_reason == "PAYMENT_DECLINED"
    assert has_ended(outcome)


def test_a_payment_that_was_closed_counts_as_declined() -> None:
    assert states(after(RESERVED, VOIDED, RELEASED)) == ("CANCELLED", "DECLINED", "UNALLOCATED")


def test_a_cancellation_before_the_stock_is_answered_releases_everything() -> None:
    outcome = after(CANCEL)

    assert states(outcome)[0] == "CANCELLING"
    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A", "B"])]
    assert outcome_of(outcome, "r1") == (REQUEST_OUTCOME_DONE, "")
    assert states(outcome.when(ORDER_ID, RELEASED)) == ("CANCELLED", "NONE", "UNALLOCATED")
    assert order(outcome).state_reason == "CANCEL_REQUESTED"


@pytest.mark.parametrize("late", [RESERVED, SHORT], ids=["reserved", "rejected"])
@pytest.mark.parametrize("released_first", [True, False])
def test_stock_that_is_answered_after_the_cancellation_changes_nothing(late: Message, released_first: bool) -> None:
    answers = [RELEASED, late] if released_first else [late, RELEASED]
    outcome = after(CANCEL, *answers)

    assert states(outcome) == ("CANCELLED", "NONE", "UNALLOCATED")


def test_releases_of_several_partitions_are_waited_for_together() -> None:
    outcome = after(CANCEL, commands.StockReleased(skus=["B"]))
    assert states(outcome)[0] == "CANCELLING"
    assert outcome.when(ORDER_ID, commands.StockReleased(skus=["B"])).is_silent

    assert states(outcome.when(ORDER_ID, commands.StockReleased(skus=["A"])))[0] == "CANCELLED"


def test_a_cancellation_while_authorising_voids_and_releases() -> None:
    outcome = after(RESERVED, CANCEL)

    assert states(outcome) == ("CANCELLING", "AUTHORIZING", "ALLOCATED")
    assert asked(outcome) == [payment.Void, inventory.Release]


@pytest.mark.parametrize("answers", list(permutations([AUTHORIZED, VOIDED, RELEASED])))
def test_a_cancellation_while_authorising_ends_whatever_arrives_first(answers: tuple[Message, ...]) -> None:
    outcome = after(RESERVED, CANCEL, *answers)

    assert states(outcome) == ("CANCELLED", "VOIDED", "UNALLOCATED")


@pytest.mark.parametrize("answers", list(permutations([DECLINED, RELEASED])))
def test_a_cancellation_while_authorising_ends_with_the_decline_too(answers: tuple[Message, ...]) -> None:
    outcome = after(RESERVED, CANCEL, *answers)

    assert states(outcome) == ("CANCELLED", "DECLINED", "UNALLOCATED")
    assert outcome.when(ORDER_ID, VOIDED).is_silent


@pytest.mark.parametrize("first", [VOIDED, RELEASED], ids=["voided first", "released first"])
def test_an_order_is_cancelled_only_when_it_holds_neither_money_nor_stock(first: Message) -> None:
    assert states(after(RESERVED, CANCEL, first))[0] == "CANCELLING"


def test_a_cancellation_after_the_confirmation_is_decided_by_shipping() -> None:
    outcome = after(RESERVED, AUTHORIZED, CANCEL)

    assert states(outcome) == ("CANCELLING", "AUTHORIZED", "ALLOCATED")
    assert outcome.messages == [shipping.CancelShipment(number=1)]
    assert outcome_of(outcome, "r1") == (REQUEST_OUTCOME_PENDING, "")


@pytest.mark.parametrize("answers", list(permutations([VOIDED, RELEASED])))
def test_a_shipment_that_was_stopped_undoes_everything(answers: tuple[Message, ...]) -> None:
    outcome = after(RESERVED, AUTHORIZED, CANCEL, STOPPED)
    assert asked(outcome) == [payment.Void, inventory.Release]
    assert outcome_of(outcome, "r1") == (REQUEST_OUTCOME_DONE, "")

    for answer in answers:
        outcome.when(ORDER_ID, answer)
    assert states(outcome) == ("CANCELLED", "VOIDED", "UNALLOCATED")
    assert has_ended(outcome)


def test_a_dispatch_that_was_first_refuses_the_cancellation_and_the_order_goes_on() -> None:
    outcome = after(RESERVED, AUTHORIZED, CANCEL, DISPATCHED)

    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "SHIPPED")
    assert asked(outcome) == [payment.Capture, inventory.Commit]
    assert outcome_of(outcome, "r1") == (REQUEST_OUTCOME_REFUSED, "ORDER_NOT_CANCELLABLE")
    assert order(outcome).state_reason == ""
    assert outcome.when(ORDER_ID, TOO_LATE).is_silent
    assert states(outcome.when(ORDER_ID, CAPTURED))[0] == "COMPLETED"


def test_a_refused_stop_without_word_of_the_dispatch_waits_for_it() -> None:
    outcome = after(RESERVED, AUTHORIZED, CANCEL, TOO_LATE)

    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "ALLOCATED")
    assert outcome_of(outcome, "r1") == (REQUEST_OUTCOME_REFUSED, "ORDER_NOT_CANCELLABLE")
    assert states(outcome.when(ORDER_ID, DISPATCHED)) == ("CONFIRMED", "AUTHORIZED", "SHIPPED")


def test_a_shipment_that_shipping_had_closed_undoes_the_order() -> None:
    outcome = after(RESERVED, AUTHORIZED, STOPPED)

    assert order(outcome).state_reason == "SHIPMENT_CANCELLED"
    assert asked(outcome) == [payment.Void, inventory.Release]


@pytest.mark.parametrize(
    ("before", "states_told"),
    [
        ((RESERVED, AUTHORIZED, DISPATCHED), ("CONFIRMED", "AUTHORIZED", "SHIPPED")),
        ((RESERVED, AUTHORIZED, DISPATCHED, CAPTURED), ("COMPLETED", "CAPTURED", "SHIPPED")),
        ((SHORT,), ("REJECTED", "NONE", "UNALLOCATED")),
    ],
)
def test_what_left_or_was_rejected_cannot_be_cancelled(
    before: tuple[Message, ...], states_told: tuple[str, str, str]
) -> None:
    refusal = after(*before, CANCEL).refusal

    assert refusal is not None
    assert refusal.reason == "ORDER_NOT_CANCELLABLE"
    told = refusal.metadata
    assert (told["order_state"], told["payment_state"], told["fulfillment_state"]) == states_told


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(STOPPED, REQUEST_OUTCOME_DONE), (DISPATCHED, REQUEST_OUTCOME_REFUSED), (TOO_LATE, REQUEST_OUTCOME_REFUSED)],
    ids=["stopped", "dispatched", "too late"],
)
@pytest.mark.parametrize(
    "second",
    [commands.Cancel(request_id="r2"), commands.Cancel(request_id="r2", lines=[LineQuantity(line_id="1", quantity=1)])],
    ids=["whole", "pieces"],
)
def test_a_second_cancellation_ends_as_the_first_while_shipping_decides(
    second: Message, answer: Message, outcome: int
) -> None:
    told = after(RESERVED, AUTHORIZED, CANCEL, second)
    assert not told.messages
    assert [each.outcome for each in told.state(KEY).requests] == [REQUEST_OUTCOME_PENDING] * 2
    assert told.when(ORDER_ID, second).is_silent, "the same request again is the same"

    told.when(ORDER_ID, answer)
    assert [each.outcome for each in told.state(KEY).requests] == [outcome] * 2


@pytest.mark.parametrize("before", [(CANCEL,), (CANCEL, RELEASED), (RESERVED, AUTHORIZED, CANCEL, STOPPED)])
def test_a_second_cancellation_joins_the_first(before: tuple[Message, ...]) -> None:
    assert after(*before, commands.Cancel(request_id="r2")).is_silent
    assert after(*before, CANCEL).is_silent


def test_a_cancellation_can_be_bound_to_a_version_and_its_id_to_its_content() -> None:
    refusal = after(commands.Cancel(etag="7")).refusal
    assert refusal is not None
    assert refusal.reason == "ETAG_MISMATCH"
    refusal = after(CANCEL, commands.Cancel(request_id="r1", reason="other")).refusal
    assert refusal is not None
    assert refusal.reason == "REQUEST_ID_REUSED"
    assert after(commands.Cancel(etag="1")).event_names == ["UndoStarted"]


def test_an_order_that_does_not_exist_cannot_be_cancelled() -> None:
    refusal = given(SERVICE).when(ORDER_ID, CANCEL).refusal

    assert refusal is not None
    assert refusal.reason == "ORDER_NOT_FOUND"


@pytest.mark.parametrize(
    ("before", "minutes", "reason", "asks"),
    [
        ((), 15, "STOCK_NOT_ANSWERED", [inventory.Release]),
        ((RESERVED,), 60, "PAYMENT_NOT_ANSWERED", [payment.Void, inventory.Release]),
    ],
)
def test_silence_for_too_long_is_given_up_and_undone(
    before: tuple[Message, ...], minutes: int, reason: str, asks: list[type[Message]]
) -> None:
    early = after(*before).later((minutes * 60 - 1) * SECOND).when(ORDER_ID, commands.StepTimer())
    assert not early.events

    outcome = early.later(2 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert (states(outcome)[0], order(outcome).state_reason) == ("CANCELLING", reason)
    assert asked(outcome) == asks
    assert outcome.timers[0].message is not None


@pytest.mark.parametrize(
    ("before", "asks"),
    [
        ((RESERVED, AUTHORIZED), [shipping.CreateShipment]),
        ((RESERVED, AUTHORIZED, DISPATCHED), [payment.Capture]),
        ((RESERVED, AUTHORIZED, CANCEL), [shipping.CancelShipment]),
        ((RESERVED, CANCEL), [inventory.Release, payment.Void]),
        ((RESERVED, CANCEL, VOIDED), [inventory.Release]),
        ((RESERVED, CANCEL, RELEASED), [payment.Void]),
    ],
)
def test_nothing_else_is_ever_given_up(before: tuple[Message, ...], asks: list[type[Message]]) -> None:
    outcome = after(*before).later(30 * 24 * 3_600 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert asked(outcome) == asks
    assert not outcome.events
    assert outcome.timers[0].message is not None


@pytest.mark.parametrize("before", [(CANCEL,), (CANCEL, RELEASED), (SHORT,)], ids=["undoing", "cancelled", "rejected"])
def test_an_old_reservation_of_an_ended_order_is_released(before: tuple[Message, ...]) -> None:
    outcome = after(*before, commands.ReservationAged(skus=["A"]))

    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A"])]


@pytest.mark.parametrize(
    "late", [RESERVED, AUTHORIZED, DECLINED, VOIDED, DISPATCHED, CAPTURED, RELEASED, SHORT, STOPPED]
)
def test_nothing_late_revives_an_order_that_ended(late: Message) -> None:
    assert after(CANCEL, RELEASED, late).is_silent
    assert after(SHORT, late).is_silent
