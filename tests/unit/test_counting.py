"""Counting stock, shortages, thresholds, and the ledger that every change leaves a line in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_commands_pb2 import (
    AdjustStock,
    Commit,
    CountStock,
    ReceiveStock,
    Recount,
    Release,
    Reserve,
    Restock,
    SetLowStockThreshold,
    SkuQuantity,
)
from oms.inventory.v1.inventory_pb2 import (
    STOCK_REASON_CYCLE_COUNT,
    STOCK_REASON_DAMAGED,
    Stock,
    StockMovement,
    StockMovementKind,
)
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from ordermesh.admin.redo import stock_problem
from ordermesh.core.decider import Key, Row, Stamp
from ordermesh.core.ids import order_id_bytes, order_id_from
from ordermesh.inventory.app import SERVICE, make_service
from ordermesh.inventory.ledger import BLOCK_VERSIONS, STOCK_MOVEMENTS, movement_of_row, movement_rows
from ordermesh.inventory.model import STOCK, InventoryPolicy, stock_key
from ordermesh.testing.given import START_US, TENANT, Outcome, given

A = stock_key(TENANT, "A")
ORDER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
OTHER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e78"


def reserve(quantity: int, order_id: str = ORDER) -> Reserve:
    """So many of A for an order."""
    return Reserve(order_id=order_id, items=[SkuQuantity(sku="A", quantity=quantity)])


def stocked(quantity: int = 10) -> Outcome:
    """So many of A are on hand."""
    return given(SERVICE).when("A", ReceiveStock(quantity=quantity, request_id="r"))


def stock(outcome: Outcome) -> tuple[int, int, int, int]:
    """On hand, reserved, available, short; and the books are right."""
    found: Stock = outcome.state(A).stock
    assert stock_problem(outcome.state(A)) == ""
    return found.on_hand, found.reserved, found.available, found.shortage


def test_a_count_sets_what_is_on_hand() -> None:
    outcome = stocked().when("A", reserve(3)).when("A", CountStock(counted=7, reason_code=STOCK_REASON_CYCLE_COUNT))

    assert stock(outcome) == (7, 3, 4, 0)
    assert outcome.state(A).stock.received == 7
    assert stock(outcome.when("A", CountStock(counted=12))) == (12, 3, 9, 0)


def test_a_count_makes_a_sku_known_and_may_find_none() -> None:
    assert stock(given(SERVICE).when("A", CountStock(counted=4))) == (4, 0, 4, 0)
    assert stock(given(SERVICE).when("A", CountStock(counted=0))) == (0, 0, 0, 0)


def test_a_count_said_twice_counts_once_and_one_of_another_version_is_refused() -> None:
    outcome = stocked().when("A", CountStock(counted=7, request_id="c"))

    assert outcome.when("A", CountStock(counted=7, request_id="c")).is_silent
    refusal = outcome.when("A", CountStock(counted=8, request_id="c")).refusal
    assert refusal is not None
    assert refusal.reason == "REQUEST_ID_REUSED"
    refusal = outcome.when("A", CountStock(counted=8, etag="1")).refusal
    assert refusal is not None
    assert refusal.reason == "ETAG_MISMATCH"


def test_fewer_than_are_promised_are_refused_unless_a_shortage_is_allowed() -> None:
    outcome = stocked().when("A", reserve(6))

    refusal = outcome.when("A", CountStock(counted=4)).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.metadata["reserved"]) == ("STOCK_BELOW_RESERVED", "6")

    assert stock(outcome.when("A", CountStock(counted=4, allow_shortage=True))) == (6, 6, 0, 2)


def test_what_comes_in_fills_a_shortage_before_it_is_available() -> None:
    outcome = stocked().when("A", reserve(6)).when("A", CountStock(counted=4, allow_shortage=True))

    assert stock(outcome.when("A", ReceiveStock(quantity=1))) == (6, 6, 0, 1)
    assert outcome.when("A", reserve(1, OTHER)).event_names == ["ReservationRefused"]
    assert stock(outcome.when("A", AdjustStock(change=3))) == (8, 6, 2, 0)


def test_what_an_order_gives_back_fills_a_shortage_too() -> None:
    outcome = stocked().when("A", reserve(4)).when("A", reserve(2, OTHER))
    outcome.when("A", CountStock(counted=4, allow_shortage=True))

    assert stock(outcome.when("A", Release(order_id=ORDER, skus=["A"]))) == (4, 2, 2, 0)


def test_promised_pieces_that_leave_after_all_were_there() -> None:
    outcome = stocked().when("A", reserve(4)).when("A", reserve(2, OTHER))
    outcome.when("A", CountStock(counted=1, allow_shortage=True))

    assert stock(outcome.when("A", Commit(order_id=ORDER, skus=["A"]))) == (2, 2, 0, 2)
    assert stock(outcome.when("A", Commit(order_id=OTHER, skus=["A"]))) == (0, 0, 0, 0)
    assert stock(outcome.when("A", Restock(order_id=ORDER, items=[SkuQuantity(sku="A", quantity=1)]))) == (1, 0, 1, 0)


def test_a_new_count_ends_a_shortage() -> None:
    outcome = stocked().when("A", reserve(6)).when("A", CountStock(counted=4, allow_shortage=True))

    assert stock(outcome.when("A", CountStock(counted=9))) == (9, 6, 3, 0)


STEPS = st.lists(
    st.one_of(
        st.builds(ReceiveStock, quantity=st.integers(1, 5)),
        st.builds(CountStock, counted=st.integers(0, 12), allow_shortage=st.booleans()),
        st.builds(AdjustStock, change=st.integers(-4, 4).filter(bool)),
        st.builds(SetLowStockThreshold, threshold=st.one_of(st.none(), st.integers(0, 6))),
        st.builds(reserve, st.integers(1, 5), st.sampled_from([ORDER, OTHER, "third"])),
        st.builds(lambda order: Release(order_id=order, skus=["A"]), st.sampled_from([ORDER, OTHER, "third"])),
        st.builds(lambda order: Commit(order_id=order, skus=["A"]), st.sampled_from([ORDER, OTHER, "third"])),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@drawn(STEPS)
def test_whatever_happens_nothing_missing_is_promised_and_the_world_is_told_each_change_once(steps: list[Any]) -> None:
    outcome = given(SERVICE)
    was_low = False
    for step in steps:
        outcome.when("A", step)
        told = [type(event) for event in outcome.events if isinstance(event, events.StockLow | events.StockReplenished)]
        if not outcome.exists(A):
            assert not told
            continue
        on_hand, reserved, available, shortage = stock(outcome)
        assert available == on_hand - reserved >= 0
        assert 0 <= shortage <= reserved
        assert not (shortage and available), "what is available is there"
        found = outcome.state(A).stock
        is_low = found.HasField("low_stock_threshold") and available <= found.low_stock_threshold
        assert found.is_low == is_low
        if is_low != was_low and found.HasField("low_stock_threshold"):
            assert told == [events.StockLow if is_low else events.StockReplenished]
        else:
            assert not told
        was_low = is_low


def test_stock_becomes_low_once_and_is_replenished_once() -> None:
    outcome = stocked().when("A", SetLowStockThreshold(threshold=3, request_id="t"))
    assert outcome.event_names == ["LowStockThresholdSet"]

    assert "StockLow" not in outcome.when("A", reserve(6)).event_names
    outcome.when("A", reserve(1, OTHER))
    assert outcome.events[-1] == events.StockLow(available=3, threshold=3)
    assert "StockLow" not in outcome.when("A", AdjustStock(change=-1)).event_names
    assert "StockReplenished" not in outcome.when("A", ReceiveStock(quantity=1)).event_names
    outcome.when("A", ReceiveStock(quantity=1))
    assert outcome.events[-1] == events.StockReplenished(available=4, threshold=3)


def test_a_threshold_above_what_there_is_is_told_at_once_and_one_that_is_taken_away_tells_nothing() -> None:
    outcome = stocked(2).when("A", SetLowStockThreshold(threshold=5))
    assert outcome.event_names == ["LowStockThresholdSet", "StockLow"]

    outcome.when("A", SetLowStockThreshold())
    assert outcome.event_names == ["LowStockThresholdSet"]
    assert not outcome.state(A).stock.is_low
    refusal = given(SERVICE).when("A", SetLowStockThreshold(threshold=5)).refusal
    assert refusal is not None
    assert refusal.reason == "STOCK_NOT_FOUND"


@pytest.mark.parametrize("order_id", [ORDER, "order-1", "", "ünïcödé"])
def test_an_order_s_id_is_kept_in_few_bytes_and_comes_back(order_id: str) -> None:
    assert order_id_from(order_id_bytes(order_id)) == order_id
    assert len(order_id_bytes(ORDER)) == 16


class Ledger:
    """Every movement of A, as the kernel would have it written."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.version = 0
        self.state = StoredStock()

    def take(self, outcome: Outcome) -> Ledger:
        """Takes in what was decided."""
        for key, event in outcome.decision.events:
            if key.kind == STOCK:
                self.version += 1
                stamp = Stamp(self.version, START_US + self.version)
                SERVICE.aggregates[0].evolve(self.state, event, stamp)
                self.rows += movement_rows(key, event, self.state, stamp, stamp.time_us)
        return self

    @property
    def movements(self) -> list[StockMovement]:
        """As they are told."""
        names = [name for name, _ in STOCK_MOVEMENTS.columns]
        return [movement_of_row(dict(zip(names, row.values, strict=True))) for row in self.rows]


