"""Commands read from the log and not yet decided, in the log's order and bounded in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.runtime import subjects
from ordermesh.runtime.memory import Work
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Clock, Kind, Log, PartitionId, Reader, Stored


class _Frame(NamedTuple):
    sequence: int
    data: bytes
    arrived: float


class Inbox:
    """Reads ahead of the deciding. What passes the limit is dropped from memory and read again when there is room."""

    def __init__(self, partition: PartitionId, log: Log, clock: Clock, options: OwnerOptions) -> None:
        self._partition = partition
        self._log = log
        self._clock = clock
        self._options = options
        self._frames: deque[_Frame] = deque()
        self._works: deque[Work] = deque()
        self._reader: Reader | None = None
        self._skip_through = (0, -1)
        self._overflowed = False
        self._wake: Callable[[], None] = lambda: None
        self.bytes_waiting = 0
        self.bytes_taken = 0
        self.last_sequence = 0
        self.oldest_arrival = 0.0

    async def open(self, decided_sequence: int, decided_index: int, wake: Callable[[], None]) -> None:
        """Begins after the last command decided; `decided_index` -1 means that its whole frame is."""
        self._wake = wake
        if decided_index >= 0:
            self._skip_through = (decided_sequence, decided_index)
        self.last_sequence = decided_sequence - 1 if decided_index >= 0 else decided_sequence
        await self._open()

    async def close(self) -> None:
        """Stops reading."""
        if self._reader is not None:
            await self._reader.close()

    def __len__(self) -> int:
        """Frames and commands that wait, at least."""
        return len(self._frames) + len(self._works)

    def take(self, count_max: int) -> list[Work]:
        """The next commands, at most so many."""
        while self._frames and len(self._works) < count_max:
            self._unpack(self._frames.popleft())
        taken: list[Work] = []
        while self._works and len(taken) < count_max:
            taken.append(self._works.popleft())
        return taken

    def put_back(self, works: list[Work]) -> None:
        """Returns what was taken and not decided, in its order."""
        self._works.extendleft(reversed(works))

    def lag_s(self) -> float:
        """How long the oldest command has waited."""
        if self._works:
            return self._clock.monotonic() - self.oldest_arrival
        return self._clock.monotonic() - self._frames[0].arrived if self._frames else 0.0

    async def refill(self) -> None:
        """Reads on where the memory was full."""
        if self._overflowed and self.bytes_waiting < self._options.inbox_bytes_max // 2:
            await self.close()
            self._overflowed = False
            await self._open()

    async def _open(self) -> None:
        kinds: tuple[Kind, ...] = ("commands", "messages")
        self._reader = await self._log.read(self._partition, kinds, self.last_sequence, self._deliver)

    def _deliver(self, stored: Stored) -> None:
        if self._overflowed or stored.sequence <= self.last_sequence:
            return
        if self.bytes_waiting > self._options.inbox_bytes_max:
            self._overflowed = True
            return
        self._frames.append(_Frame(stored.sequence, stored.data, self._clock.monotonic()))
        self.last_sequence = stored.sequence
        self.bytes_waiting += len(stored.data)
        self._wake()

    def _unpack(self, raw: _Frame) -> None:
        """A frame's envelopes; an unreadable frame is one command that cannot be read."""
        self.bytes_waiting -= len(raw.data)
        self.bytes_taken += len(raw.data)
        self.oldest_arrival = raw.arrived
        try:
            frame = log_pb2.CommandFrame.FromString(raw.data)
            error = "" if frame.envelopes else "the frame holds no command"
        except Exception as failed:  # noqa: BLE001 - whatever is wrong with the bytes, the partition goes on
            error = str(failed)[:2_000]
        if error:
            unreadable = log_pb2.Envelope(type="unreadable frame", payload=raw.data)
            self._works.append(Work(unreadable, "", raw.sequence, 0, is_last=True, error=error))
            return
        count, reply_to = len(frame.envelopes), frame.reply_to if subjects.is_reply(frame.reply_to) else ""
        for index, envelope in enumerate(frame.envelopes):
            if (raw.sequence, index) > self._skip_through:
                self._works.append(Work(envelope, reply_to, raw.sequence, index, is_last=index == count - 1))
