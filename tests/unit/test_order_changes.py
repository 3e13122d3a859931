"""Pieces are cancelled and orders amended, at every step and against every late answer."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.common.v1.address_pb2 import Address
from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_DONE, REQUEST_OUTCOME_PENDING, REQUEST_OUTCOME_REFUSED
from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.shipping.v1 import shipping_commands_pb2 as shipping
from ordermesh.testing.given import Outcome
from tests.unit.orders import ORDER_ID, line, money, order_of
from tests.unit.parts import (
    AUTHORIZED,
    BACKORDER,
    PARTIAL,
    POLICY,
    SECOND,
    VOIDED,
    after,
    amend,
    an_order,
    counts,
    dispatched,
    fewer,
    granted,
    last,
    more,
    outcome_of,
    paid,
    state_of,
    states,
    stopped,
)

ORDER = an_order()
SHIPPING = (granted(), AUTHORIZED)
TOO_LATE = commands.ShipmentCancelRefused(number=1)
DONE, PENDING, REFUSED = (REQUEST_OUTCOME_DONE, ""), (REQUEST_OUTCOME_PENDING, ""), REQUEST_OUTCOME_REFUSED
MORE = amend(line("A", 4), line("B", 3, 5), line("A", 2), line("C", 1, 20))
"""One B, one A and one C more: 98 instead of 63, with the charge."""
FEWER = amend(line("A", 2))
"""Only two A: 23 instead of 63, with the charge."""


def reserved(*skus: str, revision: int = 1) -> commands.StockReserved:
    """There is more stock for a change."""
    return commands.StockReserved(skus=skus, revision=revision)


def short(revision: int = 1) -> commands.StockRejected:
    """There is not."""
    shortage = commands.Shortage(sku="C", wanted=1, available=0)
    return commands.StockRejected(skus=["A", "B", "C"], shortages=[shortage], revision=revision)


def short_of(quantity: int) -> StockGrant:
    """Inventory promises so many of A only."""
    return StockGrant(sku="A", quantity=quantity)


def revisions(outcome: Outcome) -> list[tuple[int, bool, dict[str, int]]]:
    """What inventory is asked to change: revision, whether for more, and how many are wanted in all."""
    asked = outcome.sent(inventory.Revise)
    return [(each.revision, each.more, {item.sku: item.quantity for item in each.items}) for each in asked]


def adjusted(outcome: Outcome) -> payment.Adjust:
    """What payment is asked to hold."""
    (adjust,) = outcome.sent(payment.Adjust)
    return adjust


def shipment(outcome: Outcome) -> tuple[int, dict[str, int]]:
    """The shipment that is asked for."""
    (create,) = outcome.sent(shipping.CreateShipment)
    return create.number, {each.line_id: each.quantity for each in create.lines}


def test_pieces_in_a_shipment_are_cancelled_when_shipping_has_stopped() -> None:
    outcome = after(ORDER, *SHIPPING, fewer(l1=1, l2=2))
    assert outcome.messages == [shipping.CancelShipment(number=1)]
    assert outcome_of(outcome, "fewer") == PENDING
    assert counts(outcome)[0] == (4, 0, 0), "nothing is cancelled yet"

    outcome.when(ORDER_ID, stopped())
    assert counts(outcome) == [(4, 1, 0), (2, 2, 0), (1, 0, 0)]
    assert outcome_of(outcome, "fewer") == DONE
    assert revisions(outcome) == [(1, False, {"A": 4, "B": 0})]
    assert shipment(outcome) == (2, {"1": 3, "3": 1})
    assert (state_of(outcome).order.due, state_of(outcome).order.total) == (money(43), money(63))
    outcome.when(ORDER_ID, dispatched(2))
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="2", amount=money(43))]
    outcome.when(ORDER_ID, paid(2))
    assert adjusted(outcome) == payment.Adjust(adjustment_id="end", amount=money(43))
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")


@pytest.mark.parametrize("answers", [[dispatched()], [TOO_LATE, dispatched()]], ids=["dispatched", "refused"])
@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [(fewer(l1=1), "fewer", "ORDER_NOT_CANCELLABLE"), (MORE, "amend", "ORDER_NOT_AMENDABLE")],
    ids=["cancel", "amend"],
)
def test_what_was_dispatched_before_goes_on_unchanged(
    answers: list[Message], change: Message, name: str, reason: str
) -> None:
    outcome = after(ORDER, *SHIPPING, change, *answers)

    assert outcome_of(outcome, name) == (REFUSED, reason)
    assert counts(outcome) == [(4, 0, 4), (2, 0, 2), (1, 0, 1)]
    assert outcome.sent(payment.Capture) == [payment.Capture(capture_id="1", amount=money(63))]
    outcome.when(ORDER_ID, paid())
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")


def test_pieces_are_cancelled_once_the_authorisation_is_answered() -> None:
    outcome = after(ORDER, granted(), fewer(l3=1))
    assert not outcome.messages

    outcome.when(ORDER_ID, AUTHORIZED)
    assert counts(outcome)[2] == (1, 1, 0)
    assert shipment(outcome) == (1, {"1": 4, "2": 2}), "shipping was not asked before"


def test_pieces_that_wait_for_stock_are_cancelled_at_once_and_the_others_go_on() -> None:
    outcome = after(an_order(policy=BACKORDER, split=True), granted(a=3), AUTHORIZED, fewer(l3=1, l1=1))

    assert counts(outcome) == [(4, 1, 0), (2, 0, 0), (1, 1, 0)]
    assert revisions(outcome) == [(1, False, {"A": 3})]
    assert not outcome.sent(shipping.CancelShipment), "none of them is in the shipment"
    outcome.when(ORDER_ID, dispatched()).when(ORDER_ID, paid())
    assert adjusted(outcome).amount == money(43)


def test_of_a_part_that_is_under_way_shipping_decides() -> None:
    outcome = after(an_order(policy=BACKORDER, split=True), granted(a=3), AUTHORIZED, fewer(l1=2))
    assert outcome.messages == [shipping.CancelShipment(number=1)], "one of the two is in the shipment"

    outcome.when(ORDER_ID, stopped())
    assert counts(outcome) == [(4, 2, 0), (2, 0, 0), (1, 0, 0)]
    assert shipment(outcome) == (2, {"1": 2, "2": 2, "3": 1}), "what was promised for the one goes to the next line"


def test_a_backorder_goes_on_when_what_it_waits_for_is_cancelled() -> None:
    outcome = after(an_order(policy=BACKORDER), granted(a=3), fewer(l3=1, l1=1))

    assert outcome.sent(payment.Authorize)[0].amount == money(43)
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")


def test_a_cancellation_of_what_is_left_completes_an_order_that_was_sent_in_part() -> None:
    outcome = after(an_order(policy=BACKORDER, split=True), granted(a=3), AUTHORIZED, dispatched(), paid())
    outcome.when(ORDER_ID, commands.Cancel(request_id="rest"))

    assert counts(outcome) == [(4, 1, 3), (2, 0, 2), (1, 1, 0)]
    assert outcome_of(outcome, "rest") == DONE
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))
    assert states(outcome) == ("COMPLETED", "CAPTURED", "SHIPPED")
    refused = outcome.when(ORDER_ID, commands.Cancel(request_id="again")).refusal
    assert refused is not None
    assert refused.reason == "ORDER_NOT_CANCELLABLE"


def test_cancelling_every_piece_is_cancelling_the_order() -> None:
    outcome = after(ORDER, *SHIPPING, fewer(l1=4, l2=2, l3=1), stopped())

    assert states(outcome)[0] == "CANCELLING"
    assert {type(message) for message in outcome.messages} == {payment.Void, inventory.Release}
    assert outcome_of(outcome, "fewer") == DONE


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (fewer(l1=5), "CANCEL_EXCEEDS_LEFT"),
        (fewer(l9=1), "LINE_NOT_FOUND"),
        (commands.Cancel(lines=fewer(l1=1).lines, etag="1"), "ETAG_MISMATCH"),
    ],
    ids=["too many", "no such line", "old version"],
)
def test_what_cannot_be_cancelled_is_refused_and_changes_nothing(command: Message, reason: str) -> None:
    outcome = after(ORDER, *SHIPPING, command)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == reason


@pytest.mark.parametrize("change", [fewer("other", l1=1), amend(line("A", 1), request_id="other")], ids=str)
def test_one_change_is_decided_at_a_time(change: Message) -> None:
    outcome = after(ORDER, *SHIPPING, fewer(l1=1), change)
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ORDER_CHANGE_IN_PROGRESS"

    assert outcome.when(ORDER_ID, fewer(l1=1)).is_silent, "the same request again is the same"
    outcome.when(ORDER_ID, fewer(l1=2))
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "REQUEST_ID_REUSED"


def test_more_is_reserved_and_authorised_before_an_amendment_is_made() -> None:
    outcome = after(ORDER, *SHIPPING, MORE, stopped())
    assert revisions(outcome) == [(1, True, {"A": 6, "B": 3, "C": 1})]
    assert len(counts(outcome)) == 3, "it is as it was"

    outcome.when(ORDER_ID, reserved("A", "B"))
    assert not outcome.messages
    outcome.when(ORDER_ID, reserved("C"))
    adjust = adjusted(outcome)
    assert adjust.amount == money(98)
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id=adjust.adjustment_id))
    assert counts(outcome) == [(4, 0, 0), (3, 0, 0), (2, 0, 0), (1, 0, 0)]
    assert outcome_of(outcome, "amend") == DONE
    assert shipment(outcome) == (2, {"1": 4, "2": 3, "3": 2, "4": 1})
    outcome.when(ORDER_ID, dispatched(2))
    assert outcome.sent(payment.Capture)[0].amount == money(98)
    outcome.when(ORDER_ID, paid(2))
    assert states(outcome)[0] == "COMPLETED"
    assert not outcome.messages, "all that is held was taken"


def test_fewer_are_given_back_when_an_amendment_is_made() -> None:
    outcome = after(ORDER, *SHIPPING, FEWER, stopped())

    assert last(outcome)[0] == "ShipmentRequested"
    assert revisions(outcome) == [(1, False, {"A": 2, "B": 0})]
    assert state_of(outcome).order.total == money(23)
    outcome.when(ORDER_ID, dispatched(2)).when(ORDER_ID, paid(2))
    assert adjusted(outcome) == payment.Adjust(adjustment_id="end", amount=money(23))


def test_an_amendment_without_stock_leaves_the_order_as_it_was() -> None:
    outcome = after(ORDER, *SHIPPING, MORE, stopped(), short())

    assert outcome_of(outcome, "amend") == (REFUSED, "AMENDMENT_REFUSED")
    refused = state_of(outcome).order.timeline[-2]
    told = "AMENDMENT_REFUSED: OUT_OF_STOCK: C: 1 wanted, 0 available"
    assert (refused.event, refused.detail) == ("ChangeRefused", told)
    assert revisions(outcome) == [(2, False, {"A": 5, "B": 2, "C": 0})]
    assert shipment(outcome) == (2, {"1": 4, "2": 2, "3": 1})
    assert state_of(outcome).order.total == money(63)
    assert outcome.when(ORDER_ID, reserved("A", "B", "C")).is_silent, "what is answered late is given back already"


def test_an_amendment_without_money_leaves_the_order_as_it_was() -> None:
    outcome = after(ORDER, *SHIPPING, MORE, stopped(), reserved("A", "B", "C"))
    name = adjusted(outcome).adjustment_id
    assert outcome.when(ORDER_ID, commands.PaymentAdjustDeclined(adjustment_id="other")).is_silent

    outcome.when(ORDER_ID, commands.PaymentAdjustDeclined(adjustment_id=name, code="no_funds"))
    assert state_of(outcome).order.timeline[-2].detail == "AMENDMENT_REFUSED: PAYMENT_DECLINED: no_funds"
    assert revisions(outcome) == [(2, False, {"A": 5, "B": 2, "C": 0})]
    assert outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id=name)).is_silent


def test_an_amendment_that_is_not_answered_is_given_up_and_what_payment_may_hold_is_let_go_at_the_end() -> None:
    outcome = after(ORDER, *SHIPPING, MORE, stopped(), reserved("A", "B", "C"))
    outcome.later(60 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert adjusted(outcome).amount == money(98), "it is asked again first"

    outcome.later(POLICY.authorize_give_up_us).when(ORDER_ID, commands.StepTimer())
    assert outcome_of(outcome, "amend") == (REFUSED, "AMENDMENT_REFUSED")
    outcome.when(ORDER_ID, dispatched(2)).when(ORDER_ID, paid(2))
    assert adjusted(outcome) == payment.Adjust(adjustment_id="end", amount=money(63))


def test_stock_for_an_amendment_is_asked_for_again_and_given_up() -> None:
    outcome = after(ORDER, *SHIPPING, MORE, stopped(), reserved("A"))
    outcome.later(60 * SECOND).when(ORDER_ID, commands.StepTimer())
    assert revisions(outcome) == [(1, True, {"B": 3, "C": 1})]

    outcome.later(POLICY.reserve_give_up_us).when(ORDER_ID, commands.StepTimer())
    assert revisions(outcome) == [(2, False, {"A": 5, "B": 2, "C": 0})]


@pytest.mark.parametrize(
    ("before", "wins"),
    [
        ([*SHIPPING, MORE], False),
        ([*SHIPPING, MORE, stopped()], True),
        ([*SHIPPING, MORE, stopped(), reserved("A", "B", "C")], True),
        ([granted(), MORE], True),
        ([MORE], True),
    ],
    ids=["stopping", "for stock", "for payment", "authorising", "reserving"],
)
def test_a_cancellation_wins_over_an_amendment_and_leaves_nothing_behind(before: list[Message], wins: bool) -> None:
    outcome = after(ORDER, *before, commands.Cancel(request_id="cancel"))
    if not wins:
        assert outcome.messages == [shipping.CancelShipment(number=1)]
        outcome.when(ORDER_ID, stopped())
    assert outcome_of(outcome, "amend") == (REFUSED, "ORDER_NOT_AMENDABLE")
    assert outcome_of(outcome, "cancel") == DONE

    released = {sku for release in outcome.sent(inventory.Release) for sku in release.skus}
    asked_for_more = any(event.DESCRIPTOR.name == "StockRejected" for event in before) or stopped() in before
    assert released == ({"A", "B", "C"} if asked_for_more else {"A", "B"})
    assert bool(outcome.sent(payment.Void)) == (before[0] != MORE)
    outcome.when(ORDER_ID, commands.StockReleased(skus=sorted(released)))
    for late in (reserved("A", "B", "C"), short()):
        assert outcome.when(ORDER_ID, late).is_silent
    if before[0] != MORE:
        outcome.when(ORDER_ID, VOIDED)
    assert states(outcome)[0] == "CANCELLED"
    assert not state_of(outcome).HasField("change")


def test_a_cancellation_that_is_too_late_leaves_the_pieces_that_were_to_be_cancelled_too() -> None:
    outcome = after(ORDER, *SHIPPING, fewer(l1=1), commands.Cancel(request_id="cancel"), dispatched())

    assert outcome_of(outcome, "fewer") == (REFUSED, "ORDER_NOT_CANCELLABLE")
    assert outcome_of(outcome, "cancel") == (REFUSED, "ORDER_NOT_CANCELLABLE")
    assert counts(outcome) == [(4, 0, 4), (2, 0, 2), (1, 0, 1)]


def test_a_scheduled_order_is_amended_and_cut_at_once_and_then_goes_as_any_other() -> None:
    outcome = after(an_order(ahead_us=100 * SECOND), MORE)
    assert (outcome.messages, outcome_of(outcome, "amend")) == ([], DONE)
    outcome.when(ORDER_ID, fewer(l4=1, l3=1))
    assert state_of(outcome).order.due == money(68)

    outcome.later(101 * SECOND).when(ORDER_ID, commands.StepTimer())
    (reserve,) = outcome.sent(inventory.Reserve)
    assert {item.sku: item.quantity for item in reserve.items} == {"A": 5, "B": 3}
    outcome.when(ORDER_ID, granted())
    assert outcome.sent(payment.Authorize)[0].amount == money(68)
    outcome.when(ORDER_ID, AUTHORIZED)
    assert shipment(outcome) == (1, {"1": 4, "2": 3, "3": 1})
    outcome.when(ORDER_ID, dispatched())
    assert outcome.sent(payment.Capture)[0].amount == money(68)
    assert outcome.sent(inventory.Commit) == [inventory.Commit(order_id=ORDER_ID, skus=["A", "B"])]


def test_address_and_charge_are_amended_and_what_is_not_named_stays() -> None:
    address = amend(line("A", 4), line("B", 2, 5), line("A", 1), charge=0)
    address.ship_to.CopyFrom(Address(recipient="Ada", region_code="GB"))
    outcome = after(ORDER, *SHIPPING, address, stopped())

    assert outcome.sent(shipping.CreateShipment)[0].ship_to.recipient == "Ada"
    assert state_of(outcome).order.total == money(60)
    assert not state_of(outcome).order.HasField("shipping_charge")
    kept = after(ORDER, *SHIPPING, FEWER, stopped())
    assert state_of(kept).order.shipping_charge == money(3)


def test_an_amendment_to_what_is_so_already_stops_nothing() -> None:
    same = amend(line("A", 4), line("B", 2, 5), line("A", 1))
    outcome = after(ORDER, *SHIPPING, same)

    assert (outcome.messages, outcome_of(outcome, "amend")) == ([], DONE)
    assert outcome.when(ORDER_ID, same).is_silent
    outcome.when(ORDER_ID, dispatched())
    assert outcome.sent(payment.Capture)[0].amount == money(63)


def test_the_same_order_again_is_the_same_after_it_was_amended() -> None:
    outcome = after(ORDER, *SHIPPING, FEWER, stopped())

    assert outcome.when(ORDER_ID, commands.PlaceOrder(order=ORDER)).is_silent
    other = order_of(line("A", 2))
    assert outcome.when(ORDER_ID, commands.PlaceOrder(order=other)).refusal is not None


def test_a_backorder_may_be_amended_to_what_is_there() -> None:
    outcome = after(an_order(policy=BACKORDER), granted(a=3), amend(line("A", 3), line("B", 2, 5)))

    assert outcome_of(outcome, "amend") == DONE
    assert outcome.sent(payment.Authorize)[0].amount == money(43)
    assert outcome.when(ORDER_ID, more("A", 5)).is_silent


@pytest.mark.parametrize(
    "before",
    [
        [*SHIPPING, dispatched()],
        [*SHIPPING, dispatched(), paid()],
        [commands.StockRejected(skus=["A", "B"])],
        [*SHIPPING, commands.Cancel()],
    ],
    ids=["sent", "complete", "rejected", "being cancelled"],
)
def test_what_is_sent_or_has_ended_is_not_amended(before: list[Message]) -> None:
    outcome = after(ORDER, *before, MORE)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ORDER_NOT_AMENDABLE"


def test_amounts_that_do_not_fit_are_refused_with_their_field() -> None:
    euros = amend(line("A", 1))
    euros.lines[0].unit_price.currency_code = "EUR"
    outcome = after(ORDER, *SHIPPING, euros)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "INVALID_REQUEST"
    assert outcome.refusal.metadata["field"] == "shipping_charge.currency_code"
    assert after(an_order(charge=0), euros).refusal is not None


def test_goods_come_back_up_to_what_was_sent_of_an_order_that_was_cut() -> None:
    outcome = after(ORDER, *SHIPPING, fewer(l1=1, l2=2), stopped(), dispatched(2), paid(2))
    outcome.when(ORDER_ID, commands.PaymentAdjusted(adjustment_id="end"))

    refused = outcome.when(ORDER_ID, commands.Return(lines=fewer(l1=4).lines)).refusal
    assert refused is not None
    assert refused.reason == "RETURN_EXCEEDS_SHIPPED"
    outcome.when(ORDER_ID, commands.Return(lines=fewer(l1=3, l3=1).lines))
    assert outcome.sent(payment.Refund)[0].amount == money(40)
    assert states(outcome)[2] == "RETURNED"
    left = outcome.when(ORDER_ID, commands.Refund(amount=money(4))).refusal
    assert left is not None
    assert left.metadata["left"] == "3.00 GBP"


def test_a_grant_that_was_on_its_way_while_more_was_asked_for_leaves_nothing_missing() -> None:
    outcome = after(an_order(line("A", 5), policy=BACKORDER), commands.StockReserved(skus=["A"], grants=[short_of(3)]))
    outcome.when(ORDER_ID, amend(line("A", 7))).when(ORDER_ID, more("A", 5)).when(ORDER_ID, reserved("A"))

    assert outcome.event_names == ["ChangeReserved", "OrderAmended", "AuthorizationAsked"]
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")
    assert not state_of(outcome).fulfillment.grants
    assert outcome.when(ORDER_ID, more("A", 5)).is_silent, "what is late says less than what is known"


def test_a_grant_that_came_during_a_change_that_is_refused_counts() -> None:
    outcome = after(an_order(line("A", 5), policy=BACKORDER), commands.StockReserved(skus=["A"], grants=[short_of(3)]))
    outcome.when(ORDER_ID, amend(line("A", 7))).when(ORDER_ID, more("A", 5))
    outcome.when(ORDER_ID, commands.StockRejected(skus=["A"], revision=1))

    assert outcome_of(outcome, "amend") == (REFUSED, "AMENDMENT_REFUSED")
    assert states(outcome) == ("PLACED", "AUTHORIZING", "ALLOCATED")
    assert not state_of(outcome).fulfillment.grants


@pytest.mark.parametrize(
    "change", [fewer(l1=1), amend(line("A", 4), line("B", 2, 5))], ids=["pieces are cancelled", "it is amended"]
)
def test_of_a_partial_order_that_lacks_nothing_nothing_is_out_of_stock(change: Message) -> None:
    hold = commands.PlaceHold(reason="LOOK")
    outcome = after(an_order(policy=PARTIAL), change, hold, commands.StockReserved(skus=["A", "B"]))

    cancelled = [each.reason for each in outcome.events if isinstance(each, events.LinesCancelled)]
    assert cancelled in ([], ["CANCEL_REQUESTED"])
    assert not state_of(outcome).order.state_reason


@pytest.mark.parametrize(
    "before",
    [[*SHIPPING, MORE], [*SHIPPING, MORE, stopped()], [*SHIPPING, MORE, stopped(), reserved("A", "B", "C")]],
    ids=["shipping", "inventory", "payment"],
)
def test_each_step_of_a_change_is_asked_again_in_its_own_time(before: list[Message]) -> None:
    """Whatever the timer was set to before."""
    asked = after(ORDER, *before)
    due_us = asked.timers[-1].due_us
    assert abs(due_us - asked.now_us - POLICY.ask_again_us) < 100

    asked.now_us = due_us + 100
    assert asked.when(ORDER_ID, commands.StepTimer()).messages