def test_every_change_leaves_a_line_with_its_order_its_reason_and_the_balance_after_it() -> None:
    ledger, outcome = Ledger(), given(SERVICE)
    for command in (
        ReceiveStock(quantity=10),
        AdjustStock(change=-2, reason_code=STOCK_REASON_DAMAGED, reason="dropped"),
        reserve(3),
        reserve(2, OTHER),
        Release(order_id=OTHER, skus=["A"]),
        SetLowStockThreshold(threshold=6),
        Commit(order_id=ORDER, skus=["A"]),
        Restock(order_id=ORDER, items=[SkuQuantity(sku="A", quantity=1)]),
        CountStock(counted=5, reason_code=STOCK_REASON_CYCLE_COUNT),
        Recount(reserved=0, committed=1),
    ):
        ledger.take(outcome.when("A", command))

    told = [
        (
            StockMovementKind.Name(each.kind).removeprefix("STOCK_MOVEMENT_KIND_"),
            each.quantity,
            each.on_hand,
            each.reserved,
            each.order_id,
        )
        for each in ledger.movements
    ]
    assert told == [
        ("RECEIVED", 10, 10, 0, ""),
        ("ADJUSTED", -2, 8, 0, ""),
        ("RESERVED", 3, 8, 3, ORDER),
        ("RESERVED", 2, 8, 5, OTHER),
        ("RELEASED", 2, 8, 3, OTHER),
        ("COMMITTED", 3, 5, 0, ORDER),
        ("RESTOCKED", 1, 6, 0, ORDER),
        ("COUNTED", 5, 5, 0, ""),
        ("RECOUNTED", 0, 6, 0, ""),
    ]
    assert (ledger.movements[1].reason_code, ledger.movements[1].reason) == (STOCK_REASON_DAMAGED, "dropped")
    versions = [each.version for each in ledger.movements]
    assert versions == sorted(set(versions))


