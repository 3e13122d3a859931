"""A run of hostile calls: an engine of its own, the calls of a seed, many at once, and the audit at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ordermesh.testing.fuzz.audit import Canaries, troubles
from ordermesh.testing.fuzz.caller import Caller, Tally
from ordermesh.testing.fuzz.deployment import Deployment
from ordermesh.testing.fuzz.methods import Method, contract_methods
from ordermesh.testing.fuzz.plan import Plan

AT_ONCE = 48
"""Calls that are under way at once."""
CONNECTIONS = 4
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
)

Told = Callable[[int], None]
"""Hears how many calls were made so far."""


async def served_methods(channel: grpc.aio.Channel) -> list[Method]:
    """The methods of the contract that the server has; it says so itself."""
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    made: Any = reflection_pb2_grpc.ServerReflectionStub
    stream = made(channel).ServerReflectionInfo(iter([request]))
    names = {service.name for service in (await stream.read()).list_services_response.service}
    stream.cancel()
    methods = contract_methods()
    unknown = {name for name in names if name.startswith("oms.")} - {method.service for method in methods}
    if unknown:
        raise LookupError(f"no generated code is known of {', '.join(sorted(unknown))}")
    return [method for method in methods if method.service in names]


async def _call_all(address: str, seed: int, numbers: Iterator[int], tally: Tally, told: Told) -> list[str]:
    """Makes the calls, then audits. Returns what is wrong."""
    channels = [grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) for _ in range(CONNECTIONS)]
    try:
        tokens: list[str] = []
        plan = Plan(seed, await served_methods(channels[0]), tokens)
        canaries = Canaries(channels[0])
        await canaries.release(seed)

        async def keep_calling(caller: Caller) -> None:
            for number in numbers:
                await caller.make(plan.call(number))
                told(tally.calls)

        callers = [Caller(channel, tally, tokens) for channel in channels]
        await asyncio.gather(*(keep_calling(callers[number % CONNECTIONS]) for number in range(AT_ONCE)))
        return await canaries.changed() + await troubles(channels[0])
    finally:
        for channel in channels:
            await channel.close()


def fuzz(seed: int, calls: int, told: Told = lambda _calls: None) -> dict[str, Any]:
    """Makes that many calls of a seed against a new engine. Returns a line of results; `failures` has what is wrong."""
    tally, began = Tally(), time.monotonic()
    with TemporaryDirectory(prefix="fuzz-") as folder, Deployment(Path(folder)) as engine:
        wrong = asyncio.run(_call_all(engine.address, seed, iter(range(calls)), tally, told))
        wrong += engine.troubles()
        peak = {name: size >> 20 for name, size in engine.peak_bytes().items()}
    return {
        "seed": seed,
        "calls": tally.calls,
        "messages": tally.messages,
        "seconds": round(time.monotonic() - began),
        "codes": dict(sorted(tally.codes.items())),
        "items": dict(sorted(tally.items.items())),
        "methods": dict(sorted(tally.methods.items())),
        "peak_mib": peak,
        "failures": {**tally.failures, **{text: {} for text in wrong}},
    }
