"""Several attempts at one payment: each asks the provider once, and nothing of an earlier one counts for a later."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1.payment_pb2 import PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_DECLINED, PAYMENT_STATUS_VOIDED
from ordermesh.core.decider import Context
from ordermesh.payment import decider
from ordermesh.payment.app import SERVICE
from ordermesh.payment.model import payment_key
from ordermesh.testing.given import START_US, TENANT, Outcome, given, one_slot
from tests.unit.orders import money

ORDER = "order-1"
KEY = payment_key(TENANT, ORDER)
AUTHORIZE = commands.PROVIDER_OPERATION_AUTHORIZE


def asked(*messages: Message) -> Outcome:
    """A payment to which these came, one after another."""
    outcome = given(SERVICE)
    for message in messages:
        outcome.when(ORDER, message)
    return outcome


def authorize(attempt: int) -> commands.Authorize:
    """An attempt."""
    return commands.Authorize(amount=money(30), payment_token=f"tok_{attempt}", attempt=attempt)


def result(attempt: int, *, approved: bool) -> commands.ProviderResult:
    """What the provider says to an attempt."""
    name = str(attempt) if attempt else ""
    return commands.ProviderResult(
        operation=AUTHORIZE, operation_id=name, approved=approved, code="" if approved else "no_funds"
    )


REFUSED = (authorize(0), result(0, approved=False))
SECOND = (*REFUSED, authorize(1))


def status(outcome: Outcome) -> int:
    """Where the payment is."""
    return int(outcome.state(KEY).payment.status)


def test_a_later_attempt_after_a_decline_asks_the_provider_anew_by_its_own_name_and_token() -> None:
    outcome = asked(*SECOND)

    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.operation_id, request.payment_token) == (AUTHORIZE, "1", "tok_1")
    assert outcome.when(ORDER, authorize(1)).is_silent, "it is under way"
    outcome.when(ORDER, result(1, approved=True))
    assert outcome.messages == [answers.PaymentAuthorized(attempt=1)]
    assert status(outcome) == PAYMENT_STATUS_AUTHORIZED
    assert outcome.state(KEY).payment.decline_code == ""


def test_an_attempt_asked_again_is_answered_again_and_not_tried_again() -> None:
    assert asked(*REFUSED, authorize(0)).messages == [answers.PaymentDeclined(code="no_funds", attempt=0)]
    assert not asked(*REFUSED, authorize(0)).effects


@pytest.mark.parametrize("approved", [True, False])
def test_a_late_result_of_an_earlier_attempt_changes_nothing(approved: bool) -> None:
    assert asked(*SECOND, result(0, approved=approved)).is_silent


def test_a_late_question_of_an_earlier_attempt_is_answered_by_what_is_so() -> None:
    outcome = asked(*SECOND, authorize(0))
    assert outcome.is_silent

    outcome.when(ORDER, result(1, approved=True)).when(ORDER, authorize(0))
    assert outcome.messages == [answers.PaymentAuthorized(attempt=1)]
    assert not outcome.effects


def test_nothing_that_is_held_is_held_again_by_a_later_attempt() -> None:
    outcome = asked(authorize(0), result(0, approved=True), authorize(1))

    assert not outcome.effects
    assert not outcome.events


def test_a_void_of_an_attempt_that_never_came_closes_the_payment_for_it() -> None:
    outcome = asked(*REFUSED, commands.Void(amount=money(30), payment_token="tok_1", attempt=1))

    assert outcome.messages == [answers.PaymentVoided()]
    assert status(outcome) == PAYMENT_STATUS_VOIDED
    assert outcome.when(ORDER, authorize(1)).messages == [answers.PaymentVoided()]
    assert not outcome.effects


def test_a_void_of_the_attempt_that_was_declined_says_so() -> None:
    outcome = asked(*SECOND, result(1, approved=False), commands.Void(amount=money(30), attempt=1))

    assert outcome.messages == [answers.PaymentDeclined(code="no_funds", attempt=1)]
    assert status(outcome) == PAYMENT_STATUS_DECLINED


def test_a_void_while_a_later_attempt_is_asked_waits_for_its_answer() -> None:
    outcome = asked(*SECOND, commands.Void(amount=money(30), attempt=1))
    assert outcome.event_names == ["VoidRequested"]

    outcome.when(ORDER, result(1, approved=True))
    assert outcome.event_names == ["VoidStarted"]
    assert not outcome.messages


def test_a_void_of_an_attempt_that_may_be_lost_takes_in_what_the_provider_holds() -> None:
    state = asked(*REFUSED).state(KEY)
    doubtful = Context(START_US, TENANT, ORDER, "", False, one_slot, is_doubtful=True)

    void = commands.Void(amount=money(30), payment_token="tok_1", attempt=1)
    decision = decider.void({KEY: state}, void, doubtful)

    assert [event.DESCRIPTOR.name for _, event in decision.events] == ["AuthorizationStarted", "VoidRequested"]
    request = decision.effects[0].request
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation_id, request.look_up) == ("1", True)


def test_only_the_attempt_under_way_is_reconciled() -> None:
    assert asked(*SECOND, commands.Reconcile(operation=AUTHORIZE)).is_silent

    (request,) = asked(*SECOND, commands.Reconcile(operation=AUTHORIZE, operation_id="1")).effects
    assert isinstance(request, commands.ProviderRequest)
    assert request.look_up
