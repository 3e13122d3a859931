"""A whole engine of counters on the memory adapters, for the kernel's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value, Int64Value, UInt64Value

from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore, MemoryStream
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.core.decider import Key
from ordermesh.runtime.gate import Answer, Gate, Overloaded
from ordermesh.runtime.host import OwnerHost, all_services
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import EffectHandler
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology, new_deployment
from tests.unit.runtime.counter import COUNTER

TIMEOUT_S = 10.0
LOG_BYTES = 10_000_000
OPTIONS = OwnerOptions(checkpoint_interval_s=0.05, status_interval_s=0.05)


async def double(request: Message, _idempotency_key: str) -> Message:
    """The outside: doubles a number."""
    assert isinstance(request, Int32Value)
    return Int64Value(value=2 * request.value)


class Engine:
    """Memory log, store and bus, and the processes on them."""

    def __init__(self, partitions: int = 2, options: OwnerOptions = OPTIONS) -> None:
        self.options = options
        self.log = MemoryLog()
        self.store = MemoryStore(Registry(all_services([COUNTER])).tables())
        self.bus = MemoryBus()
        self.clock = SystemClock()
        self.deployment = new_deployment("test", partitions, {"counters": ["counter"]})

    def host(self, instance: str, effects: Mapping[str, EffectHandler] | None = None) -> OwnerHost:
        """An owner process, not yet running."""
        return OwnerHost(
            instance=instance, build="test", log=self.log, store=self.store, bus=self.bus, clock=self.clock,
            services=[COUNTER], deployment=self.deployment, options=self.options,
            effects=effects or {"google.protobuf.Int32Value": double},
        )  # fmt: skip

    @asynccontextmanager
    async def running(self, *hosts: OwnerHost) -> AsyncIterator[Gate]:
        """Runs the hosts and a gate, and hands over cleanly at the end."""
        gate = Gate(
            instance="edge", log=self.log, bus=self.bus, clock=self.clock, deployment=self.deployment,
            options=self.options,
        )  # fmt: skip
        for partition in Topology(self.deployment).partitions():
            await self.log.create(partition, LOG_BYTES)
        await gate.start()
        running = [asyncio.create_task(host.run()) for host in hosts]
        try:
            yield gate
        finally:
            for host in hosts:
                host.stop()
            await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), TIMEOUT_S)
            await gate.close()


async def ask(gate: Gate, key: str, command: Message) -> Answer:
    """One command, stored."""
    (answer,) = await gate.settle([gate.post("counter", "t", key, command)], TIMEOUT_S)
    if isinstance(answer, Exception):
        raise answer
    return answer


async def value_of(gate: Gate, key: str) -> int | None:
    """A counter's value by a query through the log."""
    answer = await gate.query("counter", Key("counter", "t", key), timeout_s=TIMEOUT_S / 5)
    return UInt64Value.FromString(answer.state).value if answer.state else None


async def reaches(gate: Gate, key: str, expected: int) -> None:
    """Waits until the counter has that value."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            with suppress(TimeoutError, Overloaded):
                if await value_of(gate, key) == expected:
                    return
            await asyncio.sleep(0.01)


def cut_tail(stream: MemoryStream, through: int) -> None:
    """The log ends there, whatever it acknowledged."""
    del stream._messages[through - stream.first_sequence + 1 :]
    for kind in stream._last_by_kind:
        left = [message.sequence for message in stream._messages if message.kind == kind]
        stream._last_by_kind[kind] = max(left, default=0)
