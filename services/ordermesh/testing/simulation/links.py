"""A process's ways to the servers: the ports `Log`, `Store` and `Bus`, with everything that can go wrong on the way.

Every operation is a request that travels, is applied at the server at one moment, and is answered. Requests and answers
are lost and delayed; what failed for the caller may still be applied, at once or much later. A process may be killed
when it asks and when it is answered. What a killed process has on its way arrives or not, as luck has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import stored_aggregate, subject_matches
from ordermesh.core.decider import Key, Row, Table
from ordermesh.runtime.ports import (
    Fenced,
    Kind,
    LogError,
    LogState,
    LogUnavailable,
    OutcomeUnknown,
    Page,
    PartitionId,
    Stored,
    StoredAggregate,
    StoreUnavailable,
    Written,
)
from ordermesh.testing.simulation import schemas
from ordermesh.testing.simulation.loop import Process
from ordermesh.testing.simulation.servers import Servers, Subscription

Answer = TypeVar("Answer")

TIMEOUT_S = (0.2, 2.0)
"""After how long a caller whose request or answer was lost is told so, in seconds: lowest and highest."""

LATE_S = (0.01, 40.0)
"""How long after that a late request may arrive: longer than any taking of a partition."""

REPEAT_S = (0.05, 40.0)
"""When a repeated request arrives again, in seconds; the log then knows nothing of the first."""


APPEND_FAULTS = ("append_lost", "append_unknown", "append_late", "append_refused")
"""What may strike an append; the first that does."""

CHECKPOINT_FAULTS = ("store_refused", "store_part", "store_late", "store_weak")
"""What may strike the saving of a checkpoint."""


class Link:
    """The common part: one process's connection to one server."""

    def __init__(self, servers: Servers, process: Process) -> None:
        self.servers = servers
        self.process = process
        self.loop = servers.loop
        self.chance = servers.chance

    async def ask(
        self, apply: Callable[[], Answer], down: Callable[[], bool], lost: Callable[[], Exception], slow: str
    ) -> Answer:
        """Sends a request and waits for its answer. `down()` says whether the way is cut, `lost()` makes the error of
        a request or answer that is lost, `slow` is the kind of fault that delays it."""
        future = self.loop.create_future()
        if self._may_go():
            delay_s = self.servers.travel_s()
            if self.chance.strikes(slow, self.process.name):
                delay_s += self.chance.spread(0.01, 5.0)
            self.loop.after(delay_s, self._arrive, apply, down, lost, future)
        answer: Answer = await future
        return answer

    async def fail(
        self, error: Exception, after_s: float, apply: Callable[[], object] | None, late_s: float = 0.0
    ) -> None:
        """Raises the error after a while. What was asked may still be applied, before or after that."""
        future = self.loop.create_future()
        if self._may_go():
            if apply is not None:
                self.loop.after(late_s, self._apply_silently, apply)
            self.loop.after(after_s, self._answer, future, None, error)
        await future

    def timeout_s(self) -> float:
        """When a caller gives up."""
        return self.chance.spread(*TIMEOUT_S)

    def _may_go(self) -> bool:
        if not self.process.dead and self.chance.strikes("crash_at_call", self.process.name):
            self.servers.crash(self.process)
        return not self.process.dead

    def _arrive(
        self,
        apply: Callable[[], Answer],
        down: Callable[[], bool],
        lost: Callable[[], Exception],
        future: asyncio.Future[Any],
    ) -> None:
        if self.process.dead and self.chance.coin():
            return
        if down():
            self.loop.after(self.timeout_s(), self._answer, future, None, lost())
            return
        answer, error = None, None
        try:
            answer = apply()
        except (LogError, StoreUnavailable) as refusal:
            error = refusal
        self.loop.after(self.servers.travel_s(), self._back, down, lost, future, answer, error)

    def _back(
        self,
        down: Callable[[], bool],
        lost: Callable[[], Exception],
        future: asyncio.Future[Any],
        answer: object,
        error: Exception | None,
    ) -> None:
        if down():
            self.loop.after(self.timeout_s(), self._answer, future, None, lost())
        else:
            self._answer(future, answer, error)

    def _answer(self, future: asyncio.Future[Any], answer: object, error: Exception | None) -> None:
        if self.process.dead or future.done():
            return
        if self.chance.strikes("crash_at_answer", self.process.name):
            self.servers.crash(self.process)
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer)

    def _apply_silently(self, apply: Callable[[], object]) -> None:
        if self.process.dead and self.chance.coin():
            return
        try:
            apply()
        except (LogError, StoreUnavailable):
            self.servers.note("late", "refused")


