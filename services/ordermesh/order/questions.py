"""What an order asks of the other services at each step; asked again, the same. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from oms.shipping.v1.shipping_pb2 import ShipmentLine
from ordermesh.core.decider import Context, Outgoing
from ordermesh.order import model

SHIPMENT_NUMBER = 1
"""An order is sent as one shipment, its first."""
ASKED: Final = ("inventory", "payment", "shipping")
"""The services whom an order asks."""


def asked_by(order: Order) -> Iterator[tuple[str, str]]:
    """The service and key of each whom a new order will ask sooner or later. The order need not be judged yet."""
    yield "payment", order.order_id
    yield "shipping", order.order_id
    for line in order.lines:
        yield "inventory", line.sku


def _by_partition(context: Context, skus: Iterable[str]) -> Iterable[list[str]]:
    """The SKUs, those of one inventory partition together."""
    tenant, slot = context.tenant, context.slot
    parts: dict[int, list[str]] = {}
    for sku in skus:
        parts.setdefault(slot("inventory", tenant, sku), []).append(sku)
    return parts.values()


def _items(skus: Iterable[str], quantities: dict[str, int]) -> list[inventory.SkuQuantity]:
    return [inventory.SkuQuantity(sku=sku, quantity=quantities[sku]) for sku in skus]


def reserve(order: Order, context: Context, *, first: bool, skus: Iterable[str] | None = None) -> list[Outgoing]:
    """One Reserve for each inventory partition: of these SKUs, or of all that the order has."""
    quantities = model.quantities_of([(line, line.quantity) for line in order.lines])
    return [
        Outgoing(
            "inventory", context.tenant, part[0],
            inventory.Reserve(order_id=order.order_id, items=_items(part, quantities)), first,
        )
        for part in _by_partition(context, quantities if skus is None else skus)
    ]  # fmt: skip


def release(order_id: str, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """One Release for each inventory partition."""
    return [
        Outgoing("inventory", context.tenant, part[0], inventory.Release(order_id=order_id, skus=part))
        for part in _by_partition(context, skus)
    ]


def commit(order: Order, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """One Commit for each inventory partition."""
    return [
        Outgoing("inventory", context.tenant, part[0], inventory.Commit(order_id=order.order_id, skus=part))
        for part in _by_partition(context, skus)
    ]


def restock(order: Order, quantities: dict[str, int], context: Context) -> list[Outgoing]:
    """One Restock for each inventory partition."""
    return [
        Outgoing(
            "inventory", context.tenant, part[0],
            inventory.Restock(order_id=order.order_id, items=_items(part, quantities)),
        )
        for part in _by_partition(context, quantities)
    ]  # fmt: skip


def _own(service: str, context: Context, message: Message, *, first: bool = False) -> Outgoing:
    """A message to the order's own key in another service."""
    return Outgoing(service, context.tenant, context.key, message, first)


def authorize(order: Order, context: Context, *, first: bool) -> Outgoing:
    """Hold the total."""
    message = payment.Authorize(amount=order.total, payment_token=order.payment_token)
    return _own("payment", context, message, first=first)


def capture(order: Order, context: Context) -> Outgoing:
    """Take the money for the shipment: all of it."""
    return _own("payment", context, payment.Capture(capture_id=str(SHIPMENT_NUMBER), amount=order.total))


def void(order: Order, context: Context) -> Outgoing:
    """Let go of the money."""
    return _own("payment", context, payment.Void(amount=order.total, payment_token=order.payment_token))


def refund(refund_id: str, amount: Money, context: Context) -> Outgoing:
    """Give money back."""
    return _own("payment", context, payment.Refund(refund_id=refund_id, amount=amount))


def ship(order: Order, context: Context, *, first: bool) -> Outgoing:
    """Send everything."""
    lines = [ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in order.lines]
    message = shipping.CreateShipment(number=SHIPMENT_NUMBER, lines=lines)
    if order.HasField("ship_to"):
        message.ship_to.CopyFrom(order.ship_to)
    return _own("shipping", context, message, first=first)


def stop_shipping(context: Context) -> Outgoing:
    """Do not send it."""
    return _own("shipping", context, shipping.CancelShipment(number=SHIPMENT_NUMBER))


def asked_again(state: StoredOrder, context: Context) -> list[Outgoing]:
    """Everything that the order waits for, asked once more."""
    order, step = state.order, state.step
    questions = [refund(each.refund_id, each.amount, context) for each in state.pending_refunds]
    if step == stored.ORDER_STEP_RESERVE:
        questions += reserve(order, context, first=False, skus=state.waiting_skus)
    elif step == stored.ORDER_STEP_AUTHORIZE:
        questions.append(authorize(order, context, first=False))
    elif step == stored.ORDER_STEP_SHIP:
        questions.append(ship(order, context, first=False))
    elif step == stored.ORDER_STEP_CAPTURE:
        questions.append(capture(order, context))
    elif step == stored.ORDER_STEP_STOP_SHIPPING:
        questions.append(stop_shipping(context))
    elif step == stored.ORDER_STEP_UNDO:
        questions += release(order.order_id, state.waiting_skus, context)
        if state.waiting_void:
            questions.append(void(order, context))
    return questions
