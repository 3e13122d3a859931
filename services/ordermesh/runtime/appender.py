"""Natural batching in front of a log: one frame in flight, and what arrives meanwhile becomes the next frame.

A frame whose outcome is unknown is sent again, the same bytes under the same id, before anything later, so the order
per appender is kept and the log's duplicate window drops the repetition. An idle process sends at once; a busy one
waits a few milliseconds for a fuller frame, because the cost is per frame.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from oms.log.v1 import log_pb2
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Clock, Kind, Log, LogError, LogFull, OutcomeUnknown, PartitionId


class Token(Protocol):
    """Who wants to know what became of an envelope."""

    def is_given_up(self) -> bool:
        """Whether nobody needs it sent any more; asked before its first sending."""

    def appended(self) -> None:
        """It is durable."""

    def failed(self, error: LogError) -> None:
        """It is not, or it is unknown; it will not be sent again."""


class Appender:
    """Appends envelopes to one subject of one partition, in order. `give_up_s` None: repeats until acknowledged."""

    def __init__(
        self,
        log: Log,
        partition: PartitionId,
        kind: Kind,
        clock: Clock,
        options: OwnerOptions,
        *,
        reply_to: str = "",
        give_up_s: float | None = None,
    ) -> None:
        self._log = log
        self._partition = partition
        self._kind = kind
        self._clock = clock
        self._options = options
        self._reply_to = reply_to
        self._give_up_s = give_up_s
        self._queue: deque[tuple[log_pb2.Envelope, Token | None]] = deque()
        self._wake = asyncio.Event()
        self._looked_at = float("-inf")
        self.frames = 0
        self.items = 0

    def __len__(self) -> int:
        """Envelopes that wait."""
        return len(self._queue)

    def put(self, envelope: log_pb2.Envelope, token: Token | None = None) -> None:
        """Queues an envelope."""
        self._queue.append((envelope, token))
        self._wake.set()

    async def run(self) -> None:
        """Sends frame after frame until cancelled."""
        while True:
            await self._wake.wait()
            if len(self._queue) < self._options.frame_items_max and self._clock.busy() > self._options.busy_share:
                await asyncio.sleep(self._options.pacing_s)
            frame, tokens = self._gather()
            if not self._queue:
                self._wake.clear()
            if frame is not None:
                await self._wait_for_room()
                await self._send(frame, tokens)

    async def _wait_for_room(self) -> None:
        """Messages leave the last part of a log to its decisions, which make room; until then they wait, at the
        sender's. Clients' commands are refused long before."""
        while self._kind == "messages" and self._clock.monotonic() - self._looked_at > self._options.status_interval_s:
            try:
                state = await self._log.state(self._partition)
            except LogError:
                return
            if state.bytes_used < self._options.hold_share * state.bytes_max:
                self._looked_at = self._clock.monotonic()
                return
            await asyncio.sleep(self._options.status_interval_s * (0.5 + self._clock.random()))

    def _gather(self) -> tuple[log_pb2.CommandFrame | None, list[Token]]:
        """The next frame: all that waits, up to its limits."""
        envelopes: list[log_pb2.Envelope] = []
        tokens: list[Token] = []
        size = 0
        while self._queue and len(envelopes) < self._options.frame_items_max:
            envelope, token = self._queue[0]
            size += len(envelope.payload) + 128
            if envelopes and size > self._options.frame_bytes_max:
                break
            self._queue.popleft()
            if token is not None:
                if token.is_given_up():
                    continue
                tokens.append(token)
            envelopes.append(envelope)
        return (log_pb2.CommandFrame(reply_to=self._reply_to, envelopes=envelopes) if envelopes else None), tokens

    async def _send(self, frame: log_pb2.CommandFrame, tokens: list[Token]) -> None:
        data, frame_id = frame.SerializeToString(), self._clock.token(16).hex()
        started, pause_s, unknown = self._clock.monotonic(), self._options.retry_min_s, False
        while True:
            try:
                await self._log.append(self._partition, self._kind, data, frame_id=frame_id, dedupe=True)
            except LogError as error:
                unknown = unknown or isinstance(error, OutcomeUnknown)
                if self._gives_up(error, started, unknown=unknown):
                    for token in tokens:
                        token.failed(error)
                    return
                await asyncio.sleep(pause_s * (0.5 + self._clock.random()))
                pause_s = min(pause_s * 2, self._options.retry_max_s)
            else:
                self.frames += 1
                self.items += len(frame.envelopes)
                for token in tokens:
                    token.appended()
                return

    def _gives_up(self, error: LogError, started: float, *, unknown: bool) -> bool:
        """Clients' commands are given up before the duplicate window ends, and at once where there is no room."""
        if self._give_up_s is None:
            return False
        return (isinstance(error, LogFull) and not unknown) or self._clock.monotonic() - started > self._give_up_s


class Appenders:
    """The appenders of a process, one per partition and kind, made when first needed."""

    def __init__(self, log: Log, clock: Clock, options: OwnerOptions, tasks: asyncio.TaskGroup) -> None:
        self._log = log
        self._clock = clock
        self._options = options
        self._tasks = tasks
        self._found: dict[PartitionId, Appender] = {}
        self._running: list[asyncio.Task[None]] = []

    def messages(self, partition: PartitionId) -> Appender:
        """The appender of messages to a partition: they are repeated until acknowledged."""
        found = self._found.get(partition)
        if found is None:
            found = Appender(self._log, partition, "messages", self._clock, self._options)
            self._found[partition] = found
            self._running.append(self._tasks.create_task(found.run()))
        return found

    def stop(self) -> None:
        """Ends them; what was not acknowledged is sent again by the next owner."""
        for task in self._running:
            task.cancel()
