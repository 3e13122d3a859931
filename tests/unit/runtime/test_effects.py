"""Effects that wait on purpose: they are asked again when they say, and nobody else waits with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value

from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import AskLater
from tests.unit.runtime.engine import OPTIONS, Engine, ask, double, reaches

LONG_S = 600.0
FAST_BREAKER = replace(OPTIONS, breaker_failures=2, breaker_pause_s=LONG_S)
SLOW_RETRIES = replace(OPTIONS, effect_retry_min_s=LONG_S, effect_retry_max_s=LONG_S)
INT32 = Int32Value.DESCRIPTOR.full_name


async def test_who_waits_on_purpose_keeps_nobody_else_from_asking() -> None:
    """More wait than failures would open the breaker."""
    waiting: list[str] = []

    async def answer(request: Message, key: str) -> Message:
        assert isinstance(request, Int32Value)
        if request.value < 0:
            waiting.append(key)
            raise AskLater("not yet", LONG_S)
        return await double(request, key)

    engine = Engine(1, FAST_BREAKER)
    async with engine.running(engine.host("owner", {INT32: answer})) as gate:
        for number in range(5):
            await ask(gate, f"waits-{number}", Int32Value(value=-1))
        for number in range(3):
            await ask(gate, f"asks-{number}", Int32Value(value=7))
            await reaches(gate, f"asks-{number}", 14)

    assert len(waiting) == len(set(waiting)) == 5


@pytest.mark.parametrize("options", [SLOW_RETRIES, replace(SLOW_RETRIES, breaker_failures=1)])
async def test_who_waits_is_asked_again_under_its_key_when_it_said(options: OwnerOptions) -> None:
    keys: list[str] = []

    async def answer(request: Message, key: str) -> Message:
        keys.append(key)
        if len(keys) < 4:
            raise AskLater("not yet", 0.01)
        return await double(request, key)

    engine = Engine(1, options)
    async with engine.running(engine.host("owner", {INT32: answer})) as gate:
        await ask(gate, "a", Int32Value(value=7))
        await reaches(gate, "a", 14)

    assert (len(keys), len(set(keys))) == (4, 1)
