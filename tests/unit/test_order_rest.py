"""What an audit says of an order by itself: whether it may still wait, and whether what was done to it adds up."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2
from oms.order.v1 import order_state_pb2 as stored
from oms.shipping.v1 import shipping_pb2
from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.admin.order_rest import Parts, is_at_rest, left_behind, parted
from ordermesh.core.stamps import write_time
from ordermesh.order.balance import unbalanced
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.testing.given import START_US, TENANT

POLICY = OrderPolicy()
SLACK_US = 2 * POLICY.ask_again_us_max
PENDING, DISPATCHED = shipping_pb2.SHIPMENT_STATE_PENDING, shipping_pb2.SHIPMENT_STATE_DISPATCHED


def state_at(
    step: stored.OrderStep, order_state: order_pb2.OrderState = order_pb2.ORDER_STATE_PLACED
) -> stored.StoredOrder:
    """An order of two pieces of TEA, of which one has come, that has one hour for each of its waits."""
    state = stored.StoredOrder(step=step, payment_retry_until_us=START_US)
    order = state.order
    order.order_id, order.order_state = "mine", order_state
    line = order.lines.add(line_id="1", sku="TEA", quantity=2)
    line.unit_price.CopyFrom(Money(currency_code="GBP", units=10))
    order.total.CopyFrom(Money(currency_code="GBP", units=20))
    write_time(order.not_before, START_US)
    write_time(order.backorder_expire_time, START_US)
    state.fulfillment.grants.add(sku="TEA", quantity=1)
    return state


def parts_of(
    state: stored.StoredOrder,
    shipments: Mapping[int, shipping_pb2.ShipmentState] | None = None,
    others: Mapping[str, stored.StoredOrder] | None = None,
) -> Parts:
    """The order with shipments in these states, and these orders in exchange."""
    sent = {number: StoredShipment() for number in shipments or {}}
    for number, shipment_state in (shipments or {}).items():
        sent[number].shipment.state = shipment_state
    return Parts(order_key(TENANT, "mine"), state, None, sent, others or {})


@pytest.mark.parametrize(
    "step", [stored.ORDER_STEP_SCHEDULE, stored.ORDER_STEP_BACKORDER, stored.ORDER_STEP_PAYMENT_RETRY]
)
def test_a_wait_with_an_end_is_one_until_its_end_and_not_for_ever(step: stored.OrderStep) -> None:
    parts = parts_of(state_at(step))

    assert is_at_rest(parts, START_US - 1, POLICY)
    assert is_at_rest(parts, START_US + SLACK_US - 1, POLICY)
    assert not is_at_rest(parts, START_US + SLACK_US, POLICY)


def test_a_backorder_without_a_time_of_its_own_ends_by_the_policy() -> None:
    state = state_at(stored.ORDER_STEP_BACKORDER)
    state.order.ClearField("backorder_expire_time")

    assert is_at_rest(parts_of(state), START_US + POLICY.backorder_us, POLICY)
    assert not is_at_rest(parts_of(state), START_US + POLICY.backorder_us + SLACK_US, POLICY)


def test_what_waits_for_a_release_may_wait_for_ever() -> None:
    all_there = state_at(stored.ORDER_STEP_BACKORDER)
    all_there.fulfillment.grants[0].quantity = 2
    all_there.order.holds.add(hold_id="1", reason="LOOK")

    for state in (all_there, state_at(stored.ORDER_STEP_HELD_BEFORE_PAYMENT)):
        assert is_at_rest(parts_of(state), START_US + 10 * POLICY.backorder_us, POLICY)


def test_a_shipment_that_waits_for_its_dispatch_is_waited_for() -> None:
    state = state_at(stored.ORDER_STEP_SHIP)
    state.fulfillment.shipment = 2

    assert is_at_rest(parts_of(state, {2: PENDING}), START_US, POLICY)
    assert not is_at_rest(parts_of(state, {1: PENDING, 2: DISPATCHED}), START_US, POLICY)
    assert not is_at_rest(parts_of(state), START_US, POLICY)


def test_no_shipment_is_left_behind() -> None:
    state = state_at(stored.ORDER_STEP_SHIP)
    state.fulfillment.shipment = 3
    state.fulfillment.shipped.append(1)

    assert not list(left_behind(parts_of(state, {1: DISPATCHED, 2: shipping_pb2.SHIPMENT_STATE_CANCELLED, 3: PENDING})))
    assert [text.split()[1] for text in left_behind(parts_of(state, {1: PENDING, 2: DISPATCHED, 3: PENDING}))] == [
        "mine-1",
        "mine",
        "mine-2",
    ]


def test_orders_in_exchange_are_there_and_name_each_other() -> None:
    state, other = state_at(stored.ORDER_STEP_NONE), state_at(stored.ORDER_STEP_NONE)
    state.order.exchanged_by.append("other")

    assert "is not there" in next(parted(parts_of(state)))
    assert "does not name it" in next(parted(parts_of(state, others={"other": other})))
    other.order.exchange_of = "mine"
    assert not list(parted(parts_of(state, others={"other": other})))


def test_what_was_done_to_an_order_adds_up_or_is_told() -> None:
    state = state_at(stored.ORDER_STEP_NONE)
    assert not list(unbalanced(state))

    line = state.order.lines[0]
    line.returned_quantity = 2
    state.order.returns.add(state=order_pb2.RETURN_STATE_AUTHORIZED).lines.add(line_id="1", quantity=1)
    state.shipping_refunded.CopyFrom(Money(currency_code="GBP", units=1))
    state.refund_committed.CopyFrom(Money(currency_code="GBP", units=21))
    state.order.timeline.add(event="OrderHeld", detail="hold 1: LOOK")
    state.order.timeline.add(event="AuthorizationAsked")

    assert len(list(unbalanced(state))) == 4
