"""A declined payment: the time for another token, its attempts, and what is late."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.core import limits
from ordermesh.order.app import make_service
from ordermesh.order.model import OrderPolicy, content_of, order_key
from ordermesh.order.rows import columns
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, order_of

KEY = order_key(TENANT, ORDER_ID)
SECOND = 1_000_000
WINDOW_S = 600
RESERVED = commands.StockReserved(skus=["A", "B"])
RELEASED = commands.StockReleased(skus=["A", "B"])
DECLINED = commands.PaymentDeclined(code="no_funds")
CANCEL = commands.Cancel(request_id="c1")
HOLD = commands.PlaceHold(reason="VIP", request_id="h1")
RELEASE = commands.ReleaseHold(reason="VIP", request_id="r1")
PATIENT = make_service(OrderPolicy(payment_retry_us=WINDOW_S * SECOND))


def declined(attempt: int) -> commands.PaymentDeclined:
    """The provider's no to an attempt."""
    return commands.PaymentDeclined(code="no_funds", attempt=attempt)


def authorized(attempt: int) -> commands.PaymentAuthorized:
    """The provider's yes to an attempt."""
    return commands.PaymentAuthorized(attempt=attempt)


def renew(number: int) -> commands.RenewPayment:
    """Another token."""
    return commands.RenewPayment(payment_token=f"tok_{number}", request_id=f"p{number}")


def after(*messages: Message, seconds: int = 0, window_s: int = WINDOW_S) -> Outcome:
    """An order to which these came; it says itself how long it waits, or the policy does."""
    placed = order_of()
    placed.payment_retry_seconds = seconds
    service = make_service(OrderPolicy(payment_retry_us=window_s * SECOND))
    outcome = given(service).when(ORDER_ID, commands.PlaceOrder(order=placed))
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


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def test_without_a_time_a_decline_undoes_the_order_as_ever() -> None:
    outcome = after(RESERVED, DECLINED, window_s=0)

    assert states(outcome) == ("CANCELLING", "DECLINED", "ALLOCATED")
    assert order(outcome).state_reason == "PAYMENT_DECLINED"
    assert reason(outcome.when(ORDER_ID, renew(1))) == "PAYMENT_NOT_UPDATABLE"


@pytest.mark.parametrize(("seconds", "window_s", "waits_s"), [(0, 600, 600), (60, 0, 60), (60, 600, 60)])
def test_a_declined_order_keeps_its_stock_and_waits_as_long_as_it_or_the_policy_says(
    seconds: int, window_s: int, waits_s: int
) -> None:
    outcome = after(RESERVED, DECLINED, seconds=seconds, window_s=window_s)

    assert states(outcome) == ("PLACED", "RETRY", "ALLOCATED")
    assert order(outcome).state_reason == "PAYMENT_DECLINED"
    assert not outcome.messages
    due_us = outcome.timers[0].due_us
    assert due_us == order(outcome).payment_retry_time.ToMicroseconds()
    assert abs(due_us - outcome.now_us - waits_s * SECOND) < 100
    assert outcome.when(ORDER_ID, commands.ReservationAged(skus=["A"])).is_silent


def test_another_token_is_another_attempt_and_the_order_goes_on() -> None:
    outcome = after(RESERVED, DECLINED, renew(1))

    (asked,) = outcome.sent(payment.Authorize)
    assert (asked.payment_token, asked.attempt) == ("tok_1", 1)
    assert not outcome.decision.messages[0].first, "the payment is there already"
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")
    assert (order(outcome).state_reason, order(outcome).HasField("payment_retry_time")) == ("", False)

    assert outcome.when(ORDER_ID, renew(1)).is_silent
    assert not outcome.when(ORDER_ID, authorized(0)).events, "nobody had authorised the first attempt"
    outcome.when(ORDER_ID, authorized(1))
    assert [type(message) for message in outcome.messages] == [shipping.CreateShipment]


def test_what_is_asked_again_is_the_attempt_under_way() -> None:
    outcome = after(RESERVED, DECLINED, renew(1)).later(31 * SECOND).when(ORDER_ID, commands.StepTimer())

    (asked,) = outcome.sent(payment.Authorize)
    assert (asked.payment_token, asked.attempt) == ("tok_1", 1)


def test_a_late_answer_of_an_earlier_attempt_changes_nothing() -> None:
    assert after(RESERVED, DECLINED, DECLINED).is_silent
    assert after(RESERVED, DECLINED, renew(1), DECLINED).is_silent
    assert after(RESERVED, DECLINED, renew(1), CANCEL, DECLINED).is_silent, "the void is of the second attempt"


