"""The ledger of a SKU as it is read: whole and in order, whoever dies meanwhile; and whom it is reserved for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2
from oms.inventory.v1 import inventory_service_pb2 as inventory
from oms.order.v1 import order_pb2
from ordermesh.inventory import ledger, listing
from tests.e2e.api.client import Client, failure_of, order_of, until
from tests.unit.edge.shop import Shop

RESERVED = inventory_pb2.STOCK_MOVEMENT_KIND_RESERVED


async def movements(client: Client, size: int = 1000, **more: Any) -> list[inventory_pb2.StockMovement]:
    """All movements of TEA, page by page."""
    found: list[inventory_pb2.StockMovement] = []
    token = ""
    while True:
        request = inventory.ListStockMovementsRequest(sku="TEA", page_size=size, page_token=token, **more)
        answer = await client.stock.ListStockMovements(request)
        assert len(answer.movements) <= size
        found += answer.movements
        token = answer.next_page_token
        if not token:
            return found


async def settled(client: Client, count: int) -> list[inventory_pb2.StockMovement]:
    """The movements, once so many are stored."""

    async def enough() -> Any:
        found = await movements(client)
        return found if len(found) >= count else None

    found: list[inventory_pb2.StockMovement] = await until(enough, f"{count} movements are stored")
    return found


async def test_the_ledger_tells_the_life_of_a_sku_the_newest_first(client: Client) -> None:
    order = await client.completed(quantity=4)

    found = await settled(client, 3)

    kinds = [inventory_pb2.StockMovementKind.Name(each.kind).rpartition("_")[2] for each in found]
    assert kinds == ["COMMITTED", "RESERVED", "RECEIVED"]
    assert [(each.on_hand, each.reserved) for each in found] == [(996, 0), (1000, 4), (1000, 0)]
    assert [each.order_id for each in found] == [order.order_id, order.order_id, ""]
    stock = (await client.stock.GetStock(inventory.GetStockRequest(sku="TEA"))).stock
    assert found[0].version == stock.version
    assert found[0].time.ToMicroseconds() >= found[1].time.ToMicroseconds()


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_pages_of_any_size_give_each_movement_once_over_all_blocks(
    client: Client, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(ledger, "BLOCK_VERSIONS", 4)
    monkeypatch.setattr(listing, "ROWS_PER_READ", 2)
    for number in range(14):
        await client.stock.ReceiveStock(inventory.ReceiveStockRequest(sku="TEA", quantity=number + 1))
    await settled(client, 14)

    found = await movements(client, size)

    assert [each.quantity for each in found] == list(range(14, 0, -1))
    assert [each.version for each in found] == list(range(14, 0, -1))


async def test_a_page_ends_also_where_nothing_fits(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BLOCK_VERSIONS", 2)
    monkeypatch.setattr(listing, "BLOCKS_PER_PAGE_MAX", 2)
    for _ in range(9):
        await client.stock.ReceiveStock(inventory.ReceiveStockRequest(sku="TEA", quantity=1))
    await settled(client, 9)

    first = await client.stock.ListStockMovements(inventory.ListStockMovementsRequest(sku="TEA", kind=RESERVED))

    assert not first.movements
    assert first.next_page_token
    assert await movements(client, kind=RESERVED) == []
    assert len(await movements(client, kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVED)) == 9


async def test_an_owner_that_dies_leaves_no_hole_in_the_ledger(shop: Shop, client: Client) -> None:
    for round_number in range(4):
        for _ in range(5):
            await client.stock.ReceiveStock(inventory.ReceiveStockRequest(sku="TEA", quantity=1), timeout=5)
        assert shop._owning is not None
        shop._owning.cancel()
        await asyncio.wait([shop._owning])
        shop.restart_owner()
        found = await settled(client, 5 * (round_number + 1))
        assert [each.version for each in found] == list(range(5 * (round_number + 1), 0, -1))


async def test_reservations_of_a_sku_are_listed_with_their_age(shop: Shop, client: Client) -> None:
    await client.receive("TEA")
    shop.provider.silent = True
    waiting = [(await client.create(order_of(quantity=number))).order.order_id for number in (1, 2, 3)]
    await settled(client, 4)

    answer = await client.stock.ListStockReservations(inventory.ListStockReservationsRequest(sku="TEA"))

    assert [(each.order_id, each.quantity) for each in answer.reservations] == list(
        zip(reversed(waiting), (3, 2, 1), strict=True)
    )
    assert all(each.state == inventory_pb2.RESERVATION_STATE_OPEN for each in answer.reservations)
    ages = [each.age.ToMicroseconds() for each in answer.reservations]
    assert ages == sorted(ages)
    assert all(age < 60_000_000 for age in ages)
    old = inventory.ListStockReservationsRequest(sku="TEA", min_age={"seconds": 3600})
    assert not (await client.stock.ListStockReservations(old)).reservations

    shop.provider.silent = False
    for order_id in waiting:
        assert (await client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED

    async def all_left() -> bool:
        found = await client.stock.ListStockReservations(inventory.ListStockReservationsRequest(sku="TEA"))
        return not found.reservations

    await until(all_left, "none is open any more")
    every = inventory.ListStockReservationsRequest(sku="TEA", include_closed=True, page_size=2)
    first = await client.stock.ListStockReservations(every)
    every.page_token = first.next_page_token
    second = await client.stock.ListStockReservations(every)
    assert [each.order_id for each in (*first.reservations, *second.reservations)] == list(reversed(waiting))


async def test_counting_and_thresholds_by_the_api(client: Client) -> None:
    await client.receive("TEA", 10)
    low = inventory.SetLowStockThresholdRequest(sku="TEA", threshold=8)
    assert not (await client.stock.SetLowStockThreshold(low)).stock.is_low

    count = inventory.CountStockRequest(sku="TEA", counted=7, reason="shelf 3", request_id="c1")
    first = await client.stock.CountStock(count)
    again = await client.stock.CountStock(count)

    assert (first.stock.on_hand, first.stock.available, first.stock.is_low) == (7, 7, True)
    assert again.stock == first.stock
    assert [each.reason for each in await settled(client, 2)][:1] == ["shelf 3"]


@pytest.mark.parametrize(
    ("method", "request_", "reason", "field"),
    [
        ("CountStock", inventory.CountStockRequest(sku="TEA", counted=-1), "INVALID_REQUEST", "counted"),
        ("CountStock", inventory.CountStockRequest(sku="TEA", reason_code=99), "INVALID_REQUEST", "reason_code"),  # type: ignore[arg-type] # none
        ("CountStock", inventory.CountStockRequest(sku="TEA", etag="7"), "ETAG_MISMATCH", ""),
        ("SetLowStockThreshold", inventory.SetLowStockThresholdRequest(sku="NONE"), "STOCK_NOT_FOUND", ""),
        ("ListStockMovements", inventory.ListStockMovementsRequest(sku="NONE"), "STOCK_NOT_FOUND", ""),
        ("ListStockMovements", inventory.ListStockMovementsRequest(sku="TEA", kind=77), "INVALID_REQUEST", "kind"),  # type: ignore[arg-type] # none
        (
            "ListStockMovements",
            inventory.ListStockMovementsRequest(sku="TEA", page_token="made up"),
            "INVALID_PAGE_TOKEN",
            "",
        ),
        (
            "ListStockReservations",
            inventory.ListStockReservationsRequest(sku="TEA", min_age={"seconds": -5}),
            "INVALID_REQUEST",
            "min_age",
        ),
    ],
    ids=["below none", "no reason", "another version", "a threshold of nothing", "the ledger of nothing", "no kind",
         "no token", "an age below none"],
)  # fmt: skip
async def test_what_cannot_be_is_refused(client: Client, method: str, request_: Any, reason: str, field: str) -> None:
    await client.receive("TEA")

    failure = await failure_of(getattr(client.stock, method)(request_))

    assert failure.reason == reason
    assert not field or field in failure.fields