def test_a_block_of_the_ledger_ends() -> None:
    state = StoredStock()
    blocks = {
        movement_rows(Key(STOCK, TENANT, "A"), events.StockReceived(), state, Stamp(version, 1), 1)[0].values[2]
        for version in (1, BLOCK_VERSIONS - 1, BLOCK_VERSIONS, 3 * BLOCK_VERSIONS)
    }

    assert blocks == {0, 1, 3}


def test_what_an_older_build_logged_has_no_order_and_is_told_without() -> None:
    ledger = Ledger()
    ledger.state.stock.on_hand = ledger.state.stock.received = 10
    rows = movement_rows(A, events.StockReserved(quantity=3), ledger.state, Stamp(2, 5), 5)

    assert [row.values[9] for row in rows] == [""]


def test_without_a_ledger_nothing_is_left_and_all_else_is_the_same() -> None:
    (kind,) = [each for each in make_service(InventoryPolicy(keeps_ledger=False)).aggregates if each.kind == STOCK]

    assert kind.event_rows is None
    assert kind.event_tables == (STOCK_MOVEMENTS,), "it may be switched on again"


def test_what_is_recounted_after_a_lost_tail_fills_no_shortage_with_pieces_that_never_came() -> None:
    outcome = stocked().when("A", reserve(10)).when("A", CountStock(counted=7, allow_shortage=True))
    outcome.when("A", Recount(reserved=8, committed=4))

    assert outcome.state(A).stock.received == 10
    assert outcome.state(A).stock.shortage == 3
