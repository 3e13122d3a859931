"""Payments and a provider that may disagree: what is asked again, what is looked up, what is let go of."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as answers
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1.payment_pb2 import OPERATION_STATUS_DONE, PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_VOIDED
from ordermesh.payment.app import SERVICE
from ordermesh.testing.given import given
from tests.unit.orders import money
from tests.unit.test_payment import (
    AUTHORIZE,
    CAPTURE,
    CAPTURED,
    KEY,
    ORDER,
    REFUND,
    VOID,
    approved,
    asked,
    authorize,
    capture,
    declined,
    payment,
    refund,
)

RELEASE = commands.PROVIDER_OPERATION_RELEASE
NAMED = commands.ProviderResult(operation=AUTHORIZE, approved=True, reference="pi_1")
HELD = (authorize(), NAMED)
HOUR_US = 3_600_000_000
RECONCILE_REFUND = commands.Reconcile(operation=REFUND, operation_id="1", also_done=True)


def release(reference: str = "pi_2") -> commands.ReleaseHold:
    """Somebody found that hold."""
    return commands.ReleaseHold(reference=reference, amount=money(30))


def released(reference: str = "pi_2", *, approved: bool = True) -> commands.ProviderResult:
    """What the provider made of it."""
    return commands.ProviderResult(operation=RELEASE, operation_id=reference, approved=approved)


def test_the_name_of_the_hold_is_kept_and_told_with_every_later_request() -> None:
    outcome = asked(*HELD)
    assert payment(outcome).reference == "pi_1"

    outcome.when(ORDER, capture(20))
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.reference, request.left, request.attempt) == ("pi_1", money(10), 0)
    outcome.when(ORDER, approved(CAPTURE, "1")).when(ORDER, refund(5))
    assert [effect.reference for effect in outcome.effects if isinstance(effect, commands.ProviderRequest)] == ["pi_1"]


def test_a_hold_that_is_let_go_of_as_soon_as_it_is_known_is_named_too() -> None:
    outcome = asked(authorize(), commands.Void(), NAMED)

    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.reference) == (VOID, "pi_1")
    assert payment(outcome).reference == "pi_1"


def test_a_whole_capture_leaves_nothing_and_one_that_was_declined_says_so_when_it_is_tried_again() -> None:
    outcome = asked(*HELD, capture(), declined(CAPTURE, "1"), capture())

    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert not request.HasField("left")
    assert request.attempt == 1
    assert payment(outcome).captures[0].attempt == 1


@pytest.mark.parametrize(
    ("before", "operations"),
    [
        ((authorize(),), [AUTHORIZE]),
        (HELD, []),
        ((*HELD, capture()), [CAPTURE]),
        ((*HELD, commands.Void()), [VOID]),
        ((*CAPTURED, refund(5), refund(6, "2")), [REFUND, REFUND]),
        (CAPTURED, []),
        ((commands.Void(),), []),
        ((), []),
    ],
)
def test_a_check_looks_up_what_is_under_way_and_changes_nothing(
    before: tuple[Message, ...], operations: list[commands.ProviderOperation]
) -> None:
    outcome = asked(*before, commands.Check())

    requests = [effect for effect in outcome.effects if isinstance(effect, commands.ProviderRequest)]
    assert [request.operation for request in requests] == operations
    assert all(request.look_only for request in requests)
    assert not outcome.events
    assert not outcome.messages


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((authorize(),), commands.Reconcile(operation=AUTHORIZE)),
        ((*HELD, capture()), commands.Reconcile(operation=CAPTURE, operation_id="1")),
        (
            (*HELD, capture(), declined(CAPTURE, "1"), capture()),
            commands.Reconcile(operation=CAPTURE, operation_id="1"),
        ),
        ((*HELD, commands.Void()), commands.Reconcile(operation=VOID)),
        ((*CAPTURED, refund(5), refund(6, "2")), commands.Reconcile(operation=REFUND, operation_id="2")),
        ((*CAPTURED, refund(5), refund(6, "2")), commands.Check()),
        ((*CAPTURED, refund(5), approved(REFUND, "1"), RECONCILE_REFUND), commands.Check()),
    ],
)
def test_whoever_asks_again_says_when_it_was_asked_for_first(before: tuple[Message, ...], command: Message) -> None:
    """The keys that the provider is given are counted from then: by another time they would be others."""
    outcome = given(SERVICE)
    for message in before:
        outcome.later(HOUR_US).when(ORDER, message)
    (first,) = outcome.effects
    again = outcome.later(3 * HOUR_US).when(ORDER, command).effects[-1]

    assert isinstance(first, commands.ProviderRequest)
    assert isinstance(again, commands.ProviderRequest)
    assert again.operation_id == first.operation_id
    assert again.ask_time_us - first.ask_time_us == 1, "here, unlike in a log, events happen a microsecond later"


def test_what_a_look_did_not_find_may_still_come() -> None:
    outcome = asked(*HELD, capture(), commands.ProviderResult(operation=CAPTURE, operation_id="1", not_found=True))

    assert outcome.is_silent
    assert outcome.when(ORDER, approved(CAPTURE, "1")).messages == [answers.PaymentCaptured(capture_id="1")]


def test_what_a_look_found_counts_and_the_answer_after_it_changes_nothing() -> None:
    outcome = asked(*HELD, capture(), commands.Check(), approved(CAPTURE, "1"))

    assert outcome.messages == [answers.PaymentCaptured(capture_id="1")]
    assert outcome.when(ORDER, approved(CAPTURE, "1")).is_silent


GIVEN = commands.ProviderResult(operation=REFUND, operation_id="1", approved=True, attempt=1)
REISSUING = (*CAPTURED, refund(10), approved(REFUND, "1"), RECONCILE_REFUND)


def test_a_refund_that_the_provider_lacks_is_asked_for_again_and_counts_once() -> None:
    outcome = asked(*REISSUING)

    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation_id, request.amount, request.look_up, request.attempt) == ("1", money(10), True, 1)
    assert outcome.event_names == ["RefundReissueStarted"]
    assert outcome.when(ORDER, approved(REFUND, "1")).is_silent, "somebody looked at the first attempt"
    outcome.when(ORDER, GIVEN)
    assert (outcome.event_names, outcome.messages) == (["RefundReissued"], []), "the order knows of it"
    assert outcome.when(ORDER, GIVEN).is_silent
    assert payment(outcome).refunded == money(10)
    assert [(each.event, each.detail) for each in outcome.state(KEY).events][-2:] == [
        ("RefundReissueStarted", "1"),
        ("RefundReissued", "1"),
    ]


def test_one_attempt_at_a_refund_that_the_provider_lacks_is_made_at_a_time() -> None:
    """Attempts have keys of their own: two at once could both be given."""
    outcome = asked(*REISSUING)
    assert outcome.when(ORDER, RECONCILE_REFUND).is_silent
    outcome.when(ORDER, commands.Reconcile(operation=REFUND, operation_id="1"))
    (same,) = outcome.effects
    assert isinstance(same, commands.ProviderRequest)
    assert (same.attempt, same.look_up, outcome.events) == (1, True, []), "its question may be lost"
    (look,) = outcome.when(ORDER, commands.Check()).effects
    assert isinstance(look, commands.ProviderRequest)
    assert (look.attempt, look.look_only) == (1, True)

    assert outcome.when(ORDER, declined(REFUND, "1")).is_silent, "that is the first attempt"
    refused = commands.ProviderResult(operation=REFUND, operation_id="1", code="no_funds", attempt=1)
    assert outcome.when(ORDER, refused).event_names == ["RefundReissueDeclined"]
    (next_one,) = outcome.when(ORDER, RECONCILE_REFUND).effects
    assert isinstance(next_one, commands.ProviderRequest)
    assert next_one.attempt == 2
    assert payment(outcome).refunds[0].status == OPERATION_STATUS_DONE


@pytest.mark.parametrize(
    "command",
    [
        RECONCILE_REFUND,
        commands.Reconcile(operation=REFUND, operation_id="1"),
        commands.Reconcile(operation=CAPTURE, operation_id="1", also_done=True),
        commands.Reconcile(operation=AUTHORIZE),
        commands.Reconcile(operation=VOID),
    ],
    ids=["an unknown refund", "a refund", "a capture", "an authorisation", "a void"],
)
def test_what_is_neither_under_way_nor_a_refund_is_not_asked_again(command: commands.Reconcile) -> None:
    assert asked(*CAPTURED, command).is_silent


def test_a_hold_for_an_order_that_is_not_known_is_let_go_of_and_nothing_late_revives_it() -> None:
    outcome = asked(release())

    assert outcome.event_names == ["PaymentClosed", "HoldReleaseStarted"]
    (request,) = outcome.effects
    assert isinstance(request, commands.ProviderRequest)
    assert (request.operation, request.reference, request.operation_id) == (RELEASE, "pi_2", "pi_2")
    assert request.look_up, "somebody may have found it before, and had it let go of"
    assert outcome.when(ORDER, released()).event_names == ["HoldReleased"]
    assert outcome.when(ORDER, authorize()).messages == [answers.PaymentVoided()]


@pytest.mark.parametrize(
    ("before", "reference"),
    [
        ((*HELD, commands.Void(), approved(VOID)), "pi_1"),
        ((authorize(), declined(AUTHORIZE)), "pi_1"),
        (HELD, "pi_2"),
        ((*HELD, capture(), approved(CAPTURE, "1")), "pi_2"),
    ],
)
def test_a_hold_that_nobody_needs_is_let_go_of_and_the_payment_stays_as_it_is(
    before: tuple[Message, ...], reference: str
) -> None:
    outcome = asked(*before)
    status = payment(outcome).status

    outcome.when(ORDER, release(reference))
    assert outcome.event_names == ["HoldReleaseStarted"]
    outcome.when(ORDER, released(reference))

    assert payment(outcome).status == status
    assert [event.detail for event in outcome.state(KEY).events][-2:] == [reference, reference]


@pytest.mark.parametrize("before", [HELD, (authorize(), approved(AUTHORIZE)), (authorize(),)])
def test_the_hold_that_a_payment_needs_is_not_let_go_of(before: tuple[Message, ...]) -> None:
    outcome = asked(*before, release("pi_1"))

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "HOLD_NEEDED"
    assert not outcome.effects


def test_a_hold_that_the_provider_keeps_is_found_again() -> None:
    outcome = asked(*HELD, release(), released(approved=False))

    assert outcome.is_silent
    assert payment(outcome).status == PAYMENT_STATUS_AUTHORIZED
    assert asked(release(), released(approved=False), release()).event_names == ["HoldReleaseStarted"]
    assert payment(asked(release())).status == PAYMENT_STATUS_VOIDED
