"""Payments: what is decided about authorisation, capture, void, refund, and the provider's answers."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1.payment_pb2 import (
    PAYMENT_STATUS_AUTHORIZED,
    PAYMENT_STATUS_CAPTURED,
    PAYMENT_STATUS_DECLINED,
    PAYMENT_STATUS_VOIDED,
    Payment,
)
from ordermesh.payment.app import SERVICE
from ordermesh.payment.model import payment_key
from ordermesh.payment.rows import columns
from ordermesh.testing.given import START_US, TENANT, Outcome, given
from tests.unit.orders import money

ORDER = "order-1"
KEY = payment_key(TENANT, ORDER)
AUTHORIZE, CAPTURE = commands.PROVIDER_OPERATION_AUTHORIZE, commands.PROVIDER_OPERATION_CAPTURE
VOID, REFUND = commands.PROVIDER_OPERATION_VOID, commands.PROVIDER_OPERATION_REFUND


def asked(*messages: Message) -> Outcome:
    """A payment to which these came, one after another."""
    outcome = given(SERVICE)
    for message in messages:
        outcome.when(ORDER, message)
    return outcome


def approved(operation: commands.ProviderOperation, operation_id: str = "") -> commands.ProviderResult:
    """The provider's yes."""
    return commands.ProviderResult(operation=operation, operation_id=operation_id, approved=True)


def declined(operation: commands.ProviderOperation, operation_id: str = "") -> commands.ProviderResult:
    """The provider's no."""
    return commands.ProviderResult(operation=operation, operation_id=operation_id, code="no_funds")


def authorize(units: int = 30) -> commands.Authorize:
    """So much is to be held."""
    return commands.Authorize(amount=money(units), payment_token="tok_ok")


def capture(units: int = 30, capture_id: str = "1") -> commands.Capture:
    """So much is to be taken."""
    return commands.Capture(capture_id=capture_id, amount=money(units))


def refund(units: int, refund_id: str = "1") -> commands.Refund:
    """So much is to be given back."""
    return commands.Refund(refund_id=refund_id, amount=money(units))


AUTHORIZED = (authorize(), approved(AUTHORIZE))
CAPTURED = (*AUTHORIZED, capture(), approved(CAPTURE, "1"))


def payment(outcome: Outcome) -> Payment:
    """The resource."""
    found: Payment = outcome.state(KEY).payment
    return found


def test_an_authorisation_asks_the_provider_once() -> None:
    outcome = asked(authorize())

    (request,) = outcome.effects
    assert request == commands.ProviderRequest(
        operation=AUTHORIZE, order_id=ORDER, amount=money(30), payment_token="tok_ok", ask_time_us=START_US
    )
    assert outcome.when(ORDER, authorize()).is_silent


def test_a_happy_payment_has_four_events() -> None:
    outcome = asked(*CAPTURED)

    assert outcome.messages == [answers.PaymentCaptured(capture_id="1")]
    assert payment(outcome).status == PAYMENT_STATUS_CAPTURED
    events = outcome.state(KEY).events
    assert [(each.version, each.event) for each in events] == [
        (1, "AuthorizationStarted"),
        (2, "Authorized"),
        (3, "CaptureStarted"),
        (4, "Captured"),
    ]
    assert columns(KEY, outcome.state(KEY)) == ("CAPTURED", "30.00 GBP", "30.00 GBP", "")


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (AUTHORIZED, answers.PaymentAuthorized()),
        (CAPTURED, answers.PaymentAuthorized()),
        ((authorize(), declined(AUTHORIZE)), answers.PaymentDeclined(code="no_funds")),
        ((commands.Void(),), answers.PaymentVoided()),
        ((*AUTHORIZED, commands.Void(), approved(VOID)), answers.PaymentVoided()),
    ],
)
def test_an_authorisation_asked_again_is_answered_again(before: tuple[Message, ...], answer: Message) -> None:
    outcome = asked(*before, authorize())

    assert outcome.messages == [answer]
    assert not outcome.events
    assert not outcome.effects


def test_a_decline_is_told_and_final() -> None:
    outcome = asked(authorize(), declined(AUTHORIZE))

    assert outcome.messages == [answers.PaymentDeclined(code="no_funds")]
    assert payment(outcome).status == PAYMENT_STATUS_DECLINED
    assert outcome.when(ORDER, approved(AUTHORIZE)).is_silent


def test_a_void_that_finds_nothing_closes_the_payment() -> None:
    outcome = asked(commands.Void())

    assert outcome.messages == [answers.PaymentVoided()]
    assert payment(outcome).status == PAYMENT_STATUS_VOIDED


def test_a_void_while_authorising_waits_for_the_answer_and_then_lets_go() -> None:
    outcome = asked(authorize(), commands.Void())
    assert outcome.event_names == ["VoidRequested"]
    assert not outcome.effects
    assert outcome.when(ORDER, commands.Void()).is_silent

    outcome.when(ORDER, approved(AUTHORIZE))
    assert [effect.operation for effect in outcome.effects if isinstance(effect, commands.ProviderRequest)] == [VOID]
    assert not outcome.messages

    outcome.when(ORDER, approved(VOID))
    assert outcome.messages == [answers.PaymentVoided()]
    assert (payment(outcome).authorized, payment(outcome).voided) == (money(30), money(30))


def test_a_void_while_authorising_ends_with_the_decline() -> None:
    outcome = asked(authorize(), commands.Void(), declined(AUTHORIZE))

    assert outcome.messages == [answers.PaymentDeclined(code="no_funds")]
    assert outcome.when(ORDER, commands.Void()).messages == [answers.PaymentDeclined(code="no_funds")]


