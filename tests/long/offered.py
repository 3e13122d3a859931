"""Offered load: batches of orders sent when they are due, whether or not earlier ones are answered.

A client that means well would wait after a refusal; these do not, and repeat nothing: that is what overload is.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from oms.order.v1 import order_service_pb2
from ordermesh.cli.bench_orders import OrderSource, batch_of

METHOD = "/oms.order.v1.OrderService/BatchCreateOrders"
CONNECTIONS = 4
CORES = len(os.sched_getaffinity(0))
CALL_S = 30.0
"""A call without an answer after that long counts as hung."""
PAUSE_S = 0.5
"""How long a client that means well waits after a refusal."""
REFUSED = grpc.StatusCode.RESOURCE_EXHAUSTED
OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1))


@dataclass
class Outcome:
    """What became of the orders of a period: times in seconds, from when an order was due to its answer."""

    seconds: float = 0.0
    client_cpu_s: float = 0.0
    accepted_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    """Of orders that were refused with all else of their call."""
    refused_beside_s: list[float] = field(default_factory=list)
    """Of orders that were refused in a batch of which another partition took some: their answer comes with those'."""
    wrong: Counter[str] = field(default_factory=Counter)
    offered: int = 0

    def refused(self) -> int:
        """How many orders were refused for overload."""
        return len(self.refused_s) + len(self.refused_beside_s)

    def accepted_per_s(self) -> float:
        """Goodput."""
        return len(self.accepted_s) / self.seconds

    def accepted_per_cpu_s(self) -> float:
        """Goodput for each CPU-second that this client has left to the engine: it runs on the same cores, and to offer
        ten times as much, and to read ten times the refusals, takes a good part of them."""
        return len(self.accepted_s) / (self.seconds * CORES - self.client_cpu_s)

    def note(
        self, taken_s: float, accepted: int, refusals: Sequence[tuple[grpc.StatusCode, status_pb2.Status]]
    ) -> None:
        """A batch that was answered after that time."""
        self.accepted_s.extend([taken_s] * accepted)
        refused_s = self.refused_beside_s if accepted else self.refused_s
        for code, status in refusals:
            if code is REFUSED and any(packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for packed in status.details):
                refused_s.append(taken_s)
            else:
                self.wrong[f"{code.name}: {status.message}"[:120]] += 1

    def told(self) -> str:
        """For a person."""
        return (
            f"{self.offered / self.seconds:,.0f} orders/s offered, {self.accepted_per_s():,.0f}/s accepted"
            f" (p50 {_share(self.accepted_s, 0.5):.2f} s, p99 {_share(self.accepted_s, 0.99):.2f} s),"
            f" {len(self.refused_s) / self.seconds:,.0f}/s refused"
            f" (p50 {_share(self.refused_s, 0.5):.3f} s, p99 {_share(self.refused_s, 0.99):.3f} s)"
            f" and {len(self.refused_beside_s) / self.seconds:,.0f}/s beside accepted ones"
            f" (p99 {_share(self.refused_beside_s, 0.99):.3f} s),"
            f" {sum(self.wrong.values())} otherwise {dict(self.wrong.most_common(3))}"
            f", {self.client_cpu_s / self.seconds:.2f} cores for the client"
        )


def _share(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)] if values else 0.0


def p99(values: Sequence[float]) -> float:
    """The time that 99 of 100 are below; 0 where there are none."""
    return _share(values, 0.99)


class Offer:
    """Batches of a source's orders to one engine. As a context manager it holds the connections."""

    def __init__(self, address: str, source: OrderSource, batch_size: int) -> None:
        self._address = address
        self._source = source
        self._batch_size = batch_size
        self._channels: list[grpc.aio.Channel] = []

    async def __aenter__(self) -> Offer:
        """Connects."""
        self._channels = [grpc.aio.insecure_channel(self._address, options=OPTIONS) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(channel.channel_ready() for channel in self._channels))
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Disconnects."""
        for channel in self._channels:
            await channel.close()

    async def closed_loop(self, seconds: float, under_way: int) -> Outcome:
        """So many batches under way at once, the next when one is answered, or a while after one was refused."""
        outcome, began, cpu_s = Outcome(), time.monotonic(), time.process_time()

        async def keep_sending(number: int) -> None:
            while time.monotonic() - began < seconds:
                refused = outcome.refused()
                await self._send(outcome, number, time.monotonic())
                if outcome.refused() > refused:
                    await asyncio.sleep(PAUSE_S)

        await asyncio.gather(*(keep_sending(number) for number in range(under_way)))
        outcome.seconds = time.monotonic() - began
        outcome.client_cpu_s = time.process_time() - cpu_s
        return outcome

    async def open_loop(self, seconds: float, orders_per_s: float, look: Callable[[], None]) -> Outcome:
        """Batches at a rate; `look` is called about once a second."""
        outcome, began, cpu_s = Outcome(), time.monotonic(), time.process_time()
        number, looked = 0, began
        async with asyncio.TaskGroup() as tasks:
            while (due := began + number * self._batch_size / orders_per_s) < began + seconds:
                if (wait_s := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                tasks.create_task(self._send(outcome, number, due))
                number += 1
                if time.monotonic() - looked > 1.0:
                    looked = time.monotonic()
                    look()
            outcome.seconds = time.monotonic() - began
            outcome.client_cpu_s = time.process_time() - cpu_s
        return outcome

    async def _send(self, outcome: Outcome, number: int, due: float) -> None:
        orders = [order for _ in range(self._batch_size) if (order := self._source.take()) is not None]
        outcome.offered += len(orders)
        call: Any = self._channels[number % CONNECTIONS].unary_unary(METHOD)
        accepted, refusals = 0, []
        try:
            data = await call(batch_of(orders), timeout=CALL_S)
            for result in order_service_pb2.BatchCreateOrdersResponse.FromString(data).results:
                if result.HasField("order"):
                    accepted += 1
                else:
                    refusals.append((_CODES[result.status.code], result.status))
        except grpc.aio.AioRpcError as error:
            packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
            assert isinstance(packed, bytes)
            refusals = [(error.code(), status_pb2.Status.FromString(packed))] * len(orders)
        outcome.note(time.monotonic() - due, accepted, refusals)


_CODES = {code.value[0]: code for code in grpc.StatusCode}
