"""Steps about counts of stock, and its movements."""

from __future__ import annotations

import uuid

from pytest_bdd import then, when

from oms.inventory.v1 import inventory_pb2, inventory_service_pb2
from tests.scenarios.shop import Shop, until
from tests.scenarios.wording import goods_of, said

KIND = "STOCK_MOVEMENT_KIND_"


@when(said("{goods} are counted[ and {shortage} is allowed]"))
def counted(shop: Shop, goods: str, shortage: str | None) -> None:
    """Somebody counted all pieces of a SKU; with a shortage allowed, also fewer than are promised."""
    ((sku, quantity),) = goods_of(goods)
    request = inventory_service_pb2.CountStockRequest(
        sku=shop.sku(sku),
        counted=quantity,
        reason="cycle count",
        allow_shortage=shortage is not None,
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.stock.CountStock, request)


@then(said("of {sku} {count} are on hand, {quantity} are available and {number} are short"))
def short(shop: Shop, sku: str, count: str, quantity: str, number: str) -> None:
    """What the books have, what may be promised, and what was not found of what is promised; waits for it."""
    shop.expect_no_failure()
    request = inventory_service_pb2.GetStockRequest(sku=shop.sku(sku))
    wanted = (int(count), int(quantity), int(number))

    def look() -> tuple[int, int, int]:
        stock = shop.client.call(shop.client.stock.GetStock, request).stock
        return stock.on_hand, stock.available, stock.shortage

    until(lambda: look() == wanted, lambda: f"on hand, available and short are {wanted}; they are {look()}")


@when(said("{sku} is said to be low from {number} on"))
def low_from(shop: Shop, sku: str, number: str) -> None:
    """A threshold."""
    request = inventory_service_pb2.SetLowStockThresholdRequest(
        sku=shop.sku(sku), threshold=int(number), request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.stock.SetLowStockThreshold, request)


@then(said("{sku} is low"))
def is_low(shop: Shop, sku: str) -> None:
    """Waits for it."""
    wait_for_low(shop, sku, is_low=True)


@then(said("{sku} is not low"))
def is_not_low(shop: Shop, sku: str) -> None:
    """Waits for it."""
    wait_for_low(shop, sku, is_low=False)


def wait_for_low(shop: Shop, sku: str, *, is_low: bool) -> None:
    """Until its stock is low, or is not."""
    shop.expect_no_failure()
    request = inventory_service_pb2.GetStockRequest(sku=shop.sku(sku))
    until(
        lambda: shop.client.call(shop.client.stock.GetStock, request).stock.is_low == is_low,
        f"{sku} is {'' if is_low else 'not '}low",
    )


@then(said("the reservations of {sku}[ that are older than {count} s] are:"))
def reservations_are(shop: Shop, sku: str, count: str | None, datatable: list[list[str]]) -> None:
    """Of orders that hold some of it, the newest first; waits for it."""
    wanted = [(shop.order_id(row[0]), int(row[1]), row[2]) for row in datatable[1:]]
    request = inventory_service_pb2.ListStockReservationsRequest(sku=shop.sku(sku), page_size=100)
    if count is not None:
        request.min_age.FromSeconds(int(count))

    def look() -> list[tuple[str, int, str]]:
        found = shop.client.call(shop.client.stock.ListStockReservations, request).reservations
        states = [inventory_pb2.ReservationState.Name(each.state).removeprefix("RESERVATION_STATE_") for each in found]
        return [(each.order_id, each.quantity, state) for each, state in zip(found, states, strict=True)]

    until(lambda: look() == wanted, lambda: f"the reservations are {wanted}; they are {look()}")


@then(said("the movements of {sku} are:"))
def movements_are(shop: Shop, sku: str, datatable: list[list[str]]) -> None:
    """Every movement, the oldest first, each with the balance that it left; waits for them, and then no more come."""
    wanted = [(row[0], *map(int, row[1:])) for row in datatable[1:]]
    request = inventory_service_pb2.ListStockMovementsRequest(sku=shop.sku(sku), page_size=100)

    def look() -> list[tuple[str, int, int, int]]:
        found = list(reversed(shop.client.call(shop.client.stock.ListStockMovements, request).movements))
        versions = [each.version for each in found]
        assert versions == sorted(set(versions)), "each is there once, the newest first"
        kinds = [inventory_pb2.StockMovementKind.Name(each.kind).removeprefix(KIND) for each in found]
        return [(kind, each.quantity, each.on_hand, each.reserved) for kind, each in zip(kinds, found, strict=True)]

    until(lambda: len(look()) >= len(wanted), lambda: f"the movements are {wanted}; they are {look()}")
    assert look() == wanted, look()