class LinkReader:
    """A push consumer: delivers in order, late when the way is slow, not at all while it is cut."""

    def __init__(
        self, link: LogLink, partition: PartitionId, kinds: Sequence[Kind], after: int, headers_only: bool
    ) -> None:
        self._link = link
        self._stream = link.servers.log.stream(partition)
        self._kinds = tuple(kinds)
        self._after = after
        self._headers_only = headers_only
        self._scheduled = False
        self._closed = False
        self._deliver: Callable[[Stored], None]

    def start(self, deliver: Callable[[Stored], None]) -> None:
        """Begins to deliver."""
        self._deliver = deliver
        self._stream.listeners.append(self._schedule)
        self._schedule()

    def _schedule(self) -> None:
        if self._scheduled or self._closed:
            return
        self._scheduled = True
        link = self._link
        delay_s = link.servers.travel_s()
        if link.chance.strikes("delivery_slow", link.process.name):
            delay_s += link.chance.spread(0.01, 5.0)
        link.loop.call_at(link.loop.time() + delay_s, self._deliver_all, context=link.process.context)

    def _deliver_all(self) -> None:
        self._scheduled = False
        if self._link.down():
            self._scheduled = True
            link = self._link
            link.loop.call_at(link.loop.time() + 0.2, self._deliver_all, context=link.process.context)
            return
        for message in self._stream.after(self._kinds, self._after, 1_000_000, self._headers_only):
            if self._closed or self._link.process.dead:
                return
            self._after = message.sequence
            self._deliver(self._link.seen(message))

    async def close(self) -> None:
        """Stops delivery; idempotent."""
        self.stop()

    def stop(self) -> None:
        """Stops delivery."""
        if not self._closed:
            self._closed = True
            if self._schedule in self._stream.listeners:
                self._stream.listeners.remove(self._schedule)


class LogLink(Link):
    """A process's `Log`."""

    def __init__(self, servers: Servers, process: Process) -> None:
        super().__init__(servers, process)
        self.readers: list[LinkReader] = []

    def down(self) -> bool:
        """Whether the log cannot be reached from this process."""
        return self.servers.log_down or self.process.name in self.servers.log_cut

    async def create(self, partition: PartitionId, bytes_max: int) -> None:  # noqa: ARG002 - the world has made it
        """As the port says; the world has made the logs already."""
        await self._ask_log(lambda: None)

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
        """As the port says."""

        def apply() -> int:
            stream = self.servers.log.stream(partition)
            before = stream.last_sequence
            sequence = stream.append(kind, data, frame_id, dedupe, expected)
            if sequence > before:
                self.servers.watcher.appended(partition, Stored(sequence, kind, data, frame_id))
            return sequence

        if kind == "decisions" and self.process.schema > 1:
            data = schemas.written(log_pb2.DecisionFrame, data, self.process.schema)
        self.servers.note("append", self.process.name, partition, kind, len(data), frame_id, expected)
        unknown = OutcomeUnknown(f"the append to {partition} {kind} was not answered")
        strike = self.chance.strike_first(*APPEND_FAULTS, whom=self.process.name)
        if partition in self.servers.leaderless and self.chance.coin():
            await self.fail(LogUnavailable("no leader"), self.servers.travel_s(), None)
        elif strike == "append_refused":
            await self.fail(LogUnavailable("no leader"), self.servers.travel_s(), None)
        elif strike == "append_lost":
            await self.fail(unknown, self.timeout_s(), None)
        elif strike:
            late_s = self.servers.travel_s() if strike == "append_unknown" else self.chance.spread(*LATE_S)
            await self.fail(unknown, self.timeout_s(), apply, late_s)
        if kind == "decisions" and self.chance.strikes("append_by_two", self.process.name):
            refused = Fenced("says a deposed leader") if self.chance.coin() else LogUnavailable("says a deposed leader")
            await self.fail(refused, self.servers.travel_s(), apply, self.servers.travel_s())
        if dedupe and self.chance.strikes("append_repeated", self.process.name):
            self.loop.after(self.chance.spread(*REPEAT_S), self._repeat, partition, apply)
        return await self.ask(apply, lambda: self._is_down(partition), lambda: unknown, "log_slow")

    async def read(
        self,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool = False,
    ) -> LinkReader:
        """As the port says; it never fails, what cannot be had now comes later."""
        reader = LinkReader(self, partition, kinds, after, headers_only)
        self.readers.append(reader)
        reader.start(deliver)
        return reader

    async def fetch(self, partition: PartitionId, kinds: Sequence[Kind], after: int, count_max: int) -> list[Stored]:
        """As the port says."""
        found = await self._ask_log(lambda: self.servers.log.stream(partition).after(kinds, after, count_max))
        return [self.seen(stored) for stored in found]

    async def last(self, partition: PartitionId, kind: Kind) -> Stored | None:
        """As the port says."""

        def apply() -> Stored | None:
            stream = self.servers.log.stream(partition)
            return stream.get(stream.last_of(kind))

        found = await self._ask_log(apply, partition)
        return None if found is None else self.seen(found)

    async def state(self, partition: PartitionId) -> LogState:
        """As the port says."""
        return await self._ask_log(lambda: self.servers.log.stream(partition).state(), partition)

    async def trim(self, partition: PartitionId, through: int) -> None:
        """As the port says."""

        def apply() -> None:
            self.servers.watcher.trimmed(partition, through)
            self.servers.log.stream(partition).trim(through)

        self.servers.note("trim", self.process.name, partition, through)
        await self._ask_log(apply, partition)

    def _repeat(self, partition: PartitionId, apply: Callable[[], int]) -> None:
        self.servers.log.stream(partition).forget_window()
        self._apply_silently(apply)

    def _is_down(self, partition: PartitionId | None) -> bool:
        """Whether the leader of a partition's log cannot be reached; None: any of its servers will do."""
        return self.down() or partition in self.servers.leaderless

    def seen(self, stored: Stored) -> Stored:
        """A message as this process's build reads it."""
        if stored.kind != "decisions" or not stored.data or self.servers.schema_newest == 1:
            return stored
        return stored._replace(data=schemas.read(log_pb2.DecisionFrame, stored.data, self.process.schema))

    async def _ask_log(self, apply: Callable[[], Answer], partition: PartitionId | None = None) -> Answer:
        lost = LogUnavailable("the log did not answer")
        if self.chance.strikes("log_refused", self.process.name):
            await self.fail(lost, self.timeout_s(), apply if self.chance.coin() else None)
        return await self.ask(apply, lambda: self._is_down(partition), lambda: lost, "log_slow")