def test_the_time_is_counted_from_the_first_decline() -> None:
    outcome = after(RESERVED, DECLINED)
    until_us = outcome.timers[0].due_us
    outcome.later(WINDOW_S // 2 * SECOND).when(ORDER_ID, renew(1)).when(ORDER_ID, declined(1))
    assert outcome.timers[0].due_us == until_us

    outcome.when(ORDER_ID, renew(2)).later(WINDOW_S * SECOND).when(ORDER_ID, declined(2))
    assert states(outcome)[0] == "CANCELLING"
    assert order(outcome).state_reason == "PAYMENT_DECLINED"


def test_an_order_for_which_no_token_comes_in_time_expires() -> None:
    outcome = after(RESERVED, DECLINED).later((WINDOW_S - 1) * SECOND).when(ORDER_ID, commands.StepTimer())
    assert not outcome.events
    assert outcome.timers[0].message is not None

    outcome.later(2 * SECOND)
    assert reason(outcome.when(ORDER_ID, renew(1))) == "PAYMENT_NOT_UPDATABLE"
    outcome.when(ORDER_ID, commands.StepTimer())
    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A", "B"])]
    assert outcome.timers[0].message is not None
    outcome.when(ORDER_ID, RELEASED)
    assert states(outcome) == ("CANCELLED", "DECLINED", "UNALLOCATED")
    assert order(outcome).state_reason == "PAYMENT_EXPIRED"
    assert not order(outcome).HasField("payment_retry_time")


def test_an_order_that_waits_for_a_token_can_be_cancelled_without_asking_the_provider() -> None:
    outcome = after(RESERVED, DECLINED, CANCEL)

    assert [type(message) for message in outcome.messages] == [inventory.Release]
    assert outcome.timers[0].message is not None
    assert states(outcome.when(ORDER_ID, RELEASED)) == ("CANCELLED", "DECLINED", "UNALLOCATED")
    assert order(outcome).state_reason == "CANCEL_REQUESTED"


def test_a_cancellation_closes_the_attempt_under_way() -> None:
    (void,) = after(RESERVED, DECLINED, renew(1), CANCEL).sent(payment.Void)

    assert (void.attempt, void.payment_token) == (1, "tok_1")


def test_a_token_for_a_held_order_is_kept_until_it_is_released() -> None:
    outcome = after(RESERVED, DECLINED, HOLD, renew(1))
    assert states(outcome) == ("PLACED", "NONE", "ALLOCATED")
    assert not outcome.messages
    assert [timer.message for timer in outcome.timers] == [None]

    (asked,) = outcome.when(ORDER_ID, RELEASE).sent(payment.Authorize)
    assert (asked.payment_token, asked.attempt) == ("tok_1", 1)
    assert not outcome.decision.messages[0].first


def test_a_held_order_with_another_token_ends_declined_when_it_is_cancelled() -> None:
    outcome = after(RESERVED, DECLINED, HOLD, renew(1), CANCEL, RELEASED)

    assert states(outcome) == ("CANCELLED", "DECLINED", "UNALLOCATED")


def test_a_hold_does_not_stop_the_time_for_another_token() -> None:
    outcome = after(RESERVED, DECLINED, HOLD).later((WINDOW_S + 1) * SECOND).when(ORDER_ID, commands.StepTimer())

    assert order(outcome).state_reason == "PAYMENT_EXPIRED"


def test_tokens_are_tried_so_often_and_no_more() -> None:
    outcome = after(RESERVED)
    for attempt in range(limits.PAYMENT_ATTEMPTS_MAX - 1):
        outcome.when(ORDER_ID, declined(attempt)).when(ORDER_ID, renew(attempt + 1))
        assert outcome.events

    outcome.when(ORDER_ID, declined(limits.PAYMENT_ATTEMPTS_MAX - 1))
    assert states(outcome)[0] == "CANCELLING"


def test_another_token_leaves_what_was_asked_for_as_it_was() -> None:
    placed = commands.PlaceOrder(order=order_of())
    outcome = given(PATIENT).when(ORDER_ID, placed)
    for message in (RESERVED, DECLINED, renew(1)):
        outcome.when(ORDER_ID, message)

    assert content_of(order(outcome)) == placed.order
    assert outcome.when(ORDER_ID, placed).is_silent, "the same order again is no other"


def test_another_token_is_bound_to_a_version_and_to_an_order_that_is_there() -> None:
    assert reason(after(RESERVED, DECLINED, commands.RenewPayment(payment_token="t", etag="1"))) == "ETAG_MISMATCH"
    assert reason(given(PATIENT).when(ORDER_ID, renew(1))) == "ORDER_NOT_FOUND"
    reused = commands.RenewPayment(payment_token="other", request_id="p1")
    assert reason(after(RESERVED, DECLINED, renew(1), reused)) == "REQUEST_ID_REUSED"
