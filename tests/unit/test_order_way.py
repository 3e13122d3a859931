"""The way of an order from placing to completion: steps, answers said again, the timer."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.core.ids import time_ms_of
from ordermesh.order.app import SERVICE, make_service
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.order.rows import CUSTOMER_MONTHS, ORDERS_BY_CUSTOMER, columns, month_of, query_rows
from ordermesh.testing.given import TENANT, Outcome, given, slots
from tests.unit.orders import ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
SECOND = 1_000_000
RESERVED = commands.StockReserved(skus=["A", "B"])
AUTHORIZED = commands.PaymentAuthorized()
DISPATCHED = commands.ShipmentDispatched(number=1, tracking="T1")
CAPTURED = commands.PaymentCaptured(capture_id="1")
WAY = (RESERVED, AUTHORIZED, DISPATCHED, CAPTURED)


def order(outcome: Outcome) -> Order:
    """The resource."""
    found: Order = outcome.state(KEY).order
    return found


def placed(*answers: Message) -> Outcome:
    """An order that got these answers."""
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    for answer in answers:
        outcome.when(ORDER_ID, answer)
    return outcome


def states(outcome: Outcome) -> tuple[str, str, str]:
    """The three states, in words."""
    _, *names = columns(KEY, outcome.state(KEY))
    return names[0], names[1], names[2]


def test_a_new_order_asks_for_its_stock_with_each_sku_once() -> None:
    outcome = placed()

    assert outcome.event_names == ["OrderPlaced"]
    (reserve,) = outcome.sent(inventory.Reserve)
    assert {item.sku: item.quantity for item in reserve.items} == {"A": 5, "B": 1}
    assert outcome.decision.messages[0].first
    assert outcome.timers[0].due_us == outcome.now_us - 1 + 30 * SECOND
    assert states(outcome) == ("PLACED", "NONE", "UNALLOCATED")


def test_an_order_says_one_reserve_for_each_partition_of_inventory() -> None:
    slot = slots(4)
    skus = [f"sku-{number}" for number in range(20)]
    outcome = given(SERVICE, slot=slot)
    outcome.when(ORDER_ID, commands.PlaceOrder(order=order_of(*(line(sku, 1) for sku in skus))))

    parts = [[item.sku for item in message.items] for message in outcome.sent(inventory.Reserve)]
    assert len(parts) == 4
    assert sorted(sku for part in parts for sku in part) == sorted(skus)
    assert all(len({slot("inventory", TENANT, sku) for sku in part}) == 1 for part in parts)
    assert [out.key for out in outcome.decision.messages] == [part[0] for part in parts]


def test_the_happy_way_has_five_events() -> None:
    outcome = placed(*WAY)

    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    assert [(entry.version, entry.event) for entry in order(outcome).timeline] == [
        (1, "OrderPlaced"),
        (2, "StockAllocated"),
        (3, "OrderConfirmed"),
        (4, "OrderShipped"),
        (5, "OrderCompleted"),
    ]
    assert (order(outcome).version, order(outcome).etag) == (5, "5")
    assert [timer.message for timer in outcome.timers] == [None]


def test_the_stored_state_of_a_complete_order_of_three_lines_is_small() -> None:
    assert placed(*WAY).state(KEY).ByteSize() < 900


@pytest.mark.parametrize(
    ("answers", "states_after", "asks"),
    [
        ((), ("PLACED", "NONE", "UNALLOCATED"), [inventory.Reserve]),
        (WAY[:1], ("PLACED", "AUTHORIZING", "ALLOCATED"), [payment.Authorize]),
        (WAY[:2], ("CONFIRMED", "AUTHORIZED", "ALLOCATED"), [shipping.CreateShipment]),
        (WAY[:3], ("CONFIRMED", "AUTHORIZED", "SHIPPED"), [payment.Capture, inventory.Commit]),
        (WAY, ("COMPLETED", "CAPTURED", "SHIPPED"), []),
    ],
)
def test_each_answer_leads_to_the_next_question(
    answers: tuple[Message, ...], states_after: tuple[str, str, str], asks: list[type[Message]]
) -> None:
    outcome = placed(*answers)

    assert states(outcome) == states_after
    assert [type(message) for message in outcome.messages] == asks


def test_the_total_is_authorised_and_captured_and_everything_is_shipped() -> None:
    assert placed(*WAY[:1]).sent(payment.Authorize)[0] == payment.Authorize(amount=money(60), payment_token="tok_ok")
    assert placed(*WAY[:3]).sent(payment.Capture)[0] == payment.Capture(capture_id="1", amount=money(60))
    (create,) = placed(*WAY[:2]).sent(shipping.CreateShipment)
    assert [(each.line_id, each.sku, each.quantity) for each in create.lines] == [
        ("1", "A", 2),
        ("2", "B", 1),
        ("3", "A", 3),
    ]


def test_stock_of_several_partitions_is_waited_for_together() -> None:
    outcome = placed(commands.StockReserved(skus=["B"]))
    assert outcome.event_names == ["StockAllocated"]
    assert not outcome.messages
    assert states(outcome) == ("PLACED", "NONE", "UNALLOCATED")
    assert outcome.when(ORDER_ID, commands.StockReserved(skus=["B"])).is_silent

    outcome.when(ORDER_ID, commands.StockReserved(skus=["A"]))
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")


@pytest.mark.parametrize("said", range(len(WAY)))
def test_an_answer_said_again_changes_nothing(said: int) -> None:
    for further in range(said + 1, len(WAY) + 1):
        assert placed(*WAY[:further], WAY[said]).is_silent


@pytest.mark.parametrize(
    "answer",
    [
        *WAY[1:],
        commands.StockReleased(skus=["A", "B"]),
        commands.PaymentDeclined(code="x"),
        commands.PaymentVoided(),
        commands.PaymentRefunded(refund_id="1"),
        commands.PaymentRefundDeclined(refund_id="1"),
        commands.PaymentCaptureDeclined(capture_id="1", code="x"),
        commands.ShipmentDelivered(number=1),
        commands.ShipmentCancelled(number=1),
        commands.ShipmentCancelRefused(number=1),
    ],
    ids=lambda answer: answer.DESCRIPTOR.name,
)
def test_an_answer_to_what_was_not_asked_changes_nothing(answer: Message) -> None:
    assert placed(answer).is_silent
    assert given(SERVICE).when(ORDER_ID, answer).is_silent


def test_a_delivery_is_noted_once() -> None:
    delivered = commands.ShipmentDelivered(number=1)
    outcome = placed(*WAY, delivered)

    assert states(outcome) == ("COMPLETED", "CAPTURED", "DELIVERED")
    assert outcome.when(ORDER_ID, delivered).is_silent


def test_a_delivery_may_be_told_before_the_capture() -> None:
    assert states(placed(*WAY[:3], commands.ShipmentDelivered(number=1), CAPTURED)) == (
        "COMPLETED",
        "CAPTURED",
        "DELIVERED",
    )


def test_a_declined_capture_is_told_once_and_asked_again() -> None:
    no = commands.PaymentCaptureDeclined(capture_id="1", code="expired")
    outcome = placed(*WAY[:3], no)
    assert order(outcome).state_reason == "CAPTURE_DECLINED"
    assert outcome.when(ORDER_ID, no).is_silent

    outcome.later(31 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert outcome.messages == [payment.Capture(capture_id="1", amount=money(60))]
    outcome.when(ORDER_ID, CAPTURED)
    assert (states(outcome)[0], order(outcome).state_reason) == ("COMPLETED", "")


@pytest.mark.parametrize("answers", [WAY[:1], WAY], ids=["under way", "complete"])
def test_the_same_order_again_is_answered_as_it_is(answers: tuple[Message, ...]) -> None:
    assert placed(*answers, commands.PlaceOrder(order=order_of())).is_silent


def test_another_order_under_the_id_is_refused() -> None:
    refusal = placed(commands.PlaceOrder(order=order_of(line("A", 1)))).refusal

    assert refusal is not None
    assert (refusal.reason, refusal.metadata["order_id"]) == ("ORDER_ALREADY_EXISTS", ORDER_ID)


@pytest.mark.parametrize("token", ["tok_ok", "tok_slow"])
def test_another_customer_does_not_learn_that_the_id_is_taken(token: str) -> None:
    refusal = placed(commands.PlaceOrder(order=order_of(customer_id="c-2", token=token))).refusal

    assert refusal is not None
    assert refusal.reason == "ORDER_NOT_FOUND"


def test_the_timer_waits_for_the_whole_pause_of_the_current_step() -> None:
    outcome = placed().later(20 * SECOND).when(ORDER_ID, RESERVED)
    since = outcome.now_us
    outcome.later(15 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert not outcome.messages
    assert outcome.timers[0].due_us == since + 30 * SECOND


@pytest.mark.parametrize(
    ("answers", "asks"),
    [
        ((), [inventory.Reserve]),
        ((commands.StockReserved(skus=["A"]),), [inventory.Reserve]),
        (WAY[:1], [payment.Authorize]),
        (WAY[:2], [shipping.CreateShipment]),
        (WAY[:3], [payment.Capture]),
    ],
    ids=["reserve", "reserve the rest", "authorize", "ship", "capture"],
)
def test_the_timer_asks_again_and_less_and_less_often(answers: tuple[Message, ...], asks: list[type[Message]]) -> None:
    outcome = placed(*answers).later(40 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert [type(message) for message in outcome.messages] == asks
    assert not any(out.first for out in outcome.decision.messages)
    assert not outcome.events
    assert outcome.timers[0].due_us == pytest.approx(outcome.now_us + 40 * SECOND, abs=5)


def test_only_what_is_not_answered_is_asked_again() -> None:
    outcome = placed(commands.StockReserved(skus=["A"])).later(40 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert [item.sku for item in outcome.sent(inventory.Reserve)[0].items] == ["B"]


def test_the_pause_between_questions_has_a_limit() -> None:
    service = make_service(OrderPolicy(ask_again_us_max=60 * SECOND))
    outcome = given(service).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    outcome.when(ORDER_ID, RESERVED).when(ORDER_ID, AUTHORIZED).later(600 * SECOND).when(ORDER_ID, commands.StepTimer())

    assert outcome.timers[0].due_us == outcome.now_us + 60 * SECOND


def test_the_timer_of_an_order_that_waits_for_nothing_changes_nothing() -> None:
    assert placed(*WAY, commands.StepTimer()).is_silent
    assert given(SERVICE).when(ORDER_ID, commands.StepTimer()).is_silent


@pytest.mark.parametrize(
    ("answers", "says"),
    [((), []), (WAY[:1], []), (WAY[:2], []), (WAY[:3], [inventory.Commit]), (WAY, [inventory.Commit])],
)
def test_an_old_reservation_is_kept_while_it_is_needed_and_committed_when_it_left(
    answers: tuple[Message, ...], says: list[type[Message]]
) -> None:
    outcome = placed(*answers, commands.ReservationAged(skus=["A"]))

    assert [type(message) for message in outcome.messages] == says
    assert not outcome.events


def test_the_reservation_of_an_order_that_does_not_exist_is_released() -> None:
    outcome = given(SERVICE).when(ORDER_ID, commands.ReservationAged(skus=["A"]))

    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A"])]


def test_an_order_is_found_by_its_customer_and_the_month_of_its_id() -> None:
    outcome = placed()
    month = month_of(time_ms_of(ORDER_ID))

    by_customer, months = query_rows(KEY, outcome.state(KEY), 7)
    assert month == "2024-07"
    assert by_customer == (ORDERS_BY_CUSTOMER.name, (TENANT, "c-1", month, ORDER_ID), 7)
    assert months == (CUSTOMER_MONTHS.name, (TENANT, "c-1", month), 7)


def test_every_event_has_its_place_in_evolution() -> None:
    described = {getattr(events, name) for name in events.DESCRIPTOR.message_types_by_name}

    assert {event for kind in SERVICE.aggregates for event in kind.events} == described
    assert words.ORDER_STATE_ACCEPTED not in (placed(*WAY[:n]).state(KEY).order.order_state for n in range(5))
