"""What an order waits for, part by part: what inventory, payment and shipping have stored of each. PURE.

An answer that is there may still be on its way to the order: what is told here is where to look, and no promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oms.inventory.v1.inventory_pb2 import Reservation, ReservationState
from oms.order.v1.order_explanation_pb2 import AwaitedPart
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1.payment_pb2 import OperationStatus, Payment, PaymentOperation, PaymentStatus
from oms.shipping.v1.shipping_pb2 import SHIPMENT_STATE_PENDING, Shipment, ShipmentState
from ordermesh.order import questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the other services have stored for the order; None and empty where they have nothing."""

    payment: Payment | None = None
    shipments: Sequence[Shipment] = ()
    reservations: Mapping[str, Reservation] = field(default_factory=dict)
    """By SKU."""


def _by_sku(state: StoredOrder, elsewhere: Elsewhere, texts: Mapping[str, str]) -> Iterator[AwaitedPart]:
    """One part for each SKU that inventory has not answered for."""
    for sku in state.waiting_skus:
        found = elsewhere.reservations.get(sku)
        name = "" if found is None else ReservationState.Name(found.state)
        part = AwaitedPart(service="inventory", key=sku, state=name, text=texts.get(name, texts[""]))
        if found is not None:
            part.update_time.CopyFrom(found.update_time)
        yield part


def reservations(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """What of the stock is not answered for."""
    texts = {
        "": "Inventory has not decided about it yet.",
        "RESERVATION_STATE_OPEN": "It is reserved; the answer is on its way.",
        "RESERVATION_STATE_REFUSED": "There is not enough of it; the answer is on its way.",
        "RESERVATION_STATE_RELEASED": "It was released before it was asked for; the answer is on its way.",
    }
    return _by_sku(state, elsewhere, texts)


def _payment(state: StoredOrder, elsewhere: Elsewhere, texts: Mapping[str, str]) -> AwaitedPart:
    """The payment as a whole."""
    found = elsewhere.payment
    name = "" if found is None else PaymentStatus.Name(found.status)
    part = AwaitedPart(
        service="payment", key=state.order.order_id, state=name, text=texts.get(name, "The answer is on its way.")
    )
    if found is not None:
        part.update_time.CopyFrom(found.update_time)
    return part


def authorization(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """The payment, while the provider is asked to hold the money."""
    texts = {
        "": "Payment has not asked the provider yet.",
        "PAYMENT_STATUS_AUTHORIZING": "The provider is being asked, and has given no definite answer.",
    }
    yield _payment(state, elsewhere, texts)


def _operation(kind: str, name: str, found: PaymentOperation | None, elsewhere: Elsewhere) -> AwaitedPart:
    """A capture or a refund; None where payment has none of that name."""
    state = "" if found is None else OperationStatus.Name(found.status)
    texts = {
        "": "Payment has not asked the provider yet.",
        "OPERATION_STATUS_PENDING": "The provider is being asked, and has given no definite answer.",
        "OPERATION_STATUS_DECLINED": "The provider declined.",
    }
    text = texts.get(state, "It is done; the answer is on its way.")
    part = AwaitedPart(service="payment", key=f"{kind} {name}".rstrip(), state=state, text=text)
    if found is not None and elsewhere.payment is not None:
        part.update_time.CopyFrom(elsewhere.payment.update_time)
    return part


def _named(name: str, operations: Iterable[PaymentOperation]) -> PaymentOperation | None:
    """The operation of that name; None where payment has not heard of it yet."""
    return next((each for each in operations if each.operation_id == name), None)


def captures(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """The capture for the newest shipment."""
    name = str(questions.shipment_number(state))
    known = () if elsewhere.payment is None else elsewhere.payment.captures
    yield _operation("capture", name, _named(name, known), elsewhere)


def refunds(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """Every refund that the order waits for."""
    refunds_there = () if elsewhere.payment is None else elsewhere.payment.refunds
    known = {each.operation_id: each for each in refunds_there}
    for pending in state.pending_refunds:
        yield _operation("refund", pending.refund_id, known.get(pending.refund_id), elsewhere)


def backorders(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """Every SKU of which less is promised than is wanted."""
    for grant in state.fulfillment.grants:
        found = elsewhere.reservations.get(grant.sku)
        name = "" if found is None else ReservationState.Name(found.state)
        part = AwaitedPart(service="inventory", key=grant.sku, state=name, text=f"{grant.quantity} are promised.")
        if found is not None:
            part.update_time.CopyFrom(found.update_time)
        yield part


def adjustments(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """The change of what is held: for the pending change, or at the end."""
    name = state.change.adjustment_id or questions.SETTLEMENT
    known = () if elsewhere.payment is None else elsewhere.payment.adjustments
    yield _operation("adjustment", name, _named(name, known), elsewhere)


def _shipments(state: StoredOrder, elsewhere: Elsewhere, pending: str) -> Iterator[AwaitedPart]:
    """The newest shipment, or that there is none yet; `pending` is said of one that is there."""
    name = f"{state.order.order_id}-{questions.shipment_number(state)}"
    shipment = next((each for each in elsewhere.shipments if each.shipment_id == name), None)
    if shipment is None:
        yield AwaitedPart(service="shipping", key=name, text="Shipping has not made the shipment yet.")
        return
    text = pending if shipment.state == SHIPMENT_STATE_PENDING else "The answer is on its way."
    yield AwaitedPart(
        service="shipping", key=shipment.shipment_id, state=ShipmentState.Name(shipment.state), text=text,
        update_time=shipment.update_time,
    )  # fmt: skip


def shipments(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """The shipments, while they are to leave."""
    return _shipments(state, elsewhere, "It is there, and has not left.")


def stopped_shipments(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """The shipments, while they are to be stopped."""
    return _shipments(state, elsewhere, "Shipping has not decided about the cancellation yet.")


def undone(state: StoredOrder, elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """What is not known to be let go: the payment, and the stock."""
    if state.waiting_void:
        texts = {
            "": "Payment has not heard of the order yet; it closes the payment for what is late.",
            "PAYMENT_STATUS_AUTHORIZING": "The provider is still being asked to hold the money; then it is let go.",
            "PAYMENT_STATUS_AUTHORIZED": "The money is held; payment has not heard yet that it is to be let go.",
            "PAYMENT_STATUS_VOIDING": "The provider is being asked to let go of the money.",
        }
        yield _payment(state, elsewhere, texts)
    texts = {
        "": "Inventory has not heard of it yet; it closes the reservation for what is late.",
        "RESERVATION_STATE_OPEN": "It is still reserved; inventory has not decided about the release yet.",
        "RESERVATION_STATE_RELEASED": "It is released; the answer is on its way.",
    }
    yield from _by_sku(state, elsewhere, texts)


def nothing(_state: StoredOrder, _elsewhere: Elsewhere) -> Iterator[AwaitedPart]:
    """No parts."""
    return iter(())
