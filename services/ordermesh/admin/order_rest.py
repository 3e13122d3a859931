"""What an order may wait for without being stuck, and what is wrong with orders that name each other. PURE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from oms.order.v1 import order_pb2, order_state_pb2
from oms.payment.v1 import payment_state_pb2
from oms.shipping.v1 import shipping_pb2, shipping_state_pb2
from ordermesh.core.decider import Key
from ordermesh.order import pieces
from ordermesh.order.fulfilment import expires_us, time_us
from ordermesh.order.model import HELD_STEPS, OrderPolicy, is_waiting
from ordermesh.order.questions import shipment_number

ENDED = (order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
"""States in which nothing more happens by itself."""
_LEFT = (shipping_pb2.SHIPMENT_STATE_DISPATCHED, shipping_pb2.SHIPMENT_STATE_DELIVERED)
_PENDING = shipping_pb2.SHIPMENT_STATE_PENDING


class Parts(NamedTuple):
    """What is stored of one order: itself, its payment, its shipments by number, and the orders in exchange."""

    key: Key
    order: order_state_pb2.StoredOrder
    payment: payment_state_pb2.StoredPayment | None
    shipments: Mapping[int, shipping_state_pb2.StoredShipment]
    others: Mapping[str, order_state_pb2.StoredOrder]

    def versions(self) -> tuple[int, ...]:
        """Changes with whatever happens to the order; 0 for what is not there."""
        payment = 0 if self.payment is None else self.payment.payment.version
        return (self.order.order.version, payment, *(each.shipment.version for each in self.shipments.values()))


def others_of(order: order_pb2.Order) -> list[str]:
    """The orders that an order names."""
    return [*order.exchanged_by, *([order.exchange_of] if order.exchange_of else [])]


def is_at_rest(parts: Parts, now_us: int, policy: OrderPolicy) -> bool:
    """Whether an order has ended with nothing open, or waits for what it may wait for now: for its time, for goods or
    for another payment token until then, for a release, or for a dispatch by hand."""
    state = parts.order
    if state.order.order_state in ENDED:
        return not is_waiting(state)
    if state.step in HELD_STEPS:
        return True
    until_us = _until_us(state, policy)
    if until_us is not None:
        return now_us < until_us + 2 * policy.ask_again_us_max
    shipment = parts.shipments.get(shipment_number(state))
    return (
        state.step == order_state_pb2.ORDER_STEP_SHIP and shipment is not None and shipment.shipment.state == _PENDING
    )


def _until_us(state: order_state_pb2.StoredOrder, policy: OrderPolicy) -> int | None:
    """When an order's timer ends its wait, in microseconds since 1970; None where it waits for something else."""
    if state.step == order_state_pb2.ORDER_STEP_SCHEDULE:
        return time_us(state.order.not_before)
    if state.step == order_state_pb2.ORDER_STEP_PAYMENT_RETRY:
        return state.payment_retry_until_us
    if state.step != order_state_pb2.ORDER_STEP_BACKORDER:
        return None
    waits_for_people = state.order.holds and not pieces.missing(state)
    return 1 << 62 if waits_for_people else expires_us(policy, state.order)


def left_behind(parts: Parts) -> Iterator[str]:
    """Shipments that the order has gone on without, and shipments that are not as it says."""
    state, order_id = parts.order, parts.order.order.order_id
    newest, shipped = shipment_number(state), set(state.fulfillment.shipped)
    for number, each in parts.shipments.items():
        has_left = each.shipment.state in _LEFT
        if number < newest and each.shipment.state == _PENDING:
            yield f"shipment {order_id}-{number} waits for its dispatch, and the order has gone on to {newest}"
        if state.HasField("fulfillment") and number in shipped and not has_left:
            yield f"order {order_id} says that shipment {number} has left; it has not"
        if state.HasField("fulfillment") and number < newest and has_left and number not in shipped:
            yield f"shipment {order_id}-{number} has left, and the order does not say so"


def parted(parts: Parts) -> Iterator[str]:
    """Orders in exchange that are not there, or do not name this one."""
    order = parts.order.order
    for name in others_of(order):
        other = parts.others.get(name)
        if other is None:
            yield f"order {order.order_id} names order {name}, which is not there"
        elif order.order_id not in others_of(other.order):
            yield f"order {order.order_id} names order {name}, which does not name it"
