"""Rows as an audit reads them: all of a table page by page, keys in slices, fingerprints instead of states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from zlib import crc32

from ordermesh.core.decider import AggregateType, Key
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.kernel_service import DEAD_LETTER
from ordermesh.runtime.ports import PartitionId

PAGE_ROWS = 500
"""Rows that are asked for at once."""
KEYS_PER_LOAD = 250
"""Keys of one multi-get."""


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


async def pages(backend: Backend, kind: AggregateType) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All rows of a kind of aggregate; other calls have their turn between pages. Raises StoreUnavailable."""
    after = b""
    while True:
        page = await backend.store.scan(kind.table, after=after, count_max=PAGE_ROWS)
        yield page.rows
        if not page.next_token:
            return
        after = page.next_token
        await asyncio.sleep(0)


def partition_of(backend: Backend, key: Key) -> PartitionId:
    """Where an aggregate lives. Raises KeyError for a kind of no service."""
    if key.kind == DEAD_LETTER:
        group, _, number = key.key.rpartition("/")
        return PartitionId(group, int(number))
    for service in backend.registry.services.values():
        if any(aggregate.kind == key.kind for aggregate in service.aggregates):
            return backend.topology.partition_of(service.name, key.tenant, key.key)
    raise KeyError(key.kind)


async def load(backend: Backend, kind: AggregateType, keys: Sequence[Key]) -> dict[Key, Any]:
    """The states of these keys at quorum; those that are not stored are absent. Raises StoreUnavailable."""
    states: dict[Key, Any] = {}
    for start in range(0, len(keys), KEYS_PER_LOAD):
        for key, row in (await backend.store.load(kind.table, keys[start : start + KEYS_PER_LOAD])).items():
            states[key] = kind.state.FromString(row.state)
    return states
