"""Refunds with a share of the shipping charge, of tax, and out of goodwill."""

from __future__ import annotations

from google.protobuf.message import Message
from hypothesis import given as examples
from hypothesis import strategies as st

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1.order_pb2 import REFUND_REASON_GOODWILL, Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.payment.v1 import payment_commands_pb2 as payment
from ordermesh.core.money import money_of, nanos_of
from ordermesh.order import model
from ordermesh.order.app import SERVICE
from ordermesh.order.model import order_key
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import CURRENCY, ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
WAY = (
    commands.StockReserved(skus=["A", "B"]),
    commands.PaymentAuthorized(),
    commands.ShipmentDispatched(number=1),
    commands.PaymentCaptured(capture_id="1"),
)


def placed(*, shipping_nanos: int = 0, tax: int = 0, price: int = 10) -> Order:
    """3 A and 1 B at a price, with so much tax on the first line."""
    first = line("A", 3, price)
    if tax:
        first.tax.CopyFrom(money(tax))
    order = order_of(first, line("B", 1, price))
    if shipping_nanos:
        order.shipping_charge.CopyFrom(money_of(CURRENCY, shipping_nanos))
        model.complete(order)
    return order


def complete(order: Order, *messages: Message) -> Outcome:
    """The order, complete, to which these came."""
    outcome = given(SERVICE)
    for message in (commands.PlaceOrder(order=order), *WAY, *messages):
        outcome.when(ORDER_ID, message)
    return outcome


def refund(*, include_shipping: bool = True, **quantities: int) -> commands.Refund:
    """So many pieces of each line, with their share of the shipping charge."""
    lines = [LineQuantity(line_id=name[1:], quantity=quantity) for name, quantity in quantities.items() if quantity]
    return commands.Refund(lines=lines, include_shipping=include_shipping)


def asked(outcome: Outcome) -> int:
    """What payment was asked to give back by the last decision, in nanos."""
    return sum(nanos_of(message.amount) for message in outcome.sent(payment.Refund))


def test_a_share_of_the_shipping_charge_goes_by_the_value_of_the_lines() -> None:
    outcome = complete(placed(shipping_nanos=8_000_000_000), refund(l1=1))
    assert asked(outcome) == 12_000_000_000

    assert asked(outcome.when(ORDER_ID, refund(include_shipping=False, l1=1))) == 10_000_000_000
    assert asked(outcome.when(ORDER_ID, refund(l2=1))) == 12_000_000_000


def test_tax_is_given_back_with_its_pieces() -> None:
    assert asked(complete(placed(tax=3), refund(l1=1))) == 11_000_000_000


def test_an_order_without_a_shipping_charge_has_no_share_of_it() -> None:
    assert asked(complete(placed(), refund(l1=1))) == 10_000_000_000


def test_lines_that_cost_nothing_get_the_shipping_charge_whole_and_once() -> None:
    outcome = complete(placed(price=0, shipping_nanos=5_000_000_000), refund(l2=1))
    assert asked(outcome) == 5_000_000_000

    outcome.when(ORDER_ID, refund(l1=1))
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "REFUND_EXCEEDS_CAPTURED"


def test_a_share_that_was_declined_can_be_given_anew() -> None:
    outcome = complete(placed(shipping_nanos=8_000_000_000), refund(l1=3))
    assert asked(outcome) == 36_000_000_000
    outcome.when(ORDER_ID, commands.PaymentRefundDeclined(refund_id="1", code="no"))

    assert asked(outcome.when(ORDER_ID, refund(l1=3))) == 36_000_000_000


def test_goodwill_is_an_amount_for_no_pieces_and_stands_in_the_timeline() -> None:
    goodwill = commands.Refund(amount=money(4), reason=REFUND_REASON_GOODWILL)
    outcome = complete(placed(), goodwill)

    assert asked(outcome) == 4_000_000_000
    order: Order = outcome.state(KEY).order
    assert [each.refunded_quantity for each in order.lines] == [0, 0]
    assert order.timeline[-1].detail == "refund 1 of 4.00 GBP, goodwill"
    too_much = commands.Refund(amount=money(37), reason=REFUND_REASON_GOODWILL)
    outcome.when(ORDER_ID, too_much)
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "REFUND_EXCEEDS_CAPTURED"


@examples(
    charge=st.integers(1, 10_000_000_000),
    price=st.integers(1, 7),
    parts=st.permutations(["l1", "l1", "l1", "l2"]),
    declined=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_however_they_are_divided_all_refunds_together_are_the_total_exactly(
    charge: int, price: int, parts: list[str], declined: list[bool]
) -> None:
    order = placed(shipping_nanos=charge, price=price)
    outcome = complete(order)
    for number, part in enumerate(parts):
        outcome.when(ORDER_ID, refund(l1=int(part == "l1"), l2=int(part == "l2")))
        if declined[number]:
            refund_id = outcome.sent(payment.Refund)[0].refund_id
            outcome.when(ORDER_ID, commands.PaymentRefundDeclined(refund_id=refund_id, code="no"))
            outcome.when(ORDER_ID, refund(l1=int(part == "l1"), l2=int(part == "l2")))
        assert outcome.events, outcome.refusal
        assert nanos_of(outcome.state(KEY).refund_committed) <= nanos_of(order.total)

    assert nanos_of(outcome.state(KEY).refund_committed) == nanos_of(order.total)
    assert nanos_of(outcome.state(KEY).shipping_refunded) == charge


def thirds() -> Order:
    """3 A for 10 together: a piece is worth a third of that."""
    whole = line("A", 3, 4)
    whole.discount.CopyFrom(money(2))
    return order_of(whole, line("B", 1, 1))


def test_the_rest_is_given_back_also_where_a_share_before_was_of_a_fraction_of_a_coin() -> None:
    """As releases before this one gave them."""
    share = events.RefundRequested(
        refund_id="1", amount=money(3, 333_333_333), refunded_lines=[LineQuantity(line_id="1", quantity=1)]
    )
    outcome = complete(thirds()).happened(KEY, share).when(ORDER_ID, commands.PaymentRefunded(refund_id="1"))

    outcome.when(ORDER_ID, refund(l2=1))
    assert asked(outcome.when(ORDER_ID, refund(l1=2))) == 6_666_666_667
    assert nanos_of(outcome.state(KEY).refund_committed) == 11_000_000_000


def test_the_rest_is_given_back_also_where_a_share_between_was_declined() -> None:
    outcome = complete(thirds(), refund(l2=1), refund(l1=1), refund(l1=1), refund(l1=1))
    outcome.when(ORDER_ID, commands.PaymentRefundDeclined(refund_id="2", code="no"))

    assert asked(outcome.when(ORDER_ID, refund(l1=1))) == 3_330_000_000, "what is left, and not a coin more"
    assert nanos_of(outcome.state(KEY).refund_committed) == 11_000_000_000


def test_what_was_given_back_out_of_goodwill_is_not_taken_for_rounding() -> None:
    outcome = complete(thirds(), commands.Refund(amount=money(8), reason=REFUND_REASON_GOODWILL), refund(l1=3))

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "REFUND_EXCEEDS_CAPTURED"


def test_lines_of_half_coins_are_given_back_in_whole_ones() -> None:
    order = order_of(line("A", 1, 1, 275_000_000), line("B", 1, 0, 725_000_000))
    outcome = complete(order, refund(l1=1))
    assert asked(outcome) == 1_270_000_000

    goods = commands.Return(lines=[LineQuantity(line_id="2", quantity=1)])
    assert asked(outcome.when(ORDER_ID, goods)) == 730_000_000
