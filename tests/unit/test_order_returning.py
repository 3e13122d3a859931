"""Returns and refunds of a complete order: repeated, partial, up to what is left."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_PENDING, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.payment.v1 import payment_commands_pb2 as payment
from ordermesh.core.requests import find
from ordermesh.order.app import SERVICE
from ordermesh.order.model import order_key
from ordermesh.order.rows import columns
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
WAY = (
    commands.StockReserved(skus=["A", "B"]),
    commands.PaymentAuthorized(),
    commands.ShipmentDispatched(number=1),
    commands.PaymentCaptured(capture_id="1"),
)


def complete(*messages: Message) -> Outcome:
    """A complete order of 2 A at 10, 1 B at 10, 3 A at 1.115 less 0.10, to which these came."""
    third = line("A", 3, 1, 115_000_000)
    third.discount.CopyFrom(money(0, 100_000_000))
    placed = commands.PlaceOrder(order=order_of(line("A", 2), line("B", 1), third))
    outcome = given(SERVICE)
    for message in (placed, *WAY, *messages):
        outcome.when(ORDER_ID, message)
    return outcome


def pieces(**quantities: int) -> list[LineQuantity]:
    """So many of each line: `pieces(l1=2)`."""
    return [LineQuantity(line_id=name[1:], quantity=quantity) for name, quantity in quantities.items()]


def take_back(*, restock: bool = False, request_id: str = "", **quantities: int) -> commands.Return:
    """Goods come back."""
    return commands.Return(lines=pieces(**quantities), restock=restock, request_id=request_id)


def refunded(refund_id: str) -> commands.PaymentRefunded:
    """The provider gave the money back."""
    return commands.PaymentRefunded(refund_id=refund_id)


def order(outcome: Outcome) -> Order:
    """The resource."""
    found: Order = outcome.state(KEY).order
    return found


def states(outcome: Outcome) -> tuple[str, str, str]:
    """The three states, in words."""
    _, *names = columns(KEY, outcome.state(KEY))
    return names[0], names[1], names[2]


def asked_refunds(outcome: Outcome) -> list[tuple[str, Money]]:
    """Refunds that payment was asked for by the last decision."""
    return [(message.refund_id, message.amount) for message in outcome.sent(payment.Refund)]


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    return outcome.refusal.reason


def test_a_return_refunds_its_share_and_restocks_each_sku_once() -> None:
    outcome = complete(take_back(restock=True, l1=1, l3=3))

    assert asked_refunds(outcome) == [("1", money(13, 245_000_000))]
    (restock,) = outcome.sent(inventory.Restock)
    assert [(item.sku, item.quantity) for item in restock.items] == [("A", 4)]
    assert [each.returned_quantity for each in order(outcome).lines] == [1, 0, 3]
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    assert outcome.timers[0].message is not None


def test_a_return_without_restock_says_nothing_to_inventory() -> None:
    assert not complete(take_back(l1=1)).sent(inventory.Restock)


def test_a_refund_that_is_confirmed_shows_in_the_order() -> None:
    outcome = complete(take_back(l1=1), refunded("1"))

    assert states(outcome) == ("COMPLETED", "PARTIALLY_REFUNDED", "SHIPPED")
    assert order(outcome).refunded == money(10)
    assert [timer.message for timer in outcome.timers] == [None]
    assert outcome.when(ORDER_ID, refunded("1")).is_silent


def test_pieces_returned_one_by_one_are_worth_exactly_the_line() -> None:
    outcome = complete()
    amounts = []
    for number in range(1, 4):
        (refund,) = asked_refunds(outcome.when(ORDER_ID, take_back(l3=1)))
        assert refund[0] == str(number)
        amounts.append(refund[1].units * 10**9 + refund[1].nanos)

    assert sum(amounts) == 3_245_000_000


def test_an_order_of_which_everything_came_back_is_returned_and_refunded() -> None:
    outcome = complete(take_back(l1=2, l2=1), take_back(l3=3), refunded("2"), refunded("1"))

    assert states(outcome) == ("COMPLETED", "REFUNDED", "RETURNED")
    assert order(outcome).refunded == order(outcome).total
    assert reason(outcome.when(ORDER_ID, take_back(l1=1))) == "RETURN_EXCEEDS_SHIPPED"


def test_a_line_named_twice_in_a_return_is_summed() -> None:
    twice = commands.Return(lines=[*pieces(l1=1), *pieces(l1=2)])

    assert reason(complete(twice)) == "RETURN_EXCEEDS_SHIPPED"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (take_back(l1=3), "RETURN_EXCEEDS_SHIPPED"),
        (take_back(l9=1), "LINE_NOT_FOUND"),
        (commands.Refund(lines=pieces(l9=1)), "LINE_NOT_FOUND"),
        (commands.Refund(lines=pieces(l1=3)), "REFUND_EXCEEDS_CAPTURED"),
        (commands.Refund(amount=money(33, 245_000_001)), "REFUND_EXCEEDS_CAPTURED"),
        (commands.Refund(amount=Money(currency_code="EUR", units=1)), "INVALID_REQUEST"),
        (commands.Refund(amount=money(0)), "REFUND_EXCEEDS_CAPTURED"),
        (commands.Return(lines=pieces(l1=1), etag="1"), "ETAG_MISMATCH"),
        (commands.Refund(amount=money(1), etag="1"), "ETAG_MISMATCH"),
    ],
    ids=range(9),
)
def test_what_is_more_than_is_left_is_refused(command: Message, expected: str) -> None:
    outcome = complete(command)

    assert reason(outcome) == expected
    assert not outcome.events


@pytest.mark.parametrize("answers", range(4))
def test_what_is_not_shipped_and_paid_cannot_come_back(answers: int) -> None:
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    for message in WAY[:answers]:
        outcome.when(ORDER_ID, message)

    assert reason(outcome.when(ORDER_ID, take_back(l1=1))) == "ORDER_NOT_RETURNABLE"
    assert reason(outcome.when(ORDER_ID, commands.Refund(amount=money(1)))) == "ORDER_NOT_REFUNDABLE"


def test_an_order_that_does_not_exist_has_nothing_to_come_back() -> None:
    assert reason(given(SERVICE).when(ORDER_ID, take_back(l1=1))) == "ORDER_NOT_FOUND"
    assert reason(given(SERVICE).when(ORDER_ID, commands.Refund(amount=money(1)))) == "ORDER_NOT_FOUND"


def test_an_amount_can_be_refunded_repeatedly_up_to_the_total() -> None:
    refund = commands.Refund(amount=money(20))
    outcome = complete(refund)
    assert asked_refunds(outcome) == [("1", money(20))]
    assert reason(outcome.when(ORDER_ID, refund)) == "REFUND_EXCEEDS_CAPTURED"

    outcome.when(ORDER_ID, commands.Refund(amount=money(13, 245_000_000)))
    outcome.when(ORDER_ID, refunded("1")).when(ORDER_ID, refunded("2"))
    assert states(outcome) == ("COMPLETED", "REFUNDED", "SHIPPED")


def test_a_piece_is_paid_back_once() -> None:
    outcome = complete(commands.Refund(lines=pieces(l1=1)))
    assert asked_refunds(outcome) == [("1", money(10))]

    assert asked_refunds(outcome.when(ORDER_ID, take_back(l1=1))) == []
    assert asked_refunds(outcome.when(ORDER_ID, take_back(l1=1))) == [("2", money(10))]


def test_a_return_after_refunds_of_amounts_gives_back_what_is_left() -> None:
    outcome = complete(commands.Refund(amount=money(30)), take_back(l1=2))

    assert asked_refunds(outcome) == [("2", money(3, 245_000_000))]
    assert asked_refunds(outcome.when(ORDER_ID, take_back(l2=1))) == []
    assert outcome.event_names == ["OrderReturned"]


def test_a_declined_refund_can_be_asked_for_anew() -> None:
    asked = commands.Refund(lines=pieces(l1=2), request_id="r1")
    outcome = complete(asked, commands.PaymentRefundDeclined(refund_id="1", code="closed"))

    record = find(outcome.state(KEY).requests, "r1")
    assert record is not None
    assert (record.outcome, record.reason) == (REQUEST_OUTCOME_REFUSED, "REFUND_DECLINED")
    assert order(outcome).lines[0].refunded_quantity == 0
    assert [timer.message for timer in outcome.timers] == [None]
    anew = commands.Refund(lines=pieces(l1=2), request_id="r2")
    assert asked_refunds(outcome.when(ORDER_ID, anew)) == [("2", money(20))]


@pytest.mark.parametrize(
    ("command", "pending"),
    [
        (take_back(l1=1, restock=True, request_id="r1"), REQUEST_OUTCOME_DONE),
        (commands.Refund(amount=money(1), request_id="r1"), REQUEST_OUTCOME_PENDING),
    ],
    ids=["return", "refund"],
)
def test_the_same_request_is_done_once_and_its_outcome_remembered(command: Message, pending: int) -> None:
    outcome = complete(command)
    record = find(outcome.state(KEY).requests, "r1")
    assert record is not None
    assert record.outcome == pending
    assert outcome.when(ORDER_ID, command).is_silent

    outcome.when(ORDER_ID, refunded("1"))
    record = find(outcome.state(KEY).requests, "r1")
    assert record is not None
    assert record.outcome == REQUEST_OUTCOME_DONE
    assert outcome.when(ORDER_ID, command).is_silent
    assert reason(outcome.when(ORDER_ID, commands.Cancel(request_id="r1"))) == "REQUEST_ID_REUSED"


def test_a_refund_that_is_not_answered_is_asked_again_until_it_is() -> None:
    outcome = complete(commands.Refund(amount=money(1)), commands.Refund(amount=money(2)), refunded("1"))
    assert not outcome.timers

    outcome.later(31_000_000).when(ORDER_ID, commands.StepTimer())
    assert asked_refunds(outcome) == [("2", money(2))]
    assert outcome.timers[0].message is not None
    outcome.when(ORDER_ID, refunded("2"))
    assert outcome.when(ORDER_ID, commands.StepTimer()).is_silent
