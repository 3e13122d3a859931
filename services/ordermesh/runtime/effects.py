"""Calls to the outside: each driven to a definite answer under one idempotency key, and the answer put into the log.

An effect runs only once its decision is logged, and is never withdrawn. Its key is its agenda id, so a new owner that
runs it again gives the provider the same key. While the provider's outcomes stay unknown a breaker lets one call at a
time try; a call that waits on purpose is no failure of the provider.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from functools import cache

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.runtime.agenda import HERE, Agenda, EntryId, write_id
from ordermesh.runtime.appender import Appender
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import AskLater, Clock, EffectHandler, PartitionId

_log = logging.getLogger(__name__)


@cache
def _class_of(name: str) -> type[Message]:
    """A message's class. Raises KeyError for a type that this build does not know."""
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


class Breaker:
    """Counts unknown outcomes in a row; open, it lets one call try after each pause."""

    def __init__(self, clock: Clock, options: OwnerOptions) -> None:
        self._clock = clock
        self._options = options
        self.failures = 0
        self._next_try = 0.0

    def wait_s(self) -> float:
        """How long the next call has to wait; whoever gets 0 is the one that tries."""
        if self.failures < self._options.breaker_failures:
            return 0.0
        now = self._clock.monotonic()
        if now < self._next_try:
            return self._next_try - now
        self._next_try = now + self._options.breaker_pause_s
        return 0.0

    def note(self, *, known: bool) -> None:
        """Notes how a call ended."""
        self.failures = 0 if known else self.failures + 1


class Effects:
    """Runs a partition's open effects with bounded concurrency."""

    def __init__(
        self,
        partition: PartitionId,
        deployment_id: str,
        handlers: Mapping[str, EffectHandler],
        results: Appender,
        clock: Clock,
        options: OwnerOptions,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._group = f"{deployment_id}:{partition.group}"
        self._number = partition.number
        self._handlers = handlers
        self._results = results
        self._clock = clock
        self._options = options
        self._tasks = tasks
        self._queue: deque[tuple[EntryId, log_pb2.Effect, int]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self.breaker = Breaker(clock, options)
        self._executing = 0
        self._stopped = False
        self.started = 0
        self.finished = 0

    def start(self, agenda: Agenda) -> None:
        """Starts what the agenda has opened since the last call."""
        for entry in agenda.take_effects():
            self._queue.append((entry, agenda.read(entry).effect, 0))
            self.started += 1
        self._employ()

    def _employ(self) -> None:
        """Workers live while there is work: cheaper than a task for each effect. One that waits for the provider takes
        nothing else, so it does not count."""
        while (
            not self._stopped
            and len(self._workers) < self._options.effects_in_flight_max
            and len(self._workers) - self._executing < len(self._queue)
        ):
            worker = self._tasks.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def stop(self) -> None:
        """Ends; what has no answer yet is on the agenda, and runs again under the same key."""
        self._stopped = True
        for worker in self._workers:
            worker.cancel()

    async def _work(self) -> None:
        while self._queue:
            pause_s = self.breaker.wait_s()
            if pause_s:
                await asyncio.sleep(pause_s)
                continue
            self._executing += 1
            try:
                await self._execute(*self._queue.popleft())
            finally:
                self._executing -= 1

    async def _execute(self, entry: EntryId, effect: log_pb2.Effect, attempt: int) -> None:
        """One attempt. An unknown outcome puts it back into the queue after a pause, under the same key."""
        key = self._key_of(entry)
        try:
            result = await self._handlers[effect.type](_class_of(effect.type).FromString(effect.payload), key)
            payload = result.SerializeToString()
        except AskLater as error:
            _log.info("%s: asked again in about %g s: %s", key, error.retry_after_s, error)
            self.breaker.note(known=True)
            self._retry_in(error.retry_after_s, entry, effect, attempt)
            return
        except Exception as error:  # noqa: BLE001 - whatever a provider's client raises, the outcome is unknown
            _log.log(
                logging.WARNING if attempt else logging.INFO,
                "%s: outcome unknown, attempt %d: %r",
                key,
                attempt + 1,
                error,
            )
            self.breaker.note(known=False)
            pause_s = min(self._options.effect_retry_min_s * 2**attempt, self._options.effect_retry_max_s)
            self._retry_in(pause_s, entry, effect, attempt + 1)
            return
        self.breaker.note(known=True)
        self.finished += 1
        envelope = log_pb2.Envelope(
            service=effect.service, tenant=effect.tenant, key=effect.key,
            type=result.DESCRIPTOR.full_name, payload=payload,
        )  # fmt: skip
        write_id(envelope.agenda_id, entry)
        self._results.put(envelope)

    def _key_of(self, entry: EntryId) -> str:
        """The idempotency key: it stays the same also where a repartition moved the entry."""
        number = self._number if entry.opened_by == HERE else entry.opened_by
        return f"{self._group}:{number}:{'.'.join(map(str, entry[:-1]))}"

    def _retry_in(self, pause_s: float, entry: EntryId, effect: log_pb2.Effect, attempt: int) -> None:
        asyncio.get_running_loop().call_later(
            pause_s * (0.5 + self._clock.random()), self._retry, entry, effect, attempt
        )

    def _retry(self, entry: EntryId, effect: log_pb2.Effect, attempt: int) -> None:
        self._queue.append((entry, effect, attempt))
        self._employ()
