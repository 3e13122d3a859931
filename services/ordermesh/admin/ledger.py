"""The payment provider's own truth, summed by order, to be compared with what the engine believes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Protocol
from zlib import crc32

from ordermesh.admin.tally import Tally
from ordermesh.core.money import NANOS_PER_UNIT

ENTRIES_PER_TURN = 500
"""Operations that a thread reads in one go; then the loop takes them in: about a millisecond."""
ORDERS_PER_SLICE = 100_000
"""Orders whose sums are held at once: about 40 MB."""


class ProviderOperation(Protocol):
    """One operation that took effect at the provider."""

    @property
    def order_id(self) -> str:
        """The order that it is for."""

    @property
    def operation(self) -> str:
        """authorize, adjust, capture, void, refund or release."""

    @property
    def units(self) -> int:
        """Whole units of the amount."""

    @property
    def nanos(self) -> int:
        """The rest of the amount."""

    @property
    def idempotency_key(self) -> str:
        """What it was asked under; no key takes effect twice."""

    @property
    def operation_id(self) -> str:
        """The provider's name of a hold that is released."""


ProviderTruth = Callable[[], Iterable[ProviderOperation]]
"""Gives every operation that took effect so far, in order; may be called again. Called and read in a thread."""


class Sums:
    """What took effect for one order, in nanos; `released` by the provider's name of the hold."""

    __slots__ = ("adjust", "authorize", "capture", "refund", "released", "void")

    def __init__(self) -> None:
        self.authorize = self.adjust = self.capture = self.void = self.refund = 0
        self.released: dict[str, int] = {}

    @property
    def held(self) -> int:
        """What the provider agreed to hold, with increases and decreases."""
        return self.authorize + self.adjust

    def add(self, operation: str, nanos: int, operation_id: str = "") -> None:
        """One operation more. A hold that no payment needed, and that was released, counts as never held."""
        if operation == "release":
            self.authorize -= nanos
            self.released[operation_id] = self.released.get(operation_id, 0) + nanos
        else:
            setattr(self, operation, getattr(self, operation) + nanos)

    def of_payment(self, reference: str) -> tuple[int, int, int, int]:
        """What was held, taken, let go and given back, as the payment with that hold has to know it: the release of its
        own hold is its void."""
        own = self.released.get(reference, 0)
        return (self.held + own, self.capture, self.void + own, self.refund)

    def as_text(self) -> str:
        """For a person, in units."""
        parts = (
            f"{name} {getattr(self, name) / NANOS_PER_UNIT:g}"
            for name in ("authorize", "adjust", "capture", "void", "refund")
        )
        return ", ".join(parts)


def ledger_slice(order_id: str, slices: int) -> int:
    """The slice of an order."""
    return crc32(order_id.encode()) % slices


async def slices_of(truth: ProviderTruth) -> int:
    """How many slices the ledger needs: an order that is paid has at least two operations."""
    count = 0
    async for part in _in_turns(truth):
        count += len(part)
    return 1 + count // (2 * ORDERS_PER_SLICE)


async def sums_of(truth: ProviderTruth, wanted: Callable[[str], bool], tally: Tally | None = None) -> dict[str, Sums]:
    """The sums of the orders that are wanted; with a tally, keys that took effect twice are violations of I4."""
    sums: dict[str, Sums] = {}
    keys: set[bytes] = set()
    async for part in _in_turns(truth):
        for entry in part:
            if not wanted(entry.order_id):
                continue
            of_order = sums.setdefault(entry.order_id, Sums())
            of_order.add(entry.operation, entry.units * NANOS_PER_UNIT + entry.nanos, entry.operation_id)
            if tally is not None:
                _check_key(entry, keys, tally)
    return sums


async def _in_turns(truth: ProviderTruth) -> AsyncIterator[Sequence[ProviderOperation]]:
    """All operations, a part at a time; a thread reads them, because a file may keep its reader waiting."""
    entries: Iterator[ProviderOperation] | None = None

    def read() -> Sequence[ProviderOperation]:
        nonlocal entries
        if entries is None:
            entries = iter(truth())
        return list(islice(entries, ENTRIES_PER_TURN))

    while part := await asyncio.to_thread(read):
        yield part


def _check_key(entry: ProviderOperation, keys: set[bytes], tally: Tally) -> None:
    """Notes the key; a violation if it is known."""
    key = blake2b(entry.idempotency_key.encode(), digest_size=12).digest()
    if key in keys:
        tally.violated("I4", f"the provider did {entry.operation} twice under {entry.idempotency_key}")
    keys.add(key)
