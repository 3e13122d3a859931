"""A partition of stock begun anew after its log lost its tail: what its SKUs and their ledgers say then."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from oms.admin.v1 import admin_service_pb2
from oms.inventory.v1 import inventory_pb2
from oms.inventory.v1 import inventory_service_pb2 as inventory
from ordermesh.admin.reincarnate import Report, Salvage
from ordermesh.inventory.ledger import LOST
from ordermesh.runtime.host import all_services
from ordermesh.runtime.ports import PartitionId, Store
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.reincarnation import Reincarnation
from ordermesh.runtime.topology import Topology
from tests.e2e.api.client import Client, order_of, until
from tests.unit.edge.shop import OPTIONS, SERVICES, Shop
from tests.unit.runtime.engine import cut_tail

STOCK = PartitionId("stock", 0)


@dataclass
class Deployed:
    """What the salvage reads."""

    store: Store
    registry: Registry
    topology: Topology


async def salvage(shop: Shop, *, only_look: bool = False) -> Report:
    """As the command does it, while no owner runs."""
    topology, registry = Topology(shop.deployment), Registry(all_services(SERVICES))
    work = Reincarnation(
        STOCK, "operator", "test", shop.log, shop.store, shop.clock, registry, topology, OPTIONS,
    )  # fmt: skip
    deployed = Deployed(shop.store, registry, topology)
    return await Salvage(deployed, shop.log, shop.truth, dispatches=True).run(work, only_look=only_look)


async def movements(client: Client, sku: str = "TEA") -> list[inventory_pb2.StockMovement]:
    """The ledger of a SKU, the newest first."""
    return list((await client.stock.ListStockMovements(inventory.ListStockMovementsRequest(sku=sku))).movements)


async def receive(client: Client, quantity: int, sku: str = "TEA") -> None:
    """Goods come in, and their movement is stored."""
    await client.stock.ReceiveStock(inventory.ReceiveStockRequest(sku=sku, quantity=quantity))

    async def is_stored() -> bool:
        newest = (await movements(client, sku))[:1]
        return bool(newest) and newest[0].quantity == quantity

    await until(is_stored, f"{quantity} of {sku} are in the ledger")


def kept(shop: Shop, table: str) -> Any:
    """What the store has of a table, and the partition's checkpoint, as it is now."""
    return copy.deepcopy((shop.store.tables[table].rows, shop.store.checkpoints[STOCK]))


async def test_movements_that_were_stored_before_their_stock_count_for_nothing() -> None:
    """The power went between the two writes, and took the tail of the log."""
    shop = Shop(partitions=1)
    async with shop.open() as client:
        await receive(client, 100)
        await shop.stop_owner()
        through = shop.log.stream(STOCK).last_sequence
        before = kept(shop, "stock")
        shop.restart_owner()
        for quantity in range(1, 6):
            await receive(client, quantity)
        await shop.stop_owner()
        shop.store.tables["stock"].rows, shop.store.checkpoints[STOCK] = before
        cut_tail(shop.log.stream(STOCK), through)

        looked = await salvage(shop, only_look=True)
        assert [item.why.partition(",")[0] for item in looked.items if item.key.endswith("TEA")] == [
            "5 of its movements"
        ]
        assert (await salvage(shop)).is_done
        assert not (await salvage(shop, only_look=True)).items
        shop.restart_owner()
        findings = [one.finding async for one in client.admin.Verify(admin_service_pb2.VerifyRequest())]
        assert [list(finding.violations) for finding in findings if not finding.holds] == []
        await client.stock.SetLowStockThreshold(inventory.SetLowStockThresholdRequest(sku="TEA", threshold=3))
        await receive(client, 7)
        assert [(each.version, each.quantity, each.on_hand) for each in await movements(client)] == [
            (3, 7, 107),
            (1, 100, 100),
        ]
        rows = shop.store.tables["stock_movements"].rows.values()
        assert [row.values[5] for row in rows].count(LOST) == 4, "the third was overwritten"


async def test_what_the_log_still_has_is_not_counted_by_rows_from_before_it() -> None:
    """The stock's row is older than its reservations', and the log knows why."""
    shop = Shop(partitions=1)
    shop.provider.silent = True
    async with shop.open() as client:
        await receive(client, 100)
        await shop.stop_owner()
        before = kept(shop, "stock")
        shop.restart_owner()
        await client.create(order_of(quantity=4))

        async def is_reserved() -> bool:
            return (await movements(client))[0].reserved == 4

        await until(is_reserved, "it is reserved")
        await shop.stop_owner()
        through = shop.log.stream(STOCK).last_sequence
        shop.restart_owner()
        await receive(client, 9, "LATER")
        await shop.stop_owner()
        later = {key: row for key, row in shop.store.tables["stock"].rows.items() if "LATER" in key}
        shop.store.tables["stock"].rows, shop.store.checkpoints[STOCK] = before
        shop.store.tables["stock"].rows |= later
        cut_tail(shop.log.stream(STOCK), through)

        assert (await salvage(shop)).is_done
        shop.provider.silent = False
        shop.restart_owner()

        async def has_left() -> bool:
            return (await movements(client))[0].kind == inventory_pb2.STOCK_MOVEMENT_KIND_COMMITTED

        await until(has_left, "the order goes on")
        assert [(each.on_hand, each.reserved) for each in await movements(client)] == [(96, 0), (100, 4), (100, 0)]
