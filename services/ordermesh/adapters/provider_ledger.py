"""The sandbox provider's own truth: a file with one JSON line for each operation that took effect.

Several processes share the file. Whoever adds to it holds its lock (flock, which a kill -9 releases), first reads what
others have added, and cuts off a last line that was torn by a death. A key that is there never takes effect again.
What gathers during one addition goes as the next: one lock, one write, one sync.

Of every key only a digest of 16 bytes is kept in memory, in 4,096 buckets that are searched as bytes: 16 MB for a
million operations.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

LOCK_SECONDS_MAX = 10.0
"""How long the lock is waited for: a holder syncs a few lines."""
LOCK_PAUSE_SECONDS = 0.001
"""Between two tries to get the lock."""
READ_BYTES = 4 * 1024 * 1024
DIGEST_BYTES = 16
BUCKET_COUNT = 4096

_PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""Text that stands in JSON as it is."""
_KEY = re.compile(rb'"idempotency_key": "([^"]*)"')


class LedgerBusy(Exception):
    """The ledger cannot be had now; ask again under the same key."""


class LedgerEntry(NamedTuple):
    """An operation that took effect; `time` is RFC 3339, the amount as in google.type.Money, `operation_id` the
    capture's or refund's name."""

    time: str
    order_id: str
    operation: str
    currency_code: str
    units: int
    nanos: int
    idempotency_key: str
    operation_id: str = ""

    def line(self) -> bytes:
        """As it stands in the file."""
        amount = {"currency_code": self.currency_code, "units": self.units, "nanos": self.nanos}
        members = {
            "time": self.time,
            "order_id": self.order_id,
            "operation": self.operation,
            "amount": amount,
            "idempotency_key": self.idempotency_key,
        }
        if self.operation_id:
            members["operation_id"] = self.operation_id
        return json.dumps(members).encode() + b"\n"


def read_ledger(path: Path) -> Iterator[LedgerEntry]:
    """Every operation that took effect, in order; a last line that is being written is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield entry_of(line)


def entry_of(line: bytes) -> LedgerEntry:
    """The operation that a line tells."""
    members = json.loads(line)
    amount = members.pop("amount")
    return LedgerEntry(**members, **amount)


class Ledger(Protocol):
    """Where operations that took effect are kept, for several processes."""

    async def add(self, entry: LedgerEntry) -> bool:
        """Adds the operation unless its key is there; returns whether it was added. Raises LedgerBusy, OSError: nobody
        knows, and the same key may be added again."""

    def entries(self) -> Iterator[LedgerEntry]:
        """Every operation that took effect, in order. Blocks: read it in a thread."""

    async def close(self) -> None:
        """Ends cleanly; idempotent."""


class KeyIndex:
    """The set of keys that took effect, by digest."""

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(BUCKET_COUNT)]
        self.count = 0

    def _place(self, key: bytes) -> tuple[bytearray, bytes]:
        digest = hashlib.blake2b(key, digest_size=DIGEST_BYTES).digest()
        return self._buckets[int.from_bytes(digest[:2], "big") % BUCKET_COUNT], digest

    def __contains__(self, key: bytes) -> bool:
        bucket, digest = self._place(key)
        found = bucket.find(digest)
        while found % DIGEST_BYTES != 0 and found != -1:
            found = bucket.find(digest, found + 1)
        return found != -1

    def add(self, key: bytes) -> None:
        """Adds a key that is not there."""
        bucket, digest = self._place(key)
        bucket += digest
        self.count += 1


class ProviderLedger:
    """The ledger in the file `path`, for one process among several."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._known = KeyIndex()
        self._read_to = 0
        self._gathered: list[tuple[LedgerEntry, asyncio.Future[bool]]] = []
        self._adding: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "provider-ledger")

    async def add(self, entry: LedgerEntry) -> bool:
        """Adds the operation unless its key is there; returns whether it was added.

        Raises LedgerBusy; OSError where the file cannot be written; ValueError for a key that JSON would escape.
        """
        if _PLAIN.fullmatch(entry.idempotency_key) is None:
            raise ValueError(f"not an idempotency key of the engine: {entry.idempotency_key!r}")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._gathered.append((entry, done))
        if self._adding is None or self._adding.done():
            self._adding = asyncio.create_task(self._add_gathered())
        return await done

    def entries(self) -> Iterator[LedgerEntry]:
        """Every operation that took effect, in order."""
        return read_ledger(self._path)

    async def close(self) -> None:
        """Ends cleanly; idempotent. What was to be added is added first."""
        while self._adding is not None and not self._adding.done():
            await asyncio.wait([self._adding])
        self._thread.shutdown()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def _add_gathered(self) -> None:
        loop = asyncio.get_running_loop()
        while self._gathered:
            batch, self._gathered = self._gathered, []
            try:
                added = await loop.run_in_executor(self._thread, self._add_all, [entry for entry, _ in batch])
            except (OSError, LedgerBusy) as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), was_added in zip(batch, added, strict=True):
                if not done.done():
                    done.set_result(was_added)

    def _add_all(self, entries: Sequence[LedgerEntry]) -> list[bool]:
        """In the ledger's thread."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock(self._file)
        try:
            self._read_others(self._file)
            return self._write_new(self._file, entries)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    @staticmethod
    def _lock(file: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS_MAX
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LedgerBusy(f"another process holds the ledger for over {LOCK_SECONDS_MAX:g} s") from None
                time.sleep(LOCK_PAUSE_SECONDS)
            else:
                return

    def _read_others(self, file: int) -> None:
        """Takes in what stands after the place read to, and cuts off a torn last line."""
        torn = b""
        while part := os.pread(file, READ_BYTES, self._read_to + len(torn)):
            whole, newline, torn = (torn + part).rpartition(b"\n")
            for key in _KEY.findall(whole):
                self._known.add(key)
            self._read_to += len(whole) + len(newline)
        if torn:
            os.ftruncate(file, self._read_to)

    def _write_new(self, file: int, entries: Sequence[LedgerEntry]) -> list[bool]:
        lines: list[bytes] = []
        new_keys: set[bytes] = set()
        added: list[bool] = []
        for entry in entries:
            key = entry.idempotency_key.encode()
            is_new = key not in new_keys and key not in self._known
            added.append(is_new)
            if is_new:
                new_keys.add(key)
                lines.append(entry.line())
        if lines:
            self._write(file, b"".join(lines))
            for key in new_keys:
                self._known.add(key)
        return added

    def _write(self, file: int, data: bytes) -> None:
        """All of it, synced; where that fails none of it."""
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(file, data[written:], self._read_to + written)
            os.fdatasync(file)
        except OSError:
            os.ftruncate(file, self._read_to)
            raise
        self._read_to += len(data)
