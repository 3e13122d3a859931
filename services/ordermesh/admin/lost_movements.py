"""Movements of stock that the store has and the log has lost: they are stored before the stock that they lead to.

Their versions will be given again, but not each to a movement, so what is there would stand between those that
happened. Each is made void instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ordermesh.core.decider import Key, Row
from ordermesh.inventory.ledger import LOST, STOCK_MOVEMENTS, block_of, voided
from ordermesh.runtime.ports import Store

ROWS_PER_READ = 200
"""Movements that are read at once."""
LATER_US = 1_000_000
"""A void is written so much later than its movement happened. A row's write time is past that time by as many
microseconds as events of one frame changed the stock, at most: a frame has thousands, not a million."""


async def movements_past(store: Store, key: Key, version: int) -> Sequence[Mapping[str, Any]]:
    """The movements of a SKU past the version that is left of its stock, the newest of a block first. Raises
    StoreUnavailable."""
    found: list[Mapping[str, Any]] = []
    for block in count(block_of(version)):
        rows = await _rows_past(store, key, block, version)
        found += (row for row in rows if row["kind"] != LOST)
        if not rows and block > block_of(version):
            break
    return found


async def _rows_past(store: Store, key: Key, block: int, version: int) -> Sequence[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    after = b""
    while True:
        page = await store.query(STOCK_MOVEMENTS, (key.tenant, key.key, block), after=after, count_max=ROWS_PER_READ)
        past = [row for row in page.rows if int(str(row["version"])) > version]
        found += past
        if len(past) < len(page.rows) or not page.next_token:
            return found
        after = page.next_token


def void_of(movement: Mapping[str, Any]) -> Row:
    """The row that makes it void: later than it, and earlier than whatever happens next."""
    return voided(movement, movement["time_us"] + LATER_US)
