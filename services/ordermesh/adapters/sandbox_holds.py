"""The sandbox provider's holds, made of the operations in its ledger.

An authorisation is a hold, named after the key under which it took effect. What else took effect for its order belongs
to the first hold that was not released.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.core.money import NANOS_PER_UNIT
from ordermesh.payment.provider import ProviderHold

ENTRIES_PER_SLICE = 200_000
"""Operations whose holds are made at once: about a hundred MB."""


def reference_of(idempotency_key: str) -> str:
    """The sandbox's name of the hold that took effect under a key."""
    return "sb_" + hashlib.blake2b(idempotency_key.encode(), digest_size=8).hexdigest()


_AMOUNTS = ("capture", "void", "release", "refund", "more", "less")
"""What became of a hold; an adjustment makes it more or less."""


@dataclass(slots=True)
class _Hold:
    first: LedgerEntry
    amounts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_AMOUNTS, 0))
    refunds: dict[str, int] = field(default_factory=dict)

    def add(self, entry: LedgerEntry) -> None:
        """One more operation on it."""
        nanos = _nanos(entry)
        if entry.operation == "adjust":
            self.amounts["more" if nanos > 0 else "less"] += abs(nanos)
        else:
            self.amounts[entry.operation] += nanos
        if entry.operation == "refund":
            self.refunds[entry.operation_id] = self.refunds.get(entry.operation_id, 0) + _nanos(entry)

    def told(self) -> ProviderHold:
        """As the port tells it."""
        return ProviderHold(
            order_id=self.first.order_id,
            reference=reference_of(self.first.idempotency_key),
            currency_code=self.first.currency_code,
            authorized=_nanos(self.first) + self.amounts["more"],
            captured=self.amounts["capture"],
            voided=self.amounts["void"] + self.amounts["release"] + self.amounts["less"],
            refunded=self.amounts["refund"],
            refunds=self.refunds,
            create_us=_time_us(self.first),
        )


def holds_of(entries: Sequence[LedgerEntry]) -> list[ProviderHold]:
    """The holds of one order. An operation without an authorisation, which the sandbox does not mind, is none."""
    holds = {reference_of(each.idempotency_key): _Hold(each) for each in entries if each.operation == "authorize"}
    released = {each.operation_id for each in entries if each.operation == "release"}
    first = next((hold for name, hold in holds.items() if name not in released), None)
    for entry in entries:
        hold = holds.get(entry.operation_id) if entry.operation == "release" else first
        if entry.operation != "authorize" and hold is not None:
            hold.add(entry)
    return [hold.told() for hold in holds.values()]


async def holds_taken_between(
    ledger: Callable[[], Iterable[LedgerEntry]], from_us: int, to_us: int
) -> AsyncIterator[ProviderHold]:
    """The holds that took effect from a time on and before another. Threads read the ledger."""
    slices = 1 + await asyncio.to_thread(lambda: sum(1 for _ in ledger())) // ENTRIES_PER_SLICE
    for number in range(slices):
        for hold in await asyncio.to_thread(_slice, ledger, number, slices):
            if from_us <= hold.create_us < to_us:
                yield hold


def _slice(ledger: Callable[[], Iterable[LedgerEntry]], number: int, slices: int) -> list[ProviderHold]:
    """The holds of one slice of the orders."""
    by_order: dict[str, list[LedgerEntry]] = {}
    for entry in ledger():
        if crc32(entry.order_id.encode()) % slices == number:
            by_order.setdefault(entry.order_id, []).append(entry)
    return [hold for entries in by_order.values() for hold in holds_of(entries)]


def _nanos(entry: LedgerEntry) -> int:
    return entry.units * NANOS_PER_UNIT + entry.nanos


def _time_us(entry: LedgerEntry) -> int:
    return round(datetime.fromisoformat(entry.time).timestamp() * 1_000_000)
