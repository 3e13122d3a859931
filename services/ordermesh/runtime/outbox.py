"""Messages to other partitions: sent by a cursor into the own decisions, one per receiver.

The backlog is in the log. What fits is handed to the receivers' appenders when its frame is logged; a receiver that
cannot keep up falls behind and is served from the log again, and so is every receiver after a recovery. A message sent
again keeps its source, so the receiver drops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from oms.log.v1 import log_pb2
from ordermesh.runtime.appender import Appenders
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Log, LogError, LogUnavailable, PartitionId

PAGE = 16
"""Frames read at once when catching up from the log."""


class Cursor:
    """How far the messages for one receiver are queued, and how far they are acknowledged (stream sequences)."""

    __slots__ = ("acknowledged", "is_behind", "outstanding", "queued")

    def __init__(self, sent_through: int) -> None:
        self.acknowledged = sent_through
        self.queued = sent_through
        self.outstanding = 0
        self.is_behind = True


class _LastOfFrame:
    """The token on a frame's last message for a receiver: what comes before it is acknowledged with it."""

    __slots__ = ("_cursor", "_sequence")

    def __init__(self, cursor: Cursor, sequence: int) -> None:
        self._cursor = cursor
        self._sequence = sequence
        cursor.outstanding += 1

    def is_given_up(self) -> bool:
        """Never: a message is repeated until acknowledged."""
        return False

    def appended(self) -> None:
        """The receiver's log has it."""
        self._cursor.outstanding -= 1
        self._cursor.acknowledged = max(self._cursor.acknowledged, self._sequence)

    def failed(self, error: LogError) -> None:
        """Cannot be: messages are never given up."""
        raise AssertionError(error)


def sent_by(checkpoint: log_pb2.Checkpoint, receivers: Iterable[PartitionId]) -> dict[PartitionId, int]:
    """For each receiver, the stream sequence of the decision frame up to which its messages are acknowledged. One that
    a checkpoint with receivers does not list was not there yet: nothing up to the checkpoint was for it."""
    sent = {PartitionId(one.group, one.partition): one.sequence for one in checkpoint.sent_through}
    before = checkpoint.sequence if sent else 0
    return {receiver: sent.get(receiver, before) for receiver in receivers}


class Outbox:
    """The cursors of one partition's owner."""

    def __init__(self, partition: PartitionId, log: Log, appenders: Appenders, options: OwnerOptions) -> None:
        self._partition = partition
        self._log = log
        self._appenders = appenders
        self._options = options
        self._cursors: dict[PartitionId, Cursor] = {}
        self._last_sequence = 0
        self._behind = asyncio.Event()

    def begin(self, receivers: Mapping[PartitionId, int], last_sequence: int) -> None:
        """Starts with what a checkpoint said is acknowledged; everything later is read from the log."""
        self._cursors = {receiver: Cursor(sequence) for receiver, sequence in receivers.items()}
        self._last_sequence = last_sequence
        self._behind.set()

    def add(self, sequence: int, frame: log_pb2.DecisionFrame) -> None:
        """A decision frame is in the log: queues its messages."""
        self._last_sequence = sequence
        if any(decision.messages for decision in frame.decisions):
            up_to_date = {receiver: cursor for receiver, cursor in self._cursors.items() if not cursor.is_behind}
            self._queue(sequence, frame, up_to_date)

    def sent_through(self) -> dict[PartitionId, int]:
        """Per receiver, the decision frame up to which all messages are acknowledged."""
        return {
            receiver: cursor.acknowledged if cursor.outstanding or cursor.is_behind else self._last_sequence
            for receiver, cursor in self._cursors.items()
        }

    async def run(self) -> None:
        """Serves the receivers that are behind, from the log."""
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                await self._catch_up()
            except LogUnavailable:
                self._behind.set()
            if any(cursor.is_behind for cursor in self._cursors.values()):
                self._behind.set()
                await asyncio.sleep(self._options.tick_s)

    async def _catch_up(self) -> None:
        """One pass over the log for all that are behind and have room; who has none any more leaves the pass."""
        taking_part = {
            receiver: cursor
            for receiver, cursor in self._cursors.items()
            if cursor.is_behind and self._has_room(receiver)
        }
        after = min((cursor.queued for cursor in taking_part.values()), default=self._last_sequence)
        while taking_part and after < self._last_sequence:
            page = await self._log.fetch(self._partition, ("decisions",), after, PAGE)
            if not page:  # there must be more: asked too early, or of a log that is behind
                return
            for stored in page:
                self._queue(stored.sequence, log_pb2.DecisionFrame.FromString(stored.data), taking_part)
                after = stored.sequence
        for cursor in taking_part.values():
            cursor.is_behind = False

    def _has_room(self, receiver: PartitionId) -> bool:
        return len(self._appenders.messages(receiver)) < self._options.outbox_items_max

    def _queue(self, sequence: int, frame: log_pb2.DecisionFrame, taking_part: dict[PartitionId, Cursor]) -> None:
        """Hands a frame's messages to the appenders; a receiver without room falls behind and takes part no more."""
        by_receiver: dict[PartitionId, list[log_pb2.Envelope]] = {}
        for decision in frame.decisions:
            for message in decision.messages:
                by_receiver.setdefault(PartitionId(message.group, message.partition), []).append(message.envelope)
        for receiver, envelopes in by_receiver.items():
            cursor = taking_part.get(receiver)
            if cursor is None or sequence <= cursor.queued:
                continue
            if not self._has_room(receiver):
                del taking_part[receiver]
                cursor.is_behind = True
                self._behind.set()
                continue
            appender = self._appenders.messages(receiver)
            for envelope in envelopes[:-1]:
                appender.put(envelope)
            appender.put(envelopes[-1], _LastOfFrame(cursor, sequence))
            cursor.queued = sequence
