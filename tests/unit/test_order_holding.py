"""Holds: what they keep back, what they leave alone, how an order goes on, and the rule that places one itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Hold, Order
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.adapters.fraud_rules import Strictest, TotalRule, fraud_scorer
from ordermesh.core import limits
from ordermesh.core.decider import Service
from ordermesh.core.requests import find
from ordermesh.order.app import SERVICE, make_service
from ordermesh.order.fraud import APPROVES_ALL, Outcome, Verdict
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.order.rows import columns
from ordermesh.testing.given import TENANT, given
from ordermesh.testing.given import Outcome as Told
from tests.unit.orders import ORDER_ID, line, order_of

KEY = order_key(TENANT, ORDER_ID)
RESERVED = commands.StockReserved(skus=["A", "B"])
AUTHORIZED = commands.PaymentAuthorized()
DISPATCHED = commands.ShipmentDispatched(number=1, tracking="T1")
CAPTURED = commands.PaymentCaptured(capture_id="1")
SHORT = commands.StockRejected(skus=["A", "B"])
RELEASED = commands.StockReleased(skus=["A", "B"])
VOIDED = commands.PaymentVoided()
HOLD = commands.PlaceHold(reason="ADDRESS_CHECK", detail="no such street", request_id="h1")
RELEASE = commands.ReleaseHold(reason="ADDRESS_CHECK", detail="asked the customer", request_id="r1")
CANCEL = commands.Cancel(request_id="c1")
SECOND = 1_000_000
JUDGED = make_service(OrderPolicy(fraud=fraud_scorer("GBP:500", "GBP:5000")))


def after(*messages: Message, service: Service = SERVICE, token: str = "tok_ok", units: int = 10) -> Told:
    """An order to which these came, one after another."""
    placed = order_of(line("A", 5, units), line("B", 1, units), token=token)
    outcome = given(service).when(ORDER_ID, commands.PlaceOrder(order=placed))
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def order(outcome: Told) -> Order:
    """The resource."""
    found: Order = outcome.state(KEY).order
    return found


def holds(outcome: Told) -> Sequence[Hold]:
    """What holds it."""
    return list(order(outcome).holds)


def states(outcome: Told) -> tuple[str, str, str]:
    """The three states, in words."""
    _, *names = columns(KEY, outcome.state(KEY))
    return names[0], names[1], names[2]


def asked(outcome: Told) -> list[type[Message]]:
    """The kinds of questions of the last decision."""
    return [type(message) for message in outcome.messages]


def reason(outcome: Told) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def test_a_hold_tells_why_and_when() -> None:
    (hold,) = holds(after(HOLD))

    assert (hold.hold_id, hold.reason, hold.detail, hold.rule) == ("1", "ADDRESS_CHECK", "no such street", "")
    assert hold.create_time.seconds > 0


def test_a_hold_before_the_stock_is_answered_keeps_the_payment_from_being_asked_for() -> None:
    outcome = after(HOLD, RESERVED)

    assert states(outcome) == ("PLACED", "NONE", "ALLOCATED")
    assert not outcome.messages
    assert [timer.message for timer in outcome.timers] == [None]
    assert order(outcome).timeline[-1].detail == "held before payment"

    outcome.when(ORDER_ID, RELEASE)
    assert asked(outcome) == [payment.Authorize]
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")
    assert outcome.timers[0].message is not None
    assert states(outcome.when(ORDER_ID, AUTHORIZED))[0] == "CONFIRMED"


def test_a_hold_while_authorising_keeps_the_money_held_and_sends_nothing() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED)

    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "ALLOCATED")
    assert not outcome.messages

    assert asked(outcome.when(ORDER_ID, RELEASE)) == [shipping.CreateShipment]
    assert outcome.timers[0].message is not None
    assert states(outcome.when(ORDER_ID, DISPATCHED).when(ORDER_ID, CAPTURED))[0] == "COMPLETED"


def test_an_order_that_is_released_before_its_answer_goes_on_as_if_it_had_not_been_held() -> None:
    outcome = after(RESERVED, HOLD, RELEASE)
    assert not outcome.messages
    assert not outcome.timers

    assert asked(outcome.when(ORDER_ID, AUTHORIZED)) == [shipping.CreateShipment]


def test_only_the_last_release_makes_it_go_on_and_that_once() -> None:
    other = commands.PlaceHold(reason="VIP", request_id="h2")
    outcome = after(RESERVED, HOLD, other, AUTHORIZED, RELEASE)
    assert not outcome.messages
    assert [hold.hold_id for hold in holds(outcome)] == ["2"]

    last = commands.ReleaseHold(hold_id="2", request_id="r2")
    assert asked(outcome.when(ORDER_ID, last)) == [shipping.CreateShipment]
    assert outcome.when(ORDER_ID, last).is_silent
    assert outcome.when(ORDER_ID, AUTHORIZED).is_silent
    assert reason(outcome.when(ORDER_ID, commands.ReleaseHold(hold_id="2", request_id="r3"))) == "HOLD_NOT_FOUND"


def test_a_reason_releases_all_its_holds_and_leaves_the_others() -> None:
    again = commands.PlaceHold(reason="ADDRESS_CHECK", request_id="h2")
    outcome = after(HOLD, again, commands.PlaceHold(reason="VIP", request_id="h3"), RELEASE)

    assert [hold.reason for hold in holds(outcome)] == ["VIP"]
    assert outcome.when(ORDER_ID, RESERVED).messages == []


@pytest.mark.parametrize(
    ("before", "asks", "ends"),
    [
        ((HOLD,), [inventory.Release], [RELEASED]),
        ((HOLD, RESERVED), [inventory.Release], [RELEASED]),
        ((RESERVED, HOLD), [payment.Void, inventory.Release], [VOIDED, RELEASED]),
        ((RESERVED, HOLD, AUTHORIZED), [payment.Void, inventory.Release], [RELEASED, VOIDED]),
    ],
    ids=["reserving", "held before payment", "authorising", "held before shipping"],
)
def test_a_held_order_can_be_cancelled_which_ends_its_holds_and_gives_all_back(
    before: tuple[Message, ...], asks: list[type[Message]], ends: list[Message]
) -> None:
    outcome = after(*before, CANCEL)

    assert asked(outcome) == asks
    assert not holds(outcome)
    if len(before) > 1 and before[-1] != HOLD:
        assert outcome.timers[0].message is not None, "a held order has no timer, and one that is undone needs it"
    for answer in ends:
        outcome.when(ORDER_ID, answer)
    assert (states(outcome)[0], states(outcome)[2]) == ("CANCELLED", "UNALLOCATED")
    assert reason(outcome.when(ORDER_ID, RELEASE)) == "HOLD_NOT_FOUND"


def test_what_is_being_undone_is_asked_again_after_a_cancellation_of_a_held_order() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED, CANCEL).when(ORDER_ID, commands.StepTimer())
    assert not outcome.messages

    outcome.later(31 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert set(asked(outcome)) == {payment.Void, inventory.Release}


def test_a_held_order_that_is_out_of_stock_is_rejected_without_holds() -> None:
    outcome = after(HOLD, SHORT)

    assert states(outcome)[0] == "REJECTED"
    assert not holds(outcome)


@pytest.mark.parametrize(
    "before",
    [
        (RESERVED, AUTHORIZED, DISPATCHED),
        (RESERVED, AUTHORIZED, DISPATCHED, CAPTURED),
        (CANCEL,),
        (SHORT,),
    ],
    ids=["shipped", "complete", "cancelling", "rejected"],
)
def test_what_a_hold_could_not_keep_back_is_not_held(before: tuple[Message, ...]) -> None:
    assert reason(after(*before, HOLD)) == "ORDER_NOT_HOLDABLE"


def test_a_held_order_waits_for_ever_and_asks_nobody() -> None:
    for before in ((HOLD, RESERVED), (RESERVED, HOLD, AUTHORIZED)):
        outcome = after(*before).later(30 * 24 * 3_600 * SECOND).when(ORDER_ID, commands.StepTimer(at_once=True))
        assert outcome.is_silent
        assert outcome.when(ORDER_ID, commands.ReservationAged(skus=["A"])).is_silent


def test_a_hold_does_not_stop_the_giving_up_of_what_was_asked() -> None:
    outcome = after(HOLD).later(16 * 60 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert order(outcome).state_reason == "STOCK_NOT_ANSWERED"
    assert not holds(outcome)


def test_an_order_has_a_limit_of_holds() -> None:
    outcome = after()
    for number in range(limits.HOLDS_PER_ORDER_MAX):
        outcome.when(ORDER_ID, commands.PlaceHold(reason="R", request_id=f"n{number}"))
        assert outcome.events

    assert reason(outcome.when(ORDER_ID, HOLD)) == "HOLD_LIMIT_REACHED"


def test_a_hold_is_placed_once_per_request_and_bound_to_a_version_if_wanted() -> None:
    outcome = after(HOLD, HOLD)
    assert outcome.is_silent
    record = find(outcome.state(KEY).requests, "h1")
    assert record is not None
    assert record.outcome == REQUEST_OUTCOME_DONE
    assert reason(outcome.when(ORDER_ID, commands.PlaceHold(reason="OTHER", request_id="h1"))) == "REQUEST_ID_REUSED"
    assert reason(outcome.when(ORDER_ID, commands.PlaceHold(reason="OTHER", etag="9"))) == "ETAG_MISMATCH"
    assert reason(outcome.when(ORDER_ID, commands.ReleaseHold(hold_id="1", etag="9"))) == "ETAG_MISMATCH"


def test_an_order_that_does_not_exist_is_not_held() -> None:
    assert reason(given(SERVICE).when(ORDER_ID, HOLD)) == "ORDER_NOT_FOUND"
    assert reason(given(SERVICE).when(ORDER_ID, RELEASE)) == "ORDER_NOT_FOUND"


def test_a_token_for_review_holds_the_order_once_its_money_is_held() -> None:
    outcome = after(RESERVED, AUTHORIZED, service=JUDGED, token="tok_fraud_review")

    assert outcome.event_names == ["OrderHeld", "OrderConfirmed"]
    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "ALLOCATED")
    assert not outcome.messages
    (hold,) = holds(outcome)
    assert (hold.reason, hold.rule) == ("FRAUD_REVIEW", "sandbox")

    outcome.when(ORDER_ID, commands.ReleaseHold(reason="FRAUD_REVIEW", request_id="r1"))
    assert asked(outcome) == [shipping.CreateShipment]
    assert outcome.when(ORDER_ID, AUTHORIZED).is_silent, "nobody judges it again"


@pytest.mark.parametrize(
    ("units", "ended"),
    [(83, "CONFIRMED"), (84, "CONFIRMED"), (833, "CONFIRMED"), (834, "CANCELLING")],
)
def test_a_total_above_a_limit_is_looked_at_and_above_another_declined(units: int, ended: str) -> None:
    outcome = after(RESERVED, AUTHORIZED, service=JUDGED, units=units)

    assert states(outcome)[0] == ended
    assert [hold.rule for hold in holds(outcome)] == (["total"] if units in (84, 833) else [])
    if ended == "CANCELLING":
        assert order(outcome).state_reason == "FRAUD_DECLINED"
        assert asked(outcome) == [payment.Void, inventory.Release]


def test_a_review_comes_beside_the_holds_that_are_there() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED, service=JUDGED, token="tok_fraud_review")
    assert [hold.reason for hold in holds(outcome)] == ["ADDRESS_CHECK", "FRAUD_REVIEW"]

    assert not outcome.when(ORDER_ID, RELEASE).messages
    outcome.when(ORDER_ID, commands.ReleaseHold(hold_id="2", request_id="r2"))
    assert asked(outcome) == [shipping.CreateShipment]


def test_the_strictest_verdict_counts() -> None:
    both = Strictest((TotalRule({"GBP": 0}, {}), TotalRule({}, {"GBP": 0})))

    assert both.score(order_of(), "tok_ok").outcome is Outcome.DECLINE
    assert Strictest((APPROVES_ALL,)).score(order_of(), "tok_ok") == Verdict(Outcome.APPROVE)
    assert TotalRule({"EUR": 0}, {"EUR": 0}).score(order_of(), "tok_ok").outcome is Outcome.APPROVE
