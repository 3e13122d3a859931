"""Exchanges: a return and another order, once, linked both ways; and an id that was taken."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_PENDING, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from ordermesh.core.requests import find
from ordermesh.order.app import SERVICE
from ordermesh.order.model import order_key
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, line, order_of

OTHER_ID = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e78"
THIRD_ID = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e79"
KEY, OTHER = order_key(TENANT, ORDER_ID), order_key(TENANT, OTHER_ID)
SECOND = 1_000_000
WAY = (
    commands.StockReserved(skus=["A", "B"]),
    commands.PaymentAuthorized(),
    commands.ShipmentDispatched(number=1),
    commands.PaymentCaptured(capture_id="1"),
)
PLACED = commands.ReplacementPlaced(order_id=OTHER_ID)
REFUSED = commands.ReplacementRefused(order_id=OTHER_ID, reason="ORDER_ALREADY_EXISTS")


def exchange(
    order_id: str = OTHER_ID, *, quantity: int = 1, customer_id: str = "c-1", made: bool = False, request_id: str = "x1"
) -> commands.Exchange:
    """One or more of the first line for one A-L."""
    return commands.Exchange(
        lines=[LineQuantity(line_id="1", quantity=quantity)], reason="too small", request_id=request_id,
        replacement=order_of(line("A-L", 1), order_id=order_id, customer_id=customer_id), order_id_made=made,
    )  # fmt: skip


def complete(*messages: Message) -> Outcome:
    """A complete order of 2 A, 1 B and 3 A, to which these came."""
    outcome = given(SERVICE)
    for message in (commands.PlaceOrder(order=order_of()), *WAY, *messages):
        outcome.when(ORDER_ID, message)
    return outcome


def order(outcome: Outcome, order_id: str = ORDER_ID) -> Order:
    """The resource."""
    found: Order = outcome.state(order_key(TENANT, order_id)).order
    return found


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def record(outcome: Outcome) -> tuple[int, str]:
    """What is remembered of the request."""
    found = find(outcome.state(KEY).requests, "x1")
    assert found is not None
    return found.outcome, found.reason


def question(outcome: Outcome) -> commands.PlaceReplacement:
    """What the other order was asked."""
    (asked,) = outcome.sent(commands.PlaceReplacement)
    return asked


def test_an_exchange_permits_a_return_and_asks_for_another_order() -> None:
    outcome = complete(exchange())

    assert outcome.event_names == ["ReturnAuthorized", "ExchangeRequested"]
    assert question(outcome).order.exchange_of == ORDER_ID
    (out,) = outcome.decision.messages
    assert (out.key, out.by_log) == (OTHER_ID, True), "its id has to move the log clock before it is placed"
    (known,) = order(outcome).returns
    assert (known.exchange_order_id, known.state) == (OTHER_ID, words.RETURN_STATE_AUTHORIZED)
    assert record(outcome) == (REQUEST_OUTCOME_PENDING, "")
    assert outcome.timers[0].message is not None
    assert not order(outcome).exchanged_by


def test_the_other_order_is_an_ordinary_one_that_names_the_first() -> None:
    outcome = complete(exchange())
    outcome.when(OTHER_ID, question(outcome))

    assert order(outcome, OTHER_ID).exchange_of == ORDER_ID
    assert order(outcome, OTHER_ID).order_state == words.ORDER_STATE_PLACED
    assert outcome.sent(inventory.Reserve)
    assert outcome.sent(commands.ReplacementPlaced) == [PLACED]
    assert outcome.decision.messages[-1].key == ORDER_ID
    assert outcome.timers[0].message is not None


def test_its_answer_links_the_first_and_ends_the_waiting() -> None:
    outcome = complete(exchange(), PLACED)

    assert list(order(outcome).exchanged_by) == [OTHER_ID]
    assert record(outcome) == (REQUEST_OUTCOME_DONE, "")
    assert [timer.message for timer in outcome.timers] == [None]
    assert outcome.when(ORDER_ID, PLACED).is_silent
    assert outcome.when(ORDER_ID, REFUSED).is_silent
    assert outcome.when(ORDER_ID, commands.StepTimer()).is_silent


def test_asked_again_the_other_order_is_there_already() -> None:
    outcome = complete(exchange())
    asked = question(outcome)
    outcome.when(OTHER_ID, asked).when(OTHER_ID, asked)
    assert not outcome.events
    assert outcome.messages == [PLACED]

    outcome.later(31 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert question(outcome) == asked


def test_the_same_request_makes_one_exchange_also_under_an_id_that_was_made_for_it() -> None:
    assert complete(exchange(), exchange()).is_silent
    assert complete(exchange(made=True), exchange(THIRD_ID, made=True)).is_silent
    assert reason(complete(exchange(), exchange(THIRD_ID))) == "REQUEST_ID_REUSED"
    assert reason(complete(exchange(), exchange(quantity=2))) == "REQUEST_ID_REUSED"


def test_an_id_is_for_one_exchange() -> None:
    assert reason(complete(exchange(), exchange(request_id="x2"))) == "ORDER_ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (order_of(line("A-L", 2), order_id=OTHER_ID), "ORDER_ALREADY_EXISTS"),
        (order_of(line("A-L", 1), order_id=OTHER_ID), "ORDER_ALREADY_EXISTS"),
        (order_of(line("A-L", 1), order_id=OTHER_ID, customer_id="other"), "ORDER_NOT_FOUND"),
    ],
    ids=["other content", "placed by itself", "other customer"],
)
def test_an_id_that_another_order_has_is_refused(there: Order, expected: str) -> None:
    outcome = complete(exchange())
    asked = question(outcome)
    outcome.when(OTHER_ID, commands.PlaceOrder(order=there)).when(OTHER_ID, asked)

    assert not outcome.events
    assert outcome.messages == [commands.ReplacementRefused(order_id=OTHER_ID, reason=expected)]
    assert not order(outcome, OTHER_ID).exchange_of


def test_a_refused_exchange_ends_its_return_and_says_why() -> None:
    outcome = complete(exchange(), REFUSED)

    assert record(outcome) == (REQUEST_OUTCOME_REFUSED, "ORDER_ALREADY_EXISTS")
    (known,) = order(outcome).returns
    assert (known.state, known.exchange_order_id) == (words.RETURN_STATE_CANCELLED, "")
    assert not order(outcome).exchanged_by
    assert outcome.when(ORDER_ID, exchange(THIRD_ID, quantity=2, request_id="x2")).events, "its pieces are free again"


def test_a_refused_exchange_leaves_a_return_of_which_something_came() -> None:
    came = commands.ReceiveReturn(return_id="1", lines=[LineQuantity(line_id="1", quantity=1)])
    (known,) = order(complete(exchange(), came, REFUSED)).returns

    assert known.state == words.RETURN_STATE_RECEIVED


def test_an_exchange_is_of_what_could_be_returned_and_for_the_same_customer() -> None:
    assert reason(complete(exchange(quantity=3))) == "RETURN_EXCEEDS_SHIPPED"
    outcome = complete(exchange(customer_id="other"))
    assert outcome.refusal is not None
    assert outcome.refusal.metadata["field"] == "replacement.customer_id"
    assert reason(given(SERVICE).when(ORDER_ID, exchange())) == "ORDER_NOT_FOUND"
    early = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    assert reason(early.when(ORDER_ID, exchange())) == "ORDER_NOT_RETURNABLE"


def test_the_last_answer_ends_the_timer_whichever_it_is() -> None:
    refund = commands.Return(lines=[LineQuantity(line_id="2", quantity=1)])
    refunded = commands.PaymentRefunded(refund_id="1")

    outcome = complete(refund, exchange(), PLACED)
    assert not outcome.timers
    assert [timer.message for timer in outcome.when(ORDER_ID, refunded).timers] == [None]
    outcome = complete(refund, exchange(), refunded)
    assert not outcome.timers
    assert [timer.message for timer in outcome.when(ORDER_ID, PLACED).timers] == [None]
