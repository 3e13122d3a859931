"""Less than an order wants: what is there is taken, and the rest is waited for, first come first served."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_commands_pb2 import (
    SHORTAGE_POLICY_TAKE_PART,
    SHORTAGE_POLICY_WAIT,
    AdjustStock,
    ReceiveStock,
    Release,
    ReservationTimer,
    Reserve,
    ServeBackorders,
    SetLowStockThreshold,
    ShortagePolicy,
    SkuQuantity,
)
from oms.inventory.v1.inventory_pb2 import (
    RESERVATION_STATE_OPEN,
    RESERVATION_STATE_RELEASED,
    RESERVATION_STATE_WAITING,
    RESERVATION_STATE_WITHDRAWN,
    Reservation,
)
from oms.order.v1.order_commands_pb2 import ReservationAged, StockGranted, StockRejected, StockReserved
from ordermesh.core.limits import BACKORDERS_SERVED_MAX
from ordermesh.inventory.app import make_service
from ordermesh.inventory.model import InventoryPolicy, held_by, reservation_key, stock_key
from ordermesh.testing.given import TENANT, Outcome, given

LEAD_US = 1_000_000_000
SERVICE = make_service(InventoryPolicy(reservation_age_us=1_000, backorders_per_sku_max=3, backorder_lead_us=LEAD_US))
A = stock_key(TENANT, "A")
WAIT, TAKE_PART = SHORTAGE_POLICY_WAIT, SHORTAGE_POLICY_TAKE_PART


def wants(order_id: str, shortage: ShortagePolicy = WAIT, **quantities: int) -> Reserve:
    """A reservation of so many of each SKU."""
    items = [SkuQuantity(sku=sku, quantity=each) for sku, each in quantities.items()]
    return Reserve(order_id=order_id, items=items, shortage=shortage)


def decided(outcome: Outcome, *commands: Message) -> Outcome:
    """Commands about A, and what inventory says to itself because of them."""
    for command in commands:
        outcome.when("A", command)
        while serve := outcome.sent(ServeBackorders):
            outcome.when("A", serve[0])
    return outcome


def stocked(quantity: int = 2) -> Outcome:
    """So many of A are on hand."""
    return given(SERVICE).happened(A, events.StockReceived(sku="A", quantity=quantity))


def reservation(outcome: Outcome, order_id: str, sku: str = "A") -> Reservation:
    """What an order holds."""
    found: Reservation = outcome.state(reservation_key(TENANT, sku, order_id)).reservation
    return found


def holds(outcome: Outcome, *order_ids: str) -> list[tuple[int, int]]:
    """How many pieces these orders hold and wait for, checked against the stock."""
    found = [reservation(outcome, order_id) for order_id in order_ids]
    stock = outcome.state(A)
    assert stock.stock.reserved == sum(map(held_by, found))
    assert stock.stock.backordered == sum(each.waiting for each in found)
    assert stock.stock.backordered == sum(each.quantity for each in stock.queue)
    return [(held_by(each), each.waiting) for each in found]


def test_what_is_there_is_taken_and_the_rest_is_waited_for() -> None:
    outcome = decided(stocked(2), wants("o1", A=5))

    assert holds(outcome, "o1") == [(2, 3)]
    assert reservation(outcome, "o1").state == RESERVATION_STATE_WAITING
    (answer,) = outcome.sent(StockReserved)
    (grant,) = answer.grants
    assert (list(answer.skus), grant.sku, grant.quantity) == (["A"], "A", 2)
    assert grant.promised_by_us == outcome.now_us - len(outcome.events) + LEAD_US


def test_an_order_that_gets_all_is_answered_as_any_other() -> None:
    outcome = decided(stocked(5), wants("o1", A=5))

    assert outcome.event_names == ["StockReserved", "ReservationOpened"]
    assert outcome.sent(StockReserved) == [StockReserved(skus=["A"])]


def test_a_later_smaller_order_does_not_overtake() -> None:
    outcome = decided(stocked(0), wants("first", A=5), wants("second", A=1), ReceiveStock(quantity=4))
    assert holds(outcome, "first", "second") == [(4, 1), (0, 1)]

    outcome = decided(outcome, ReceiveStock(quantity=2))
    assert holds(outcome, "first", "second") == [(5, 0), (1, 0)]
    assert not outcome.state(A).queue


@pytest.mark.parametrize("shortage", [ShortagePolicy.Value("SHORTAGE_POLICY_UNSPECIFIED"), TAKE_PART])
def test_nothing_is_free_for_others_while_an_order_waits(shortage: ShortagePolicy) -> None:
    outcome = decided(stocked(0), wants("first", A=5))
    outcome.when("A", ReceiveStock(quantity=3))
    outcome.when("A", wants("other", shortage, A=1))

    if shortage == TAKE_PART:
        assert reservation(outcome, "other").state == RESERVATION_STATE_WITHDRAWN
    else:
        assert outcome.sent(StockRejected)[0].shortages[0].available == 0


def test_each_who_is_served_is_told_how_many_are_promised_in_all() -> None:
    outcome = decided(stocked(1), wants("o1", A=2), wants("o2", A=3)).when("A", ReceiveStock(quantity=2))
    (serve,) = outcome.sent(ServeBackorders)
    outcome.when("A", serve)

    assert outcome.sent(StockGranted) == [StockGranted(sku="A", quantity=2), StockGranted(sku="A", quantity=1)]
    assert [message.key for message in outcome.decision.messages] == ["o1", "o2"]
    assert outcome.when("A", serve).is_silent, "serving again gives nothing twice"


def test_what_is_given_back_or_counted_anew_serves_the_queue() -> None:
    outcome = decided(stocked(3), wants("holder", A=3), wants("o1", A=2), wants("o2", A=2))

    decided(outcome, Release(order_id="holder", skus=["A"]))
    assert holds(outcome, "holder", "o1", "o2") == [(0, 0), (2, 0), (1, 1)]
    decided(outcome, AdjustStock(change=1, request_id="found one"))
    assert holds(outcome, "holder", "o1", "o2") == [(0, 0), (2, 0), (2, 0)]


def test_who_gives_up_waiting_leaves_the_queue_and_what_it_held_serves_the_next() -> None:
    outcome = decided(stocked(2), wants("o1", A=5), wants("o2", A=1), Release(order_id="o1", skus=["A"]))

    assert holds(outcome, "o1", "o2") == [(0, 0), (1, 0)]
    assert reservation(outcome, "o1").state == RESERVATION_STATE_RELEASED
    assert decided(outcome, wants("o1", A=5)).sent(StockRejected), "nothing late revives it"


def test_a_full_queue_rejects_and_says_which_it_is() -> None:
    outcome = decided(stocked(0), wants("o1", A=1), wants("o2", A=1), wants("o3", A=1), wants("o4", A=1))

    (answer,) = outcome.sent(StockRejected)
    assert answer.full_queue == "A"
    assert len(outcome.state(A).queue) == 3
    assert holds(outcome, "o1", "o2", "o3", "o4") == [(0, 1), (0, 1), (0, 1), (0, 0)]


def test_nobody_waits_for_a_sku_that_nothing_is_known_of() -> None:
    outcome = given(SERVICE).when("A", wants("o1", A=1))

    assert outcome.sent(StockRejected)[0].shortages[0].sku == "A"


def test_several_skus_are_promised_each_by_itself() -> None:
    outcome = stocked(1).happened(stock_key(TENANT, "B"), events.StockReceived(sku="B", quantity=9))
    outcome.when("A", wants("o1", A=4, B=4))

    assert [(each.sku, each.quantity) for each in outcome.sent(StockReserved)[0].grants] == [("A", 1)]
    assert reservation(outcome, "o1", "B").state == RESERVATION_STATE_OPEN


def test_a_part_that_is_taken_leaves_nobody_waiting() -> None:
    outcome = decided(stocked(2), wants("o1", TAKE_PART, A=5))

    assert holds(outcome, "o1") == [(2, 0)]
    assert outcome.sent(StockReserved)[0].grants[0].promised_by_us == 0


def test_asked_again_the_same_is_said_and_nothing_happens() -> None:
    outcome = decided(stocked(2), wants("o1", A=5))
    answer = outcome.sent(StockReserved)[0]
    outcome.when("A", wants("o1", A=5))

    assert not outcome.events
    (again,) = outcome.sent(StockReserved)
    assert (again.grants[0].sku, again.grants[0].quantity) == ("A", answer.grants[0].quantity)


def test_a_long_queue_is_served_in_slices_and_in_order() -> None:
    count = BACKORDERS_SERVED_MAX + 5
    outcome = given(make_service(InventoryPolicy())).happened(A, events.StockReceived(sku="A", quantity=1))
    decided(outcome, Reserve(order_id="x", items=[SkuQuantity(sku="A", quantity=1)]))
    names = [f"o{number}" for number in range(count)]
    decided(outcome, *(wants(name, A=1) for name in names))

    outcome.when("A", ReceiveStock(quantity=count - 1))
    outcome.when("A", outcome.sent(ServeBackorders)[0])
    assert len(outcome.sent(StockGranted)) == BACKORDERS_SERVED_MAX
    (more,) = [message for message in outcome.decision.messages if isinstance(message.message, ServeBackorders)]
    assert more.by_log, "the next slice is a command of its own"
    decided(outcome, more.message)
    assert [held_by(reservation(outcome, name)) for name in names] == [1] * (count - 1) + [0]


def test_a_queue_that_lost_its_entry_is_mended_when_the_order_asks_again() -> None:
    """After a log lost its tail, a reservation may wait and its SKU not know of it."""
    outcome = stocked(0)
    key = reservation_key(TENANT, "A", "o1")
    outcome.happened(key, events.ReservationRevised(quantity=0, waiting=3))

    decided(outcome, wants("o1", A=3), ReceiveStock(quantity=1))
    assert holds(outcome, "o1") == [(1, 2)]


def test_a_queue_that_waits_for_nobody_is_mended_when_it_is_served() -> None:
    """After a log lost its tail, a SKU may be waited for by an order that knows nothing of it."""
    outcome = stocked(0).happened(A, events.BackorderQueued(order_id="lost", quantity=3))

    decided(outcome, wants("o1", A=1), ReceiveStock(quantity=1))
    assert holds(outcome, "o1") == [(1, 0)]


def test_a_reservation_that_waits_asks_its_order_too() -> None:
    outcome = decided(stocked(0), wants("o1", A=2))

    outcome.when("A", ReservationTimer(order_id="o1", skus=["A"]))
    assert outcome.sent(ReservationAged) == [ReservationAged(skus=["A"])]


def test_an_order_of_many_skus_that_gives_back_serves_their_queues_within_the_length_of_a_chain() -> None:
    """A chain of more than 64 messages would be a dead letter; what is beyond comes as commands of their own."""
    skus = [f"s{number:03}" for number in range(200)]
    outcome = given(make_service(InventoryPolicy()))
    for sku in skus:
        outcome.happened(stock_key(TENANT, sku), events.StockReceived(sku=sku, quantity=1))
    items = [SkuQuantity(sku=sku, quantity=1) for sku in skus]
    for order_id in ("holder", "next"):
        outcome.when("s000", Reserve(order_id=order_id, items=items, shortage=WAIT))

    outcome.when("s000", Release(order_id="holder", skus=skus))
    served = [message for message in outcome.decision.messages if isinstance(message.message, ServeBackorders)]
    assert [message.key for message in served] == skus
    assert sum(not message.by_log for message in served) < 64


def test_what_comes_in_for_those_who_wait_does_not_end_that_stock_is_low() -> None:
    outcome = decided(stocked(), SetLowStockThreshold(threshold=2, request_id="t"), wants("1", A=50))
    for _ in range(2):
        assert outcome.when("A", ReceiveStock(quantity=24)).event_names == ["StockReceived"]
        assert "StockLow" not in outcome.when("A", *outcome.sent(ServeBackorders)).event_names
    assert outcome.state(A).stock.is_low
    assert outcome.when("A", ReceiveStock(quantity=3)).event_names == ["StockReceived", "StockReplenished"]
