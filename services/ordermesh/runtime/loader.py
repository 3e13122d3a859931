"""Brings aggregates from the store into the cache, all misses of a batch at once, and only between decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ordermesh.core.decider import Key
from ordermesh.runtime.memory import Partition
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Clock, Store, StoreUnavailable

SILENCE_MIN_S, SILENCE_MAX_S = 1.0, 4.0
"""After a load failed, the next ones fail at once for so long, doubling: a decision must not wait for it."""


class StoreLoader:
    """Loads at quorum. What the store does not have is remembered as absent for the present turn."""

    def __init__(self, partition: Partition, store: Store, clock: Clock, options: OwnerOptions) -> None:
        self._partition = partition
        self._cache = partition.cache
        self._store = store
        self._kinds = partition.registry.kinds
        self._clock = clock
        self._timeout_s = options.load_timeout_s
        self._absent: set[Key] = set()
        self._silent_until = float("-inf")
        self._silence_s = SILENCE_MIN_S
        self._now_us = 0

    def begin(self, now_us: int) -> None:
        """A new turn at that log clock: what was absent may exist now."""
        self._absent.clear()
        self._now_us = now_us

    @property
    def is_silent(self) -> bool:
        """Whether the store failed a moment ago."""
        return self._clock.monotonic() < self._silent_until

    async def ensure(self, keys: Sequence[Key], *, first: bool) -> bool:
        """True: each of them is in the cache or known not to exist. False: the store is silent about one."""
        return await self.prefetch([(keys, first)])

    async def prefetch(self, wanted: Iterable[tuple[Sequence[Key], bool]]) -> bool:
        """The same for many commands: their keys, and whether each is its sender's first attempt."""
        missing: dict[str, list[Key]] = {}
        has = self._cache.has
        for keys, first in wanted:
            for key in keys:
                if not has(key) and not self.is_absent(key, first=first):
                    self._cache.misses += 1
                    missing.setdefault(key.kind, []).append(key)
        if not missing:
            return True
        if self.is_silent:
            return False
        try:
            async with asyncio.timeout(self._timeout_s):
                for kind, of_kind in missing.items():
                    await self._load(kind, list(dict.fromkeys(of_kind)))
        except (StoreUnavailable, TimeoutError):
            self._silent_until = self._clock.monotonic() + self._silence_s
            self._silence_s = min(2 * self._silence_s, SILENCE_MAX_S)
            return False
        self._silence_s = SILENCE_MIN_S
        return True

    def is_absent(self, key: Key, *, first: bool) -> bool:
        """Whether a key that is not in the cache is known not to exist."""
        if key in self._absent:
            return True
        if first and self._partition.is_doubtful(key.key, key.sub_key):
            first = False
        return self._cache.known_absent(key, self._kinds[key.kind], first=first, now_us=self._now_us)

    async def _load(self, kind_name: str, keys: Sequence[Key]) -> None:
        kind = self._kinds[kind_name]
        found = await self._store.load(kind.table, keys)
        for key in keys:
            stored = found.get(key)
            if stored is None:
                self._absent.add(key)
            else:
                self._partition.check(key, stored)
                self._cache.keep(key, kind, stored)
