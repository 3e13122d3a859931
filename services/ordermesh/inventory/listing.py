"""Lists by SKU: its ledger, and for which orders it is reserved; the newest first, with bounded work for each page.

Both read the ledger's blocks downwards from the stock's own version. A page token holds the block, the place of the
store in it, and the last version that was looked at: places lie between the store's own pages, so what was looked at
before is left out when reading goes on.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from oms.inventory.v1 import inventory_pb2
from ordermesh.core.decider import AggregateType
from ordermesh.inventory import rows
from ordermesh.inventory.ledger import LOST, STOCK_MOVEMENTS, block_of, movement_of_row
from ordermesh.inventory.model import HOLDING, SERVICE, reservation_key
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.reads import Readable

ROWS_PER_READ = 200
"""Movements that are read at once."""
ROWS_PER_PAGE_MAX = 4_000
"""Movements looked at for one page: a filter that fits few gives short pages instead of long waits."""
BLOCKS_PER_PAGE_MAX = 40
"""Blocks looked into for one page: those from before there was a ledger are empty."""


class Place(NamedTuple):
    """Where a list goes on: in which block, at which place of the store, below which version."""

    block: int
    after: bytes
    below: int

    def pack(self) -> bytes:
        """For a page token."""
        return json.dumps([self.block, base64.b64encode(self.after).decode(), self.below]).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Place:
        """What `pack` made."""
        block, after, below = json.loads(data)
        return cls(int(block), base64.b64decode(after), int(below))


def first_place(version: int) -> Place:
    """Where the list of a stock of that version begins."""
    return Place(block_of(version), b"", version + 1)


class Found(NamedTuple):
    """Some movements, the place from which they were read, and the one after them."""

    rows: Sequence[Mapping[str, Any]]
    place: Place
    following: Place


class StockLists:
    """The lists of one edge process."""

    def __init__(self, backend: Backend, reservations: AggregateType) -> None:
        self._backend = backend
        self._reservations = Readable(SERVICE, reservations, lambda state: int(state.reservation.version))

    async def movements(
        self, tenant: str, sku: str, place: Place, kind: int, size: int
    ) -> tuple[list[inventory_pb2.StockMovement], Place | None]:
        """A page of movements, and where the next begins; None at the end. Raises Problem STORE_UNAVAILABLE."""
        page: list[inventory_pb2.StockMovement] = []
        async for found in self._read(tenant, sku, place):
            for row in found.rows:
                movement = movement_of_row(row)
                if kind in (inventory_pb2.STOCK_MOVEMENT_KIND_UNSPECIFIED, movement.kind):
                    page.append(movement)
                if len(page) == size:
                    return page, found.place._replace(below=movement.version)
            place = found.following
        return page, place if place.block >= 0 else None

    async def reservations(
        self, tenant: str, sku: str, place: Place, size: int, wants: Wanted
    ) -> tuple[list[inventory_pb2.Reservation], Place | None]:
        """A page of reservations, each once, and where the next begins; None at the end. One that was raised or served
        again may be on a later page too, by its earlier movement. Raises Problem STORE_UNAVAILABLE."""
        page: list[inventory_pb2.Reservation] = []
        told: set[str] = set()
        async for found in self._read(tenant, sku, place):
            made = [row for row in found.rows if row["kind"] == "RESERVED" and row["order_id"] and wants.is_old(row)]
            keys = [reservation_key(tenant, sku, row["order_id"]) for row in made]
            states = await self._backend.load(self._reservations, keys)
            for key, row in zip(keys, made, strict=True):
                state = states.get(key)
                if state is not None and wants.wants(state.reservation) and key.sub_key not in told:
                    told.add(key.sub_key)
                    page.append(_told(rows.reservation_of(key, state), row, wants.now_us))
                if len(page) == size:
                    return page, found.place._replace(below=row["version"])
            place = found.following
        return page, place if place.block >= 0 else None

    async def _read(self, tenant: str, sku: str, place: Place) -> AsyncIterator[Found]:
        """Movements from a place on, some at a time, until enough were looked at."""
        looked_at = blocks = 0
        while place.block >= 0 and looked_at < ROWS_PER_PAGE_MAX and blocks < BLOCKS_PER_PAGE_MAX:
            partition = (tenant, sku, place.block)
            read = await self._backend.query(STOCK_MOVEMENTS, partition, place.after, ROWS_PER_READ)
            fresh: list[Mapping[str, Any]] = [
                row for row in read.rows if int(str(row["version"])) < place.below and row["kind"] != LOST
            ]
            block = place.block if read.next_token else place.block - 1
            following = Place(block, read.next_token, place.below)
            yield Found(fresh, place, following)
            looked_at += len(read.rows)
            blocks += not read.next_token
            place = following


class Wanted(NamedTuple):
    """Which reservations are wanted; times in microseconds."""

    now_us: int
    min_age_us: int
    include_closed: bool

    def is_old(self, row: Mapping[str, Any]) -> bool:
        """Whether a reservation is old enough."""
        return self.now_us - int(row["time_us"]) >= self.min_age_us

    def wants(self, reservation: inventory_pb2.Reservation) -> bool:
        """Whether its state fits."""
        return self.include_closed or reservation.state in HOLDING


def _told(reservation: inventory_pb2.Reservation, row: Mapping[str, Any], now_us: int) -> inventory_pb2.Reservation:
    """The reservation with when it was made."""
    reservation.reserve_time.FromMicroseconds(row["time_us"])
    reservation.age.FromMicroseconds(max(0, now_us - int(row["time_us"])))
    return reservation
