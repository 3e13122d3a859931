"""Orders that are short of stock, sent in parts or changed, for the tests of deciders."""

from __future__ import annotations

from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.order.v1.order_pb2 import Order, OrderLine
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.requests import find
from ordermesh.order.app import make_service
from ordermesh.order.model import OrderPolicy, complete, order_key
from ordermesh.order.rows import columns
from ordermesh.testing.given import START_US, TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
SECOND = 1_000_000
BACKORDER_US = 3_600 * SECOND
POLICY = OrderPolicy(backorder_us=BACKORDER_US)
SERVICE = make_service(POLICY)
PARTIAL, BACKORDER = words.FULFILLMENT_POLICY_PARTIAL, words.FULFILLMENT_POLICY_BACKORDER
PROMISED_US = START_US + 1_000 * SECOND

AUTHORIZED = commands.PaymentAuthorized()
VOIDED = commands.PaymentVoided()


def an_order(
    *lines: OrderLine,
    policy: words.FulfillmentPolicy = words.FULFILLMENT_POLICY_REJECT,
    split: bool = False,
    charge: int = 3,
    ahead_us: int = 0,
) -> Order:
    """An order of four of A at 10, two of B at 5 and one of A at 10, with a charge for shipping."""
    order = order_of(*(lines or (line("A", 4), line("B", 2, 5), line("A", 1))))
    order.fulfillment_policy, order.allow_split_shipments = policy, split
    if charge:
        order.shipping_charge.CopyFrom(money(charge))
    if ahead_us:
        order.not_before.FromMicroseconds(START_US + ahead_us)
    complete(order)
    return order


def after(order: Order, *messages: Message) -> Outcome:
    """An order to which these came, one after another."""
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order))
    for message in messages:
        outcome.when(ORDER_ID, message)
    return outcome


def granted(*, a: int = 5, b: int = 2, skus: tuple[str, ...] = ("A", "B")) -> commands.StockReserved:
    """Inventory promises so many of A and B, of which five and two are wanted."""
    wanted = {"A": 5, "B": 2}
    found = {"A": a, "B": b}
    grants = [
        StockGrant(sku=sku, quantity=found[sku], promised_by_us=PROMISED_US) for sku in skus if found[sku] < wanted[sku]
    ]
    return commands.StockReserved(skus=skus, grants=grants)


def more(sku: str, quantity: int) -> commands.StockGranted:
    """So many are promised now in all."""
    return commands.StockGranted(sku=sku, quantity=quantity)


def dispatched(number: int = 1) -> commands.ShipmentDispatched:
    """A shipment left."""
    return commands.ShipmentDispatched(number=number, tracking=f"T{number}")


def paid(number: int = 1) -> commands.PaymentCaptured:
    """The money for a shipment is taken."""
    return commands.PaymentCaptured(capture_id=str(number))


def stopped(number: int = 1) -> commands.ShipmentCancelled:
    """A shipment is not sent."""
    return commands.ShipmentCancelled(number=number)


def fewer(request_id: str = "fewer", **quantities: int) -> commands.Cancel:
    """So many pieces of line 1, 2, 3 (as l1, l2, l3) are not wanted any more."""
    pieces = [LineQuantity(line_id=name[1:], quantity=number) for name, number in quantities.items()]
    return commands.Cancel(lines=pieces, request_id=request_id)


def amend(*lines: OrderLine, request_id: str = "amend", charge: int | None = None) -> commands.Amend:
    """Other lines, named 1, 2, 3."""
    command = commands.Amend(lines=order_of(*lines).lines, request_id=request_id)
    if charge is not None:
        command.shipping_charge.CopyFrom(money(charge))
    return command


def state_of(outcome: Outcome) -> StoredOrder:
    """The whole state."""
    found: StoredOrder = outcome.state(KEY)
    return found


def states(outcome: Outcome) -> tuple[str, str, str]:
    """The three states, in words."""
    _, *names = columns(KEY, outcome.state(KEY))
    return names[0], names[1], names[2]


def counts(outcome: Outcome) -> list[tuple[int, int, int]]:
    """Of each line how many were ordered, cancelled and sent."""
    lines = state_of(outcome).order.lines
    return [(x.quantity, x.cancelled_quantity, x.shipped_quantity) for x in lines]


def outcome_of(outcome: Outcome, request_id: str) -> tuple[int, str]:
    """What is remembered of a request."""
    record = find(state_of(outcome).requests, request_id)
    assert record is not None
    return record.outcome, record.reason


def last(outcome: Outcome) -> tuple[str, str]:
    """The last entry of the timeline."""
    entry = state_of(outcome).order.timeline[-1]
    return entry.event, entry.detail
