"""The audit of stock by stored rows: it balances with its reservations (I3), and none of them outlives its order (I5).

Reservations are stored by order, so all of them are read once and summed by SKU, between two readings of the stock. A
SKU that changed between these is not judged. As with orders, what looks wrong is looked at again after a pause, and
only what stays wrong is a violation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from oms.inventory.v1 import inventory_pb2, inventory_state_pb2
from ordermesh.admin import pauses
from ordermesh.admin.lost_movements import ROWS_PER_READ
from ordermesh.admin.order_rest import ENDED
from ordermesh.admin.orders_audit import Problem
from ordermesh.admin.redo import stock_problem
from ordermesh.admin.stored import key_of, load, pages
from ordermesh.admin.tally import Tally
from ordermesh.core.decider import Key
from ordermesh.inventory import rows
from ordermesh.inventory.ledger import LOST, STOCK_MOVEMENTS, block_of, movement_of_row
from ordermesh.inventory.model import HOLDING, RESERVATION, STOCK, held_by, out_by, stock_key
from ordermesh.order.model import ORDER, order_key
from ordermesh.runtime.backend import Backend

BLOCKS_READ = 2
"""Blocks of a SKU's ledger in which its newest movement is looked for: the newest may be empty yet."""

_Problems = dict[Key, list[Problem]]
"""What is wrong with a SKU or a reservation; nothing where it only has to be looked at again."""


class ReservedSums:
    """What the reservations of a SKU add up to."""

    __slots__ = ("committed", "reserved", "waiting")

    def __init__(self) -> None:
        self.reserved = self.committed = self.waiting = 0

    def add(self, reservation: inventory_pb2.Reservation) -> None:
        """Counts one more."""
        self.reserved += held_by(reservation)
        self.committed += out_by(reservation)
        self.waiting += reservation.waiting


class StockAudit:
    """Reads every SKU and every reservation."""

    def __init__(self, backend: Backend, tally: Tally) -> None:
        self._backend = backend
        self._tally = tally
        self._kinds = backend.registry.kinds
        self.count = 0

    async def run(self) -> None:
        """Audits all SKUs and reservations. Raises StoreUnavailable."""
        suspects = await self._look(count=True)
        for pause_s in pauses.PAUSES_S:
            if not suspects:
                return
            await asyncio.sleep(pause_s)
            again = await self._look()
            suspects = {key: problems for key, problems in again.items() if key in suspects}
        for problems in suspects.values():
            for problem in problems:
                self._tally.violated(*problem)

    async def _look(self, *, count: bool = False) -> _Problems:
        """What is wrong now."""
        versions = {key: state.stock.version async for key, state in self._stocks()}
        sums: dict[Key, ReservedSums] = {}
        wrong = await self._read_reservations(sums, count=count)
        async for key, state in self._stocks():
            found = list(_stock_problems(state, sums.pop(key, ReservedSums())))
            found += await self._ledger_problems(key, state.stock)
            if found:
                wrong[key] = found if versions.get(key) == state.stock.version else []
            if count:
                self._tally.checked("I3")
        for key, left in sums.items():
            if left.reserved or left.committed:
                text = f"there is no stock {key.key}; its reservations say {left.reserved}, {left.committed}"
                wrong[key] = [Problem("I3", text)]
        return wrong

    async def _ledger_problems(self, key: Key, stock: inventory_pb2.Stock) -> list[Problem]:
        """The newest movement must leave what there is now: what changes neither leaves none. A SKU without any in its
        newest blocks is older than the ledger, and not judged; nor is any where no ledger is kept."""
        if self._kinds[STOCK].event_rows is None:
            return []
        last = await self._newest_movement(key, block_of(stock.version))
        if last is None or (last.on_hand, last.reserved) == (stock.on_hand, stock.reserved):
            return []
        left = f"on hand {last.on_hand}, reserved {last.reserved} at version {last.version}"
        has = f"on hand {stock.on_hand}, reserved {stock.reserved} at version {stock.version}"
        return [Problem("I3", f"stock {key.key}: {has}; its ledger ends with {left}")]

    async def _newest_movement(self, key: Key, block: int) -> inventory_pb2.StockMovement | None:
        """Of a block and the one before it; one that was lost is none."""
        store, size = self._backend.store, 1  # there are lost ones above it in very few ledgers
        for each in range(block, max(block - BLOCKS_READ, -1), -1):
            after = b""
            while True:
                page = await store.query(STOCK_MOVEMENTS, (key.tenant, key.key, each), after=after, count_max=size)
                for row in page.rows:
                    if row["kind"] != LOST:
                        return movement_of_row(row)
                if not page.next_token:
                    break
                after, size = page.next_token, ROWS_PER_READ
        return None

    async def _stocks(self) -> AsyncIterator[tuple[Key, inventory_state_pb2.StoredStock]]:
        """The key and the state of every SKU."""
        kind = self._kinds[STOCK]
        async for page in pages(self._backend, kind):
            for row in page:
                yield key_of(kind, row), inventory_state_pb2.StoredStock.FromString(row["state"])

    async def _read_reservations(self, sums: dict[Key, ReservedSums], *, count: bool) -> _Problems:
        """Adds up all reservations by SKU, and gives those that outlive their order."""
        wrong: _Problems = {}
        kind = self._kinds[RESERVATION]
        async for page in pages(self._backend, kind):
            still_open: list[Key] = []
            for row in page:
                key, reservation = key_of(kind, row), rows.reservation_of_row(row)
                sums.setdefault(stock_key(key.tenant, key.key), ReservedSums()).add(reservation)
                if reservation.state in HOLDING:
                    still_open.append(key)
            wrong.update(await self._outliving(still_open))
            if count:
                self.count += len(page)
                self._tally.checked("I5", len(page))
        return wrong

    async def _outliving(self, reservations: Sequence[Key]) -> _Problems:
        """Open reservations of orders that have ended, or that do not exist."""
        wanted = dict.fromkeys(order_key(key.tenant, key.sub_key) for key in reservations)
        orders = await load(self._backend, self._kinds[ORDER], list(wanted))
        wrong: _Problems = {}
        for key in reservations:
            order = orders.get(order_key(key.tenant, key.sub_key))
            if order is None or order.order.order_state in ENDED:
                text = f"{key.key} is still reserved for order {key.sub_key}, which has ended"
                wrong[key] = [Problem("I5", text)]
        return wrong


def _stock_problems(state: inventory_state_pb2.StoredStock, sums: ReservedSums) -> Iterator[Problem]:
    """A stock by itself, and against its reservations."""
    problem = stock_problem(state)
    if problem:
        yield Problem("I3", problem)
    stock = state.stock
    if (stock.reserved, stock.committed, stock.backordered) != (sums.reserved, sums.committed, sums.waiting):
        said = f"{sums.reserved}, {sums.committed}, {sums.waiting}"
        has = f"reserved {stock.reserved}, committed {stock.committed}, backordered {stock.backordered}"
        text = f"{has}; its reservations say {said}"
        yield Problem("I3", f"stock {stock.sku}: {text}")
