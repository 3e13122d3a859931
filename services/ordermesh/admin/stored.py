"""Rows as an audit reads them: all of a table page by page, keys in slices, fingerprints instead of states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol
from zlib import crc32

from ordermesh.core.decider import AggregateType, Key
from ordermesh.runtime.kernel_service import DEAD_LETTER
from ordermesh.runtime.ports import PartitionId, Store
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.topology import Topology, named_partition

PAGE_ROWS = 250
"""Rows that are asked for at once: SQLite reads them in the loop's thread, in about two milliseconds."""
KEYS_PER_LOAD = 250
"""Keys of one multi-get."""


class Deployed(Protocol):
    """A store and what is known of its deployment."""

    @property
    def store(self) -> Store:
        """Its rows."""

    @property
    def registry(self) -> Registry:
        """Its kinds of aggregates."""

    @property
    def topology(self) -> Topology:
        """Where keys live."""


def in_slice(key: Key, number: int, slices: int) -> bool:
    """Whether an aggregate is in that slice of all keys."""
    return slices == 1 or crc32(f"{key.kind}\x1f{key.tenant}\x1f{key.key}\x1f{key.sub_key}".encode()) % slices == number


def hash_of(key: Key) -> bytes:
    """Stands for a key where a million of them are held."""
    return blake2b("\x1f".join(key).encode(), digest_size=12).digest()


def digest_of(state: bytes) -> bytes:
    """Stands for a state's bytes."""
    return blake2b(state, digest_size=8).digest()


def key_of(kind: AggregateType, row: Mapping[str, Any]) -> Key:
    """The key in a row of an aggregate's table."""
    return Key(kind.kind, row["tenant"], row["key"], row["sub_key"])


async def pages(backend: Deployed, kind: AggregateType) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All rows of a kind of aggregate; other calls have their turn between pages. Raises StoreUnavailable."""
    after = b""
    while True:
        page = await backend.store.scan(kind.table, after=after, count_max=PAGE_ROWS)
        yield page.rows
        if not page.next_token:
            return
        after = page.next_token
        await asyncio.sleep(0)


def partition_of(backend: Deployed, key: Key) -> PartitionId:
    """Where an aggregate lives. Raises KeyError for a kind of no service."""
    if key.kind == DEAD_LETTER:
        return backend.topology.home_of(named_partition(key.key))
    for service in backend.registry.services.values():
        if any(aggregate.kind == key.kind for aggregate in service.aggregates):
            return backend.topology.partition_of(service.name, key.tenant, key.key)
    raise KeyError(key.kind)


async def load(backend: Deployed, kind: AggregateType, keys: Sequence[Key]) -> dict[Key, Any]:
    """The states of these keys at quorum; those that are not stored are absent. Other calls have their turn between.
    Raises StoreUnavailable."""
    states: dict[Key, Any] = {}
    for start in range(0, len(keys), KEYS_PER_LOAD):
        await asyncio.sleep(0)
        for key, row in (await backend.store.load(kind.table, keys[start : start + KEYS_PER_LOAD])).items():
            states[key] = kind.state.FromString(row.state)
    return states
