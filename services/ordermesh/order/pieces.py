"""How many pieces of an order are wanted, promised, sent and left, and what they are worth. PURE.

Everything is counted from the lines and from what inventory promised by SKU; where two lines have one SKU, the first
line is sent first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.order.v1.order_pb2 import Order, OrderLine
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.money import nanos_of
from ordermesh.order.model import in_coins, quantities_of, worth_nanos

Pieces = list[LineQuantity]
"""Numbers of pieces of lines; each line at most once, none with 0."""


def left_of(line: OrderLine) -> int:
    """How many pieces of a line are neither sent nor cancelled."""
    return line.quantity - line.cancelled_quantity - line.shipped_quantity


def left(order: Order) -> Pieces:
    """What is neither sent nor cancelled."""
    return [LineQuantity(line_id=line.line_id, quantity=left_of(line)) for line in order.lines if left_of(line)]


def by_line(pieces: Iterable[LineQuantity]) -> dict[str, int]:
    """Quantities by line id."""
    return {each.line_id: each.quantity for each in pieces}


def wanted(order: Order) -> dict[str, int]:
    """How many pieces of each SKU are not cancelled, those that are sent included; also the SKUs with 0."""
    if not order.HasField("due"):
        return quantities_of([(line, line.quantity) for line in order.lines])
    return quantities_of([(line, line.quantity - line.cancelled_quantity) for line in order.lines])


def shipped(order: Order) -> dict[str, int]:
    """How many pieces of each SKU were sent, of an order that is sent in parts."""
    found: dict[str, int] = {}
    for line in order.lines:
        found[line.sku] = found.get(line.sku, 0) + line.shipped_quantity
    return found


def any_shipped(order: Order) -> bool:
    """Whether a part of it was sent."""
    return any(line.shipped_quantity for line in order.lines)


def skus_in(order: Order, pieces: Iterable[LineQuantity]) -> dict[str, None]:
    """The SKUs of these pieces, each once."""
    ids = {each.line_id for each in pieces}
    return dict.fromkeys(line.sku for line in order.lines if line.line_id in ids)


def missing(state: StoredOrder) -> dict[str, int]:
    """How many pieces of each SKU are wanted and not promised."""
    wants = wanted(state.order)
    lacks = {each.sku: wants.get(each.sku, 0) - each.quantity for each in state.fulfillment.grants}
    return {sku: number for sku, number in lacks.items() if number > 0}


def promised_left(state: StoredOrder) -> Pieces:
    """What is promised and not sent."""
    lacks = missing(state)
    sent = shipped(state.order)
    pool = {sku: number - lacks.get(sku, 0) - sent[sku] for sku, number in wanted(state.order).items()}
    return _taken(state.order, pool)


def missing_left(state: StoredOrder) -> Pieces:
    """What is wanted and not promised: the last pieces of the last lines."""
    promised = by_line(promised_left(state))
    rest = ((line, left_of(line) - promised.get(line.line_id, 0)) for line in state.order.lines)
    return [LineQuantity(line_id=line.line_id, quantity=number) for line, number in rest if number]


def shippable(state: StoredOrder) -> Pieces:
    """What can be sent now: what is promised; while something is missing only where the order may be split."""
    if missing(state) and not state.order.allow_split_shipments:
        return []
    return promised_left(state)


def _taken(order: Order, pool: dict[str, int]) -> Pieces:
    """What the lines take from a pool of SKUs, the first line first."""
    found: Pieces = []
    for line in order.lines:
        number = min(left_of(line), pool.get(line.sku, 0))
        if number > 0:
            pool[line.sku] -= number
            found.append(LineQuantity(line_id=line.line_id, quantity=number))
    return found


def granted(grants: Iterable[StockGrant]) -> Mapping[str, int]:
    """What inventory promises of the SKUs that are short."""
    return {each.sku: each.quantity for each in grants}


def charge_nanos(order: Order) -> int:
    """What shipping costs."""
    return nanos_of(order.shipping_charge) if order.HasField("shipping_charge") else 0


def due_nanos(order: Order, pieces: Iterable[LineQuantity] = ()) -> int:
    """What is paid for all that is not cancelled, once these pieces are cancelled too."""
    also = by_line(pieces)
    lines = (worth_nanos(x, x.quantity - x.cancelled_quantity - also.get(x.line_id, 0)) for x in order.lines)
    return in_coins(order, sum(lines) + charge_nanos(order))


def shipped_nanos(order: Order) -> int:
    """What is taken for all that was sent; the shipping charge goes with the first shipment."""
    lines = sum(worth_nanos(line, line.shipped_quantity) for line in order.lines)
    return in_coins(order, lines + charge_nanos(order))
