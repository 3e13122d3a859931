"""What a benchmark asks of the engine beside its load: stock for everything, and whether all work has ended."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.order.v1 import order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.bench_orders import LINES_PER_ORDER, QUANTITY_MAX, sku_names
from ordermesh.cli.orders import ENDED
from ordermesh.cli.output import say
from ordermesh.cli.replay_calls import STOCK_BATCH, Refused, ReplayCalls
from ordermesh.cli.replay_plan import Receipt

ENDED_POLL_S = 0.02
"""Between two looks at an order that has not ended."""
SETTLED_POLL_S = 0.25
"""Between two looks at what owners have open; they tell twice a second."""
SETTLED_SAMPLES = 3
"""So many looks in a row, together longer than owners are silent about a partition, have to find nothing open."""
SETTLE_TIMEOUT_S = 300.0
"""How long orders may take to end after the last was sent."""


class BenchEngine:
    """The engine over one channel. Every call is repeated until it is answered; `answers` counts, so that whoever waits
    can tell that nothing comes, and `trouble` says why."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._calls = ReplayCalls(channel, self._note)
        self._orders: Any = order_service_pb2_grpc.OrderServiceStub(channel)
        self._admin: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
        self._said: set[str] = set()
        self.answers = 0
        self.trouble = ""

    async def receive_stock(self, run: str, orders: int) -> None:
        """So much of every SKU that no order can lack it. Raises Refused."""
        plenty = orders * LINES_PER_ORDER * QUANTITY_MAX
        receipts = [Receipt(sku, plenty, f"bench-{run}") for sku in sku_names(run)]
        for start in range(0, len(receipts), STOCK_BATCH):
            for sentence in await self._calls.receive(receipts[start : start + STOCK_BATCH]):
                raise Refused(grpc.StatusCode.UNKNOWN, "", sentence)
            self.answers += 1

    async def all_ended(self, order_ids: list[str], *, some_failed: bool) -> None:
        """Waits until the orders sent last have ended; those that were never accepted are passed over."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        for order_id in order_ids:
            request = order_service_pb2.GetOrderRequest(order_id=order_id)
            while time.monotonic() < deadline:
                try:
                    if (await self._ask(self._orders.GetOrder, request)).order.order_state in ENDED:
                        break
                except Refused as error:
                    if error.code is grpc.StatusCode.NOT_FOUND and some_failed:
                        break
                await asyncio.sleep(ENDED_POLL_S)

    async def settled(self, open_before: int | None = None) -> int:
        """Waits until owners have no more open work than before (at first: until it does not get less); returns it."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        seen: list[int] = []
        while time.monotonic() < deadline:
            seen = [*seen, await self.open_work()][-SETTLED_SAMPLES:]
            if len(seen) == SETTLED_SAMPLES and max(seen) <= (min(seen) if open_before is None else open_before):
                break
            await asyncio.sleep(SETTLED_POLL_S)
        return seen[-1]

    async def open_work(self) -> int:
        """Undecided commands and open agenda entries of all partitions."""
        response = await self._ask(self._admin.ListPartitions, admin_service_pb2.ListPartitionsRequest())
        return sum(partition.lag + partition.agenda for partition in response.partitions)

    async def _ask(self, call: Any, request: Any) -> Any:
        """Raises Refused."""
        try:
            return await self._calls.until_answered(call, request)
        finally:
            self.answers += 1

    def _note(self, trouble: str) -> None:
        """Says each trouble once, and not again at each attempt."""
        self.trouble = trouble
        if trouble and trouble not in self._said:
            self._said.add(trouble)
            say(trouble)
