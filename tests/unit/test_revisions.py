"""Reservations that are revised, and that leave in parts: late and repeated messages change nothing."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_commands_pb2 import (
    SHORTAGE_POLICY_WAIT,
    Commit,
    ReceiveStock,
    Release,
    Reserve,
    Restock,
    Revise,
    ServeBackorders,
    ShippedItem,
    SkuQuantity,
)
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_COMMITTED,
    RESERVATION_STATE_OPEN,
    RESERVATION_STATE_WITHDRAWN,
    Reservation,
)
from oms.order.v1.order_commands_pb2 import Shortage, StockRejected, StockReleased, StockReserved
from ordermesh.inventory.app import SERVICE
from ordermesh.inventory.model import held_by, out_by, reservation_key, stock_key
from ordermesh.testing.given import TENANT, Outcome, given

A, B = stock_key(TENANT, "A"), stock_key(TENANT, "B")
ORDER = "o1"


def items(quantities: dict[str, int]) -> list[SkuQuantity]:
    """So many of each SKU."""
    return [SkuQuantity(sku=sku, quantity=each) for sku, each in quantities.items()]


def more(revision: int, **quantities: int) -> Revise:
    """The order wants so many in all: more than it has."""
    return Revise(order_id=ORDER, revision=revision, items=items(quantities), more=True)


def fewer(revision: int, **quantities: int) -> Revise:
    """The order wants so many in all: fewer than it has."""
    return Revise(order_id=ORDER, revision=revision, items=items(quantities))


def sent(shipped: int, *, last: bool = False) -> Commit:
    """So many of A have left."""
    return Commit(order_id=ORDER, items=[ShippedItem(sku="A", shipped=shipped, last=last)])


def reserved(quantity: int = 3, on_hand: int = 10) -> Outcome:
    """So many of A are reserved; five of B are there."""
    outcome = given(SERVICE).happened(A, events.StockReceived(sku="A", quantity=on_hand))
    outcome.happened(B, events.StockReceived(sku="B", quantity=5))
    return outcome.when("A", Reserve(order_id=ORDER, items=items({"A": quantity})))


def reservation(outcome: Outcome, sku: str = "A") -> Reservation:
    """What the order holds."""
    found: Reservation = outcome.state(reservation_key(TENANT, sku, ORDER)).reservation
    return found


def balance(outcome: Outcome) -> tuple[int, int, int]:
    """On hand, reserved and committed of A, checked against the reservation."""
    stock = outcome.state(A).stock
    assert stock.available == stock.on_hand - stock.reserved >= 0
    assert stock.received == stock.on_hand + stock.committed
    assert (stock.reserved, stock.committed) == (held_by(reservation(outcome)), out_by(reservation(outcome)))
    return stock.on_hand, stock.reserved, stock.committed


def test_more_of_several_skus_is_reserved_for_all_of_them() -> None:
    outcome = reserved().when("A", more(1, A=5, B=2))

    assert outcome.sent(StockReserved) == [StockReserved(skus=["A", "B"], revision=1)]
    assert balance(outcome) == (10, 5, 0)
    assert reservation(outcome, "B").state == RESERVATION_STATE_OPEN
    outcome.when("A", more(1, A=5, B=2))
    assert not outcome.events, "said again"
    assert outcome.sent(StockReserved) == [StockReserved(skus=["A", "B"], revision=1)]


def test_more_of_several_skus_is_reserved_for_none_where_one_is_short() -> None:
    outcome = reserved().when("A", more(1, A=5, B=6))

    (answer,) = outcome.sent(StockRejected)
    assert (answer.revision, list(answer.shortages)) == (1, [Shortage(sku="B", wanted=6, available=5)])
    assert not outcome.events
    assert balance(outcome) == (10, 3, 0)


def test_an_increase_that_comes_after_it_was_taken_back_changes_nothing() -> None:
    outcome = reserved().when("A", fewer(2, A=3, B=0)).when("A", more(1, A=5, B=2))

    assert outcome.is_silent
    assert balance(outcome) == (10, 3, 0)
    assert reservation(outcome, "B").state == RESERVATION_STATE_WITHDRAWN


def test_an_increase_after_the_release_gets_nothing() -> None:
    outcome = reserved().when("A", Release(order_id=ORDER, skus=["A"])).when("A", more(1, A=5))

    assert outcome.sent(StockRejected)
    assert balance(outcome) == (10, 0, 0)


def test_fewer_are_given_back_once() -> None:
    outcome = reserved(5).when("A", fewer(1, A=2))

    assert balance(outcome) == (10, 2, 0)
    assert outcome.when("A", fewer(1, A=1)).is_silent, "the same revision is late"
    assert not outcome.messages, "nobody waits for an answer"


def test_a_sku_that_was_taken_off_can_be_wanted_again() -> None:
    outcome = reserved().when("A", fewer(1, A=0))
    assert (balance(outcome), reservation(outcome).state) == ((10, 0, 0), RESERVATION_STATE_WITHDRAWN)

    outcome.when("A", more(2, A=4))
    assert (balance(outcome), reservation(outcome).state) == ((10, 4, 0), RESERVATION_STATE_OPEN)
    assert [timer.message is not None for timer in outcome.timers] == [True], "it asks its order when it is old"


def test_who_waits_gets_no_more_by_an_amendment() -> None:
    outcome = reserved(1, on_hand=1)
    waiting = Reserve(order_id="o2", items=items({"A": 2}), shortage=SHORTAGE_POLICY_WAIT)
    outcome.when("A", waiting).when("A", ReceiveStock(quantity=9))

    late = Revise(order_id="o2", revision=1, items=items({"A": 3}), more=True)
    assert outcome.when("A", late).sent(StockRejected)


def test_fewer_waited_for_shortens_the_queue_and_what_is_freed_serves_the_next() -> None:
    outcome = given(SERVICE).happened(A, events.StockReceived(sku="A", quantity=2))
    outcome.when("A", Reserve(order_id=ORDER, items=items({"A": 5}), shortage=SHORTAGE_POLICY_WAIT))
    outcome.when("A", Reserve(order_id="o2", items=items({"A": 1}), shortage=SHORTAGE_POLICY_WAIT))

    outcome.when("A", fewer(1, A=4))
    assert [(each.order_id, each.quantity) for each in outcome.state(A).queue] == [(ORDER, 2), ("o2", 1)]
    outcome.when("A", fewer(2, A=1))
    outcome.when("A", outcome.sent(ServeBackorders)[0])
    assert (held_by(reservation(outcome)), list(outcome.state(A).queue)) == (1, [])
    assert held_by(outcome.state(reservation_key(TENANT, "A", "o2")).reservation) == 1


def test_parts_leave_one_after_another_and_the_last_closes_the_reservation() -> None:
    outcome = reserved(5).when("A", sent(2))
    assert balance(outcome) == (8, 3, 2)
    assert reservation(outcome).state == RESERVATION_STATE_OPEN

    outcome.when("A", sent(2))
    assert balance(outcome) == (8, 3, 2), "said again, nothing leaves again"
    outcome.when("A", sent(5, last=True))
    assert balance(outcome) == (5, 0, 5)
    assert reservation(outcome).state == RESERVATION_STATE_COMMITTED
    outcome.when("A", Restock(order_id=ORDER, items=items({"A": 5})))
    assert balance(outcome) == (10, 0, 0)


def test_what_does_not_leave_with_the_last_part_is_given_back() -> None:
    outcome = reserved(5).when("A", sent(2, last=True))

    assert balance(outcome) == (8, 0, 2)
    assert reservation(outcome).state == RESERVATION_STATE_COMMITTED


def test_what_is_cancelled_after_a_part_left_closes_the_reservation() -> None:
    outcome = reserved(5).when("A", sent(2)).when("A", fewer(1, A=2))

    assert balance(outcome) == (8, 0, 2)
    assert reservation(outcome).state == RESERVATION_STATE_COMMITTED


@pytest.mark.parametrize(
    "commit",
    [sent(6), Commit(order_id="nobody", items=[ShippedItem(sku="A", shipped=1)])],
    ids=["too many", "nobody's"],
)
def test_more_than_is_reserved_does_not_leave(commit: Commit) -> None:
    outcome = reserved(5).when("A", commit)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "RESERVATION_NOT_OPEN"


def test_of_what_has_left_in_part_the_rest_is_released_and_that_once() -> None:
    """An order asks for it only once its log lost its tail: it knows nothing of the shipment."""
    release = Release(order_id=ORDER, skus=["A", "B"])
    outcome = reserved(5).when("A", sent(2)).when("A", release)

    assert outcome.sent(StockReleased) == [StockReleased(skus=["A", "B"])]
    assert balance(outcome) == (8, 0, 2)
    assert reservation(outcome).state == RESERVATION_STATE_COMMITTED
    assert outcome.when("A", release).refusal is not None
    assert balance(outcome) == (8, 0, 2)
