"""The load of a benchmark: unary, batch or stream calls, closed loop or at a fixed rate.

Closed loop: every connection has so many calls under way, and sends the next when one is answered. At a rate: orders
are sent when they are due, whether or not earlier ones are answered, and a latency counts from the due time, so a slow
engine is not measured less often. What is refused or cut off is sent again under the same id.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any

import grpc
from google.rpc import status_pb2

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_service_pb2
from ordermesh.cli.bench_orders import OrderSource, OutgoingOrder, batch_of
from ordermesh.cli.client import CONNECT_OPTIONS, aio_channel
from ordermesh.cli.retry import backoff_s, may_retry

SERVICE = "/oms.order.v1.OrderService/"
CALL_TIMEOUT_S = 30.0
"""Of one attempt of a call; it is repeated under the same ids."""
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Mode(StrEnum):
    """Which call creates the orders."""

    UNARY = "unary"
    BATCH = "batch"
    STREAM = "stream"


@dataclass(slots=True)
class LoadResult:
    """`accept_s` has a latency in seconds for each accepted order; `persistence` counts what they were answered."""

    accept_s: list[float] = field(default_factory=list)
    persistence: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


class Load:
    """Sends the orders of a source over `connections` connections of their own."""

    def __init__(
        self,
        source: OrderSource,
        *,
        server: str,
        mode: Mode,
        connections: int,
        in_flight: int,
        batch_size: int,
        rate: float,
    ) -> None:
        self.source = source
        self.mode = mode
        self.trouble = ""
        self._server = server
        self._connections = connections
        self._in_flight = in_flight
        self._batch_size = batch_size
        self._rate = rate
        self._result = LoadResult()
        self._sent = 0
        self._asked = 0
        self._begun = 0.0

    def progress(self) -> float:
        """Something else whenever there was an answer; while everything that was due is answered, the time."""
        answered = len(self._result.accept_s) + self._result.failed.total()
        return perf_counter() if self._begun and answered >= self._asked else answered

    async def run(self) -> LoadResult:
        """Sends everything and waits for all answers."""
        options = (*CONNECT_OPTIONS, ("grpc.use_local_subchannel_pool", 1))
        channels = [aio_channel(self._server, options) for _ in range(self._connections)]
        try:
            await asyncio.gather(*(channel.channel_ready() for channel in channels))
            self._begun = perf_counter()
            await asyncio.gather(*(self._drive(channel) for channel in channels))
        finally:
            await asyncio.gather(*(channel.close() for channel in channels))
        return self._result

    async def _drive(self, channel: grpc.aio.Channel) -> None:
        if self.mode is Mode.STREAM:
            await _Stream(self, channel, self._in_flight).run()
            return
        name = "CreateOrder" if self.mode is Mode.UNARY else "BatchCreateOrders"
        send = self._send_one if self.mode is Mode.UNARY else self._send_batch
        call: Any = channel.unary_unary(SERVICE + name)
        if self._rate:
            async with asyncio.TaskGroup() as tasks:
                async for orders, due in self.due_orders():
                    tasks.create_task(send(call, orders, due))
            return

        async def keep_sending() -> None:
            async for orders, due in self.due_orders():
                await send(call, orders, due)

        await asyncio.gather(*(keep_sending() for _ in range(self._in_flight)))

    async def due_orders(self) -> AsyncIterator[tuple[list[OutgoingOrder], float]]:
        """The next orders of one call, when they are due, and that time."""
        size = self._batch_size if self.mode is Mode.BATCH else 1
        while True:
            number = min(size, self.source.count - self._sent)
            if number <= 0:
                return
            self._sent += number
            due = self._begun + self._sent / self._rate if self._rate else perf_counter()
            if (wait_s := due - perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            orders = [order for _ in range(number) if (order := self.source.take()) is not None]
            self._asked += len(orders)
            yield orders, due if self._rate else perf_counter()

    async def _send_one(self, call: Any, orders: list[OutgoingOrder], due: float) -> None:
        attempt = 0
        while True:
            try:
                data = await call(orders[0].request, timeout=CALL_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                attempt += 1
                if not self.is_worth_repeating(error.code(), attempt, error.details() or ""):
                    return
                await asyncio.sleep(backoff_s(attempt))
            else:
                self.accepted(due, order_service_pb2.CreateOrderResponse.FromString(data).persistence)
                return

    async def _send_batch(self, call: Any, orders: list[OutgoingOrder], due: float) -> None:
        attempt = 0
        while orders:
            try:
                data = await call(batch_of(orders), timeout=CALL_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                attempt += 1
                if not self.is_worth_repeating(error.code(), attempt, error.details() or "", len(orders)):
                    return
            else:
                attempt += 1
                orders = self._again(orders, order_service_pb2.BatchCreateOrdersResponse.FromString(data), due, attempt)
                if not orders:
                    return
            await asyncio.sleep(backoff_s(attempt))

    def _again(
        self,
        orders: list[OutgoingOrder],
        response: order_service_pb2.BatchCreateOrdersResponse,
        due: float,
        attempt: int,
    ) -> list[OutgoingOrder]:
        """The orders of a batch that have to be sent again."""
        again = []
        for order, result in zip(orders, response.results, strict=True):
            if result.HasField("order"):
                self.accepted(due, result.persistence)
            elif self.is_worth_repeating(CODES[result.status.code], attempt, result.status.message):
                again.append(order)
        return again

    def accepted(self, due: float, persistence: consistency_pb2.Persistence) -> None:
        """Counts an order that is accepted now."""
        self._result.persistence[consistency_pb2.Persistence.Name(persistence).removeprefix("PERSISTENCE_")] += 1
        self._result.accept_s.append(perf_counter() - due)

    def is_worth_repeating(self, code: grpc.StatusCode, attempt: int, sentence: str, orders: int = 1) -> bool:
        """Counts so many orders that were refused with one call, and says whether to send them again."""
        repeat = may_retry(code, attempt)
        self.trouble = f"{code.name}: {sentence}"
        (self._result.repeated if repeat else self._result.failed)[self.trouble] += orders
        return repeat


class _Stream:
    """One `IngestOrders` stream, made anew when it breaks; answers come in the order of the requests."""

    def __init__(self, load: Load, channel: grpc.aio.Channel, window: int) -> None:
        self._load = load
        self._method: Any = channel.stream_stream(SERVICE + "IngestOrders")
        self._free = asyncio.Semaphore(window)
        self._under_way: deque[tuple[OutgoingOrder, float]] = deque()
        self._orders = load.due_orders()
        self._attempt = 0

    async def run(self) -> None:
        """Until the source is empty and everything is answered."""
        again: list[tuple[OutgoingOrder, float]] = []
        while True:
            stream = self._method()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._write(stream, again))
                    tasks.create_task(self._read(stream))
            except* grpc.aio.AioRpcError as errors:
                error = errors.exceptions[0]
                assert isinstance(error, grpc.aio.AioRpcError)  # the type that except* selects
                self._attempt += 1
                lost = max(1, len(self._under_way))
                if not self._load.is_worth_repeating(error.code(), self._attempt, error.details() or "", lost):
                    self._under_way.clear()
            if not self._under_way:
                return
            again = list(self._under_way)
            self._under_way.clear()
            await asyncio.sleep(backoff_s(self._attempt))

    async def _write(self, stream: Any, again: Iterable[tuple[OutgoingOrder, float]]) -> None:
        for order, due in again:
            await self._write_one(stream, order, due)
        async for (order,), due in self._orders:
            await self._free.acquire()
            await self._write_one(stream, order, due)
        await stream.done_writing()

    async def _write_one(self, stream: Any, order: OutgoingOrder, due: float) -> None:
        self._under_way.append((order, due))
        await stream.write(order.request)

    async def _read(self, stream: Any) -> None:
        while (data := await stream.read()) is not grpc.aio.EOF:
            response = order_service_pb2.IngestOrdersResponse.FromString(data)
            order, due = self._under_way.popleft()
            if response.HasField("order"):
                self._load.accepted(due, response.persistence)
                self._free.release()
            elif self._is_repeated(response.status):
                await self._write_one(stream, order, due)
            else:
                self._free.release()

    def _is_repeated(self, status: status_pb2.Status) -> bool:
        return self._load.is_worth_repeating(CODES[status.code], 1, status.message)
