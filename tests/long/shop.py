"""Customers who order all the time, at a fixed rate, and write down what they were told.

They do not repeat a call that failed: what fails is what a drill is about. A latency counts from the time an order was
due, so that a slow answer does not make the next call late.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import NamedTuple, Self

import grpc
from google.type.money_pb2 import Money

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.core.ids import RANDOM_BYTES, order_id_of

CALL_S = 10.0
SKUS = [f"SHOP-{number}" for number in range(20)]
LINES_MAX = 3
PIECES = 10_000_000
READS_PER_ORDER = 0.2
PERSISTENCE = {number: name.removeprefix("PERSISTENCE_") for name, number in consistency_pb2.Persistence.items()}
CONSISTENCY = {
    number: name.removeprefix("READ_CONSISTENCY_") for name, number in consistency_pb2.ReadConsistency.items()
}


class Created(NamedTuple):
    """A CreateOrder: when it was due, how long its answer took, and the persistence or the error."""

    due: float
    seconds: float
    order: order_pb2.Order
    persistence: str
    error: str


class Looked(NamedTuple):
    """A GetOrder of an order that was acknowledged: what was asked for, what was given, or the error."""

    due: float
    seconds: float
    asked: str
    given: str
    is_degraded: bool
    error: str


class Shop:
    """Orders at `rate` a second from a thread of its own, and looks at orders, until the context ends."""

    def __init__(self, server: str, rate: float, seed: int) -> None:
        self.created: list[Created] = []
        self.looked: list[Looked] = []
        self._server = server
        self._rate = rate
        self._chance = random.Random(seed)
        self._ended = threading.Event()
        self._under_way: dict[object, float] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        """Fills the shelves and opens."""
        with grpc.insecure_channel(self._server) as channel:
            stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
            for sku in SKUS:
                request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=PIECES)
                stub.ReceiveStock(request, timeout=CALL_S, wait_for_ready=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Takes no more orders, and waits until every call has ended; idempotent."""
        self._ended.set()
        self._thread.join(3 * CALL_S)

    @staticmethod
    def now() -> float:
        """The time, as `due` has it."""
        return time.monotonic()

    def trade(self, seconds: float) -> Period:
        """Goes on for so long, and tells what happened meanwhile."""
        begin = self.now()
        while (now := self.now()) < begin + seconds:
            assert self._thread.is_alive(), "the shop has closed by itself"
            time.sleep(min(0.1, begin + seconds - now))
        return self.since(begin)

    def since(self, begin: float) -> Period:
        """What happened since then, once every call that was due has ended."""
        end = self.now()
        self.settled(end)
        return Period(
            [one for one in self.created if begin <= one.due < end],
            [one for one in self.looked if begin <= one.due < end],
        )

    def settled(self, due_before: float) -> None:
        """Waits until every call that was due before then has ended."""
        deadline = time.monotonic() + 3 * CALL_S
        while any(due < due_before for due in list(self._under_way.values())):
            assert time.monotonic() < deadline, "calls that do not end"
            time.sleep(0.02)

    async def _run(self) -> None:
        async with grpc.aio.insecure_channel(self._server) as channel, asyncio.TaskGroup() as tasks:
            stub = order_service_pb2_grpc.OrderServiceStub(channel)
            due = time.monotonic()
            while not self._ended.is_set():
                due += 1.0 / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                tasks.create_task(self._during(due, self._create(stub, due)))
                if self._chance.random() < READS_PER_ORDER and self.created:
                    tasks.create_task(self._during(due, self._look(stub, due)))

    async def _during(self, due: float, call: Coroutine[None, None, None]) -> None:
        self._under_way[call] = due
        try:
            await call
        finally:
            del self._under_way[call]

    async def _create(self, stub: order_service_pb2_grpc.OrderServiceAsyncStub, due: float) -> None:
        order = self._an_order()
        persistence = error = ""
        try:
            answer = await stub.CreateOrder(order_service_pb2.CreateOrderRequest(order=order), timeout=CALL_S)
            persistence = PERSISTENCE[answer.persistence]
        except grpc.aio.AioRpcError as failed:
            error = f"{failed.code().name}: {failed.details()}"
        self.created.append(Created(due, time.monotonic() - due, order, persistence, error))

    async def _look(self, stub: order_service_pb2_grpc.OrderServiceAsyncStub, due: float) -> None:
        known = self._chance.choice(self.created[-1000:])
        asked = self._chance.choice(["EVENTUAL", "QUORUM", "LINEARIZABLE"])
        consistency = f"READ_CONSISTENCY_{asked}"
        given, is_degraded, error = "", False, ""
        if known.error:
            return
        request = order_service_pb2.GetOrderRequest(order_id=known.order.order_id, read_consistency=consistency)
        try:
            answer = await stub.GetOrder(request, timeout=CALL_S)
            given, is_degraded = CONSISTENCY[answer.freshness.consistency], answer.freshness.degraded
        except grpc.aio.AioRpcError as failed:
            error = f"{failed.code().name}: {failed.details()}"
        self.looked.append(Looked(due, time.monotonic() - due, asked, given, is_degraded, error))

    def _an_order(self) -> order_pb2.Order:
        order = order_pb2.Order(
            order_id=order_id_of(time.time_ns() // 1_000_000, self._chance.randbytes(RANDOM_BYTES)),
            customer_id=f"customer-{self._chance.randrange(50)}",
            payment_token="tok_ok",
        )
        for sku in self._chance.sample(SKUS, self._chance.randint(1, LINES_MAX)):
            price = Money(currency_code="GBP", units=self._chance.randint(1, 20))
            order.lines.add(sku=sku, quantity=self._chance.randint(1, 3), unit_price=price)
        return order


class Period(NamedTuple):
    """What happened in a stretch of time."""

    created: Sequence[Created]
    looked: Sequence[Looked]

    @property
    def errors(self) -> Counter[str]:
        """Of the CreateOrder calls."""
        return Counter(one.error for one in self.created if one.error)

    @property
    def persistence(self) -> Counter[str]:
        """Of the CreateOrder calls that were answered."""
        return Counter(one.persistence for one in self.created if not one.error)

    def accept_p99_s(self) -> float:
        """Of the CreateOrder calls that were answered, in seconds."""
        latencies = sorted(one.seconds for one in self.created if not one.error)
        return latencies[int(len(latencies) * 0.99)]

    def reads(self, asked: str) -> Counter[tuple[str, bool, str]]:
        """What a read of that consistency was given: consistency, whether degraded, error's code."""
        return Counter(
            (one.given, one.is_degraded, one.error.partition(":")[0]) for one in self.looked if one.asked == asked
        )

    def told(self) -> str:
        """For a person."""
        return (
            f"{len(self.created)} orders, accept p99 {self.accept_p99_s() * 1000:.0f} ms, {dict(self.persistence)}, "
            f"errors {dict(self.errors)}; reads "
            + ", ".join(f"{asked} {dict(self.reads(asked))}" for asked in ("EVENTUAL", "QUORUM", "LINEARIZABLE"))
            + f"; not STORED by second {self.not_stored_by_second()}"
        )

    def not_stored_by_second(self) -> dict[int, int]:
        """How many orders that were due in each second were told less, or nothing."""
        begin = self.created[0].due if self.created else 0.0
        return dict(Counter(int(one.due - begin) for one in self.created if one.persistence != "STORED"))
