"""The books of a stopped engine and of its sandbox provider, for hands that reach into both.

What they plant: operations that the provider lost, did twice, or was never asked for, and what the engine believes that
never was.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from oms.payment.v1 import payment_pb2
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.adapters.provider_ledger import LedgerEntry, read_ledger
from ordermesh.adapters.stores import STORE_FILE
from ordermesh.bootstrap import LEDGER_FILE
from tests.e2e.api.client import new_id

LONG_AGO_US = 20 * 60 * 1_000_000
"""The provider was asked so long ago that somebody should be told."""


class Books:
    """Both sides. What is changed of the provider's is there after `close`."""

    def __init__(self, data: Path, chance: random.Random) -> None:
        self._ledger = data / LEDGER_FILE
        self._store = data / STORE_FILE
        self._chance = chance
        self.entries = list(read_ledger(self._ledger))

    def close(self) -> None:
        """Writes the ledger."""
        self._ledger.write_bytes(b"".join(entry.line() for entry in self.entries))

    def find(self, order_id: str, operation: str) -> int:
        """The place of the one such entry."""
        (place,) = (
            number
            for number, entry in enumerate(self.entries)
            if (entry.order_id, entry.operation) == (order_id, operation)
        )
        return place

    def add(self, order_id: str, operation: str, amount: tuple[int, int] = (7, 0), name: str = "") -> None:
        """The provider did something that nobody here asked for, under a key of its own."""
        time = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        key = f"stray-{len(self.entries)}-{self._chance.getrandbits(32):08x}"
        self.entries.append(LedgerEntry(time, order_id, operation, "GBP", *amount, key, name))

    def forget(self, order_id: str, *operations: str) -> None:
        """The provider knows nothing of these; of all of an order where none is named."""
        self.entries = [
            entry
            for entry in self.entries
            if entry.order_id != order_id or (operations and entry.operation not in operations)
        ]

    def alter(self, order_id: str, operation: str, more: int) -> None:
        """The provider did it with another amount, by some whole pounds."""
        place = self.find(order_id, operation)
        entry = self.entries[place]
        self.entries[place] = entry._replace(units=entry.units + more * self._chance.randint(1, 3))

    def amount(self, order_id: str, operation: str = "authorize") -> tuple[int, int]:
        """What was held, taken, let go or given back: units and nanos."""
        entry = self.entries[self.find(order_id, operation)]
        return entry.units, entry.nanos

    def believe(self, order_id: str, change: Callable[[StoredPayment], None]) -> None:
        """The engine has another payment in its store."""
        with sqlite3.connect(self._store) as store:
            ((data,),) = store.execute('SELECT state FROM payments WHERE "key" = ?', (order_id,)).fetchall()
            state = StoredPayment.FromString(data)
            change(state)
            changed = (state.SerializeToString(deterministic=True), order_id)
            store.execute('UPDATE payments SET state = ? WHERE "key" = ?', changed)
        store.close()


@dataclass(frozen=True, slots=True)
class Spoil:
    """Something wrong, the kind of order that it is planted in (`new` for one that nobody placed), and its name."""

    difference: str
    mendable: bool
    among: str
    plant: Callable[[Books, str], None]


def _taken_for_nobody(books: Books, order_id: str) -> None:
    books.add(order_id, "authorize")
    books.add(order_id, "capture", name="1")


def _taken_after_all(books: Books, order_id: str) -> None:
    """The provider took the money instead of letting go of it."""
    place = books.find(order_id, "void")
    books.entries[place] = books.entries[place]._replace(operation="capture", operation_id="1")


def _never_voided(books: Books, order_id: str) -> None:
    """Both sides are as before the void, the order is not."""
    books.forget(order_id, "void")

    def held(state: StoredPayment) -> None:
        state.payment.status = payment_pb2.PAYMENT_STATUS_AUTHORIZED
        state.payment.ClearField("voided")

    books.believe(order_id, held)


def _never_heard(books: Books, order_id: str) -> None:
    """The provider took the money, and its answer, and who waited for it, are lost."""

    def asking(state: StoredPayment) -> None:
        payment = state.payment
        payment.status = payment_pb2.PAYMENT_STATUS_AUTHORIZED
        payment.ClearField("captured")
        payment.captures[0].status = payment_pb2.OPERATION_STATUS_PENDING
        payment.update_time.FromMicroseconds(payment.update_time.ToMicroseconds() - LONG_AGO_US)

    books.believe(order_id, asking)


SPOILS = (
    Spoil("UNKNOWN_ORDER", True, "new", lambda books, name: books.add(name, "authorize")),
    Spoil("UNKNOWN_ORDER", False, "new", _taken_for_nobody),
    Spoil("HELD_TWICE", True, "completed", lambda books, name: books.add(name, "authorize", books.amount(name))),
    Spoil("HELD_AFTER_END", True, "declined", lambda books, name: books.add(name, "authorize")),
    Spoil("HELD_AFTER_END", True, "cancelled", lambda books, name: books.forget(name, "void")),
    Spoil("HELD_AFTER_END", True, "cancelled", _never_voided),
    Spoil("REFUND_MISSING", True, "refunded", lambda books, name: books.forget(name, "refund")),
    Spoil("UNDER_WAY", True, "completed", _never_heard),
    Spoil("MISSING_AT_PROVIDER", False, "completed", lambda books, name: books.forget(name)),
    Spoil("AUTHORIZED_DIFFERS", False, "completed", lambda books, name: books.alter(name, "authorize", 1)),
    Spoil("CAPTURED_DIFFERS", False, "completed", lambda books, name: books.alter(name, "capture", -1)),
    Spoil("CAPTURED_IN_VAIN", False, "cancelled", _taken_after_all),
    Spoil("HOLD_GONE", False, "waiting", lambda books, name: books.add(name, "void", books.amount(name))),
    Spoil("REFUND_DIFFERS", False, "refunded", lambda books, name: books.alter(name, "refund", 1)),
    Spoil("REFUND_UNKNOWN", False, "completed", lambda books, name: books.add(name, "refund", (1, 0), "by hand")),
)
"""All that a comparison may find, by everything that brings it about here."""


def plant(books: Books, orders: dict[str, list[str]], chance: random.Random) -> dict[Spoil, str]:
    """Plants each of them in an order of its own, drawn by chance; gives these, and leaves the others in `orders`."""
    planted = {}
    for spoil in chance.sample(SPOILS, len(SPOILS)):
        among = orders.get(spoil.among, [])
        order_id = new_id() if spoil.among == "new" else among.pop(chance.randrange(len(among)))
        spoil.plant(books, order_id)
        planted[spoil] = order_id
    books.close()
    return planted