class StoreLink(Link):
    """A process's `Store`."""

    def down(self) -> bool:
        """Whether the store cannot be reached."""
        return self.servers.store_down

    async def write(self, rows: Sequence[Row]) -> Written:
        """As the port says."""
        taken = list(rows)
        for row in taken:
            self.servers.watcher.row_offered(row)
        self.servers.note("write", self.process.name, len(taken), taken[0].write_time if taken else 0)
        strike = self.chance.strike_first("store_refused", "store_part", "store_late", whom=self.process.name)
        if strike:
            await self._fail_write(strike, taken)
        if self.chance.strikes("store_weak", self.process.name):
            return await self._ask_store(lambda: self._put_weak(taken))
        return await self._ask_store(lambda: self._put(taken))

    async def _fail_write(self, strike: str, rows: list[Row]) -> None:
        error = StoreUnavailable(strike)
        if strike == "store_refused":
            await self.fail(error, self.timeout_s() if self.chance.coin() else self.servers.travel_s(), None)
        elif strike == "store_late":
            await self.fail(error, self.timeout_s(), lambda: self._put(rows), self.chance.spread(*LATE_S))
        else:
            await self.fail(error, self.timeout_s(), lambda: self._put_some(rows), self.servers.travel_s())

    def _put(self, rows: list[Row]) -> Written:
        for row in rows:
            self.servers.put_row(row)
        return Written.QUORUM

    def _put_weak(self, rows: list[Row]) -> Written:
        for row in rows:
            self.servers.put_weak_row(row)
        return Written.WEAK

    def _put_some(self, rows: list[Row]) -> None:
        for row in rows:
            luck = self.chance.random.random()
            if luck < 0.3:
                self.servers.put_row(row)
            elif luck < 0.6:
                self.servers.put_weak_row(row)

    async def load(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """As the port says."""
        wanted = list(keys)

        def apply() -> Mapping[Key, StoredAggregate]:
            rows = {key: self.servers.row_seen(table.name, key) for key in wanted}
            return {key: stored_aggregate(row) for key, row in rows.items() if row is not None}

        if self.chance.strikes("store_refused", self.process.name):
            await self.fail(StoreUnavailable("too few replicas"), self.timeout_s(), None)
        return await self._ask_store(apply)

    async def load_weakly(self, table: Table, keys: Sequence[Key]) -> Mapping[Key, StoredAggregate]:
        """As the port says."""
        return await self.load(table, keys)

    async def query(
        self, table: Table, partition: Sequence[object], *, after: bytes = b"", count_max: int, quorum: bool = True
    ) -> Page:
        """As the port says; what one replica has is not asked for apart."""
        del quorum
        return await self._page(table, tuple(partition), after, count_max)

    async def scan(self, table: Table, *, after: bytes = b"", count_max: int) -> Page:
        """As the port says."""
        return await self._page(table, (), after, count_max)

    async def _page(self, table: Table, partition: tuple[object, ...], after: bytes, count_max: int) -> Page:
        if self.chance.strikes("store_refused", self.process.name):
            await self.fail(StoreUnavailable("too few replicas"), self.timeout_s(), None)
        return await self._ask_store(lambda: self.servers.page_seen(table, partition, after, count_max))

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """As the port says."""
        if self.chance.strikes("store_refused", self.process.name):
            await self.fail(StoreUnavailable("too few replicas"), self.timeout_s(), None)
        found = await self._ask_store(lambda: self.servers.checkpoint_seen(partition))
        if found is None or self.servers.schema_newest == 1:
            return found
        return schemas.read(log_pb2.Checkpoint, found, self.process.schema)

    async def save_checkpoint(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """As the port says."""
        if self.process.schema > 1:
            checkpoint = schemas.written(log_pb2.Checkpoint, checkpoint, self.process.schema)
        self.servers.note("checkpoint", self.process.name, partition, write_time)
        servers = self.servers
        servers.offer_checkpoint(partition, write_time, checkpoint)
        strike = self.chance.strike_first(*CHECKPOINT_FAULTS, whom=self.process.name)
        error = StoreUnavailable(strike)
        if strike == "store_refused":
            await self.fail(error, self.timeout_s(), None)
        elif strike == "store_late":
            late_s = self.chance.spread(*LATE_S)
            await self.fail(
                error, self.timeout_s(), lambda: servers.put_checkpoint(partition, write_time, checkpoint), late_s
            )
        elif strike:
            put = servers.put_weak_checkpoint if self.chance.coin() else servers.put_checkpoint
            await self.fail(error, self.timeout_s(), lambda: put(partition, write_time, checkpoint))
        await self._ask_store(lambda: servers.put_checkpoint(partition, write_time, checkpoint))

    async def load_deployment(self) -> bytes | None:
        """As the port says."""
        return self.servers.store.deployment

    async def create_deployment(self, deployment: bytes) -> bytes:
        """As the port says."""
        return await self.servers.store.create_deployment(deployment)

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """As the port says."""
        return await self.servers.store.replace_deployment(known, deployment)

    async def close(self) -> None:
        """As the port says."""

    async def _ask_store(self, apply: Callable[[], Answer]) -> Answer:
        lost = StoreUnavailable("the store did not answer")
        return await self.ask(apply, self.down, lambda: lost, "store_slow")


class BusLink:
    """A process's `Bus`: in order for each pair of processes, as one connection has it; anything may be lost."""

    def __init__(self, servers: Servers, process: Process) -> None:
        self._servers = servers
        self._process = process
        self._latest: dict[str, float] = {}

    def publish(self, subject: str, data: bytes) -> None:
        """As the port says."""
        servers, process = self._servers, self._process
        if process.dead:
            return
        servers.watcher.published(process, subject, data)
        if process.name in servers.bus_cut:
            return
        for subscription in servers.subscriptions:
            if not subject_matches(subscription.pattern, subject):
                continue
            receiver = subscription.process
            if receiver.dead or receiver.name in servers.bus_cut or servers.chance.strikes("bus_lost", receiver.name):
                continue
            when = servers.loop.time() + servers.travel_s()
            if servers.chance.strikes("bus_slow", receiver.name):
                when += servers.chance.spread(0.01, 5.0)
            when = max(when, self._latest.get(receiver.name, 0.0))
            self._latest[receiver.name] = when
            servers.loop.call_at(when, self._arrive, subscription, data, context=receiver.context)

    def _arrive(self, subscription: Subscription, data: bytes) -> None:
        if subscription in self._servers.subscriptions:
            subscription.deliver(data)

    async def subscribe(self, subject: str, deliver: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """As the port says."""
        subscription = Subscription(self._process, subject, deliver)
        self._servers.subscriptions.append(subscription)

        async def end() -> None:
            if subscription in self._servers.subscriptions:
                self._servers.subscriptions.remove(subscription)

        return end
