"""What the kernel needs of the world: a log, a store, a bus, and a clock. Adapters implement these and nothing else.

Every adapter passes the contract suite of its port (`tests/contract`). An error is one of those defined here; what an
adapter's library raises never gets through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Literal, NamedTuple, Protocol

from google.protobuf.message import Message

from ordermesh.core.decider import Key, Row, Table


class PartitionId(NamedTuple):
    """A partition of a group; `str()` gives `orders/003`."""

    group: str
    number: int

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.group}/{self.number:03d}"


Kind = Literal["commands", "messages", "decisions"]
"""The three subjects of a partition's log."""


class LogError(Exception):
    """The log did not do what was asked; nothing was done."""


class LogUnavailable(LogError):
    """The log cannot be reached, or has no leader; nothing was done. Try again."""


class OutcomeUnknown(LogError):
    """The append may or may not have been done (time-out, lost connection)."""


class Fenced(LogError):
    """The subject's last sequence is not the expected one: somebody else appended. Nothing was done."""


class LogFull(LogError):
    """The log has no room; nothing was done."""


class Stored(NamedTuple):
    """A message of a log. `data` is empty where only headers were asked for; `frame_id` is what `append` was given."""

    sequence: int
    kind: Kind
    data: bytes
    frame_id: str


class LogState(NamedTuple):
    """A partition's log as its leader sees it. `bytes_max` is the size reserved; `first_sequence` is 1 past the last
    where it is empty."""

    first_sequence: int
    last_sequence: int
    bytes_used: int
    bytes_max: int


class Reader(Protocol):
    """Delivers a log's messages in order, without gap or repetition, until closed."""

    async def close(self) -> None:
        """Stops delivery; idempotent."""


class Log(Protocol):
    """The logs of all partitions."""

    async def create(self, partition: PartitionId, bytes_max: int) -> None:
        """Makes the partition's log if it does not exist; keeps what is there.

        Raises LogUnavailable; LogFull where the server has not that much room to reserve (says the sums).
        """

    async def append(
        self,
        partition: PartitionId,
        kind: Kind,
        data: bytes,
        *,
        frame_id: str,
        dedupe: bool,
        expected: int | None = None,
    ) -> int:
        """Appends one message and returns its sequence once it is durable.

        With `dedupe` a message of the same `frame_id` within two minutes is not appended again (its first sequence is
        returned). With `expected` it is appended only if the last sequence of this partition's `kind` is that (0: none
        yet), else Fenced. Raises OutcomeUnknown, LogUnavailable, LogFull, Fenced.
        """

    async def read(
        self,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool = False,
    ) -> Reader:
        """Calls `deliver` (on the event loop, must not block) with every message of `kinds` after that sequence, those
        that are there and those to come. Heals itself after loss of connection, server or consumer."""

    async def fetch(self, partition: PartitionId, kinds: Sequence[Kind], after: int, count_max: int) -> list[Stored]:
        """The next messages of `kinds` after that sequence, at most so many, without waiting for new ones; empty at the
        end. Up to date with every append acknowledged before the call. Raises LogUnavailable."""

    async def last(self, partition: PartitionId, kind: Kind) -> Stored | None:
        """The last message of the kind, from the leader. Raises LogUnavailable."""

    async def state(self, partition: PartitionId) -> LogState:
        """The log's extent, from the leader. Raises LogUnavailable."""

    async def trim(self, partition: PartitionId, through: int) -> None:
        """Removes all messages up to and with that sequence. Raises LogUnavailable."""


class StoreUnavailable(Exception):
    """The store did not answer as asked. A write may still be applied, now or later."""


class Written(Enum):
    """How a write was acknowledged: by a quorum of replicas, or only by one."""

    WEAK = 3
    QUORUM = 4


class StoredAggregate(NamedTuple):
    """An aggregate as stored: its version, the position of its last event, the write time, and its state."""

    version: int
    epoch: int
    frame: int
    index_in_frame: int
    write_time: int
    state: bytes


class Page(NamedTuple):
    """Rows of a query (column name to value), and where the next page begins (empty: the end)."""

    rows: list[Mapping[str, object]]
    next_token: bytes


class Store(Protocol):
    """Keeps the newest row by write time, whatever the order of arrival. Never deletes."""

    async def write(self, rows: Sequence[Row]) -> Written:
        """Upserts full rows; per row the highest write time wins. All or some may be there after StoreUnavailable."""

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """The aggregates at quorum; what does not exist is absent. Raises StoreUnavailable."""

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """The same from any one replica: may be stale. Raises StoreUnavailable."""

    async def query(
        self, table: Table, partition: Sequence[object], *, after: bytes = b"", count_max: int, quorum: bool = True
    ) -> Page:
        """Rows of one partition of a table in clustering order, a page at a time. Raises StoreUnavailable."""

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """All rows of a table in some stable order, a page at a time; for audits. Raises StoreUnavailable."""

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """The partition's checkpoint at quorum. Raises StoreUnavailable."""

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """Writes the checkpoint at quorum; the highest write time wins. Raises StoreUnavailable."""

    async def load_deployment(self) -> bytes | None:
        """What was fixed at creation. Raises StoreUnavailable."""

    async def create_deployment(self, deployment: bytes) -> bytes:
        """Records it unless there is one; returns the one that counts. Raises StoreUnavailable."""

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """Records it in place of the one known, unless another is there; returns the one that counts. Given the known
        one twice it finds out which that is, after a replacing of unknown outcome. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Ends cleanly; idempotent."""


class Bus(Protocol):
    """Messages that may be lost: replies, heartbeats, statuses (core NATS)."""

    def publish(self, subject: str, data: bytes) -> None:
        """Sends without waiting; dropped when there is no connection."""

    async def subscribe(self, subject: str, deliver: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """Calls `deliver` with each message on the subject (NATS wildcards); returns how to end it."""


class Clock(Protocol):
    """Time and chance, so that a simulation can own both."""

    def now_us(self) -> int:
        """The wall clock, microseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""

    def busy(self) -> float:
        """The share of the last short while that this process was busy, 0 to 1."""

    def random(self) -> float:
        """Uniform in 0 to 1."""

    def token(self, length: int) -> bytes:
        """Random bytes."""


class AskLater(Exception):
    """Raised by an effect's handler that waits on purpose: the outcome is unknown, but whoever is asked does answer."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
        """When to ask again, give or take a half."""


EffectHandler = Callable[[Message, str], Awaitable[Message]]
"""`(request, idempotency key) -> result`; raises when the outcome is unknown: then the same key is executed again.
AskLater says when."""