def test_a_void_lets_go_once_and_is_answered_again() -> None:
    outcome = asked(*AUTHORIZED, commands.Void())
    assert len(outcome.effects) == 1
    assert outcome.when(ORDER, commands.Void()).is_silent
    assert outcome.when(ORDER, approved(VOID)).messages == [answers.PaymentVoided()]
    assert outcome.when(ORDER, commands.Void()).messages == [answers.PaymentVoided()]


def test_a_void_that_the_provider_declined_is_tried_again_when_asked_again() -> None:
    outcome = asked(*AUTHORIZED, commands.Void(), declined(VOID))
    assert payment(outcome).status == PAYMENT_STATUS_AUTHORIZED
    assert not outcome.messages

    assert len(outcome.when(ORDER, commands.Void()).effects) == 1


@pytest.mark.parametrize("before", [(*AUTHORIZED, capture()), CAPTURED])
def test_what_is_being_taken_is_not_let_go(before: tuple[Message, ...]) -> None:
    outcome = asked(*before, commands.Void())

    assert outcome.refusal is not None
    assert not outcome.effects


@pytest.mark.parametrize(
    "before",
    [(authorize(),), (commands.Void(),), (*AUTHORIZED, commands.Void()), (authorize(), declined(AUTHORIZE))],
)
def test_nothing_is_taken_that_is_not_held(before: tuple[Message, ...]) -> None:
    refusal = asked(*before, capture()).refusal

    assert refusal is not None
    assert refusal.reason == "CAPTURE_EXCEEDS_AUTHORIZED"


def test_captures_together_never_exceed_what_is_held() -> None:
    outcome = asked(*AUTHORIZED, capture(20, "1"), capture(10, "2"))
    assert len(outcome.effects) == 1

    assert outcome.when(ORDER, capture(1, "3")).refusal is not None
    outcome.when(ORDER, approved(CAPTURE, "1")).when(ORDER, approved(CAPTURE, "2"))
    assert payment(outcome).captured == money(30)


def test_a_capture_asked_again_is_not_done_again() -> None:
    outcome = asked(*AUTHORIZED, capture())
    assert outcome.when(ORDER, capture()).is_silent
    outcome.when(ORDER, approved(CAPTURE, "1"))
    assert outcome.when(ORDER, capture()).messages == [answers.PaymentCaptured(capture_id="1")]
    assert not outcome.effects
    assert outcome.when(ORDER, approved(CAPTURE, "1")).is_silent


def test_a_declined_capture_is_tried_again_when_asked_again() -> None:
    outcome = asked(*AUTHORIZED, capture(), declined(CAPTURE, "1"))
    assert outcome.messages == [answers.PaymentCaptureDeclined(capture_id="1", code="no_funds")]

    assert len(outcome.when(ORDER, capture()).effects) == 1
    assert payment(outcome.when(ORDER, approved(CAPTURE, "1"))).captured == money(30)


@pytest.mark.parametrize("units", [30, 0], ids=["a gift in the second shipment", "two shipments of gifts"])
def test_nothing_can_be_taken_after_all_that_is_held_was(units: int) -> None:
    outcome = asked(authorize(units), approved(AUTHORIZE), capture(units), approved(CAPTURE, "1"), capture(0, "2"))

    assert outcome.refusal is None
    outcome.when(ORDER, approved(CAPTURE, "2"))
    assert outcome.messages == [answers.PaymentCaptured(capture_id="2")]
    assert (payment(outcome).captured, payment(outcome).status) == (money(units), PAYMENT_STATUS_CAPTURED)
    refusal = outcome.when(ORDER, capture(1, "3")).refusal
    assert refusal is not None
    assert refusal.reason == "CAPTURE_EXCEEDS_AUTHORIZED"


def test_refunds_together_never_exceed_what_was_taken() -> None:
    outcome = asked(*CAPTURED, refund(10, "1"), refund(20, "2"))
    assert len(outcome.effects) == 1
    refusal = outcome.when(ORDER, refund(1, "3")).refusal
    assert refusal is not None
    assert refusal.reason == "REFUND_EXCEEDS_CAPTURED"

    outcome.when(ORDER, declined(REFUND, "2"))
    assert outcome.messages == [answers.PaymentRefundDeclined(refund_id="2", code="no_funds")]
    outcome.when(ORDER, refund(5, "3")).when(ORDER, approved(REFUND, "3")).when(ORDER, approved(REFUND, "1"))
    assert payment(outcome).refunded == money(15)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (approved(REFUND, "1"), answers.PaymentRefunded(refund_id="1")),
        (declined(REFUND, "1"), answers.PaymentRefundDeclined(refund_id="1")),
    ],
)
def test_a_refund_asked_again_is_answered_again(result: Message, answer: Message) -> None:
    outcome = asked(*CAPTURED, refund(10))
    assert outcome.when(ORDER, refund(10)).is_silent

    outcome.when(ORDER, result)
    assert outcome.when(ORDER, refund(10)).messages == [answer]
    assert not outcome.effects
    assert outcome.when(ORDER, result).is_silent


@pytest.mark.parametrize("message", [capture(), refund(1)])
def test_where_there_is_no_payment_nothing_is_taken_or_given_back(message: Message) -> None:
    refusal = asked(message).refusal

    assert refusal is not None
    assert refusal.reason == "PAYMENT_NOT_FOUND"


@pytest.mark.parametrize(
    "result",
    [approved(AUTHORIZE), approved(VOID), approved(CAPTURE, "1"), approved(REFUND, "1")],
    ids=["authorize", "void", "capture", "refund"],
)
def test_an_answer_that_nobody_waits_for_changes_nothing(result: Message) -> None:
    assert asked(result).is_silent
    assert asked(commands.Void(), result).is_silent
