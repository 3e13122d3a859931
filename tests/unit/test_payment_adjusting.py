"""What is held becomes more or less: asked of the provider once for each name, and never less than is taken."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1.payment_pb2 import (
    PAYMENT_STATUS_AUTHORIZED,
    PAYMENT_STATUS_CAPTURED,
    PAYMENT_STATUS_VOIDED,
    Payment,
)
from ordermesh.core.money import nanos_of
from ordermesh.payment.app import SERVICE
from ordermesh.payment.model import payment_key
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import money

ORDER = "order-1"
KEY = payment_key(TENANT, ORDER)
ADJUST, CAPTURE = commands.PROVIDER_OPERATION_ADJUST, commands.PROVIDER_OPERATION_CAPTURE
VOID, AUTHORIZE = commands.PROVIDER_OPERATION_VOID, commands.PROVIDER_OPERATION_AUTHORIZE
UNIT = 1_000_000_000


def result(operation: commands.ProviderOperation, name: str = "", *, approved: bool = True) -> commands.ProviderResult:
    """The provider's answer."""
    code = "" if approved else "no_funds"
    return commands.ProviderResult(operation=operation, operation_id=name, approved=approved, code=code)


def adjust(units: int, name: str = "7") -> commands.Adjust:
    """So much is to be held in all."""
    return commands.Adjust(adjustment_id=name, amount=money(units))


def held(*messages: Message) -> Outcome:
    """Thirty are held, and then these came."""
    outcome = given(SERVICE).when(ORDER, commands.Authorize(amount=money(30), payment_token="tok_ok"))
    outcome.when(ORDER, result(AUTHORIZE))
    for message in messages:
        outcome.when(ORDER, message)
    return outcome


def payment(outcome: Outcome) -> Payment:
    """The resource."""
    found: Payment = outcome.state(KEY).payment
    return found


def authorized(outcome: Outcome) -> int:
    """What is held, in whole units; what was asked for is the same."""
    assert payment(outcome).amount == payment(outcome).authorized
    return nanos_of(payment(outcome).authorized) // UNIT


@pytest.mark.parametrize(("wanted", "change"), [(42, 12), (18, -12)], ids=["more", "less"])
def test_the_provider_is_asked_for_the_difference_once(wanted: int, change: int) -> None:
    outcome = held(adjust(wanted))
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.operation_id, request.amount) == (ADJUST, "7", money(change))
    assert outcome.when(ORDER, adjust(wanted)).is_silent, "it is under way"

    outcome.when(ORDER, result(ADJUST, "7"))
    assert outcome.messages == [answers.PaymentAdjusted(adjustment_id="7")]
    assert authorized(outcome) == wanted
    outcome.when(ORDER, adjust(wanted))
    assert (outcome.messages, outcome.effects) == ([answers.PaymentAdjusted(adjustment_id="7")], [])


def test_an_increase_that_is_declined_stays_so_under_its_name() -> None:
    outcome = held(adjust(42), result(ADJUST, "7", approved=False))
    assert outcome.messages == [answers.PaymentAdjustDeclined(adjustment_id="7", code="no_funds")]
    assert authorized(outcome) == 30

    outcome.when(ORDER, adjust(42))
    assert outcome.messages == [answers.PaymentAdjustDeclined(adjustment_id="7")]
    assert not outcome.effects, "its order does not wait for it any more"
    assert outcome.when(ORDER, adjust(42, "8")).effects, "another one is asked"


def test_a_decrease_that_is_declined_is_asked_again() -> None:
    outcome = held(adjust(10), result(ADJUST, "7", approved=False), adjust(10))

    assert len(outcome.effects) == 1


def test_what_is_held_already_is_answered_at_once() -> None:
    outcome = held(adjust(30))

    assert (outcome.messages, outcome.effects) == ([answers.PaymentAdjusted(adjustment_id="7")], [])


def test_there_is_no_more_to_hold_of_an_order_that_cost_nothing() -> None:
    """The provider was never asked, so it has no hold that it could raise; the order hears that at once."""
    free = commands.Authorize(amount=money(0), payment_token="tok_ok")
    outcome = given(SERVICE).when(ORDER, free).when(ORDER, result(AUTHORIZE)).when(ORDER, adjust(5))

    declined = answers.PaymentAdjustDeclined(adjustment_id="7", code="nothing_authorized")
    assert (outcome.messages, outcome.effects, outcome.events) == ([declined], [], [])
    assert outcome.when(ORDER, adjust(0, "end")).messages == [answers.PaymentAdjusted(adjustment_id="end")]


def test_no_less_is_held_than_is_taken_or_about_to_be() -> None:
    outcome = held(commands.Capture(capture_id="1", amount=money(20)), adjust(19))

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "CAPTURE_EXCEEDS_AUTHORIZED"


