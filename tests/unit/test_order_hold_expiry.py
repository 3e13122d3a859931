"""Holds that nobody releases: where they have an end, what is not sent is cancelled then."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.adapters.fraud_rules import fraud_scorer
from ordermesh.order.app import make_service
from ordermesh.order.awaiting import Elsewhere
from ordermesh.order.explaining import explain
from ordermesh.order.model import OrderPolicy
from ordermesh.testing.given import Outcome, given
from tests.unit.orders import ORDER_ID, line
from tests.unit.parts import (
    AUTHORIZED,
    BACKORDER,
    SECOND,
    amend,
    an_order,
    counts,
    dispatched,
    granted,
    more,
    paid,
    state_of,
    states,
    stopped,
)

HOLD_US = 600 * SECOND
POLICY = OrderPolicy(hold_us=HOLD_US, payment_retry_us=60 * SECOND, fraud=fraud_scorer("", ""))
HOLD = commands.PlaceHold(reason="LOOK", request_id="h1")
OTHER = commands.PlaceHold(reason="OTHER", request_id="h2")
RELEASE = commands.ReleaseHold(reason="LOOK", request_id="r1")
TIMER = commands.StepTimer()
RESERVED = granted()
SPLIT = an_order(policy=BACKORDER, split=True)
DECLINED = commands.PaymentDeclined(code="no")
RENEW = commands.RenewPayment(payment_token="tok_other", request_id="p1")


def after(*messages: Message, order: Order | None = None, policy: OrderPolicy = POLICY) -> Outcome:
    """An order to which these came, one after another."""
    outcome = given(make_service(policy)).when(ORDER_ID, commands.PlaceOrder(order=order or an_order()))
    for message in messages:
        outcome.when(ORDER_ID, message)
        assert outcome.events
    return outcome


def expired(outcome: Outcome) -> Outcome:
    """The same after all that its timer does until its hold has an end."""
    ends_us = outcome.now_us + HOLD_US
    due_us = outcome.timers[-1].due_us if outcome.timers else outcome.now_us + POLICY.ask_again_us
    while outcome.now_us <= ends_us:
        assert due_us > outcome.now_us, "it looks again later, and not at once for ever"
        outcome.now_us = due_us
        if outcome.when(ORDER_ID, TIMER).events:
            break
        due_us = outcome.timers[-1].due_us
    return outcome


def review() -> Order:
    """One that a rule holds."""
    order = an_order()
    order.payment_token = "tok_fraud_review"
    return order


@pytest.mark.parametrize(
    ("before", "order", "voids"),
    [
        ([HOLD, RESERVED], an_order(), False),
        ([RESERVED, HOLD, AUTHORIZED], an_order(), True),
        ([RESERVED, AUTHORIZED], review(), True),
        ([RESERVED, DECLINED, HOLD, RENEW], an_order(), False),
        ([RESERVED, AUTHORIZED, HOLD, stopped()], an_order(), True),
        ([granted(a=0, b=0), HOLD, more("A", 5), more("B", 2)], SPLIT, False),
        ([granted(b=0), amend(line("A", 6), line("B", 2, 5)), HOLD, commands.StockReserved(skus=["A"], revision=1)],
         an_order(policy=BACKORDER), False),
    ],
    ids=["before payment", "before shipping", "by a rule", "renewed", "stopped", "in parts", "to be amended"],
)  # fmt: skip
def test_an_order_that_nobody_releases_in_time_is_undone(before: list[Message], order: Order, voids: bool) -> None:
    outcome = after(*before, order=order)
    began_us = outcome.now_us

    expired(outcome)
    assert outcome.event_names == ["UndoStarted"]
    assert abs(outcome.now_us - began_us - HOLD_US) < 1_000
    assert (states(outcome)[0], state_of(outcome).order.state_reason) == ("CANCELLING", "HOLD_EXPIRED")
    assert not state_of(outcome).order.holds
    assert {sku for each in outcome.sent(inventory.Release) for sku in each.skus} == {"A", "B"}
    assert bool(outcome.sent(payment.Void)) == voids
    assert outcome.timers[-1].message is not None, "what is undone is asked again"


def test_of_an_order_that_was_sent_in_part_the_rest_is_cancelled() -> None:
    outcome = after(granted(a=3), AUTHORIZED, HOLD, dispatched(), paid(), more("A", 5), order=SPLIT)

    expired(outcome)
    assert counts(outcome) == [(4, 1, 3), (2, 0, 2), (1, 1, 0)]
    assert state_of(outcome).order.state_reason == "HOLD_EXPIRED"
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))
    assert (states(outcome)[0], len(state_of(outcome).order.holds)) == ("COMPLETED", 0)


def test_the_oldest_hold_that_is_there_counts() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED).later(HOLD_US // 2).when(ORDER_ID, OTHER)
    outcome.when(ORDER_ID, RELEASE).later(HOLD_US // 2 + SECOND).when(ORDER_ID, TIMER)
    assert not outcome.events, "the other is not so old"
    assert outcome.timers[-1].due_us > outcome.now_us

    assert expired(outcome).event_names == ["UndoStarted"]


def test_a_backorder_that_has_waited_for_long_expires_in_time_when_it_is_held() -> None:
    """Its timer was set to an hour ahead by then."""
    outcome = after(granted(b=0), order=an_order(policy=BACKORDER)).later(24 * 3_600 * SECOND).when(ORDER_ID, TIMER)
    assert outcome.timers[-1].due_us - outcome.now_us == POLICY.ask_again_us_max

    assert expired(outcome.when(ORDER_ID, HOLD)).event_names == ["UndoStarted"]
    assert outcome.timers


def test_a_hold_counts_from_when_it_keeps_the_order_back() -> None:
    outcome = after(HOLD).later(500 * SECOND).when(ORDER_ID, RESERVED).later(200 * SECOND).when(ORDER_ID, TIMER)

    assert not outcome.events


def test_a_released_order_does_not_expire() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED, RELEASE).later(2 * HOLD_US).when(ORDER_ID, TIMER)

    assert outcome.sent(shipping.CreateShipment), "it is asked again, as ever"
    assert not outcome.events


def test_without_an_end_a_held_order_has_no_timer_and_one_that_it_had_changes_nothing() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED, policy=OrderPolicy())

    assert [timer.message for timer in outcome.timers] == [None]
    assert outcome.later(1_000 * HOLD_US).when(ORDER_ID, TIMER).is_silent


def test_it_is_told_when_a_hold_ends() -> None:
    outcome = after(RESERVED, HOLD, AUTHORIZED)
    due_us = outcome.timers[-1].due_us

    told = explain(state_of(outcome), Elsewhere(), POLICY, outcome.now_us)
    assert abs(told.gives_up_at.ToMicroseconds() - due_us) < 100
    assert not explain(state_of(outcome), Elsewhere(), OrderPolicy(), outcome.now_us).HasField("gives_up_at")
