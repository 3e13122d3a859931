"""Changes of an order whose payment is declined: those that waited for it, and another address after it."""

from __future__ import annotations

from google.protobuf.message import Message

from oms.common.v1.address_pb2 import Address
from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_state_pb2 import ORDER_STEP_PAYMENT_RETRY
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.order.app import make_service
from ordermesh.order.model import OrderPolicy
from ordermesh.testing.given import Outcome, given
from tests.unit.orders import ORDER_ID, line, money
from tests.unit.parts import SECOND, amend, an_order, counts, fewer, granted, outcome_of, state_of, states

SERVICE = make_service(OrderPolicy(payment_retry_us=600 * SECOND))
RESERVED = granted()
DECLINED = commands.PaymentDeclined(code="no_funds")
RENEW = commands.RenewPayment(payment_token="tok_other", request_id="p1")
AGAIN = commands.PaymentAuthorized(attempt=1)
DONE, REFUSED = (REQUEST_OUTCOME_DONE, ""), REQUEST_OUTCOME_REFUSED


def after(*messages: Message, order: Order | None = None) -> Outcome:
    """An order to which these came, one after another."""
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order or an_order()))
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def moved(*, quantity: int = 4, request_id: str = "moved") -> commands.Amend:
    """To another address, with so many pieces on the first line; four are so already."""
    command = amend(line("A", quantity), line("B", 2, 5), line("A", 1), request_id=request_id)
    command.ship_to.CopyFrom(Address(recipient="Ada", region_code="GB"))
    return command


def authorized(outcome: Outcome) -> list[payment.Authorize]:
    """What the provider is asked to hold."""
    return outcome.sent(payment.Authorize)


def test_pieces_whose_cancellation_waited_for_a_payment_are_cancelled_when_it_is_declined() -> None:
    outcome = after(RESERVED, fewer(l1=1), DECLINED)

    assert outcome.event_names == ["PaymentRefused", "LinesCancelled"]
    assert (counts(outcome)[0], outcome_of(outcome, "fewer")) == ((4, 1, 0), DONE)
    assert [each.items[0].quantity for each in outcome.sent(inventory.Revise)] == [4]
    assert not authorized(outcome)
    assert states(outcome)[1] == "RETRY"
    assert outcome.timers[-1].due_us == state_of(outcome).payment_retry_until_us
    assert [each.amount for each in authorized(outcome.when(ORDER_ID, RENEW))] == [money(53)], "for what is left"
    assert not state_of(outcome).HasField("change")


def test_an_amendment_that_waited_for_a_payment_is_refused_when_it_is_declined() -> None:
    outcome = after(RESERVED, moved(quantity=3), DECLINED)

    assert outcome.event_names == ["PaymentRefused", "ChangeRefused"]
    assert outcome_of(outcome, "moved") == (REFUSED, "AMENDMENT_REFUSED")
    assert state_of(outcome).order.timeline[-1].detail == "AMENDMENT_REFUSED: PAYMENT_DECLINED: no_funds"
    assert state_of(outcome).step == ORDER_STEP_PAYMENT_RETRY
    assert [each.amount for each in authorized(outcome.when(ORDER_ID, RENEW))] == [money(63)]


def test_another_address_that_waited_for_a_payment_is_taken_when_it_is_declined() -> None:
    outcome = after(RESERVED, moved(), DECLINED)

    assert outcome.event_names == ["PaymentRefused", "OrderAmended"]
    assert outcome_of(outcome, "moved") == DONE
    assert state_of(outcome).order.ship_to.recipient == "Ada"
    assert state_of(outcome).step == ORDER_STEP_PAYMENT_RETRY
    assert not state_of(outcome).HasField("change")


def test_of_a_held_order_no_address_is_changed_by_a_decline() -> None:
    outcome = after(RESERVED, moved(), commands.PlaceHold(reason="LOOK"), DECLINED)

    assert outcome_of(outcome, "moved") == (REFUSED, "AMENDMENT_REFUSED")


def test_a_decline_that_ends_the_order_ends_its_change_too() -> None:
    outcome = after(RESERVED, fewer(l1=1), DECLINED, RENEW, commands.PaymentDeclined(code="no", attempt=1))
    outcome.later(700 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert state_of(outcome).order.state_reason == "PAYMENT_EXPIRED"
    assert outcome_of(outcome, "fewer") == DONE


def test_a_declined_order_goes_to_another_address_at_once() -> None:
    outcome = after(RESERVED, DECLINED, moved())

    assert (outcome.event_names, outcome_of(outcome, "moved")) == (["OrderAmended"], DONE)
    assert not outcome.messages
    assert states(outcome) == ("PLACED", "RETRY", "ALLOCATED")
    assert outcome.when(ORDER_ID, moved()).is_silent, "the same request again is the same"
    assert [each.amount for each in authorized(outcome.when(ORDER_ID, RENEW))] == [money(63)]
    (create,) = outcome.when(ORDER_ID, AGAIN).sent(shipping.CreateShipment)
    assert create.ship_to.recipient == "Ada"


def test_one_of_which_pieces_are_cancelled_goes_there_with_what_is_left() -> None:
    outcome = after(RESERVED, DECLINED, fewer(l1=1), moved(quantity=3))

    assert outcome.event_names == ["OrderAmended"]
    assert counts(outcome)[0] == (3, 0, 0)
    assert [each.amount for each in authorized(outcome.when(ORDER_ID, RENEW))] == [money(53)]


def test_while_it_waits_for_another_token_nothing_else_of_it_is_amended() -> None:
    more_of_it = moved(quantity=5, request_id="more")
    dearer = amend(line("A", 4), line("B", 2, 5), line("A", 1), charge=9, request_id="dearer")
    for command in (more_of_it, dearer):
        outcome = after(RESERVED, DECLINED, command)
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "ORDER_NOT_AMENDABLE"
        assert not outcome.events