def test_a_payment_of_which_the_rest_is_let_go_is_captured() -> None:
    outcome = held(
        commands.Capture(capture_id="1", amount=money(20)),
        result(CAPTURE, "1"),
        adjust(20, "end"),
        result(ADJUST, "end"),
    )

    assert payment(outcome).status == PAYMENT_STATUS_CAPTURED
    assert authorized(outcome) == 20


def test_an_increase_that_is_answered_after_the_last_capture_is_let_go_of() -> None:
    """Its order gave the increase up and was sent: what is held now beyond what was taken is not needed."""
    outcome = held(adjust(42), commands.Capture(capture_id="1", amount=money(30)), result(CAPTURE, "1"))
    assert payment(outcome).status == PAYMENT_STATUS_CAPTURED
    assert outcome.when(ORDER, adjust(30, "end")).is_silent, "one adjustment at a time"

    outcome.when(ORDER, result(ADJUST, "7"))
    assert (payment(outcome).status, authorized(outcome)) == (PAYMENT_STATUS_AUTHORIZED, 42)
    outcome.when(ORDER, adjust(30, "end"))
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.amount) == (ADJUST, money(-12))

    outcome.when(ORDER, result(ADJUST, "end"))
    assert outcome.messages == [answers.PaymentAdjusted(adjustment_id="end")]
    assert (payment(outcome).status, authorized(outcome)) == (PAYMENT_STATUS_CAPTURED, 30)


def test_nothing_is_taken_of_what_is_being_let_go() -> None:
    outcome = held(adjust(10), commands.Capture(capture_id="1", amount=money(11)))

    assert outcome.refusal is not None
    assert not held(adjust(10), commands.Capture(capture_id="1", amount=money(10))).refusal


@pytest.mark.parametrize(("approved", "let_go"), [(True, 42), (False, 30)], ids=["approved", "declined"])
def test_a_void_waits_for_the_adjustment_and_lets_all_go(approved: bool, let_go: int) -> None:
    outcome = held(adjust(42), commands.Void(amount=money(30)))
    assert (outcome.event_names, outcome.effects) == (["VoidRequested"], [])
    assert outcome.when(ORDER, commands.Void(amount=money(30))).is_silent

    outcome.when(ORDER, result(ADJUST, "7", approved=approved))
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.amount) == (VOID, money(let_go))
    outcome.when(ORDER, result(VOID))
    assert payment(outcome).status == PAYMENT_STATUS_VOIDED
    assert payment(outcome).voided == payment(outcome).authorized == money(let_go)


def test_one_adjustment_is_asked_at_a_time() -> None:
    outcome = held(adjust(42), adjust(50, "8"))
    assert outcome.is_silent

    outcome.when(ORDER, result(ADJUST, "7")).when(ORDER, adjust(50, "8"))
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert request.amount == money(8)


def test_a_payment_that_is_closed_or_unknown_is_not_adjusted() -> None:
    closed = given(SERVICE).when(ORDER, commands.Void()).when(ORDER, adjust(42))
    assert closed.messages == [answers.PaymentAdjustDeclined(adjustment_id="7")]

    unknown = given(SERVICE).when(ORDER, adjust(42))
    assert unknown.refusal is not None
    assert unknown.refusal.reason == "PAYMENT_NOT_FOUND"


def test_an_adjustment_whose_answer_may_be_lost_is_looked_up() -> None:
    outcome = held(adjust(42), commands.Reconcile(operation=ADJUST, operation_id="7"))

    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.look_up, request.amount) == (True, money(12))
    assert payment(outcome).status == PAYMENT_STATUS_AUTHORIZED


def test_what_a_later_attempt_holds_is_what_is_adjusted_taken_and_let_go() -> None:
    """By the provider's name of that attempt; the one that was declined holds nothing."""
    outcome = given(SERVICE).when(ORDER, commands.Authorize(amount=money(30), payment_token="tok_no"))
    outcome.when(ORDER, result(AUTHORIZE, approved=False))
    outcome.when(ORDER, commands.Authorize(amount=money(20), payment_token="tok_ok", attempt=1))
    late = commands.ProviderResult(operation=AUTHORIZE, approved=True, reference="the first, late")
    assert outcome.when(ORDER, late).is_silent
    outcome.when(ORDER, commands.ProviderResult(operation=AUTHORIZE, operation_id="1", approved=True, reference="two"))
    assert (authorized(outcome), payment(outcome).reference) == (20, "two")

    outcome.when(ORDER, adjust(25))
    (more,) = outcome.effects
    outcome.when(ORDER, result(ADJUST, "7")).when(ORDER, commands.Capture(capture_id="1", amount=money(5)))
    (take,) = outcome.effects
    outcome.when(ORDER, result(CAPTURE, "1")).when(ORDER, adjust(5, "end"))
    (less,) = outcome.effects
    for request, units in ((more, 5), (take, 5), (less, -20)):
        assert isinstance(request, commands.ProviderRequest)
        assert (request.reference, request.payment_token) == ("two", "tok_ok")
        assert nanos_of(request.amount) == units * UNIT
