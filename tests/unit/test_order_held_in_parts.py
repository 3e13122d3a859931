"""Holds, reviews and other payment tokens of orders that are short of stock, sent in parts, scheduled or changed."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import OrderStep
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.adapters.fraud_rules import fraud_scorer
from ordermesh.core.money import nanos_of
from ordermesh.order.app import make_service
from ordermesh.order.model import OrderPolicy
from ordermesh.testing.given import Outcome, given
from tests.unit.orders import ORDER_ID, line, money, order_of
from tests.unit.parts import (
    AUTHORIZED,
    BACKORDER,
    BACKORDER_US,
    PARTIAL,
    SECOND,
    VOIDED,
    amend,
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

RETRY_US = 600 * SECOND
SERVICE = make_service(
    OrderPolicy(backorder_us=BACKORDER_US, payment_retry_us=RETRY_US, fraud=fraud_scorer("GBP:100", "GBP:1000"))
)
HOLD = commands.PlaceHold(reason="LOOK", request_id="h1")
RELEASE = commands.ReleaseHold(reason="LOOK", request_id="r1")
CANCEL = commands.Cancel(request_id="c1")
RESERVED = granted()
DECLINED = commands.PaymentDeclined(code="no")
TIMER = commands.StepTimer()
SPLIT = an_order(policy=BACKORDER, split=True)
WHOLE = an_order(policy=BACKORDER)
RENEW = commands.RenewPayment(payment_token="tok_other", request_id="p1")
AGAIN = commands.PaymentAuthorized(attempt=1)
OUTWARD = (payment.Authorize, payment.Adjust, shipping.CreateShipment)
"""What a hold keeps back."""


def after(order: Order, *messages: Message) -> Outcome:
    """An order to which these came, one after another."""
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order))
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def asked(outcome: Outcome) -> list[type[Message]]:
    """The kinds of questions of the last decision that a hold keeps back."""
    return [type(message) for message in outcome.messages if isinstance(message, OUTWARD)]


def step(outcome: Outcome) -> str:
    """What it waits for."""
    return OrderStep.Name(state_of(outcome).step).removeprefix("ORDER_STEP_")


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def held(outcome: Outcome) -> list[str]:
    """The reasons of its holds."""
    return [hold.reason for hold in state_of(outcome).order.holds]


def test_a_held_backorder_collects_its_stock_and_asks_for_its_payment_with_the_last_release() -> None:
    outcome = after(WHOLE, granted(a=1), HOLD, more("A", 5))
    assert not asked(outcome)
    assert not state_of(outcome).fulfillment.grants, "all of it is promised"

    assert asked(outcome.when(ORDER_ID, RELEASE)) == [payment.Authorize]
    assert step(outcome) == "AUTHORIZE"
    assert outcome.when(ORDER_ID, RELEASE).is_silent


def test_a_held_backorder_that_is_promised_does_not_expire_and_one_that_is_short_does() -> None:
    promised = after(WHOLE, granted(a=1), HOLD, more("A", 5)).later(2 * BACKORDER_US).when(ORDER_ID, TIMER)
    assert not promised.events
    assert promised.timers[0].due_us > promised.now_us, "it looks again later, and not at once for ever"

    short = after(WHOLE, granted(a=1), HOLD).later(2 * BACKORDER_US).when(ORDER_ID, TIMER)
    assert state_of(short).order.state_reason == "BACKORDER_EXPIRED"
    assert not held(short)


def test_the_part_that_is_promised_of_a_held_order_stays_when_the_rest_expires() -> None:
    outcome = after(SPLIT, HOLD, granted(a=3)).later(2 * BACKORDER_US).when(ORDER_ID, TIMER)

    assert outcome.event_names == ["LinesCancelled"]
    assert [cancelled for _, cancelled, _ in counts(outcome)] == [1, 0, 1]
    assert asked(outcome.when(ORDER_ID, RELEASE)) == [payment.Authorize]


def test_a_hold_keeps_back_each_shipment_after_the_one_under_way() -> None:
    outcome = after(SPLIT, granted(a=3), AUTHORIZED, HOLD)
    assert outcome.event_names == ["OrderHeld"], "the first shipment is under way, the second is not"
    outcome.when(ORDER_ID, more("A", 5)).when(ORDER_ID, dispatched())
    assert asked(outcome) == []
    assert outcome.sent(payment.Capture), "what left is paid"

    outcome.when(ORDER_ID, paid())
    assert asked(outcome) == []
    assert asked(outcome.when(ORDER_ID, RELEASE)) == [shipping.CreateShipment]
    outcome.when(ORDER_ID, dispatched(2)).when(ORDER_ID, paid(2))
    assert states(outcome)[0] == "COMPLETED"


def test_the_last_shipment_is_not_held_once_it_left() -> None:
    assert reason(after(SPLIT, RESERVED, AUTHORIZED, dispatched(), HOLD)) == "ORDER_NOT_HOLDABLE"
    rest = after(SPLIT, granted(a=3), AUTHORIZED, more("A", 5), dispatched(), paid(), dispatched(2))
    assert reason(rest.when(ORDER_ID, HOLD)) == "ORDER_NOT_HOLDABLE"


def test_a_held_order_whose_rest_is_cancelled_completes_without_holds() -> None:
    outcome = after(SPLIT, granted(a=3), AUTHORIZED, HOLD, dispatched(), paid(), fewer(l1=1, l3=1))
    assert step(outcome) == "SETTLE"

    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))
    assert states(outcome)[0] == "COMPLETED"
    assert not held(outcome)


def test_a_scheduled_order_that_is_held_has_its_stock_reserved_in_time_and_no_payment() -> None:
    outcome = after(an_order(ahead_us=60 * SECOND), HOLD).later(60 * SECOND).when(ORDER_ID, TIMER)
    assert outcome.sent(inventory.Reserve)

    assert not outcome.when(ORDER_ID, RESERVED).messages
    assert asked(outcome.when(ORDER_ID, RELEASE)) == [payment.Authorize]


@pytest.mark.parametrize(
    ("order", "before"),
    [
        (an_order(ahead_us=SECOND), [TIMER, RESERVED]),
        (an_order(policy=PARTIAL), [granted(a=4)]),
        (WHOLE, [granted(a=1), more("A", 5)]),
        (SPLIT, [granted(a=4)]),
    ],
    ids=["scheduled", "partial", "backorder", "split"],
)
def test_an_order_in_parts_is_looked_at_when_its_payment_is_authorised(order: Order, before: list[Message]) -> None:
    watched = Order()
    watched.CopyFrom(order)
    watched.payment_token = "tok_fraud_review"
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=watched)).later(SECOND)
    for message in (*before, AUTHORIZED):
        outcome.when(ORDER_ID, message)

    assert states(outcome)[0] == "CONFIRMED"
    assert held(outcome) == ["FRAUD_REVIEW"]
    assert not asked(outcome)

    outcome.when(ORDER_ID, commands.ReleaseHold(reason="FRAUD_REVIEW"))
    assert asked(outcome) == [shipping.CreateShipment]
    assert outcome.when(ORDER_ID, AUTHORIZED).is_silent, "nobody judges it again"


def test_an_order_in_parts_that_the_rules_decline_is_undone() -> None:
    dear = an_order(line("A", 5, 300), line("B", 2, 5), policy=BACKORDER, split=True)
    outcome = after(dear, granted(a=4), AUTHORIZED)

    assert state_of(outcome).order.state_reason == "FRAUD_DECLINED"
    assert outcome.sent(payment.Void)


def test_an_amendment_that_raises_the_total_above_a_limit_is_made_and_looked_at() -> None:
    outcome = after(order_of(line("A", 5)), commands.StockReserved(skus=["A"]), AUTHORIZED, amend(line("A", 12)))
    outcome.when(ORDER_ID, stopped()).when(ORDER_ID, commands.StockReserved(skus=["A"], revision=1))
    (adjust,) = outcome.sent(payment.Adjust)
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id=adjust.adjustment_id))

    assert outcome.event_names == ["OrderAmended", "OrderHeld"]
    assert held(outcome) == ["FRAUD_REVIEW"]
    assert not asked(outcome)
    assert asked(outcome.when(ORDER_ID, commands.ReleaseHold(hold_id="1"))) == [shipping.CreateShipment]


def test_an_order_that_was_looked_at_is_not_looked_at_again_for_being_made_smaller() -> None:
    outcome = after(order_of(line("A", 12)), commands.StockReserved(skus=["A"]), AUTHORIZED)
    assert held(outcome) == ["FRAUD_REVIEW"]
    outcome.when(ORDER_ID, commands.ReleaseHold(hold_id="1")).when(ORDER_ID, amend(line("A", 11)))

    outcome.when(ORDER_ID, stopped())
    assert outcome.event_names == ["ShipmentStopped", "OrderAmended", "ShipmentRequested"]
    assert not held(outcome)


def test_an_amendment_that_the_rules_decline_is_refused_before_anything_is_asked_for_it() -> None:
    outcome = after(order_of(line("A", 5)), commands.StockReserved(skus=["A"]), AUTHORIZED, amend(line("A", 101)))
    outcome.when(ORDER_ID, stopped())

    assert outcome.event_names == ["ShipmentStopped", "ChangeRefused", "ShipmentRequested"]
    assert outcome_of(outcome, "amend")[1] == "AMENDMENT_REFUSED"
    assert "FRAUD_DECLINED" in state_of(outcome).order.timeline[-2].detail
    assert not outcome.sent(inventory.Revise)


@pytest.mark.parametrize(
    "before",
    [
        [HOLD],
        [HOLD, RESERVED],
        [RESERVED, HOLD, AUTHORIZED],
        [RESERVED, DECLINED],
        [RESERVED, DECLINED, HOLD],
        [RESERVED, DECLINED, HOLD, RENEW],
    ],
    ids=["reserving", "before payment", "before shipping", "declined", "declined and held", "renewed and held"],
)
def test_what_is_held_or_waits_for_another_token_is_not_amended(before: list[Message]) -> None:
    outcome = after(an_order(), *before, amend(line("A", 1)))

    assert reason(outcome) == "ORDER_NOT_AMENDABLE"
    assert outcome.refusal is not None
    assert "cannot be amended now" in outcome.refusal.message


def test_an_amendment_that_came_before_the_hold_waits_for_the_release() -> None:
    outcome = after(an_order(), amend(line("A", 9), line("B", 2, 5)), HOLD, RESERVED)
    assert not outcome.messages
    assert asked(outcome.when(ORDER_ID, RELEASE)) == []
    assert [each.items[0].quantity for each in outcome.sent(inventory.Revise)] == [9]
    assert outcome.when(ORDER_ID, RELEASE).is_silent


def test_an_amendment_whose_stock_came_is_not_made_before_the_release() -> None:
    """Also where no more money is to be held, for none is yet."""
    outcome = after(WHOLE, granted(b=0), amend(line("A", 6), line("B", 2, 5)), HOLD)
    outcome.when(ORDER_ID, commands.StockReserved(skus=["A"], revision=1))
    assert outcome.event_names == ["ChangeReserved"]
    assert counts(outcome)[0][0] == 4, "whoever looks at it looks at what it is"

    outcome.when(ORDER_ID, RELEASE)
    assert (counts(outcome)[0][0], held(outcome)) == (6, [])


def test_a_hold_keeps_back_the_adjustment_of_an_amendment_whose_stock_is_there() -> None:
    outcome = after(an_order(), RESERVED, AUTHORIZED, amend(line("A", 9), line("B", 2, 5)), stopped(), HOLD)
    outcome.when(ORDER_ID, commands.StockReserved(skus=["A"], revision=1))
    assert outcome.event_names == ["ChangeReserved"]
    assert not outcome.messages

    late = outcome.later(3_600 * SECOND).when(ORDER_ID, TIMER)
    assert not late.events, "what is only held is not given up"
    assert asked(outcome.when(ORDER_ID, RELEASE)) == [payment.Adjust]


@pytest.mark.parametrize(
    ("before", "asks_payment"),
    [
        ([HOLD, RESERVED], False),
        ([RESERVED, HOLD, AUTHORIZED], True),
        ([RESERVED, DECLINED], False),
        ([RESERVED, DECLINED, HOLD, RENEW], False),
    ],
    ids=["before payment", "before shipping", "declined", "renewed and held"],
)
def test_pieces_are_cancelled_at_once_while_held_or_declined_and_the_rest_goes_on(
    before: list[Message], asks_payment: bool
) -> None:
    outcome = after(an_order(), *before, fewer(l1=3))
    assert outcome.event_names == ["LinesCancelled"]
    assert [each.items[0].quantity for each in outcome.sent(inventory.Revise)] == [2]
    assert not asked(outcome)

    outcome.when(ORDER_ID, RENEW).when(ORDER_ID, RELEASE)
    sent = outcome.sent(payment.Authorize)
    if not asks_payment and sent:
        assert nanos_of(sent[0].amount) == nanos_of(state_of(outcome).order.due) == nanos_of(money(33))
    for message in (AUTHORIZED, AGAIN, dispatched(), paid(), commands.PaymentAdjusted(adjustment_id="end")):
        outcome.when(ORDER_ID, message)
    assert states(outcome)[0] == "COMPLETED"
    assert counts(outcome)[0] == (4, 3, 1)


@pytest.mark.parametrize("order", [an_order(), WHOLE, SPLIT], ids=["whole", "backorder", "split"])
def test_a_declined_order_in_parts_waits_for_another_token_and_is_paid_by_that_attempt(order: Order) -> None:
    outcome = after(order, granted(a=1), more("A", 5)) if order is WHOLE else after(order, RESERVED)
    outcome.when(ORDER_ID, DECLINED)
    assert step(outcome) == "PAYMENT_RETRY"

    outcome.when(ORDER_ID, RENEW)
    (asks,) = outcome.sent(payment.Authorize)
    assert (asks.attempt, asks.payment_token, nanos_of(asks.amount)) == (1, "tok_other", nanos_of(order.total))
    assert outcome.when(ORDER_ID, AUTHORIZED).is_silent, "the first attempt has been answered"
    assert asked(outcome.when(ORDER_ID, AGAIN)) == [shipping.CreateShipment]


def test_what_is_promised_while_another_token_is_waited_for_is_noted() -> None:
    outcome = after(SPLIT, granted(a=3), DECLINED, more("A", 5), RENEW, AGAIN)

    (shipment,) = outcome.sent(shipping.CreateShipment)
    assert sum(each.quantity for each in shipment.lines) == 7


def test_a_split_order_that_is_held_and_paid_anew_waits_with_a_timer_for_what_is_missing() -> None:
    outcome = after(SPLIT, granted(a=3), DECLINED, HOLD, RENEW)
    assert step(outcome) == "BACKORDER"
    assert outcome.timers[0].message is not None

    outcome.later(2 * BACKORDER_US).when(ORDER_ID, TIMER)
    assert last(outcome)[0] == "LinesCancelled"
    assert asked(outcome.when(ORDER_ID, RELEASE)) == [payment.Authorize]
    (asks,) = outcome.sent(payment.Authorize)
    assert (asks.attempt, nanos_of(asks.amount)) == (1, nanos_of(state_of(outcome).order.due))


def test_the_window_for_another_token_runs_while_the_order_is_held() -> None:
    outcome = after(SPLIT, granted(a=3), DECLINED, HOLD).later(RETRY_US + SECOND).when(ORDER_ID, TIMER)

    assert state_of(outcome).order.state_reason == "PAYMENT_EXPIRED"
    assert not outcome.sent(payment.Void), "the decline was definite: nothing is held"
    assert states(outcome)[1] == "DECLINED"


@pytest.mark.parametrize(
    ("before", "voids"),
    [
        ([granted(a=3), DECLINED], []),
        ([granted(a=3), DECLINED, HOLD, RENEW], []),
        ([granted(a=3), DECLINED, RENEW, HOLD], [1]),
        ([HOLD, granted(a=3)], []),
        ([granted(a=0, b=0), HOLD, more("B", 2), more("A", 5)], []),
        ([RESERVED, AUTHORIZED, amend(line("A", 9), line("B", 2, 5)), stopped(), HOLD], [0]),
    ],
    ids=["declined", "renewed and held", "asked again", "held", "promised", "changing"],
)
def test_a_cancellation_leaves_nothing_behind_wherever_it_waits(before: list[Message], voids: list[int]) -> None:
    outcome = after(SPLIT, *before, CANCEL)
    assert [each.attempt for each in outcome.sent(payment.Void)] == voids
    assert [list(each.skus) for each in outcome.sent(inventory.Release)] == [["A", "B"]]

    for answer in (VOIDED, commands.StockReleased(skus=["A", "B"])):
        outcome.when(ORDER_ID, answer)
    assert states(outcome)[0] == "CANCELLED"
    assert not held(outcome)
    assert not state_of(outcome).order.HasField("payment_retry_time")


def test_returns_and_shares_of_shipping_count_what_is_not_cancelled() -> None:
    outcome = after(an_order(), HOLD, RESERVED, fewer(l1=3), RELEASE, AUTHORIZED, dispatched(), paid())
    assert states(outcome)[0] == "COMPLETED"

    too_many = commands.AuthorizeReturn(lines=[LineQuantity(line_id="1", quantity=2)])
    assert reason(outcome.when(ORDER_ID, too_many)) == "RETURN_EXCEEDS_SHIPPED"
    rest = [LineQuantity(line_id=name, quantity=number) for name, number in (("1", 1), ("2", 2), ("3", 1))]
    outcome.when(ORDER_ID, commands.Refund(lines=rest, include_shipping=True))
    (refund,) = outcome.sent(payment.Refund)
    assert nanos_of(refund.amount) == nanos_of(state_of(outcome).order.due), "the whole charge with the last of it"
    outcome.when(ORDER_ID, commands.PaymentRefunded(refund_id="1")).when(ORDER_ID, commands.Return(lines=rest))
    assert states(outcome)[1:] == ("REFUNDED", "RETURNED")


def test_an_order_in_exchange_that_was_amended_is_still_the_same_when_it_is_asked_for_again() -> None:
    placed = an_order(ahead_us=60 * SECOND)
    placed.exchange_of = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e99"
    asks = commands.PlaceReplacement(order=placed)
    outcome = given(SERVICE).when(ORDER_ID, asks).when(ORDER_ID, amend(line("A", 1)))
    assert outcome.event_names == ["OrderAmended"]

    (answer,) = outcome.when(ORDER_ID, asks).messages
    assert isinstance(answer, commands.ReplacementPlaced)
