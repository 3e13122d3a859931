"""Stock: what is decided about receipts, reservations, releases, commits and restocks."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_commands_pb2 import (
    AdjustStock,
    Commit,
    ReceiveStock,
    Release,
    ReservationTimer,
    Reserve,
    Restock,
    SkuQuantity,
)
from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_RELEASED, Stock
from oms.order.v1.order_commands_pb2 import ReservationAged, StockRejected, StockReleased, StockReserved
from ordermesh.inventory.app import make_service
from ordermesh.inventory.model import InventoryPolicy, reservation_key, stock_key
from ordermesh.inventory.rows import RESERVATIONS, reservation_columns, reservation_of
from ordermesh.testing.given import START_US, TENANT, Outcome, given, slots

SERVICE = make_service(InventoryPolicy(reservation_age_us=1_000, reservation_age_us_max=5_000))
A, B = stock_key(TENANT, "A"), stock_key(TENANT, "B")
ORDER = "order-1"


def reserve(order_id: str = ORDER, **quantities: int) -> Reserve:
    """A reservation of so many of each SKU."""
    return Reserve(order_id=order_id, items=[SkuQuantity(sku=sku, quantity=each) for sku, each in quantities.items()])


def stocked() -> Outcome:
    """Ten of A and five of B are on hand."""
    outcome = given(SERVICE).happened(A, events.StockReceived(sku="A", quantity=10))
    return outcome.happened(B, events.StockReceived(sku="B", quantity=5))


def reserved() -> Outcome:
    """Three of A and two of B are reserved for the order."""
    return stocked().when("A", reserve(A=3, B=2), first=True)


def stock(outcome: Outcome, sku: str = "A") -> tuple[int, int, int, int, int]:
    """Received, on hand, reserved, available and committed."""
    found: Stock = outcome.state(stock_key(TENANT, sku)).stock
    return found.received, found.on_hand, found.reserved, found.available, found.committed


def test_the_first_receipt_makes_a_sku_known() -> None:
    outcome = given(SERVICE).when("A", ReceiveStock(quantity=10, request_id="r1"))

    assert stock(outcome) == (10, 10, 0, 10, 0)
    assert outcome.state(A).stock.etag == "1"


def test_a_receipt_said_twice_counts_once() -> None:
    outcome = given(SERVICE).when("A", ReceiveStock(quantity=10, request_id="r1"))

    assert outcome.when("A", ReceiveStock(quantity=10, request_id="r1")).is_silent
    refusal = outcome.when("A", ReceiveStock(quantity=11, request_id="r1")).refusal
    assert refusal is not None
    assert refusal.reason == "REQUEST_ID_REUSED"


def test_a_correction_never_takes_what_is_reserved() -> None:
    outcome = reserved()

    assert stock(outcome.when("A", AdjustStock(change=-7, reason="lost"))) == (3, 3, 3, 0, 0)
    refusal = outcome.when("A", AdjustStock(change=-1)).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.metadata["available"]) == ("STOCK_BELOW_RESERVED", "0")


def test_nothing_can_be_taken_off_a_sku_that_was_never_received() -> None:
    unknown = given(SERVICE)

    for command in (AdjustStock(change=-1), AdjustStock(change=-1, etag="7")):
        refusal = unknown.when("X", command).refusal
        assert refusal is not None
        assert (refusal.reason, refusal.metadata["sku"]) == ("STOCK_NOT_FOUND", "X")
    assert stock(unknown.when("X", AdjustStock(change=2, reason="found")), "X") == (2, 2, 0, 2, 0)


def test_a_correction_can_be_bound_to_a_version() -> None:
    assert stocked().when("A", AdjustStock(change=1, etag="1")).event_names == ["StockAdjusted"]
    refusal = stocked().when("A", AdjustStock(change=1, etag="7")).refusal
    assert refusal is not None
    assert refusal.reason == "ETAG_MISMATCH"


def test_a_reservation_takes_all_items_with_two_events_for_each() -> None:
    outcome = reserved()

    assert outcome.event_names == ["StockReserved", "ReservationOpened"] * 2
    assert outcome.messages == [StockReserved(skus=["A", "B"])]
    assert stock(outcome) == (10, 10, 3, 7, 0)
    assert outcome.timers[0].due_us > START_US


def test_one_item_short_means_that_none_is_reserved() -> None:
    outcome = stocked().when("A", reserve(A=3, B=6), first=True)

    (answer,) = outcome.sent(StockRejected)
    assert list(answer.skus) == ["A", "B"]
    assert [(each.sku, each.wanted, each.available) for each in answer.shortages] == [("B", 6, 5)]
    assert outcome.event_names == ["ReservationRefused"] * 2
    assert stock(outcome) == (10, 10, 0, 10, 0)


def test_an_unknown_sku_has_nothing_available() -> None:
    (answer,) = given(SERVICE).when("X", reserve(X=1), first=True).sent(StockRejected)

    assert answer.shortages[0].available == 0


def test_a_reservation_asked_again_is_answered_again_and_takes_nothing() -> None:
    outcome = reserved().when("A", reserve(A=3, B=2))

    assert outcome.messages == [StockReserved(skus=["A", "B"])]
    assert not outcome.events
    assert not outcome.timers


def test_a_refused_reservation_stays_refused_when_stock_comes() -> None:
    outcome = stocked().when("A", reserve(A=11), first=True).when("A", ReceiveStock(quantity=100))

    assert outcome.when("A", reserve(A=11)).messages == [StockRejected(skus=["A"])]
    assert not outcome.events


def test_a_release_frees_the_stock_and_ends_the_timer() -> None:
    outcome = reserved().when("A", Release(order_id=ORDER, skus=["A", "B"]))

    assert stock(outcome) == (10, 10, 0, 10, 0)
    assert outcome.messages == [StockReleased(skus=["A", "B"])]
    assert [(timer.owner, timer.message) for timer in outcome.timers] == [
        (reservation_key(TENANT, "A", ORDER), None),
        (reservation_key(TENANT, "B", ORDER), None),  # of its own, where a repartition has brought the two together
    ]


def test_a_release_said_twice_frees_once() -> None:
    outcome = reserved().when("A", Release(order_id=ORDER, skus=["A", "B"]))
    outcome.when("A", Release(order_id=ORDER, skus=["A", "B"]))

    assert outcome.messages == [StockReleased(skus=["A", "B"])]
    assert not outcome.events


def test_a_release_that_finds_nothing_leaves_a_mark_that_a_late_reservation_cannot_pass() -> None:
    outcome = stocked().when("A", Release(order_id=ORDER, skus=["A"]))

    assert outcome.state(reservation_key(TENANT, "A", ORDER)).reservation.state == RESERVATION_STATE_RELEASED
    late = outcome.when("A", reserve(A=1))
    assert late.messages == [StockRejected(skus=["A"])]
    assert stock(late) == (10, 10, 0, 10, 0)


def test_a_late_reservation_of_several_items_releases_what_was_open() -> None:
    outcome = stocked().when("A", reserve(A=3)).when("B", Release(order_id=ORDER, skus=["B"]))
    outcome.when("A", reserve(A=3, B=2))

    assert outcome.event_names == ["ReservationReleased", "StockReleased"]
    assert stock(outcome) == (10, 10, 0, 10, 0)


def test_a_commit_takes_the_goods_off_hand_once() -> None:
    outcome = reserved().when("A", Commit(order_id=ORDER, skus=["A", "B"]))

    assert stock(outcome) == (10, 7, 0, 7, 3)
    assert outcome.timers[0].message is None
    assert outcome.when("A", Commit(order_id=ORDER, skus=["A", "B"])).is_silent


@pytest.mark.parametrize(
    "message",
    [
        Commit(order_id="other", skus=["A"]),
        Restock(order_id=ORDER, items=[SkuQuantity(sku="A", quantity=1)]),
        Restock(order_id="other", items=[SkuQuantity(sku="A", quantity=1)]),
    ],
    ids=["commit of nothing", "restock of what is here", "restock of nothing"],
)
def test_what_was_not_reserved_or_did_not_leave_changes_nothing(message: Commit | Restock) -> None:
    refusal = reserved().when("A", message).refusal

    assert refusal is not None
    assert refusal.reason == "RESERVATION_NOT_OPEN"


def test_what_left_cannot_be_released() -> None:
    outcome = reserved().when("A", Commit(order_id=ORDER, skus=["A"])).when("A", Release(order_id=ORDER, skus=["A"]))

    assert outcome.refusal is not None
    assert stock(outcome) == (10, 7, 0, 7, 3)


def test_restocked_goods_can_be_sold_again_but_not_more_than_left() -> None:
    outcome = reserved().when("A", Commit(order_id=ORDER, skus=["A", "B"]))
    outcome.when("A", Restock(order_id=ORDER, items=[SkuQuantity(sku="A", quantity=2)]))

    assert stock(outcome) == (10, 9, 0, 9, 1)
    outcome.when("A", Restock(order_id=ORDER, items=[SkuQuantity(sku="A", quantity=2)]))
    assert outcome.refusal is not None


def test_an_old_reservation_asks_its_order_and_waits_for_the_answer() -> None:
    outcome = reserved().when("A", ReservationTimer(order_id=ORDER, skus=["A", "B"]))

    assert outcome.messages == [ReservationAged(skus=["A", "B"])]
    assert not outcome.events
    assert outcome.timers[0].due_us == outcome.now_us + 1_000


def test_a_reservation_that_stays_asks_ever_more_seldom() -> None:
    outcome, asked_us = reserved(), list[int]()
    timer = ReservationTimer(order_id=ORDER, skus=["A", "B"])
    begun_us = outcome.now_us
    while len(asked_us) < 5:
        outcome.when("A", timer)
        asked_us.append(outcome.timers[0].due_us - begun_us)
        outcome.later(outcome.timers[0].due_us - outcome.now_us)

    assert asked_us == [1_000, 2_000, 4_000, 8_000, 13_000]
    outcome.when("A", reserve(order_id="order-2", A=1), first=True).when("A", Release(order_id=ORDER, skus=["B"]))
    assert outcome.when("A", timer).timers[0].due_us == outcome.now_us + 5_000, "of A nothing changed"


def test_a_reservation_that_has_ended_asks_nothing() -> None:
    outcome = reserved().when("A", Commit(order_id=ORDER, skus=["A", "B"]))

    assert outcome.when("A", ReservationTimer(order_id=ORDER, skus=["A", "B"])).is_silent


def test_a_timer_from_before_a_repartition_looks_only_at_its_own_partition() -> None:
    slot = slots(64)
    assert slot("inventory", TENANT, "A") != slot("inventory", TENANT, "B")
    outcome = given(SERVICE, slot=slot).happened(A, events.StockReceived(sku="A", quantity=10))
    outcome.when("A", reserve(A=1), first=True).when("A", ReservationTimer(order_id=ORDER, skus=["A", "B"]))

    assert outcome.messages == [ReservationAged(skus=["A"])]


def test_a_reservation_is_found_by_its_order() -> None:
    outcome = reserved()
    key = reservation_key(TENANT, "A", ORDER)
    state = outcome.state(key)

    assert RESERVATIONS.partition == ("tenant", "sub_key")
    assert reservation_columns(key, state) == (3, "OPEN")
    assert (reservation_of(key, state).order_id, reservation_of(key, state).sku) == (ORDER, "A")
