"""One partition's decisions for the relay: where to begin, what follows what, and how much is read ahead.

A feed begins at the frame of its position, which must still be the frame that was relayed: else the log lost its tail
meanwhile, and it is read from its head, leaving out what lies before the position in the chain.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from ordermesh.runtime.options import SCHEMA_VERSION
from ordermesh.runtime.ports import Log, PartitionId, Reader, Stored

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A decision frame all of whose events are published: ordered by epoch and number; its place in the stream."""

    epoch: int
    number: int
    sequence: int
    frame_id: bytes


class Unreadable(Exception):
    """A decision frame that this build cannot read: the partition cannot be relayed past it."""


class Feed:
    """Reads one partition from a position on. `wake` is called when there is something to take."""

    def __init__(
        self, partition: PartitionId, log: Log, place: Place | None, wake: Callable[[], None], bytes_max: int
    ) -> None:
        self.partition = partition
        self.place = place
        self._last = place
        self._log = log
        self._wake = wake
        self._bytes_max = bytes_max
        self._waiting: deque[Stored] = deque()
        self._bytes = 0
        self._read_to = 0
        self._full = False
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Begins to read. Raises LogUnavailable."""
        place = self.place
        if place is not None:
            found = await self._log.fetch(self.partition, ("decisions",), place.sequence - 1, 1)
            if found and found[0].sequence == place.sequence and read_frame(found[0]).id == place.frame_id:
                self._read_to = place.sequence
            else:
                _log.warning("%s: frame %d is not where it was; reading from the head", self.partition, place.number)
                self.place = place._replace(sequence=0)  # owners trim up to what they are told: nothing of this log yet
        await self._read_on()

    async def close(self) -> None:
        """Stops reading; idempotent."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def refill(self) -> None:
        """Reads on after it had to stop because too much waited. Raises LogUnavailable."""
        if self._full and not self._waiting:
            await self.close()
            self._full = False
            await self._read_on()

    def take(self) -> tuple[Place, log_pb2.DecisionFrame] | None:
        """The next frame of the chain, if one waits; `place` is to be set once it is published. Raises Unreadable."""
        while self._waiting:
            stored = self._waiting.popleft()
            self._bytes -= len(stored.data)
            frame = read_frame(stored)
            if self._follows(frame):
                self._last = Place(frame.epoch, frame.number, stored.sequence, frame.id)
                return self._last, frame
        return None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._waiting

    async def _read_on(self) -> None:
        self._reader = await self._log.read(self.partition, ("decisions",), self._read_to, self._deliver)

    def _deliver(self, stored: Stored) -> None:
        if self._full:
            return
        self._waiting.append(stored)
        self._read_to = stored.sequence
        self._bytes += len(stored.data)
        self._full = self._bytes >= self._bytes_max
        self._wake()

    def _follows(self, frame: log_pb2.DecisionFrame) -> bool:
        last = self._last
        if last is None or frame.previous_id == last.frame_id:
            return True
        if (frame.epoch, frame.number) <= (last.epoch, last.number):
            return False
        if frame.HasField("taken") and frame.epoch > last.epoch:
            _log.error("%s: the log lost its tail; epoch %d goes on without it", self.partition, frame.epoch)
            return True
        if frame.number > last.number + 1:
            _log.error("%s: frames %d to %d are gone", self.partition, last.number + 1, frame.number - 1)
            return True
        _log.error("%s: frame %d does not follow the one before it; left out", self.partition, frame.number)
        return False


def read_frame(stored: Stored) -> log_pb2.DecisionFrame:
    """The frame in a message of the log. Raises Unreadable."""
    try:
        frame = log_pb2.DecisionFrame.FromString(stored.data)
    except DecodeError as error:
        raise Unreadable(f"the decision frame at {stored.sequence} is no frame") from error
    if frame.schema > SCHEMA_VERSION:
        raise Unreadable(f"the decision frame at {stored.sequence} has schema {frame.schema}, newer than this build")
    return frame
