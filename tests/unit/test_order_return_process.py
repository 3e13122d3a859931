"""Returns step by step: what may come, what came, what becomes of it, and what is paid back for it."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order, OrderReturn
from oms.order.v1.order_service_pb2 import InspectedLine, LineQuantity
from oms.payment.v1 import payment_commands_pb2 as payment
from ordermesh.core import limits
from ordermesh.order import model
from ordermesh.order.app import SERVICE
from ordermesh.order.model import order_key
from ordermesh.testing.given import TENANT, Outcome, given
from tests.unit.orders import ORDER_ID, line, money, order_of

KEY = order_key(TENANT, ORDER_ID)
WAY = (
    commands.StockReserved(skus=["A", "B"]),
    commands.PaymentAuthorized(),
    commands.ShipmentDispatched(number=1),
    commands.PaymentCaptured(capture_id="1"),
)


def complete(*messages: Message, shipping: int = 0) -> Outcome:
    """A complete order of 2 A at 10, 1 B at 10, 3 A at 10, to which these came."""
    order = order_of()
    if shipping:
        order.shipping_charge.CopyFrom(money(shipping))
        model.complete(order)
    outcome = given(SERVICE)
    for message in (commands.PlaceOrder(order=order), *WAY, *messages):
        outcome.when(ORDER_ID, message)
    return outcome


def pieces(**quantities: int) -> list[LineQuantity]:
    """So many of each line: `pieces(l1=2)`."""
    return [LineQuantity(line_id=name[1:], quantity=quantity) for name, quantity in quantities.items()]


def permit(request_id: str = "", **quantities: int) -> commands.AuthorizeReturn:
    """These may be sent back."""
    return commands.AuthorizeReturn(lines=pieces(**quantities), reason="too small", request_id=request_id)


def came(return_id: str = "1", *, request_id: str = "", **quantities: int) -> commands.ReceiveReturn:
    """These came."""
    return commands.ReceiveReturn(return_id=return_id, lines=pieces(**quantities), request_id=request_id)


def judged(
    return_id: str = "1", *, include_shipping: bool = False, request_id: str = "", **quantities: tuple[int, int]
) -> commands.InspectReturn:
    """So many of each line are sound, so many are not."""
    lines = [
        InspectedLine(line_id=name[1:], restock_quantity=sound, write_off_quantity=broken)
        for name, (sound, broken) in quantities.items()
    ]
    return commands.InspectReturn(
        return_id=return_id, lines=lines, include_shipping=include_shipping, request_id=request_id
    )


def end(return_id: str = "1", request_id: str = "") -> commands.CancelReturn:
    """Nothing more comes."""
    return commands.CancelReturn(return_id=return_id, request_id=request_id)


def order(outcome: Outcome) -> Order:
    """The resource."""
    found: Order = outcome.state(KEY).order
    return found


def known(outcome: Outcome, number: int = 1) -> OrderReturn:
    """A return."""
    return order(outcome).returns[number - 1]


def refunds(outcome: Outcome) -> list[tuple[str, Money]]:
    """What payment was asked to give back by the last decision."""
    return [(message.refund_id, message.amount) for message in outcome.sent(payment.Refund)]


def reason(outcome: Outcome) -> str:
    """Why the last command was refused."""
    assert outcome.refusal is not None
    assert not outcome.events
    return outcome.refusal.reason


def test_a_permission_moves_neither_goods_nor_money() -> None:
    outcome = complete(permit(l1=2, l3=1))

    assert not outcome.messages
    assert (known(outcome).return_id, known(outcome).reason) == ("1", "too small")
    assert known(outcome).state == words.RETURN_STATE_AUTHORIZED
    assert [each.returned_quantity for each in order(outcome).lines] == [0, 0, 0]
    assert known(outcome).create_time.seconds > 0


def test_goods_that_come_wait_for_their_inspection() -> None:
    outcome = complete(permit(l1=2), came(l1=1), came(l1=1))

    assert not outcome.messages
    assert known(outcome).state == words.RETURN_STATE_RECEIVED
    assert known(outcome).lines[0].received_quantity == 2


def test_an_inspection_restocks_what_is_sound_and_refunds_all() -> None:
    outcome = complete(permit(l1=2, l3=1), came(l1=2, l3=1), judged(l1=(1, 1), l3=(1, 0)))

    assert refunds(outcome) == [("1", money(30))]
    (restock,) = outcome.sent(inventory.Restock)
    assert [(item.sku, item.quantity) for item in restock.items] == [("A", 2)]
    assert known(outcome).state == words.RETURN_STATE_COMPLETED
    assert [each.returned_quantity for each in order(outcome).lines] == [2, 0, 1]
    assert outcome.timers[0].message is not None


def test_what_is_written_off_says_nothing_to_inventory() -> None:
    assert not complete(permit(l1=1), came(l1=1), judged(l1=(0, 1))).sent(inventory.Restock)


def test_inspections_in_parts_add_up_and_complete_the_return_with_the_last_piece() -> None:
    outcome = complete(permit(l1=2), came(l1=2), judged(l1=(1, 0)))
    assert known(outcome).state == words.RETURN_STATE_RECEIVED

    outcome.when(ORDER_ID, judged(l1=(0, 1)))
    assert known(outcome).state == words.RETURN_STATE_COMPLETED
    assert (known(outcome).lines[0].restocked_quantity, known(outcome).lines[0].written_off_quantity) == (1, 1)
    assert refunds(outcome) == [("2", money(10))]


def test_a_return_of_everything_makes_the_order_returned() -> None:
    outcome = complete(permit(l1=2, l2=1, l3=3), came(l1=2, l2=1, l3=3), judged(l1=(2, 0), l2=(1, 0), l3=(3, 0)))

    assert order(outcome).fulfillment_state == words.FULFILLMENT_STATE_RETURNED


def test_returns_that_are_open_count_together_and_with_what_is_back() -> None:
    outcome = complete(permit(l3=1), permit(l3=1))
    assert reason(outcome.when(ORDER_ID, permit(l3=2))) == "RETURN_EXCEEDS_SHIPPED"
    assert reason(outcome.when(ORDER_ID, commands.Return(lines=pieces(l3=2)))) == "RETURN_EXCEEDS_SHIPPED"

    outcome.when(ORDER_ID, commands.Return(lines=pieces(l3=1)))
    assert outcome.events
    assert reason(outcome.when(ORDER_ID, permit(l3=1))) == "RETURN_EXCEEDS_SHIPPED"
    outcome.when(ORDER_ID, end("2"))
    assert outcome.when(ORDER_ID, permit(l3=1)).events
    assert known(outcome, 3).return_id == "3"


def test_pieces_that_were_inspected_are_counted_once() -> None:
    outcome = complete(permit(l3=3), came(l3=3), judged(l3=(2, 0)))
    assert reason(outcome.when(ORDER_ID, permit(l3=1))) == "RETURN_EXCEEDS_SHIPPED"

    assert outcome.when(ORDER_ID, judged(l3=(1, 0))).events
    assert order(outcome).lines[2].returned_quantity == 3


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((permit(l9=1),), "LINE_NOT_FOUND"),
        ((permit(l1=3),), "RETURN_EXCEEDS_SHIPPED"),
        ((came(l1=1),), "RETURN_NOT_FOUND"),
        ((judged(l1=(1, 0)),), "RETURN_NOT_FOUND"),
        ((end(),), "RETURN_NOT_FOUND"),
        ((permit(l1=1), came(l1=2)), "RETURN_EXCEEDS_AUTHORIZED"),
        ((permit(l1=1), came(l2=1)), "LINE_NOT_FOUND"),
        ((permit(l1=2), came(l1=1), judged(l1=(1, 1))), "RETURN_EXCEEDS_RECEIVED"),
        ((permit(l1=2), judged(l1=(1, 0))), "RETURN_EXCEEDS_RECEIVED"),
        ((permit(l1=2), came(l1=2), judged(l2=(1, 0))), "LINE_NOT_FOUND"),
        ((permit(l1=1), came(l1=1), judged(l1=(1, 0)), came(l1=1)), "RETURN_NOT_OPEN"),
        ((permit(l1=1), end(), end()), "RETURN_NOT_OPEN"),
        ((permit(l1=1), came(l1=1), end()), "RETURN_NOT_CANCELLABLE"),
    ],
    ids=range(13),
)
def test_what_cannot_be_is_refused_and_changes_nothing(messages: tuple[Message, ...], expected: str) -> None:
    assert reason(complete(*messages)) == expected


def test_a_return_of_which_nothing_came_is_cancelled_and_another_is_complete() -> None:
    assert known(complete(permit(l1=1), end())).state == words.RETURN_STATE_CANCELLED

    outcome = complete(permit(l1=2), came(l1=1), judged(l1=(1, 0)), end())
    assert known(outcome).state == words.RETURN_STATE_COMPLETED
    assert outcome.when(ORDER_ID, permit(l1=1)).events, "the piece that did not come may come by another"


@pytest.mark.parametrize("answers", range(4))
def test_what_is_not_shipped_and_paid_is_not_returned(answers: int) -> None:
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    for message in WAY[:answers]:
        outcome.when(ORDER_ID, message)

    for command in (permit(l1=1), came(l1=1), judged(l1=(1, 0)), end()):
        assert reason(outcome.when(ORDER_ID, command)) == "ORDER_NOT_RETURNABLE"


def test_each_step_is_done_once_per_request() -> None:
    outcome = complete()
    steps: list[Message] = [
        permit("r1", l1=2),
        came(request_id="r2", l1=1),
        judged(request_id="r3", l1=(1, 0)),
        end(request_id="r4"),
    ]
    for step in steps:
        assert outcome.when(ORDER_ID, step).events
        assert outcome.when(ORDER_ID, step).is_silent
    assert reason(outcome.when(ORDER_ID, came(request_id="r1", l1=1))) == "REQUEST_ID_REUSED"
    stale = commands.AuthorizeReturn(lines=pieces(l1=1), etag="1")
    assert reason(outcome.when(ORDER_ID, stale)) == "ETAG_MISMATCH"
    assert reason(given(SERVICE).when(ORDER_ID, permit(l1=1))) == "ORDER_NOT_FOUND"


def test_a_piece_that_was_refunded_before_is_not_paid_back_again() -> None:
    outcome = complete(commands.Refund(lines=pieces(l1=1)), permit(l1=2), came(l1=2), judged(l1=(2, 0)))

    assert refunds(outcome) == [("2", money(10))]
    assert known(outcome).state == words.RETURN_STATE_COMPLETED


def test_an_inspection_gives_back_no_more_than_is_left() -> None:
    outcome = complete(commands.Refund(amount=money(55)), permit(l1=2), came(l1=2), judged(l1=(2, 0)))
    assert refunds(outcome) == [("2", money(5))]

    outcome.when(ORDER_ID, permit(l2=1)).when(ORDER_ID, came("2", l2=1)).when(ORDER_ID, judged("2", l2=(1, 0)))
    assert refunds(outcome) == []
    assert outcome.event_names == ["ReturnInspected"]
    assert outcome.sent(inventory.Restock)


def test_the_share_of_the_shipping_charge_is_given_back_if_wanted() -> None:
    outcome = complete(permit(l1=2), came(l1=2), judged(include_shipping=True, l1=(2, 0)), shipping=6)

    assert refunds(outcome) == [("1", money(22))]


def test_an_order_has_a_limit_of_returns_and_of_lines_in_them() -> None:
    outcome = complete()
    for number in range(limits.RETURNS_PER_ORDER_MAX):
        name = str(number + 1)
        outcome.when(ORDER_ID, permit(l1=1)).when(ORDER_ID, end(name))
        assert outcome.events
    assert reason(outcome.when(ORDER_ID, permit(l1=1))) == "RETURN_LIMIT_REACHED"

    many = order_of(*(line("A", 9) for _ in range(limits.LINES_PER_ORDER_MAX)))
    outcome = given(SERVICE).when(ORDER_ID, commands.PlaceOrder(order=many))
    for message in (commands.StockReserved(skus=["A"]), *WAY[1:]):
        outcome.when(ORDER_ID, message)
    whole = commands.AuthorizeReturn(lines=[LineQuantity(line_id=each.line_id, quantity=1) for each in many.lines])
    for _ in range(2):
        assert outcome.when(ORDER_ID, whole).events
    assert reason(outcome.when(ORDER_ID, permit(l1=1))) == "RETURN_LIMIT_REACHED"
