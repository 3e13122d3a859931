"""An order: its amounts, its content, and the words for where it is. PURE.

The total is the sum of quantity x unit_price - discount + tax over the lines, and the shipping charge. What a line's
pieces are worth when they come back is their share of the line's total, rounded of the sum so far, so that all pieces
together are worth exactly the line's total.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from google.type.money_pb2 import Money

from oms.order.v1.order_pb2 import (
    FULFILLMENT_POLICY_REJECT,
    FULFILLMENT_POLICY_UNSPECIFIED,
    FulfillmentState,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
)
from ordermesh.core.decider import KEYS_KEPT, Key
from ordermesh.core.money import InvalidAmount, check_currency, money_of, nanos_of, pro_rata

SERVICE: Final = "order"
"""The service's name."""

ORDER: Final = "order"
"""The kind of its aggregate."""

OUT_OF_STOCK: Final = "OUT_OF_STOCK"
PAYMENT_DECLINED: Final = "PAYMENT_DECLINED"
CANCEL_REQUESTED: Final = "CANCEL_REQUESTED"
STOCK_NOT_ANSWERED: Final = "STOCK_NOT_ANSWERED"
PAYMENT_NOT_ANSWERED: Final = "PAYMENT_NOT_ANSWERED"
CAPTURE_DECLINED: Final = "CAPTURE_DECLINED"
SHIPMENT_CANCELLED: Final = "SHIPMENT_CANCELLED"

_OUTPUTS = (
    "order_state", "payment_state", "fulfillment_state", "state_reason", "timeline", "version", "etag", "create_time",
    "update_time", "refunded",
)  # fmt: skip
_LINE_OUTPUTS = ("returned_quantity", "refunded_quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """What may be tuned; all in microseconds.

    A step that is not answered within `ask_again_us` is asked again, then each time after as long again as it has
    waited, at most `ask_again_us_max`. A reservation or an authorisation that is not answered for so long that its
    `give_up` is reached is undone; nothing else is ever given up.
    """

    ask_again_us: int = 30_000_000
    ask_again_us_max: int = 3_600_000_000
    reserve_give_up_us: int = 900_000_000
    authorize_give_up_us: int = 3_600_000_000


@lru_cache(KEYS_KEPT)
def order_key(tenant: str, order_id: str) -> Key:
    """The key of an order."""
    return Key(ORDER, tenant, order_id)


def _amount(money: Money, currency: str, field: str) -> int:
    """The nanos of an amount of the order. Raises InvalidAmount, naming the field."""
    try:
        nanos = nanos_of(money)
    except InvalidAmount as error:
        raise InvalidAmount(error.problem, field) from None
    if money.currency_code != currency:
        problem = f"currency_code is {money.currency_code!r}, and the order's is {currency!r}; an order has one"
        raise InvalidAmount(problem, f"{field}.currency_code")
    if nanos < 0:
        raise InvalidAmount("is below 0", field)
    return nanos


def line_nanos(line: OrderLine) -> int:
    """What a valid line costs: quantity x unit_price - discount + tax."""
    nanos = line.quantity * nanos_of(line.unit_price)
    if line.HasField("discount"):
        nanos -= nanos_of(line.discount)
    if line.HasField("tax"):
        nanos += nanos_of(line.tax)
    return nanos


def _check_line(line: OrderLine, currency: str, path: str) -> int:
    if line.quantity < 1:
        raise InvalidAmount(f"is {line.quantity}; it has to be at least 1", f"{path}.quantity")
    _amount(line.unit_price, currency, f"{path}.unit_price")
    for name in ("discount", "tax"):
        if line.HasField(name) and _amount(getattr(line, name), currency, f"{path}.{name}") == 0:
            line.ClearField(name)
    nanos = line_nanos(line)
    if nanos < 0:
        raise InvalidAmount("is more than the line costs", f"{path}.discount")
    return nanos


def total_of(order: Order) -> Money:
    """Checks every amount and gives the total; amounts of 0 that may be absent are made so.

    Raises InvalidAmount with the field's path in the order: a currency that is none or not the one of the first line,
    an amount below 0, a quantity below 1, or a total that is out of range.
    """
    currency = order.lines[0].unit_price.currency_code if order.lines else ""
    try:
        check_currency(currency)
    except InvalidAmount as error:
        raise InvalidAmount(error.problem, "lines[0].unit_price.currency_code") from None
    nanos = sum(_check_line(line, currency, f"lines[{number}]") for number, line in enumerate(order.lines))
    if order.HasField("shipping_charge"):
        charge = _amount(order.shipping_charge, currency, "shipping_charge")
        if charge == 0:
            order.ClearField("shipping_charge")
        nanos += charge
    try:
        return money_of(currency, nanos)
    except InvalidAmount as error:
        raise InvalidAmount(error.problem, "total") from None


def complete(order: Order) -> None:
    """Makes a client's order ready for PlaceOrder: empties what is output only, names lines, writes the total.

    Equal orders become equal messages. Raises InvalidAmount as `total_of`.
    """
    for name in _OUTPUTS:
        order.ClearField(name)
    if order.fulfillment_policy == FULFILLMENT_POLICY_UNSPECIFIED:
        order.fulfillment_policy = FULFILLMENT_POLICY_REJECT
    given = {line.line_id for line in order.lines}
    number = 0
    for line in order.lines:
        line.ClearField("returned_quantity")
        line.ClearField("refunded_quantity")
        while not line.line_id:
            number += 1
            if str(number) not in given:
                line.line_id = str(number)
    order.total.CopyFrom(total_of(order))


def content_of(order: Order) -> Order:
    """What the client had asked for, without what became of it."""
    content = Order()
    content.CopyFrom(order)
    for name in _OUTPUTS:
        content.ClearField(name)
    for line in content.lines:
        for name in _LINE_OUTPUTS:
            line.ClearField(name)
    return content


def skus_of(order: Order) -> list[str]:
    """Its SKUs, each once, in the order of its lines."""
    return list(dict.fromkeys([line.sku for line in order.lines]))


def quantities_of(lines: Iterable[tuple[OrderLine, int]]) -> dict[str, int]:
    """How many pieces that is of each SKU: the same SKU on two lines is summed."""
    quantities: dict[str, int] = {}
    for line, quantity in lines:
        sku = line.sku
        quantities[sku] = quantities.get(sku, 0) + quantity
    return quantities


def refund_nanos(line: OrderLine, quantity: int) -> int:
    """What further `quantity` pieces of a line are worth when given back, after those given back before."""
    total, before = line_nanos(line), line.refunded_quantity
    return pro_rata(total, before + quantity, line.quantity) - pro_rata(total, before, line.quantity)


def states_of(order: Order) -> dict[str, str]:
    """The three states as a refusal's metadata."""
    return {
        "order_id": order.order_id,
        "order_state": OrderState.Name(order.order_state).removeprefix("ORDER_STATE_"),
        "payment_state": PaymentState.Name(order.payment_state).removeprefix("PAYMENT_STATE_"),
        "fulfillment_state": FulfillmentState.Name(order.fulfillment_state).removeprefix("FULFILLMENT_STATE_"),
    }
