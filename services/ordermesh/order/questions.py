"""What an order asks of the other services at each step; asked again, the same. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as orders
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_pb2 import FULFILLMENT_POLICY_BACKORDER, FULFILLMENT_POLICY_PARTIAL, Order
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from oms.shipping.v1.shipping_pb2 import ShipmentLine
from ordermesh.core.decider import Context, Outgoing
from ordermesh.core.money import money_of, nanos_of
from ordermesh.order import model, pieces

SHIPMENT_NUMBER = 1
"""An order that is not sent in parts is sent as one shipment, its first."""
SETTLEMENT: Final = "end"
"""The name of the adjustment that lets go of what an order did not need."""
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


def _items(skus: Iterable[str], quantities: Mapping[str, int]) -> list[inventory.SkuQuantity]:
    return [inventory.SkuQuantity(sku=sku, quantity=quantities[sku]) for sku in skus]


_SHORTAGES = {
    FULFILLMENT_POLICY_PARTIAL: inventory.SHORTAGE_POLICY_TAKE_PART,
    FULFILLMENT_POLICY_BACKORDER: inventory.SHORTAGE_POLICY_WAIT,
}


def reserve(order: Order, context: Context, *, first: bool, skus: Iterable[str] | None = None) -> list[Outgoing]:
    """One Reserve for each inventory partition: of these SKUs, or of all that the order wants."""
    quantities = pieces.wanted(order)
    shortage = _SHORTAGES.get(order.fulfillment_policy)
    asked: Iterable[str] = quantities if skus is None else skus
    if order.HasField("due"):
        asked = [sku for sku in asked if quantities.get(sku)]
    return [
        Outgoing(
            "inventory", context.tenant, part[0],
            inventory.Reserve(order_id=order.order_id, items=_items(part, quantities), shortage=shortage), first,
        )
        for part in _by_partition(context, asked)
    ]  # fmt: skip


def revise(
    order_id: str, revision: int, quantities: Mapping[str, int], context: Context, *, more: bool
) -> list[Outgoing]:
    """One Revise for each inventory partition: so many pieces of each SKU are wanted in all."""
    return [
        Outgoing(
            "inventory", context.tenant, part[0],
            inventory.Revise(order_id=order_id, revision=revision, items=_items(part, quantities), more=more),
        )
        for part in _by_partition(context, quantities)
    ]  # fmt: skip


def release(order_id: str, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """One Release for each inventory partition."""
    return [
        Outgoing("inventory", context.tenant, part[0], inventory.Release(order_id=order_id, skus=part))
        for part in _by_partition(context, skus)
    ]


def commit(order: Order, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """One Commit for each inventory partition: all that was reserved left. Where the order may have forgotten a change,
    inventory is told how many that are."""
    if context.is_doubtful:
        wants = pieces.wanted(order)
        return _commit_items([(sku, wants[sku], True) for sku in skus if wants.get(sku)], order, context)
    return [
        Outgoing("inventory", context.tenant, part[0], inventory.Commit(order_id=order.order_id, skus=part))
        for part in _by_partition(context, skus)
    ]


def commit_part(order: Order, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """One Commit for each inventory partition: so many pieces of each SKU have left in all."""
    sent, wants = pieces.shipped(order), pieces.wanted(order)
    return _commit_items([(sku, sent[sku], sent[sku] == wants[sku]) for sku in skus if sent.get(sku)], order, context)


def _commit_items(shipped: Iterable[tuple[str, int, bool]], order: Order, context: Context) -> list[Outgoing]:
    items = {sku: inventory.ShippedItem(sku=sku, shipped=number, last=last) for sku, number, last in shipped}
    return [
        Outgoing(
            "inventory", context.tenant, part[0],
            inventory.Commit(order_id=order.order_id, items=[items[sku] for sku in part]),
        )
        for part in _by_partition(context, items)
    ]  # fmt: skip


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


def authorize(state: StoredOrder, context: Context, *, first: bool) -> Outgoing:
    """Hold what is due, by the attempt under way."""
    asked = authorize_by(state.order, model.payment_token_of(state), state.payment_attempt, context)
    return asked._replace(first=first)


def authorize_by(order: Order, payment_token: str, attempt: int, context: Context) -> Outgoing:
    """Hold what is due by this token, as this attempt."""
    message = payment.Authorize(amount=model.due_of(order), payment_token=payment_token, attempt=attempt)
    return _own("payment", context, message)


def capture(order: Order, context: Context) -> Outgoing:
    """Take the money for the shipment: all that is due."""
    return _own("payment", context, payment.Capture(capture_id=str(SHIPMENT_NUMBER), amount=model.due_of(order)))


def capture_part(state: StoredOrder, context: Context) -> Outgoing:
    """Take the money for the newest shipment: what all that was sent is worth, less what was taken before."""
    order, found = state.order, state.fulfillment
    nanos = pieces.shipped_nanos(order) - (nanos_of(found.captured) if found.HasField("captured") else 0)
    amount = money_of(order.total.currency_code, nanos)
    return _own("payment", context, payment.Capture(capture_id=str(found.shipment), amount=amount))


def adjust(adjustment_id: str, amount: Money, context: Context) -> Outgoing:
    """Hold so much in all."""
    return _own("payment", context, payment.Adjust(adjustment_id=adjustment_id, amount=amount))


def void(state: StoredOrder, context: Context) -> Outgoing:
    """Let go of the money, and close every attempt at it."""
    token, attempt = model.payment_token_of(state), state.payment_attempt
    message = payment.Void(amount=model.due_of(state.order), payment_token=token, attempt=attempt)
    return _own("payment", context, message)


def refund(refund_id: str, amount: Money, context: Context) -> Outgoing:
    """Give money back."""
    return _own("payment", context, payment.Refund(refund_id=refund_id, amount=amount))


def ship(order: Order, context: Context, *, first: bool) -> Outgoing:
    """Send everything that is not cancelled."""
    if order.HasField("due"):
        lines = _shipment_lines(order, pieces.by_line(pieces.left(order)))
    else:
        lines = [ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in order.lines]
    return _create(order, SHIPMENT_NUMBER, lines, context, first=first)


def ship_part(state: StoredOrder, context: Context, *, first: bool) -> Outgoing:
    """Send the shipment that is under way."""
    order, found = state.order, state.fulfillment
    lines = _shipment_lines(order, pieces.by_line(found.shipping))
    return _create(order, found.shipment, lines, context, first=first)


def _shipment_lines(order: Order, quantities: Mapping[str, int]) -> list[ShipmentLine]:
    return [
        ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=quantities[line.line_id])
        for line in order.lines
        if line.line_id in quantities
    ]


def _create(order: Order, number: int, lines: list[ShipmentLine], context: Context, *, first: bool) -> Outgoing:
    message = shipping.CreateShipment(number=number, lines=lines)
    if order.HasField("ship_to"):
        message.ship_to.CopyFrom(order.ship_to)
    return _own("shipping", context, message, first=first)


def shipment_number(state: StoredOrder) -> int:
    """The number of the shipment under way."""
    return state.fulfillment.shipment or SHIPMENT_NUMBER


def stop_shipping(state: StoredOrder, context: Context) -> Outgoing:
    """Do not send it."""
    return _own("shipping", context, shipping.CancelShipment(number=shipment_number(state)))


def raised(state: StoredOrder, skus: Iterable[str], context: Context) -> list[Outgoing]:
    """More of these SKUs, for the pending change."""
    wants = pieces.wanted(state.change.amended)
    quantities = {sku: wants[sku] for sku in skus}
    return revise(state.order.order_id, state.change.revision, quantities, context, more=True)


def place_replacement(order: Order, context: Context) -> Outgoing:
    """Take this order, in exchange. By the log also in the own partition, so that its id moves the log clock first."""
    message = orders.PlaceReplacement(order=order)
    return Outgoing(model.SERVICE, context.tenant, order.order_id, message, by_log=True)


def asked_again(state: StoredOrder, context: Context) -> list[Outgoing]:
    """Everything that the order waits for, asked once more."""
    order, step = state.order, state.step
    questions = [refund(each.refund_id, each.amount, context) for each in state.pending_refunds]
    questions += [place_replacement(each.replacement, context) for each in model.exchanges_asked(state)]
    if step == stored.ORDER_STEP_RESERVE:
        questions += reserve(order, context, first=False, skus=state.waiting_skus)
    elif step == stored.ORDER_STEP_AUTHORIZE:
        questions.append(authorize(state, context, first=False))
    elif step == stored.ORDER_STEP_SHIP:
        in_parts = state.HasField("fulfillment")
        questions.append(ship_part(state, context, first=False) if in_parts else ship(order, context, first=False))
    elif step == stored.ORDER_STEP_CAPTURE:
        in_parts = state.HasField("fulfillment")
        questions.append(capture_part(state, context) if in_parts else capture(order, context))
    elif step in (stored.ORDER_STEP_STOP_SHIPPING, stored.ORDER_STEP_STOP_FOR_CHANGE):
        questions.append(stop_shipping(state, context))
    elif step == stored.ORDER_STEP_UNDO:
        questions += release(order.order_id, state.waiting_skus, context)
        if state.waiting_void:
            questions.append(void(state, context))
    else:
        questions += _asked_again_in_parts(state, context)
    return questions


def _asked_again_in_parts(state: StoredOrder, context: Context) -> list[Outgoing]:
    """What an order waits for that is short of stock, is being changed, or lets go of what it does not need."""
    if state.step == stored.ORDER_STEP_BACKORDER:
        return reserve(state.order, context, first=False, skus=pieces.missing(state))
    if state.step == stored.ORDER_STEP_CHANGE_STOCK:
        return raised(state, state.waiting_skus, context)
    if state.step == stored.ORDER_STEP_CHANGE_PAYMENT:
        return [adjust(state.change.adjustment_id, state.change.authorize, context)]
    if state.step == stored.ORDER_STEP_SETTLE:
        return [adjust(SETTLEMENT, state.fulfillment.captured, context)]
    return []
