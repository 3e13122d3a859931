"""ListOrders: a customer's orders, the newest first, month by month, with bounded work for each page.

A page token holds the month, the place in that month's list, and the last order that was given: places may lie between
the store's own pages, so what was given before is left out when reading goes on.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.core import ids
from ordermesh.core.decider import AggregateType
from ordermesh.order import model, rows
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.fields import Violations
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.reads import Readable

ROWS_PER_LOAD = 100
"""Orders that are read at once."""
ROWS_PER_PAGE_MAX = 2_000
"""Orders looked at for one page: a filter that fits few gives short pages instead of long waits."""
PAGE_BYTES = 2 * 1024 * 1024
"""Size at which a page ends: below what clients take by default, whatever the sizes of orders."""
MONTHS_MAX = 1_000
"""Months of one customer: eighty years."""
TIME_MS_END = 253_402_300_800_000
"""The year 10000, past every month that has a name of seven characters."""


class Place(NamedTuple):
    """Where a list goes on: in which month, at which place of the store, after which order."""

    month: str = ""
    after: bytes = b""
    last_id: str = ""

    def pack(self) -> bytes:
        """For a page token."""
        return json.dumps([self.month, base64.b64encode(self.after).decode(), self.last_id]).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Place:
        """What `pack` made."""
        month, after, last_id = json.loads(data)
        return cls(month, base64.b64decode(after), last_id)


class Filter(NamedTuple):
    """Which orders are wanted; times in milliseconds, the end excluded."""

    tenant: str
    customer_id: str
    order_state: int
    from_ms: int
    to_ms: int

    def wants(self, order: order_pb2.Order) -> bool:
        """Whether an order of the customer fits."""
        return self.order_state in (order_pb2.ORDER_STATE_UNSPECIFIED, order.order_state)

    def wants_time(self, order_id: str) -> bool:
        """Whether an id's time fits."""
        return self.from_ms <= ids.time_ms_of(order_id) < self.to_ms


class Page:
    """A page in the making."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes = 0
        self.looked_at = 0
        self.orders: list[order_pb2.Order] = []

    def is_full(self) -> bool:
        """Whether no more orders fit."""
        return len(self.orders) >= self._size or self._bytes >= PAGE_BYTES

    def add(self, order: order_pb2.Order) -> None:
        """One more order, without what is not answered."""
        order.ClearField("payment_token")
        self.orders.append(order)
        self._bytes += order.ByteSize()


class Listing:
    """The lists of one edge process."""

    def __init__(self, backend: Backend, aggregate: AggregateType) -> None:
        self._backend = backend
        self._readable = Readable(model.SERVICE, aggregate, lambda state: int(state.order.version))

    async def page(
        self, request: order_service_pb2.ListOrdersRequest, tenant: str
    ) -> order_service_pb2.ListOrdersResponse:
        """One page. Raises Problem for what the request cannot mean, and where the store does not answer."""
        violations = Violations()
        wanted = _filter(request, tenant, violations)
        asked = PageRequest.of(f"orders {json.dumps(wanted)}", request, violations)
        violations.check()
        token = self._backend.pages.open(asked.bound_to, asked.token)
        page = Page(asked.size)
        place = await self._read(wanted, Place.unpack(token) if token else Place(), page)
        return order_service_pb2.ListOrdersResponse(
            orders=page.orders,
            next_page_token=self._backend.pages.seal(asked.bound_to, place.pack()) if place else "",
        )

    async def _read(self, wanted: Filter, place: Place, page: Page) -> Place | None:
        """Fills the page from a place on, month by month; gives the place where the next begins, None at the end."""
        for month in await self._months(wanted):
            if place.month and month > place.month:
                continue
            at: Place | None = place if month == place.month else Place(month)
            while at is not None:
                if page.looked_at >= ROWS_PER_PAGE_MAX:
                    return at
                at = await self._read_chunk(wanted, at, page)
                if page.is_full() and at is not None:
                    return at
        return None

    async def _read_chunk(self, wanted: Filter, at: Place, page: Page) -> Place | None:
        """Takes what fits of the next rows of a month; gives the place after it, None at the month's end."""
        partition = (wanted.tenant, wanted.customer_id, at.month)
        found = await self._backend.query(rows.ORDERS_BY_CUSTOMER, partition, at.after, ROWS_PER_LOAD)
        order_ids = [str(row["order_id"]) for row in found.rows]
        keys = [
            model.order_key(wanted.tenant, order_id)
            for order_id in order_ids
            if wanted.wants_time(order_id) and (not at.last_id or order_id < at.last_id)
        ]
        states = await self._backend.load(self._readable, keys)
        for key in keys:
            if page.is_full():
                return at
            state = states.get(key)
            if state is not None and wanted.wants(state.order):
                page.add(state.order)
            at = at._replace(last_id=key.key)
        page.looked_at += max(1, len(order_ids))
        return Place(at.month, found.next_token) if found.next_token else None

    async def _months(self, wanted: Filter) -> Sequence[str]:
        """The months in which the customer has orders that may fit, the newest first."""
        found = await self._backend.query(rows.CUSTOMER_MONTHS, (wanted.tenant, wanted.customer_id), b"", MONTHS_MAX)
        first, last = (rows.month_of(min(each, TIME_MS_END - 1)) for each in (wanted.from_ms, wanted.to_ms - 1))
        return [month for row in found.rows if first <= (month := str(row["month"])) <= last]


def _filter(request: order_service_pb2.ListOrdersRequest, tenant: str, violations: Violations) -> Filter:
    """What a request asks for; adds to the violations what it cannot mean."""
    violations.text("customer_id", request.customer_id)
    violations.enum("order_state", request.order_state, order_pb2.OrderState.DESCRIPTOR)
    from_ms, to_ms = 0, TIME_MS_END
    if request.HasField("create_time_from"):
        from_ms = _milliseconds("create_time_from", request.create_time_from, violations)
    if request.HasField("create_time_to"):
        to_ms = _milliseconds("create_time_to", request.create_time_to, violations)
        if to_ms <= from_ms:
            violations.add("create_time_to", "has to be after create_time_from, and after 1970")
    return Filter(tenant, request.customer_id, request.order_state, from_ms, to_ms)


def _milliseconds(field: str, time: Timestamp, violations: Violations) -> int:
    """A time in milliseconds since 1970, rounded up, within what an id can hold."""
    if not 0 <= time.nanos < 1_000_000_000:
        violations.add(f"{field}.nanos", f"is {time.nanos}; it has to be from 0 to 999,999,999")
    return min(max(0, time.seconds * 1000 - (-time.nanos // 1_000_000)), TIME_MS_END)
