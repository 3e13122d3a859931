"""What has to be as before after hostile calls: nothing stopped, no dead letter, every invariant, the canaries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import grpc
from google.type.money_pb2 import Money

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.core.ids import order_id_of
from ordermesh.testing.fuzz.values import TIME_MS_FIRST

CANARY = "CANARY"
CANARY_STOCK = 1_000
CANARIES = 5
CALL_S = 60.0
ENDED_S = 60.0
VERIFY_S = 600.0

_LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE


class Canaries:
    """Orders and a SKU that no hostile call names: at the end they are what they were."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._orders: Any = order_service_pb2_grpc.OrderServiceStub(channel)
        self._stock: Any = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        self._known: dict[str, bytes] = {}

    async def release(self, seed: int) -> None:
        """Makes them and waits until their orders have ended."""
        receipt = inventory_service_pb2.ReceiveStockRequest(
            sku=CANARY, quantity=CANARY_STOCK, request_id=f"seed {seed}"
        )
        await self._stock.ReceiveStock(receipt, timeout=CALL_S)
        for number in range(CANARIES):
            order = order_pb2.Order(
                order_id=order_id_of(TIME_MS_FIRST - 1 - number, f"canary{seed % 10_000:04}".encode()),
                customer_id=CANARY,
                payment_token="tok_ok",
                lines=[
                    order_pb2.OrderLine(sku=CANARY, quantity=1, unit_price=Money(currency_code="GBP", units=number + 1))
                ],
            )
            await self._orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order), timeout=CALL_S)
            self._known[order.order_id] = b""
        await self._wait_for_ends()
        self._known = await self._look()

    async def changed(self) -> list[str]:
        """The names of those that are no more what they were."""
        now = await self._look()
        return [f"{name} is not what it was" for name, data in self._known.items() if now[name] != data]

    async def _order(self, order_id: str) -> order_pb2.Order:
        request = order_service_pb2.GetOrderRequest(order_id=order_id, read_consistency=_LINEARIZABLE)
        order: order_pb2.Order = (await self._orders.GetOrder(request, timeout=CALL_S)).order
        return order

    async def _wait_for_ends(self) -> None:
        deadline = time.monotonic() + ENDED_S
        for order_id in self._known:
            while (await self._order(order_id)).order_state != order_pb2.ORDER_STATE_COMPLETED:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"canary {order_id} has not ended")
                await asyncio.sleep(0.05)

    async def _look(self) -> dict[str, bytes]:
        found = {}
        for order_id in [name for name in self._known if name != CANARY]:
            found[order_id] = (await self._order(order_id)).SerializeToString(deterministic=True)
        request = inventory_service_pb2.GetStockRequest(sku=CANARY, read_consistency=_LINEARIZABLE)
        stock = (await self._stock.GetStock(request, timeout=CALL_S)).stock
        found[CANARY] = stock.SerializeToString(deterministic=True)
        return found


async def troubles(channel: grpc.aio.Channel) -> list[str]:
    """What the engine itself says is wrong: stopped partitions, dead letters, violated invariants."""
    admin: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
    found = list(_stopped(await admin.ListPartitions(admin_service_pb2.ListPartitionsRequest(), timeout=CALL_S)))
    request = admin_service_pb2.ListDeadLettersRequest(include_resolved=True)
    letters = (await admin.ListDeadLetters(request, timeout=CALL_S)).dead_letters
    found += [f"dead letter of {letter.type}: {letter.error[:500]}" for letter in letters]
    async for response in admin.Verify(admin_service_pb2.VerifyRequest(), timeout=VERIFY_S):
        finding = response.finding
        if not finding.holds:
            found.append(f"{finding.invariant_id} is violated: {list(finding.violations)[:5]}")
    return found


def _stopped(response: admin_service_pb2.ListPartitionsResponse) -> Iterable[str]:
    for partition in response.partitions:
        if partition.stopped_reason:
            yield f"partition {partition.group}/{partition.partition} stopped: {partition.stopped_reason[:500]}"
