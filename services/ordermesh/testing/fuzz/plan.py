"""What the n-th call of a seed is: the method, the bytes, the metadata. Equal for equal seed and number.

Only the page tokens that it may send are of the engine's making, and so differ from run to run.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ordermesh.testing.fuzz.messages import Messages
from ordermesh.testing.fuzz.methods import Method
from ordermesh.testing.fuzz.values import Values
from ordermesh.testing.fuzz.wire import delimited, spoiled

STREAM_ITEMS = (0, 1, 2, 8, 40)
"""Messages of a stream of requests."""
HUGE_BYTES = (100_000, 600_000, 4 * 1024 * 1024, 4 * 1024 * 1024 + 64 * 1024, 4 * 1024 * 1024 + 64 * 1024 + 1)
"""Sizes around what orders and calls may have."""
METADATA_BYTES_FINE = 4_000
"""Metadata of that size is let in; the server's own limit is 16 KiB, and gRPC refuses some before that."""

KINDS = {
    "valid": 30,
    "spoiled field": 34,
    "hostile": 12,
    "spoiled bytes": 18,
    "random bytes": 4,
    "empty": 1,
    "huge": 0.15,
}
"""Kinds of requests and how often they are sent."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call to be made. `deadline_s` None is the runner's own patience."""

    number: int
    method: Method
    kind: str
    requests: Sequence[bytes]
    metadata: Sequence[tuple[str, str | bytes]] = ()
    deadline_s: float | None = None
    is_compressed: bool = False
    bytes_max: int = field(default=0)


class Plan:
    """The calls of a seed. `page_tokens` are those heard so far; the runner adds to them."""

    def __init__(self, seed: int, methods: Sequence[Method], page_tokens: list[str]) -> None:
        self._seed = seed
        self._methods = methods
        self._weights = [method.weight for method in methods]
        self._page_tokens = page_tokens

    def call(self, number: int) -> PlannedCall:
        """The call of that number."""
        chance = random.Random(f"{self._seed}:{number}")
        method = chance.choices(self._methods, weights=self._weights)[0]
        kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
        messages = Messages(Values(chance, number, self._page_tokens))
        count = chance.choice(STREAM_ITEMS) if method.takes_stream else 1
        requests = [self._request(chance, messages, method, kind) for _ in range(count)]
        return PlannedCall(
            number,
            method,
            kind,
            requests,
            metadata=_metadata(chance) if chance.random() < 0.04 else (),
            deadline_s=chance.choice([0.001, 0.01, 0.1]) if chance.random() < 0.01 else None,
            is_compressed=chance.random() < 0.02,
            bytes_max=max(map(len, requests), default=0),
        )

    def _request(self, chance: random.Random, messages: Messages, method: Method, kind: str) -> bytes:
        if kind == "empty":
            return b""
        if kind == "random bytes":
            return chance.randbytes(chance.choice([1, 3, 30, 300, 3_000]))
        if kind == "hostile":
            return messages.hostile(method.request).SerializeToString()
        message = messages.plausible(method.request)
        if kind == "spoiled field":
            for _ in range(chance.randint(1, 3)):
                messages.spoil(message)
        data = message.SerializeToString()
        if kind == "spoiled bytes":
            return spoiled(chance, data)
        if kind == "huge":
            return _enlarged(chance, data)
        return data


def _enlarged(chance: random.Random, data: bytes) -> bytes:
    """The request with something large after it: one large unknown field, or the same small field again and again."""
    size = chance.choice(HUGE_BYTES)
    number = chance.randint(1, 12)
    if chance.random() < 0.5:
        filled = data + delimited(number, b"A" * max(0, size - len(data) - 6))
        return filled[:size] if chance.random() < 0.2 else filled
    repeated = delimited(number, data[:40] if chance.random() < 0.5 else b"")
    return data + repeated * (max(0, size - len(data)) // len(repeated))


def _metadata(chance: random.Random) -> list[tuple[str, str | bytes]]:
    """Strange metadata; some is more than is let in."""
    kind = chance.randrange(5)
    if kind == 0:
        return [
            ("traceparent", chance.choice(["", "00-", "x" * 3_000, "00-" + "f" * 32 + "-" + "f" * 16 + "-01", "%00"]))
        ]
    if kind == 1:
        return [(f"x-{number}", "v") for number in range(chance.choice([3, 60]))]
    if kind == 2:
        return [("x-noise-bin", chance.randbytes(chance.choice([0, 100, 2_000])))]
    if kind == 3:
        return [("authorization", "Bearer " + "A" * chance.choice([0, 100, 20_000]))]
    return [("traceparent", "00-1"), ("traceparent", "00-2"), ("x-tenant", "other"), ("x-actor", "root")]
