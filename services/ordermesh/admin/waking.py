"""What is said to aggregates of a reincarnated partition, so that they ask again for what they wait for.

What they had asked, set or been answered after the checkpoint may be lost. All of it may be said again: who was asked
before answers as before, and the provider looks up what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.inventory.v1.inventory_state_pb2 import StoredReservation
from oms.order.v1 import order_commands_pb2 as order
from oms.order.v1 import order_state_pb2
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.payment.v1 import payment_pb2
from oms.payment.v1.payment_state_pb2 import StoredPayment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from oms.shipping.v1.shipping_pb2 import SHIPMENT_STATE_PENDING
from oms.shipping.v1.shipping_state_pb2 import StoredShipment
from ordermesh.core.decider import Key
from ordermesh.inventory.model import HOLDING, RESERVATION
from ordermesh.order.model import ORDER, is_waiting, skus_of
from ordermesh.payment.model import PAYMENT, attempt_name
from ordermesh.shipping.model import SHIPMENT

Asked = Sequence[tuple[int, str]]
"""What the provider is being asked for an order, by the agenda: operation and operation id."""


def _wake_order(_key: Key, state: order_state_pb2.StoredOrder, *, is_lost: bool, asked: Asked) -> Iterator[Message]:
    """One that waits asks again; one that has ended says again what becomes of its stock."""
    del asked
    if is_waiting(state):
        yield order.StepTimer(at_once=True)
    elif is_lost:
        yield order.ReservationAged(skus=skus_of(state.order))


def _wake_payment(_key: Key, state: StoredPayment, *, is_lost: bool, asked: Asked) -> Iterator[Message]:
    """What is under way and no longer on the agenda is asked again."""
    del is_lost
    for operation, name in _under_way(state):
        if (operation, name) not in asked:
            yield payment.Reconcile(operation=operation, operation_id=name)


def _under_way(state: StoredPayment) -> Iterator[tuple[Any, str]]:
    if state.payment.status == payment_pb2.PAYMENT_STATUS_AUTHORIZING:
        yield payment.PROVIDER_OPERATION_AUTHORIZE, attempt_name(state.attempt)
    if state.payment.status == payment_pb2.PAYMENT_STATUS_VOIDING:
        yield payment.PROVIDER_OPERATION_VOID, ""
    for operation, all_of_kind in (
        (payment.PROVIDER_OPERATION_CAPTURE, state.payment.captures),
        (payment.PROVIDER_OPERATION_REFUND, state.payment.refunds),
        (payment.PROVIDER_OPERATION_ADJUST, state.payment.adjustments),
    ):
        for each in all_of_kind:
            if each.status == payment_pb2.OPERATION_STATUS_PENDING or each.reissuing:
                yield operation, each.operation_id


def _wake_reservation(key: Key, state: StoredReservation, *, is_lost: bool, asked: Asked) -> Iterator[Message]:
    """An open one asks its order what has become of it."""
    del is_lost, asked
    if state.reservation.state in HOLDING:
        yield inventory.ReservationTimer(order_id=key.sub_key, skus=[key.key])


def _wake_shipment(key: Key, state: StoredShipment, *, is_lost: bool, asked: Asked) -> Iterator[Message]:
    """One that leaves by itself leaves now: when it was to leave is lost."""
    del asked
    if is_lost and state.shipment.state == SHIPMENT_STATE_PENDING:
        yield shipping.DispatchTimer(number=int(key.sub_key))


_WAKES: Mapping[str, tuple[str, Callable[..., Iterator[Message]]]] = {
    ORDER: ("order", _wake_order),
    PAYMENT: ("payment", _wake_payment),
    RESERVATION: ("inventory", _wake_reservation),
    SHIPMENT: ("shipping", _wake_shipment),
}


def wakes(key: Key, state: Any, *, is_lost: bool, asked: Asked, dispatches: bool) -> Iterator[tuple[str, Message]]:
    """What is said to an aggregate, with the service that it is said to. `is_lost`: its last decision is not in the log
    any more; `dispatches`: shipments leave by themselves."""
    found = _WAKES.get(key.kind)
    if found is None or (key.kind == SHIPMENT and not dispatches):
        return
    service, wake = found
    for message in wake(key, state, is_lost=is_lost, asked=asked):
        yield service, message
