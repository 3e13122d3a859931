"""Orders that get less stock than they want, that wait for their time, and that are sent in parts."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given as property_given
from hypothesis import strategies as st

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.core.money import nanos_of
from ordermesh.testing.given import START_US, Outcome
from tests.unit.orders import ORDER_ID, line, money
from tests.unit.parts import (
    AUTHORIZED,
    BACKORDER,
    BACKORDER_US,
    PARTIAL,
    PROMISED_US,
    SECOND,
    VOIDED,
    after,
    an_order,
    counts,
    dispatched,
    granted,
    last,
    more,
    paid,
    state_of,
    states,
    stopped,
)

SHORT = granted(a=3)
SPLIT = an_order(policy=BACKORDER, split=True)
WHOLE = an_order(policy=BACKORDER)
HALVES = line("A", 1, 1, 275_000_000), line("B", 1, 0, 725_000_000)
"""Two lines of half coins that are 2 together."""
NO_B = commands.StockReserved(skus=["A", "B"], grants=[StockGrant(sku="B", quantity=0)])
ALL_RELEASED = commands.StockReleased(skus=["A", "B"])


def sent_lines(outcome: Outcome) -> dict[str, int]:
    """What the shipment that is asked for has in it."""
    (create,) = outcome.sent(shipping.CreateShipment)
    return {each.line_id: each.quantity for each in create.lines}


def shipped_items(outcome: Outcome) -> dict[str, tuple[int, bool]]:
    """What inventory is told to have left in all, and whether it is the last."""
    (commit,) = outcome.sent(inventory.Commit)
    assert not commit.skus
    return {item.sku: (item.shipped, item.last) for item in commit.items}


@pytest.mark.parametrize(("policy", "shortage"), [(PARTIAL, 1), (BACKORDER, 2)], ids=["partial", "backorder"])
def test_inventory_is_told_what_to_do_when_there_is_less(policy: int, shortage: int) -> None:
    (reserve,) = after(an_order(policy=policy)).sent(inventory.Reserve)  # type: ignore[arg-type] # an enum's number

    assert reserve.shortage == shortage


def test_a_partial_order_with_all_in_stock_goes_as_any_other() -> None:
    outcome = after(an_order(policy=PARTIAL), granted(), AUTHORIZED, dispatched(), paid())

    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    assert not state_of(outcome).HasField("fulfillment")
    assert len(state_of(outcome).order.timeline) == 5


def test_a_partial_order_is_authorised_sent_and_paid_without_what_is_missing() -> None:
    outcome = after(an_order(policy=PARTIAL), SHORT)
    assert counts(outcome) == [(4, 1, 0), (2, 0, 0), (1, 1, 0)], "the last pieces of the last lines are missing"
    assert outcome.sent(payment.Authorize)[0].amount == money(43)
    assert (state_of(outcome).order.due, state_of(outcome).order.total) == (money(43), money(63))
    assert state_of(outcome).order.state_reason == "OUT_OF_STOCK"

    outcome.when(ORDER_ID, AUTHORIZED)
    assert sent_lines(outcome) == {"1": 3, "2": 2}
    outcome.when(ORDER_ID, dispatched())
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="1", amount=money(43))]
    assert shipped_items(outcome) == {"A": (3, True), "B": (2, True)}
    outcome.when(ORDER_ID, paid())
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    assert not outcome.messages, "nothing is held that was not taken"


def test_a_partial_order_of_which_nothing_is_there_is_rejected() -> None:
    outcome = after(an_order(policy=PARTIAL), granted(a=0, b=0))

    assert states(outcome) == ("REJECTED", "NONE", "UNALLOCATED")
    assert last(outcome) == ("OrderRejected", "OUT_OF_STOCK: A: 5 wanted, 0 available; B: 2 wanted, 0 available")
    assert not outcome.messages


def test_answers_of_several_partitions_are_waited_for_before_anything_is_missing_for_good() -> None:
    outcome = after(an_order(policy=PARTIAL), granted(a=0, skus=("A",)))
    assert states(outcome)[0] == "PLACED"

    outcome.when(ORDER_ID, granted(skus=("B",)))
    assert counts(outcome) == [(4, 4, 0), (2, 0, 0), (1, 1, 0)]
    assert outcome.sent(payment.Authorize)[0].amount == money(13)


def test_a_backorder_that_is_not_split_waits_for_everything_before_it_is_paid() -> None:
    outcome = after(WHOLE, SHORT)
    assert states(outcome) == ("PLACED", "NONE", "BACKORDERED")
    assert state_of(outcome).order.promised_by.ToMicroseconds() == PROMISED_US
    assert not outcome.messages

    assert not outcome.when(ORDER_ID, more("A", 4)).messages
    outcome.when(ORDER_ID, more("A", 5))
    assert outcome.sent(payment.Authorize)[0].amount == money(63)
    assert not state_of(outcome).order.HasField("promised_by")
    outcome.when(ORDER_ID, AUTHORIZED)
    assert sent_lines(outcome) == {"1": 4, "2": 2, "3": 1}


def test_what_is_promised_again_or_late_changes_nothing() -> None:
    outcome = after(WHOLE, SHORT, more("A", 5))

    assert outcome.when(ORDER_ID, more("A", 5)).is_silent
    assert outcome.when(ORDER_ID, more("A", 4)).is_silent
    assert outcome.when(ORDER_ID, more("C", 4)).is_silent
    assert outcome.when(ORDER_ID, SHORT).is_silent


def test_a_split_backorder_is_sent_in_parts_each_paid_by_itself() -> None:
    outcome = after(SPLIT, SHORT)
    assert outcome.sent(payment.Authorize)[0].amount == money(63), "all of it is authorised at once"
    outcome.when(ORDER_ID, AUTHORIZED)
    assert sent_lines(outcome) == {"1": 3, "2": 2}

    outcome.when(ORDER_ID, dispatched())
    assert states(outcome) == ("CONFIRMED", "AUTHORIZED", "PARTIALLY_SHIPPED")
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="1", amount=money(43))], "with the charge"
    assert shipped_items(outcome) == {"A": (3, False), "B": (2, True)}
    outcome.when(ORDER_ID, paid())
    assert not outcome.messages

    outcome.when(ORDER_ID, more("A", 5))
    assert outcome.sent(shipping.CreateShipment)[0].number == 2
    assert sent_lines(outcome) == {"1": 1, "3": 1}
    outcome.when(ORDER_ID, dispatched(2))
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="2", amount=money(20))]
    assert shipped_items(outcome) == {"A": (5, True)}
    outcome.when(ORDER_ID, paid(2))
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")


def test_what_is_promised_while_a_shipment_is_under_way_goes_with_the_next() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, more("A", 4))
    assert (outcome.event_names, outcome.messages) == (["BackorderGranted"], [])

    outcome.when(ORDER_ID, dispatched()).when(ORDER_ID, more("A", 5))
    assert not outcome.messages, "the money for the first is taken before the second is asked for"
    outcome.when(ORDER_ID, paid())
    assert sent_lines(outcome) == {"1": 1, "3": 1}


def test_answers_about_another_shipment_change_nothing() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, dispatched(), paid(), more("A", 5))

    for late in (dispatched(1), paid(1), stopped(1), commands.ShipmentCancelRefused(number=1)):
        assert outcome.when(ORDER_ID, late).is_silent
    outcome.when(ORDER_ID, dispatched(2))
    assert outcome.when(ORDER_ID, paid(1)).is_silent


def test_an_order_is_delivered_when_its_last_shipment_is() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, dispatched(), commands.ShipmentDelivered(number=1), paid())
    assert states(outcome)[2] == "PARTIALLY_SHIPPED"
    outcome.when(ORDER_ID, more("A", 5)).when(ORDER_ID, dispatched(2)).when(ORDER_ID, paid(2))
    assert states(outcome)[2] == "SHIPPED"

    outcome.when(ORDER_ID, commands.ShipmentDelivered(number=2))
    assert states(outcome)[2] == "DELIVERED"
    assert outcome.when(ORDER_ID, commands.ShipmentDelivered(number=2)).is_silent
    assert outcome.when(ORDER_ID, commands.ShipmentDelivered(number=3)).is_silent


def test_a_backorder_that_expires_unsent_is_cancelled() -> None:
    outcome = after(WHOLE, SHORT).later(BACKORDER_US).when(ORDER_ID, commands.StepTimer())
    assert outcome.messages == [inventory.Release(order_id=ORDER_ID, skus=["A", "B"])]

    outcome.when(ORDER_ID, ALL_RELEASED)
    assert states(outcome) == ("CANCELLED", "NONE", "UNALLOCATED")
    assert state_of(outcome).order.state_reason == "BACKORDER_EXPIRED"


def test_of_an_order_that_was_sent_in_part_the_rest_expires_and_its_money_is_let_go() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, dispatched(), paid())
    outcome.later(BACKORDER_US).when(ORDER_ID, commands.StepTimer())

    assert counts(outcome) == [(4, 1, 3), (2, 0, 2), (1, 1, 0)]
    (revise,) = outcome.sent(inventory.Revise)
    assert [(item.sku, item.quantity) for item in revise.items] == [("A", 3)]
    assert not revise.more
    assert outcome.sent(payment.Adjust) == [payment.Adjust(adjustment_id="end", amount=money(43))]
    assert outcome.timers, "the timer that was due is set again: the provider may decline, and is asked again"
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    assert state_of(outcome).order.state_reason == "BACKORDER_EXPIRED"
    assert state_of(outcome).order.due == money(43)


def test_a_backorder_expires_at_the_time_that_it_names() -> None:
    order = an_order(policy=BACKORDER)
    order.backorder_expire_time.FromMicroseconds(START_US + 10 * SECOND)
    outcome = after(order, SHORT)
    assert outcome.timers[-1].due_us == START_US + 10 * SECOND

    assert not outcome.later(9 * SECOND).when(ORDER_ID, commands.StepTimer()).events
    assert outcome.later(2 * SECOND).when(ORDER_ID, commands.StepTimer()).event_names == ["UndoStarted"]


def test_a_waiting_order_asks_again_for_what_is_missing() -> None:
    outcome = after(WHOLE, SHORT).later(60 * SECOND).when(ORDER_ID, commands.StepTimer())

    (reserve,) = outcome.sent(inventory.Reserve)
    assert [(item.sku, item.quantity) for item in reserve.items] == [("A", 5)]
    outcome.when(ORDER_ID, commands.StockReserved(skus=["A"]))
    assert outcome.event_names == ["BackorderGranted", "AuthorizationAsked"], "what it missed is told again"


def test_a_full_queue_rejects_the_order_and_says_so() -> None:
    outcome = after(WHOLE, commands.StockRejected(skus=["A", "B"], full_queue="A"))

    assert states(outcome)[0] == "REJECTED"
    assert state_of(outcome).order.state_reason == "BACKORDER_QUEUE_FULL"


def test_the_rest_of_the_authorisation_is_asked_for_until_it_is_let_go() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, dispatched(), paid())
    outcome.later(BACKORDER_US).when(ORDER_ID, commands.StepTimer())
    assert outcome.when(ORDER_ID, commands.PaymentAdjustDeclined(adjustment_id="end", code="busy")).is_silent

    outcome.later(60 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert outcome.sent(payment.Adjust) == [payment.Adjust(adjustment_id="end", amount=money(43))]


def test_a_scheduled_order_asks_for_nothing_before_its_time() -> None:
    outcome = after(an_order(ahead_us=100 * SECOND))
    assert states(outcome) == ("SCHEDULED", "NONE", "UNALLOCATED")
    assert not outcome.messages
    assert outcome.timers[0].due_us == START_US + 100 * SECOND
    assert not outcome.when(ORDER_ID, commands.StepTimer(at_once=True)).messages

    outcome.later(101 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert states(outcome)[0] == "PLACED"
    assert len(outcome.sent(inventory.Reserve)) == 1
    outcome.when(ORDER_ID, granted()).when(ORDER_ID, AUTHORIZED).when(ORDER_ID, dispatched()).when(ORDER_ID, paid())
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")


def test_a_time_that_has_passed_is_no_reason_to_wait() -> None:
    order = an_order()
    order.not_before.FromMicroseconds(START_US - 1)

    assert after(order).sent(inventory.Reserve)


def test_a_scheduled_order_is_cancelled_at_once() -> None:
    outcome = after(an_order(ahead_us=SECOND), commands.Cancel(request_id="r"))

    assert states(outcome) == ("CANCELLED", "NONE", "UNALLOCATED")
    assert not outcome.messages
    assert [timer.message for timer in outcome.timers] == [None]
    assert outcome.when(ORDER_ID, commands.StepTimer()).is_silent


def test_a_void_and_releases_end_a_split_order_of_which_nothing_was_sent() -> None:
    outcome = after(SPLIT, SHORT, AUTHORIZED, commands.Cancel(), stopped())

    assert {type(message) for message in outcome.messages} == {payment.Void, inventory.Release}
    outcome.when(ORDER_ID, VOIDED).when(ORDER_ID, ALL_RELEASED)
    assert states(outcome) == ("CANCELLED", "VOIDED", "UNALLOCATED")
    assert outcome.when(ORDER_ID, more("A", 5)).is_silent


@property_given(
    quantities=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    prices=st.lists(st.integers(0, 10**10), min_size=4, max_size=4),
    discounts=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    grants=st.lists(st.integers(1, 3), min_size=1, max_size=40),
)
def test_the_captures_of_all_shipments_are_what_is_due_to_the_nano(
    quantities: list[int], prices: list[int], discounts: list[int], grants: list[int]
) -> None:
    """However the pieces arrive, each shipment is paid once, and together they are the total less what is cancelled."""
    lines = [line("A", n, p // 10**9, p % 10**9) for n, p in zip(quantities, prices, strict=False)]
    for each, discount in zip(lines, discounts, strict=False):
        if discount and nanos_of(each.unit_price) >= discount:
            each.discount.CopyFrom(money(0, discount))
    wanted, promised, taken = sum(quantities), 0, 0
    none = commands.StockReserved(skus=["A"])
    none.grants.add(sku="A", quantity=0)
    outcome = after(an_order(*lines, policy=BACKORDER, split=True), none)
    arrivals = list(accumulate(grants))
    for number, arrived in enumerate(arrivals[: 1 + sum(each < wanted for each in arrivals)], start=1):
        promised = min(wanted, arrived)
        outcome.when(ORDER_ID, more("A", promised))
        if number == 1:
            outcome.when(ORDER_ID, AUTHORIZED)
        outcome.when(ORDER_ID, dispatched(number))
        (capture,) = outcome.sent(payment.Capture)
        taken += nanos_of(capture.amount)
        outcome.when(ORDER_ID, paid(number))
    if promised == wanted:
        assert states(outcome)[0] == "COMPLETED"
        assert taken == nanos_of(state_of(outcome).order.total)
    else:
        outcome.later(BACKORDER_US).when(ORDER_ID, commands.StepTimer())
        assert taken == nanos_of(state_of(outcome).order.due)


def test_shipments_of_lines_of_half_coins_are_paid_in_whole_ones() -> None:
    outcome = after(an_order(*HALVES, policy=BACKORDER, split=True, charge=0), NO_B, AUTHORIZED, dispatched())
    assert [each.amount for each in outcome.sent(payment.Capture)] == [money(1, 270_000_000)]

    outcome.when(ORDER_ID, paid()).when(ORDER_ID, more("B", 1)).when(ORDER_ID, dispatched(2))
    assert [each.amount for each in outcome.sent(payment.Capture)] == [money(0, 730_000_000)]
    assert states(outcome.when(ORDER_ID, paid(2)))[0] == "COMPLETED"


def test_what_is_due_after_a_line_of_half_coins_is_cancelled_is_whole_ones() -> None:
    outcome = after(an_order(*HALVES, policy=PARTIAL, charge=0), NO_B)

    assert state_of(outcome).order.due == money(1, 270_000_000)
    assert [each.amount for each in outcome.sent(payment.Authorize)] == [money(1, 270_000_000)]
    outcome.when(ORDER_ID, AUTHORIZED).when(ORDER_ID, dispatched())
    assert [each.amount for each in outcome.sent(payment.Capture)] == [money(1, 270_000_000)]
