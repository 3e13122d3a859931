"""Steps about goods on hand."""

from __future__ import annotations

import uuid

from pytest_bdd import given, then, when

from oms.inventory.v1 import inventory_service_pb2
from ordermesh.runtime.topology import SEPARATE_GROUPS, Topology, new_deployment
from tests.scenarios.shop import PARTITIONS, QUORUM, Shop, until
from tests.scenarios.wording import goods_of, said

TOPOLOGY = Topology(new_deployment("scenarios", PARTITIONS, SEPARATE_GROUPS))
"""Where keys live in the scenarios' engine."""


@given(said("there are {goods}"))
def there_are(shop: Shop, goods: str) -> None:
    """Goods are on hand."""
    for sku, quantity in goods_of(goods):
        shop.client.call(shop.client.stock.ReceiveStock, receipt(shop, sku, quantity))


@given(said("{sku} and {second} are kept in different partitions"))
def kept_apart(shop: Shop, sku: str, second: str) -> None:
    """They are promised by two owners that know nothing of each other."""
    for number, name in enumerate((sku, second)):
        partition = TOPOLOGY.partitions(["inventory"])[number]
        shop.choose_sku(name, lambda text: TOPOLOGY.partition_of("inventory", "default", text) == partition)  # noqa: B023 # called at once


@when(said("{goods} come in"))
def come_in(shop: Shop, goods: str) -> None:
    """More goods."""
    for sku, quantity in goods_of(goods):
        shop.try_to(shop.client.stock.ReceiveStock, receipt(shop, sku, quantity))


@when(said("the stock of {sku} is corrected by {number}"))
def corrected(shop: Shop, sku: str, number: str) -> None:
    """Somebody counted."""
    request = inventory_service_pb2.AdjustStockRequest(
        sku=shop.sku(sku), change=int(number), reason="counted", request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.stock.AdjustStock, request)


@then(said("of {sku} {count} are on hand and {quantity} are available"))
def on_hand_and_available(shop: Shop, sku: str, count: str, quantity: str) -> None:
    """What is there, and what can be promised."""
    request = inventory_service_pb2.GetStockRequest(sku=shop.sku(sku), read_consistency=QUORUM)
    seen: dict[str, int] = {}

    def look() -> bool:
        stock = shop.client.call(shop.client.stock.GetStock, request).stock
        assert stock.available >= 0, "more was promised than there is"
        seen.update(on_hand=stock.on_hand, available=stock.available)
        return (stock.on_hand, stock.available) == (int(count), int(quantity))

    until(look, lambda: f"{count} {sku} on hand and {quantity} available; there are {seen}")


def receipt(shop: Shop, sku: str, quantity: int) -> inventory_service_pb2.ReceiveStockRequest:
    """The request that says that goods came in."""
    return inventory_service_pb2.ReceiveStockRequest(sku=shop.sku(sku), quantity=quantity, request_id=uuid.uuid4().hex)
