"""The customers: they order at a steady rate, repeat themselves, change their minds, cancel, read, send back, and write
down all answers. What some of them wait for comes in meanwhile.

A process of its own (`python -m ordermesh.testing.chaos.customers`), so that neither its latencies nor its journal
depend on who makes the faults. SIGTERM: no new orders; it ends when every call is answered, or after `--drain`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.testing.chaos.caller import CALL_S, Caller, Edge, blank
from ordermesh.testing.chaos.evidence import content_of, restocks
from ordermesh.testing.chaos.goods import DELIVERED, DELIVERY_S, LATE, LOTS, SKUS, new_order, rival_of
from ordermesh.testing.chaos.journal import JournalWriter
from ordermesh.testing.chaos.whims import Whims

AT_ONCE_MAX = 600
"""Orders that are being looked after; beyond it a new customer goes away."""
REPEATED, RIVALS, CANCELS, READS, RETURNS = 0.1, 0.06, 0.2, 0.6, 0.15
"""Shares of the orders that are placed twice, whose id others use, that are cancelled, read, sent back."""
PAUSE_S = 3.0
"""A customer does the next thing within so long."""
_READS = ("QUORUM", "EVENTUAL", "AT_LEAST", "LINEARIZABLE")
_DECIDED_MIN = consistency_pb2.PERSISTENCE_LOGGED


class Customers:
    """All of them."""

    def __init__(self, caller: Caller, rate: float, seed: int) -> None:
        self._caller = caller
        self._rate = rate
        self._chance = random.Random(f"{seed}/customers")
        self._whims = Whims(caller, self._chance)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()

    def close(self, drain_s: float) -> None:
        """No new orders; calls are given up after that time."""
        self._caller.give_up_at = time.monotonic() + drain_s
        self._closing.set()

    async def run(self) -> None:
        """Fills the shelves, then lets customers in until `close`, and waits until the last one has left."""
        lots = ((sku, str(lot)) for sku in SKUS for lot in range(LOTS))
        await asyncio.gather(*(self._receive(sku, lot, SKUS[sku] // LOTS) for sku, lot in lots))
        self._spawn(self._deliver())
        due = time.monotonic()
        while not self._closing.is_set():
            due = max(due + 1.0 / self._rate, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(self._tasks) < AT_ONCE_MAX:
                self._spawn(self._customer(new_order(self._chance)))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        task.result()

    async def _deliver(self) -> None:
        """A little of what orders wait for, again and again until no more customers come."""
        number = 0
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), DELIVERY_S)
            pieces = max(1, round(self._rate * DELIVERY_S * DELIVERED))
            await self._receive(self._chance.choice(list(LATE)), f"late-{number}", pieces)
            number += 1

    async def _receive(self, sku: str, lot: str, quantity: int) -> None:
        request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity, request_id=f"{sku}-{lot}")
        told = blank("receive", sku, request.request_id, quantity=request.quantity)
        await self._caller.until_answered(told, lambda edge: edge.stock.ReceiveStock(request, timeout=CALL_S))

    async def _customer(self, order: order_pb2.Order) -> None:
        """One order, and what its customer does with it."""
        chance = self._chance.random
        placed = await self._place(order, "create")
        if placed is None:
            return
        if chance() < REPEATED:
            self._spawn(self._later(self._place(order, "again")))
        if chance() < RIVALS and placed.persistence >= _DECIDED_MIN:
            rival = rival_of(order, same_customer=chance() < 0.6)
            self._spawn(self._later(self._place(rival, "rival")))
        if chance() < CANCELS:
            for number in range(1 + int(chance() < 0.4)):
                self._spawn(self._later(self._cancel(order.order_id, f"cancel-{number}")))
        for whim in self._whims.of(order):
            self._spawn(whim)
        if chance() < READS:
            await self._later(self._read(order.order_id, placed.order.version))
        if chance() < RETURNS:
            await self._give_back(order)

    async def _later(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        await asyncio.sleep(self._chance.random() ** 2 * PAUSE_S)
        await coroutine

    async def _place(self, order: order_pb2.Order, name: str) -> Any:
        durability = "DURABILITY_LOGGED" if self._chance.random() < 0.3 else "DURABILITY_STORED"
        request = order_service_pb2.CreateOrderRequest(order=order, durability=durability)
        told = blank("create", order.order_id, name, content=content_of(order))
        return await self._caller.until_answered(told, lambda edge: edge.orders.CreateOrder(request, timeout=CALL_S))

    async def _cancel(self, order_id: str, name: str) -> None:
        request = order_service_pb2.CancelOrderRequest(
            order_id=order_id, reason="changed my mind", request_id=f"{name}-{order_id}"
        )
        told = blank("cancel", order_id, name)
        await self._caller.until_answered(told, lambda edge: edge.orders.CancelOrder(request, timeout=CALL_S))

    async def _read(self, order_id: str, known: int) -> Any:
        asked = self._chance.choice(_READS)
        version_min = max(known, 1) if asked == "AT_LEAST" else 0
        request = order_service_pb2.GetOrderRequest(
            order_id=order_id, read_consistency=f"READ_CONSISTENCY_{asked}", min_version=version_min
        )
        told = blank("get", order_id, f"get-{self._chance.getrandbits(32):08x}", asked=asked, version_min=version_min)
        return await self._caller.once(told, lambda edge: edge.orders.GetOrder(request, timeout=CALL_S))

    async def _give_back(self, order: order_pb2.Order) -> None:
        """Goods come back or only money goes; of an order that is not completed by then that is refused."""
        for number in range(self._chance.choice((1, 1, 2))):
            await asyncio.sleep(PAUSE_S * (0.5 + self._chance.random()))
            line = self._chance.choice(list(order.lines))
            name, order_id = f"give-back-{number}", order.order_id
            if self._chance.random() < 0.5:
                back = order_service_pb2.ReturnOrderRequest(
                    order_id=order_id, restock=restocks(order_id), request_id=f"{name}-{order_id}"
                )
                back.lines.add(line_id=line.line_id, quantity=1)
                told = blank("return", order_id, name)
                await self._caller.until_answered(told, _returning(back))
            else:
                refund = order_service_pb2.RefundOrderRequest(order_id=order_id, request_id=f"{name}-{order_id}")
                refund.lines.add(line_id=line.line_id, quantity=1)
                await self._caller.until_answered(blank("refund", order_id, name), _refunding(refund))


def _returning(request: order_service_pb2.ReturnOrderRequest) -> Any:
    def attempt(edge: Edge) -> Any:
        return edge.orders.ReturnOrder(request, timeout=CALL_S)

    return attempt


def _refunding(request: order_service_pb2.RefundOrderRequest) -> Any:
    def attempt(edge: Edge) -> Any:
        return edge.orders.RefundOrder(request, timeout=CALL_S)

    return attempt


async def _main(options: argparse.Namespace) -> None:
    journal = JournalWriter(options.journal)
    caller = Caller(options.servers.split(","), journal)
    customers = Customers(caller, options.rate, options.seed)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, customers.close, options.drain)
    try:
        await customers.run()
    finally:
        await caller.close()
        journal.close()


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--journal", required=True, type=Path)
    parser.add_argument("--rate", required=True, type=float)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--drain", required=True, type=float)
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
