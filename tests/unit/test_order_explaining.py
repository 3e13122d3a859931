"""What an order waits for, told: every step has its entry, and the times told are those of the step's own timer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from google.protobuf.message import Message
from hypothesis import given as for_all
from hypothesis import strategies as st

from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_OPEN, Reservation
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_explanation_pb2 as told
from oms.order.v1 import order_service_pb2
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.order.v1.order_pb2 import FULFILLMENT_POLICY_BACKORDER
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1.payment_pb2 import (
    OPERATION_STATUS_DECLINED,
    OPERATION_STATUS_DONE,
    PAYMENT_STATUS_AUTHORIZING,
    PAYMENT_STATUS_VOIDING,
    Payment,
    PaymentOperation,
)
from oms.shipping.v1.shipping_pb2 import SHIPMENT_STATE_DISPATCHED, SHIPMENT_STATE_PENDING, Shipment
from ordermesh.order.app import make_service
from ordermesh.order.awaiting import Elsewhere
from ordermesh.order.explaining import PARTS_MAX, asked_again_us, explain
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.order.waits import STEPS
from ordermesh.testing.given import START_US, TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
SECOND = 1_000_000
POLICY = OrderPolicy(payment_retry_us=60 * SECOND)
RESERVED = commands.StockReserved(skus=["A", "B"])
AUTHORIZED = commands.PaymentAuthorized()
DISPATCHED = commands.ShipmentDispatched(number=1, tracking="T1")
CAPTURED = commands.PaymentCaptured(capture_id="1")
CANCEL = commands.Cancel(reason="changed my mind", request_id="r1")
REFUND = commands.Refund(amount=money(5), request_id="r2")
_WAITS = order_of(line("A", 2))
_WAITS.fulfillment_policy = FULFILLMENT_POLICY_BACKORDER
BACKORDERED = commands.PlaceOrder(order=_WAITS)
SHORT = commands.StockReserved(skus=["A"], grants=[StockGrant(sku="A", quantity=1)])
_LATER = order_of(line("A", 2))
_LATER.not_before.FromMicroseconds(START_US + 3_600 * SECOND)
LATER = commands.PlaceOrder(order=_LATER)
CHANGE = commands.Cancel(lines=[order_service_pb2.LineQuantity(line_id="1", quantity=1)], request_id="r3")
LOOK = commands.PlaceHold(reason="LOOK", request_id="r4")
EXCHANGE = commands.Exchange(
    lines=[order_service_pb2.LineQuantity(line_id="1", quantity=1)],
    replacement=order_of(order_id="0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e78"),
    request_id="r5",
)
NOWHERE = Elsewhere()
WAYS: Mapping[told.WaitingFor, tuple[Message, ...]] = {
    told.WAITING_FOR_STOCK: (),
    told.WAITING_FOR_AUTHORIZATION: (RESERVED,),
    told.WAITING_FOR_DISPATCH: (RESERVED, AUTHORIZED),
    told.WAITING_FOR_SHIPPING_STOP: (RESERVED, AUTHORIZED, CANCEL),
    told.WAITING_FOR_CAPTURE: (RESERVED, AUTHORIZED, DISPATCHED),
    told.WAITING_FOR_UNDO: (RESERVED, CANCEL),
    told.WAITING_FOR_REFUND: (RESERVED, AUTHORIZED, DISPATCHED, CAPTURED, REFUND),
    told.WAITING_FOR_NOTHING: (RESERVED, AUTHORIZED, DISPATCHED, CAPTURED),
    told.WAITING_FOR_TIME: (LATER,),
    told.WAITING_FOR_BACKORDER: (BACKORDERED, SHORT),
    told.WAITING_FOR_CHANGE: (RESERVED, AUTHORIZED, CHANGE),
    told.WAITING_FOR_SETTLEMENT: (
        RESERVED,
        AUTHORIZED,
        CHANGE,
        commands.ShipmentCancelled(number=1),
        commands.ShipmentDispatched(number=2, tracking="T2"),
        commands.PaymentCaptured(capture_id="2"),
    ),
    told.WAITING_FOR_RELEASE: (LOOK, RESERVED),
    told.WAITING_FOR_PAYMENT_TOKEN: (RESERVED, commands.PaymentDeclined(code="no")),
    told.WAITING_FOR_EXCHANGE: (RESERVED, AUTHORIZED, DISPATCHED, CAPTURED, EXCHANGE),
}
"""What an order waits for, and how it got there."""
GIVES_UP_US = {
    told.WAITING_FOR_STOCK: POLICY.reserve_give_up_us,
    told.WAITING_FOR_AUTHORIZATION: POLICY.authorize_give_up_us,
    told.WAITING_FOR_BACKORDER: POLICY.backorder_us,
    told.WAITING_FOR_PAYMENT_TOKEN: POLICY.payment_retry_us,
}

BY_HAND = (told.WAITING_FOR_TIME, told.WAITING_FOR_RELEASE, told.WAITING_FOR_PAYMENT_TOKEN)
"""Nobody is asked again, and no other service has anything of it."""
NOT_ASKED = (*BY_HAND, told.WAITING_FOR_BACKORDER)
NO_PARTS = (*BY_HAND, told.WAITING_FOR_EXCHANGE)


def after(*messages: Message, policy: OrderPolicy = POLICY) -> Outcome:
    """An order to which these came, one after another."""
    placing = (
        [] if messages and isinstance(messages[0], commands.PlaceOrder) else [commands.PlaceOrder(order=order_of())]
    )
    outcome = given(make_service(policy))
    for message in (*placing, *messages):
        outcome.when(ORDER_ID, message)
        assert outcome.refusal is None
    return outcome


def explained(outcome: Outcome, elsewhere: Elsewhere = NOWHERE, later_us: int = SECOND) -> told.OrderExplanation:
    """The explanation of it, a while later."""
    return explain(outcome.state(KEY), elsewhere, POLICY, outcome.now_us + later_us)


def test_every_step_has_an_entry() -> None:
    steps = set(stored.OrderStep.values()) - {stored.ORDER_STEP_UNSPECIFIED}

    assert set(STEPS) == steps, "a step that orders may be in is explained in order/explaining.py"


def test_every_kind_of_wait_is_tried_here() -> None:
    """So that who adds one adds its way."""
    assert set(WAYS) == set(told.WaitingFor.values()) - {told.WAITING_FOR_UNSPECIFIED}


@pytest.mark.parametrize("waiting_for", WAYS, ids=told.WaitingFor.Name)
def test_a_wait_is_told_with_its_time_its_outcomes_and_who_can_act(waiting_for: told.WaitingFor) -> None:
    outcome = after(*WAYS[waiting_for])
    state: StoredOrder = outcome.state(KEY)

    found = explained(outcome)

    assert found.waiting_for == waiting_for
    assert (found.order_id, found.version) == (ORDER_ID, state.order.version)
    assert found.since.ToMicroseconds() == state.step_since_us
    waits = waiting_for != told.WAITING_FOR_NOTHING
    assert found.text.endswith(".")
    assert bool(found.outcomes) == bool(found.remedies) == waits
    asks = waits and waiting_for not in NOT_ASKED
    assert bool(found.parts) == (waits and waiting_for not in NO_PARTS)
    assert found.HasField("asked_again_at") == asks
    assert found.HasField("gives_up_at") == (waiting_for in GIVES_UP_US)
    if waiting_for in GIVES_UP_US:
        waits_us = found.gives_up_at.ToMicroseconds() - state.step_since_us
        assert waits_us >= GIVES_UP_US[waiting_for] - SECOND, "some times are counted from a step before"


def test_remedies_name_methods_that_there_are() -> None:
    services = {"oms.order.v1.OrderService": order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]}
    for entry in STEPS.values():
        for remedy in entry.remedies:
            service, _, method = remedy.method.rpartition(".")
            assert service not in services or method in services[service].methods_by_name


@for_all(
    first_s=st.integers(1, 100),
    most_s=st.integers(1, 5_000),
    firings=st.integers(1, 60),
)
def test_the_time_told_is_the_time_at_which_the_timer_asks(first_s: int, most_s: int, firings: int) -> None:
    policy = OrderPolicy(
        ask_again_us=first_s * SECOND,
        ask_again_us_max=most_s * SECOND,
        reserve_give_up_us=10**18,
    )
    outcome = after(policy=policy)
    since_us = outcome.state(KEY).step_since_us
    outcome.now_us = since_us + policy.ask_again_us
    for _ in range(firings):
        fired_us = outcome.now_us
        outcome.when(ORDER_ID, commands.StepTimer())
        assert outcome.messages, "it asked again"
        due_us = outcome.timers[-1].due_us
        assert asked_again_us(policy, since_us, fired_us) == due_us
        assert asked_again_us(policy, since_us, due_us - 1) == due_us
        outcome.now_us = due_us


def test_the_time_told_is_that_at_which_the_timer_gives_up() -> None:
    outcome = after()
    promised_us = explained(outcome).gives_up_at.ToMicroseconds()
    outcome.now_us = outcome.state(KEY).step_since_us + POLICY.ask_again_us
    while outcome.when(ORDER_ID, commands.StepTimer()).event_names == []:
        outcome.now_us = outcome.timers[-1].due_us

    assert outcome.event_names == ["UndoStarted"]
    assert outcome.now_us - 1 == promised_us


def test_a_long_wait_is_computed_at_once() -> None:
    """A year of a step that is asked every microsecond is not counted one by one."""
    policy = OrderPolicy(ask_again_us=1, ask_again_us_max=1)

    assert asked_again_us(policy, 0, 10**15) == 10**15 + 1


def test_a_time_to_give_up_that_has_passed_is_the_next_time_it_is_asked() -> None:
    """Nobody decided for a long time; the timer fires as soon as somebody does."""
    found = explained(after(), later_us=10 * POLICY.reserve_give_up_us)

    assert found.gives_up_at == found.asked_again_at


def test_what_is_missing_is_told_with_the_time_by_which_it_is_expected() -> None:
    unknown = explained(after(BACKORDERED, SHORT))
    assert unknown.text == "It waits for stock to come in: 1 A is missing."

    promised_us = START_US + 86_400 * SECOND
    grant = StockGrant(sku="A", quantity=1, promised_by_us=promised_us)
    outcome = after(BACKORDERED, commands.StockReserved(skus=["A"], grants=[grant]))
    promised_by = outcome.state(KEY).order.promised_by
    assert promised_by.ToMicroseconds() == promised_us
    assert promised_by.ToJsonString() in explained(outcome).text


@pytest.mark.parametrize("waiting_for", [told.WAITING_FOR_DISPATCH, told.WAITING_FOR_BACKORDER, told.WAITING_FOR_TIME])
def test_an_order_of_which_nothing_has_left_may_be_amended_and_that_is_said(waiting_for: told.WaitingFor) -> None:
    outcome = after(*WAYS[waiting_for])
    state = outcome.state(KEY)
    assert "oms.order.v1.OrderService.AmendOrder" in [remedy.method for remedy in explained(outcome).remedies]

    amend = commands.Amend(lines=[state.order.lines[0]], request_id="r6", shipping_charge=money(1))
    outcome.when(ORDER_ID, amend)
    assert outcome.refusal is None


def test_what_the_others_have_stored_is_told_part_by_part() -> None:
    waiting = after()
    found = explained(waiting, Elsewhere(reservations={"A": Reservation(state=RESERVATION_STATE_OPEN, quantity=5)}))
    assert [(part.service, part.key, part.state) for part in found.parts] == [
        ("inventory", "A", "RESERVATION_STATE_OPEN"),
        ("inventory", "B", ""),
    ]
    assert "A, B" in found.text

    asked = Elsewhere(payment=Payment(status=PAYMENT_STATUS_AUTHORIZING))
    (part,) = explained(after(RESERVED), asked).parts
    assert (part.service, part.state) == ("payment", "PAYMENT_STATUS_AUTHORIZING")
    assert "no definite answer" in part.text

    made = Elsewhere(shipments=[Shipment(shipment_id=f"{ORDER_ID}-1", state=SHIPMENT_STATE_PENDING)])
    (part,) = explained(after(RESERVED, AUTHORIZED), made).parts
    assert (part.key, part.text) == (f"{ORDER_ID}-1", "It is there, and has not left.")


def test_of_an_order_in_parts_the_operation_under_way_is_told() -> None:
    split = order_of(line("A", 2))
    split.fulfillment_policy, split.allow_split_shipments = FULFILLMENT_POLICY_BACKORDER, True
    first = (commands.PlaceOrder(order=split), SHORT, AUTHORIZED, DISPATCHED, CAPTURED)
    sent = Shipment(shipment_id=f"{ORDER_ID}-1", state=SHIPMENT_STATE_DISPATCHED)
    taken = PaymentOperation(operation_id="1", status=OPERATION_STATUS_DONE)
    elsewhere = Elsewhere(payment=Payment(captures=[taken], adjustments=[taken]), shipments=[sent])

    second = after(*first, commands.StockGranted(sku="A", quantity=2))
    (part,) = explained(second, elsewhere).parts
    assert (part.key, part.text) == (f"{ORDER_ID}-2", "Shipping has not made the shipment yet.")
    (part,) = explained(second.when(ORDER_ID, commands.ShipmentDispatched(number=2, tracking="T2")), elsewhere).parts
    assert (part.key, part.text) == ("capture 2", "Payment has not asked the provider yet.")
    (part,) = explained(after(*WAYS[told.WAITING_FOR_SETTLEMENT]), elsewhere).parts
    assert (part.key, part.text) == ("adjustment end", "Payment has not asked the provider yet.")


def test_undoing_tells_of_payment_and_stock() -> None:
    found = explained(after(RESERVED, CANCEL), Elsewhere(payment=Payment(status=PAYMENT_STATUS_VOIDING)))

    assert [(part.service, part.key) for part in found.parts] == [
        ("payment", ORDER_ID),
        ("inventory", "A"),
        ("inventory", "B"),
    ]
    assert found.state_reason == "CANCEL_REQUESTED"
    assert not found.HasField("gives_up_at")


def test_a_declined_capture_is_told_with_its_code() -> None:
    declined = commands.PaymentCaptureDeclined(capture_id="1", code="expired_card")
    elsewhere = Elsewhere(
        payment=Payment(captures=[PaymentOperation(operation_id="1", status=OPERATION_STATUS_DECLINED)])
    )

    found = explained(after(RESERVED, AUTHORIZED, DISPATCHED, declined), elsewhere)

    assert "expired_card" in found.text
    assert [part.text for part in found.parts] == ["The provider declined."]


def test_an_explanation_of_a_large_order_is_small() -> None:
    wide = order_of(*(line(f"sku-{number}", 1) for number in range(2_000)))
    outcome = given(make_service(POLICY)).when(ORDER_ID, commands.PlaceOrder(order=wide))

    found = explained(outcome)

    assert len(found.parts) == PARTS_MAX
    assert found.ByteSize() < 20_000
    assert "and 1995 more" in found.text


def test_a_step_of_a_newer_build_is_said_to_be_unknown() -> None:
    state = StoredOrder()
    state.CopyFrom(after().state(KEY))
    state.step = 1_000  # type: ignore[assignment]  # an enum's number of the future

    found = explain(state, NOWHERE, POLICY, state.step_since_us)

    assert found.waiting_for == told.WAITING_FOR_UNSPECIFIED
    assert "does not know" in found.text


def test_an_order_in_parts_that_is_held_waits_for_its_release_and_tells_of_what_is_missing() -> None:
    short = explained(after(BACKORDERED, SHORT, LOOK))
    assert short.waiting_for == told.WAITING_FOR_BACKORDER
    assert "1 A is missing" in short.text
    assert "held for LOOK" in short.text

    found = explained(after(BACKORDERED, SHORT, LOOK, commands.StockGranted(sku="A", quantity=2)))
    assert found.waiting_for == told.WAITING_FOR_RELEASE
    assert not found.HasField("gives_up_at")
