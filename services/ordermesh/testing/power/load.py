"""Customers who order, cancel and receive stock, and write down on another disk what they were told."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.type.money_pb2 import Money

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.client import CONNECT_OPTIONS
from ordermesh.core.ids import RANDOM_BYTES, order_id_of

CALL_S = 5.0
SKUS = [f"POWER-{number}" for number in range(12)]
SCARCE = "POWER-SCARCE"
"""Of this one there is too little."""
PIECES, SCARCE_PIECES = 10_000_000, 200
CUSTOMERS = 24
TOKENS = ("tok_ok",) * 17 + ("tok_decline", "tok_flaky", "tok_slow")
CANCEL_SHARE = 0.1
DURABILITIES = (consistency_pb2.DURABILITY_STORED,) * 3 + (consistency_pb2.DURABILITY_LOGGED,)


class Acknowledged(NamedTuple):
    """An order that was acknowledged, with the persistence that the answer named; and that of its cancellation, empty
    where it was not cancelled."""

    order: order_pb2.Order
    persistence: str
    cancelled: str = ""


class Customers:
    """The customers of one deployment over all cuts of its disk."""

    def __init__(self, journal: Path, seed: int) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.tried: set[str] = set()
        self.received: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._journal = journal.open("a")

    def close(self) -> None:
        """Writes no more."""
        self._journal.close()

    async def fill_shelves(self, server: str) -> None:
        """Receives stock; each receipt is repeated until it is acknowledged."""
        async with grpc.aio.insecure_channel(server, options=CONNECT_OPTIONS) as channel:
            stub: Any = inventory_service_pb2_grpc.InventoryServiceStub(channel)
            for sku in (*SKUS, SCARCE):
                pieces = SCARCE_PIECES if sku == SCARCE else PIECES
                request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=pieces, request_id=f"fill-{sku}")
                await stub.ReceiveStock(request, timeout=30.0, wait_for_ready=True)
                self.received[sku] = pieces

    async def order_until(self, server: str, ended: asyncio.Event) -> None:
        """Orders as fast as answers come. Every answer counts, also one that comes while the disk is dying."""
        async with grpc.aio.insecure_channel(server, options=CONNECT_OPTIONS) as channel:
            stub: Any = order_service_pb2_grpc.OrderServiceStub(channel)
            await asyncio.gather(*(self._customer(stub, number, ended) for number in range(CUSTOMERS)))

    async def _customer(self, stub: Any, number: int, ended: asyncio.Event) -> None:
        while not ended.is_set():
            request = self._request(number)
            try:
                self.tried.add(request.order.order_id)
                response = await stub.CreateOrder(request, timeout=CALL_S)
                self._note(Acknowledged(request.order, _name(response.persistence)))
                if self._chance.random() < CANCEL_SHARE:
                    await self._cancel(stub, request.order)
            except grpc.RpcError as error:
                self.refused[error.code().name] += 1
                await asyncio.sleep(0.02)

    async def _cancel(self, stub: Any, order: order_pb2.Order) -> None:
        request = order_service_pb2.CancelOrderRequest(order_id=order.order_id, request_id=f"c-{order.order_id}")
        response = await stub.CancelOrder(request, timeout=CALL_S)
        is_cancelled = response.order.order_state in (order_pb2.ORDER_STATE_CANCELLING, order_pb2.ORDER_STATE_CANCELLED)
        if is_cancelled:
            known = self.acknowledged[order.order_id]
            self._note(known._replace(cancelled=_name(response.persistence)))

    def _note(self, known: Acknowledged) -> None:
        order_id = known.order.order_id
        self.acknowledged[order_id] = known
        line = {"time": time.time(), "order_id": order_id, "as": known.persistence, "cancelled": known.cancelled}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()

    def _request(self, number: int) -> order_service_pb2.CreateOrderRequest:
        chance = self._chance
        order = order_pb2.Order(
            order_id=order_id_of(time.time_ns() // 1_000_000, chance.randbytes(RANDOM_BYTES)),
            customer_id=f"customer-{number}",
            payment_token=chance.choice(TOKENS),
        )
        skus = chance.sample(SKUS, chance.randint(1, 3))
        if chance.random() < 0.1:
            skus.append(SCARCE)
        for line, sku in enumerate(skus, start=1):
            price = Money(currency_code="GBP", units=chance.randint(1, 50), nanos=990_000_000)
            order.lines.add(line_id=str(line), sku=sku, quantity=chance.randint(1, 4), unit_price=price)
        return order_service_pb2.CreateOrderRequest(order=order, durability=chance.choice(DURABILITIES))


def _name(persistence: consistency_pb2.Persistence) -> str:
    return consistency_pb2.Persistence.Name(persistence).removeprefix("PERSISTENCE_")
