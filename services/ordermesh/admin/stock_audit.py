"""The audit of stock by stored rows: it balances with its reservations (I3), and none of them outlives its order (I5).

As with orders, what looks wrong is looked at again after a pause, and only what stays wrong is a violation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oms.inventory.v1 import inventory_pb2, inventory_state_pb2
from ordermesh.admin.orders_audit import ENDED, ROUND_PAUSE_S, ROUNDS, Problem
from ordermesh.admin.redo import stock_problem
from ordermesh.admin.stored import PAGE_ROWS, key_of, load, pages
from ordermesh.admin.tally import Tally
from ordermesh.core.decider import Key
from ordermesh.inventory import rows
from ordermesh.inventory.model import STOCK, reservation_key
from ordermesh.order.model import ORDER, order_key
from ordermesh.runtime.backend import Backend

OPEN = inventory_pb2.RESERVATION_STATE_OPEN
COMMITTED = inventory_pb2.RESERVATION_STATE_COMMITTED


class StockAudit:
    """Reads every SKU with all its reservations."""

    def __init__(self, backend: Backend, tally: Tally) -> None:
        self._backend = backend
        self._tally = tally
        self._kinds = backend.registry.kinds
        self.count = 0

    async def run(self) -> None:
        """Audits all SKUs. Raises StoreUnavailable."""
        suspects: list[Key] = []
        async for page in pages(self._backend, self._kinds[STOCK]):
            for row in page:
                key = key_of(self._kinds[STOCK], row)
                self._tally.checked("I3")
                if await self._problems(key, count=True):
                    suspects.append(key)
        for _ in range(ROUNDS):
            if not suspects:
                return
            await asyncio.sleep(ROUND_PAUSE_S)
            suspects = [key for key in suspects if await self._problems(key)]
        for key in suspects:
            for problem in await self._problems(key):
                self._tally.violated(*problem)

    async def _problems(self, key: Key, *, count: bool = False) -> list[Problem]:
        """What is wrong with a SKU now."""
        states = await load(self._backend, self._kinds[STOCK], [key])
        stock: inventory_state_pb2.StoredStock = states[key]
        reserved = committed = 0
        problems: list[Problem] = []
        after = b""
        while True:
            page = await self._backend.store.query(
                rows.RESERVATIONS, (key.tenant, key.key), after=after, count_max=PAGE_ROWS
            )
            reservations = [_reservation(key, row) for row in page.rows]
            reserved += sum(each.quantity for each in reservations if each.state == OPEN)
            committed += sum(each.quantity - each.restocked for each in reservations if each.state == COMMITTED)
            problems += await self._outliving(key, [each.order_id for each in reservations if each.state == OPEN])
            if count:
                self.count += len(reservations)
                self._tally.checked("I5", len(reservations))
            after = page.next_token
            if not after:
                return [*problems, *_stock_problems(stock, reserved, committed)]
            await asyncio.sleep(0)

    async def _outliving(self, key: Key, order_ids: Sequence[str]) -> list[Problem]:
        """Open reservations of orders that have ended, or that do not exist."""
        orders = await load(self._backend, self._kinds[ORDER], [order_key(key.tenant, each) for each in order_ids])
        wrong = []
        for order_id in order_ids:
            order = orders.get(order_key(key.tenant, order_id))
            if order is None or order.order.order_state in ENDED:
                wrong.append(Problem("I5", f"{key.key} is still reserved for order {order_id}, which has ended"))
        return wrong


def _reservation(stock: Key, row: Mapping[str, Any]) -> inventory_pb2.Reservation:
    state = inventory_state_pb2.StoredReservation.FromString(row["state"])
    return rows.reservation_of(reservation_key(stock.tenant, stock.key, row["sub_key"]), state)


def _stock_problems(state: inventory_state_pb2.StoredStock, reserved: int, committed: int) -> Iterator[Problem]:
    """A stock by itself, and against its reservations."""
    problem = stock_problem(state)
    if problem:
        yield Problem("I3", problem)
    stock = state.stock
    if (stock.reserved, stock.committed) != (reserved, committed):
        text = f"reserved {stock.reserved}, committed {stock.committed}; its reservations say {reserved}, {committed}"
        yield Problem("I3", f"stock {stock.sku}: {text}")
