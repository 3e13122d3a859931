"""An order: its amounts, its content, and the words for where it is. PURE.

The total is the sum of quantity x unit_price - discount + tax over the lines, and the shipping charge. What a line's
pieces are worth when they come back, or when they are sent or cancelled before the others, is their share of the line's
total, rounded of the sum so far, so that all pieces together are worth exactly the line's total.
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
    RETURN_STATE_AUTHORIZED,
    RETURN_STATE_RECEIVED,
    FulfillmentState,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
)
from oms.order.v1.order_state_pb2 import (
    ORDER_STEP_HELD_BEFORE_PAYMENT,
    ORDER_STEP_HELD_BEFORE_SHIPPING,
    ORDER_STEP_NONE,
    ORDER_STEP_PAYMENT_RETRY,
    StoredExchange,
    StoredOrder,
)
from ordermesh.core.decider import KEYS_KEPT, Key
from ordermesh.core.money import InvalidAmount, check_currency, coin_of, money_of, nanos_of, pro_rata
from ordermesh.core.requests import content_hash
from ordermesh.order.fraud import APPROVES_ALL, FraudScorer

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
BACKORDER_QUEUE_FULL: Final = "BACKORDER_QUEUE_FULL"
BACKORDER_EXPIRED: Final = "BACKORDER_EXPIRED"
FRAUD_DECLINED: Final = "FRAUD_DECLINED"
PAYMENT_EXPIRED: Final = "PAYMENT_EXPIRED"
HOLD_EXPIRED: Final = "HOLD_EXPIRED"

FRAUD_REVIEW: Final = "FRAUD_REVIEW"
"""The reason of the hold that a fraud rule places."""

HELD_STEPS: Final = (ORDER_STEP_HELD_BEFORE_PAYMENT, ORDER_STEP_HELD_BEFORE_SHIPPING)
"""Steps in which an order waits for nothing but its release."""

STEPS_BY_HAND: Final = (*HELD_STEPS, ORDER_STEP_PAYMENT_RETRY)
"""Steps in which an order waits for people, and asks no service again and again."""

RETURNS_OPEN: Final = (RETURN_STATE_AUTHORIZED, RETURN_STATE_RECEIVED)
"""States of returns by which goods may still come, or came and are not inspected."""

_OUTPUTS = (
    "order_state", "payment_state", "fulfillment_state", "state_reason", "timeline", "version", "etag", "create_time",
    "update_time", "refunded", "holds", "payment_retry_time", "returns",
    "exchange_of", "exchanged_by", "promised_by", "due",
)  # fmt: skip
_LINE_OUTPUTS = ("returned_quantity", "refunded_quantity", "cancelled_quantity", "shipped_quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """What may be tuned; times in microseconds.

    A step that is not answered within `ask_again_us` is asked again, then each time after as long again as it has
    waited, at most `ask_again_us_max`. A reservation or an authorisation that is not answered for so long that its
    `give_up` is reached is undone, and so is a change of the order; nothing else is ever given up. What an order waits
    for that names no time of its own is cancelled after `backorder_us`. `fraud` judges an order when its payment is
    authorised, and when it is amended after that. After a declined payment other tokens are taken for
    `payment_retry_us`, unless the order says for how long; with 0 it is undone at once. An order that has waited for
    its release for `hold_us` is cancelled as far as it is not sent; with 0 it waits for ever.
    """

    ask_again_us: int = 30_000_000
    ask_again_us_max: int = 3_600_000_000
    reserve_give_up_us: int = 900_000_000
    authorize_give_up_us: int = 3_600_000_000
    backorder_us: int = 30 * 86_400_000_000
    fraud: FraudScorer = APPROVES_ALL
    payment_retry_us: int = 0
    hold_us: int = 0


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
        for name in _LINE_OUTPUTS:
            line.ClearField(name)
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


def is_same_content(state: StoredOrder, asked: Order) -> bool:
    """Whether the order was placed with this content, whatever it was amended to since."""
    if state.placed_hash:
        return state.placed_hash == content_hash(content_of(asked))
    return content_of(state.order) == content_of(asked)


def is_waiting(state: StoredOrder) -> bool:
    """Whether it waits for anybody's answer."""
    return state.step != ORDER_STEP_NONE or bool(state.pending_refunds) or bool(exchanges_asked(state))


def exchanges_asked(state: StoredOrder) -> list[StoredExchange]:
    """The orders in exchange that are asked for and not answered."""
    return [exchange for exchange in state.exchanges if exchange.HasField("replacement")]


def payment_token_of(state: StoredOrder) -> str:
    """The token that it is paid by now: the last that was named."""
    return state.payment_token or state.order.payment_token


def skus_of(order: Order) -> list[str]:
    """The SKUs of what is not cancelled, each once, in the order of its lines."""
    if not order.HasField("due"):
        return list(dict.fromkeys([line.sku for line in order.lines]))
    return list(dict.fromkeys([line.sku for line in order.lines if line.quantity > line.cancelled_quantity]))


def due_of(order: Order) -> Money:
    """What is paid for all that is not cancelled."""
    return order.due if order.HasField("due") else order.total


def kept_of(line: OrderLine) -> int:
    """How many pieces of a line are not cancelled."""
    return line.quantity - line.cancelled_quantity


def worth_nanos(line: OrderLine, quantity: int) -> int:
    """What the first `quantity` pieces of a line are worth."""
    return pro_rata(line_nanos(line), quantity, line.quantity, coin_of(line.unit_price.currency_code))


def in_coins(order: Order, nanos: int) -> int:
    """A part of what an order costs, rounded down to whole coins where the total is some: no card is charged, and
    nothing is given back, in fractions of them. The sum so far is rounded, so that the parts are the whole."""
    coin = coin_of(order.total.currency_code)
    return nanos if nanos_of(order.total) % coin else nanos - nanos % coin


def quantities_of(lines: Iterable[tuple[OrderLine, int]]) -> dict[str, int]:
    """How many pieces that is of each SKU: the same SKU on two lines is summed."""
    quantities: dict[str, int] = {}
    for line, quantity in lines:
        sku = line.sku
        quantities[sku] = quantities.get(sku, 0) + quantity
    return quantities


def states_of(order: Order) -> dict[str, str]:
    """The three states as a refusal's metadata."""
    return {
        "order_id": order.order_id,
        "order_state": OrderState.Name(order.order_state).removeprefix("ORDER_STATE_"),
        "payment_state": PaymentState.Name(order.payment_state).removeprefix("PAYMENT_STATE_"),
        "fulfillment_state": FulfillmentState.Name(order.fulfillment_state).removeprefix("FULFILLMENT_STATE_"),
    }
