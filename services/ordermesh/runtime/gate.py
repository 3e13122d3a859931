"""How an edge talks to owners: commands into the partitions' logs, answers back over the bus.

A call costs an envelope, a future and its share of a frame. The gate refuses what an owner says it cannot take, before
anything is appended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime import subjects
from ordermesh.runtime.appender import Appender
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import Bus, Clock, Log, LogError, LogFull, LogUnavailable, PartitionId
from ordermesh.runtime.topology import KERNEL, Topology

ACCEPTED = 1
"""As in `oms.common.v1.Persistence`: in the log, not known to be decided."""


class Answer(NamedTuple):
    """What an owner said: how durable it is, and the first aggregate's state after the decision, or the refusal."""

    persistence: int
    refusal: log_pb2.Refusal | None = None
    state: bytes = b""
    dead_letter: bool = False


class Overloaded(Exception):
    """Nothing was appended: the partition takes no commands for now."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Pending(asyncio.Future[Answer]):
    """A call that waits for its answer; the token of its envelope."""

    is_appended = False

    def __init__(self, correlation: int, waiting: dict[int, Pending]) -> None:
        super().__init__()
        self._correlation = correlation
        self._waiting = waiting
        waiting[correlation] = self

    def cancel(self, msg: object = None) -> bool:
        """Nobody waits any more."""
        self._waiting.pop(self._correlation, None)
        return super().cancel(msg)

    def is_given_up(self) -> bool:
        """Nobody waits any more, so it need not be sent."""
        return self.done()

    def appended(self) -> None:
        """The log has it."""
        self.is_appended = True

    def failed(self, error: LogError) -> None:
        """The log could not take it."""
        self._waiting.pop(self._correlation, None)
        if not self.done():
            self.set_exception(error)
            self.exception()  # a caller that has gone away must not be reported as an error nobody looked at


class Gate:
    """The calls of one edge process."""

    def __init__(
        self, *, instance: str, log: Log, bus: Bus, clock: Clock, deployment: log_pb2.Deployment, options: OwnerOptions
    ) -> None:
        self._log = log
        self._bus = bus
        self._clock = clock
        self._options = options
        # A life of its own per start: a late answer to a former life must not be taken for one of this life's calls.
        self._reply_to = f"{subjects.REPLIES}.{instance}.{clock.token(6).hex()}"
        self._topology = Topology(deployment)
        self._pending: dict[int, Pending] = {}
        self._last_correlation = 0
        self._appenders: dict[PartitionId, Appender] = {}
        self._running: list[asyncio.Task[None]] = []
        self._statuses: dict[PartitionId, tuple[log_pb2.PartitionStatus, float]] = {}
        self._behind: set[PartitionId] = set()
        self._no_room: dict[PartitionId, float] = {}
        self._ends: list[Callable[[], Awaitable[None]]] = []

    async def start(self) -> None:
        """Listens for answers and statuses, and starts an appender per partition."""
        self._ends.append(await self._bus.subscribe(self._reply_to, self._hear_replies))
        self._ends.append(await self._bus.subscribe(subjects.STATUS, self._hear_status))
        for partition in self._topology.partitions():
            appender = Appender(
                self._log, partition, "commands", self._clock, self._options, reply_to=self._reply_to,
                give_up_s=self._options.give_up_s,
            )  # fmt: skip
            self._appenders[partition] = appender
            self._running.append(asyncio.get_running_loop().create_task(appender.run()))
        self._running.append(asyncio.get_running_loop().create_task(self._watch_room()))

    async def close(self) -> None:
        """Ends; calls that wait are told that their outcome is unknown."""
        for task in self._running:
            task.cancel()
        for end in self._ends:
            await end()
        for pending in list(self._pending.values()):
            pending.failed(LogUnavailable("the edge is closing"))

    def partition_of(self, service: str, tenant: str, key: str) -> PartitionId:
        """Where a key lives."""
        return self._topology.partition_of(service, tenant, key)

    def statuses(self) -> list[log_pb2.PartitionStatus]:
        """The newest status of each partition that was heard of lately."""
        heard_since = self._heard_since()
        return [status for status, heard in self._statuses.values() if heard > heard_since]

    def _heard_since(self) -> float:
        """What was heard before counts no more: its owner may be gone."""
        return self._clock.monotonic() - 4 * self._options.member_timeout_s

    def post(
        self,
        service: str,
        tenant: str,
        key: str,
        command: Message,
        *,
        durability: int = log_pb2.DURABILITY_STORED,
        actor: str = "",
        traceparent: str = "",
    ) -> Pending:
        """Queues a command; its future gets the answer. Raises Overloaded, before anything is appended."""
        envelope = log_pb2.Envelope(
            service=service, tenant=tenant, key=key, type=command.DESCRIPTOR.full_name,
            payload=command.SerializeToString(), durability=durability,  # type: ignore[arg-type]  # an enum's number
            actor=actor, traceparent=traceparent,
        )  # fmt: skip
        return self._post(self._topology.partition_of(service, tenant, key), envelope)

    def post_to(self, partition: PartitionId, command: Message) -> Pending:
        """Queues a kernel command for a partition; its key is the partition's name."""
        envelope = log_pb2.Envelope(
            service=KERNEL, key=str(partition), type=command.DESCRIPTOR.full_name, payload=command.SerializeToString()
        )
        return self._post(partition, envelope)

    def _post(self, partition: PartitionId, envelope: log_pb2.Envelope) -> Pending:
        self._admit(partition)
        self._last_correlation += 1
        envelope.correlation = self._last_correlation
        pending = Pending(self._last_correlation, self._pending)
        self._appenders[partition].put(envelope, pending)
        return pending

    def tell(self, subject: str, data: bytes = b"") -> None:
        """Says something on the bus; it may be lost."""
        self._bus.publish(subject, data)

    def check_intake(self, service: str, tenant: str = "", key: str = "") -> None:
        """Raises Overloaded where the partition of a key takes no commands; without a key, where none of the service's
        does. Asked before a call's content is looked at: under overload most calls are refused, and judging them first
        would take the time of those that are not."""
        self._check(self._admit, service, tenant, key)

    def check_kept_up(self, service: str, tenant: str = "", key: str = "") -> None:
        """Raises Overloaded where the partition of a key is behind with its work; without a key, where all of the
        service's are. One that is stopped is not behind: what is for it waits in its log until it is mended."""
        if self._behind:
            self._check(self._admit_work, service, tenant, key)

    def _check(self, admit: Callable[[PartitionId], None], service: str, tenant: str, key: str) -> None:
        if key:
            admit(self._topology.partition_of(service, tenant, key))
            return
        refusal: Overloaded | None = None
        for partition in self._appenders:
            if service in self._topology.services_of(partition.group):
                try:
                    admit(partition)
                except Overloaded as error:
                    refusal = error
                else:
                    return
        if refusal is not None:
            raise refusal

    def _admit_work(self, partition: PartitionId) -> None:
        status, heard = self._statuses[partition] if partition in self._behind else (None, 0.0)
        if status is not None and heard > self._heard_since():
            raise Overloaded(status.intake_reason, status.retry_after_ms / 1000)

    def _admit(self, partition: PartitionId) -> None:
        known = self._statuses.get(partition)
        if known is not None and not known[0].intake_open and known[1] > self._heard_since():
            raise Overloaded(known[0].intake_reason, known[0].retry_after_ms / 1000)
        if self._no_room and self._no_room.get(partition, 0.0) > self._clock.monotonic():
            raise Overloaded("the partition's log is nearly full and no owner drains it", 1.0)
        if len(self._appenders[partition]) >= self._options.pending_max or len(self._pending) >= (
            self._options.pending_max * len(self._appenders)
        ):
            raise Overloaded("this edge has too many calls under way", 0.5)

    async def settle(self, pending: Sequence[Pending], timeout_s: float) -> list[Answer | Exception]:
        """Waits for the answers. At the time-out, what the log has is ACCEPTED; what it has not is LogUnavailable."""
        unanswered = [one for one in pending if not one.done()]
        if unanswered:
            try:
                await asyncio.wait(unanswered, timeout=timeout_s)
            except asyncio.CancelledError:
                for one in unanswered:
                    one.cancel()
                raise
        return [self._outcome(one) for one in pending]

    def _outcome(self, pending: Pending) -> Answer | Exception:
        if not pending.done():
            pending.cancel()
            if pending.is_appended:
                return Answer(ACCEPTED)
            return LogUnavailable("the log has not taken the command in time")
        error = pending.exception()
        if error is None:
            return pending.result()
        if isinstance(error, LogFull):
            return Overloaded("the partition's log is full", 1.0)
        return error if isinstance(error, Exception) else LogUnavailable(str(error))

    async def query(self, service: str, key: Key, *, timeout_s: float) -> Answer:
        """The aggregate's state after everything before this call; empty where it does not exist.

        Raises Overloaded, LogUnavailable, or TimeoutError when no owner answers.
        """
        query = log_pb2.Query(kind=key.kind, tenant=key.tenant, key=key.key, sub_key=key.sub_key)
        pending = self.post(service, key.tenant, key.key, query, durability=log_pb2.DURABILITY_LOGGED)
        (answer,) = await self.settle([pending], timeout_s)
        if isinstance(answer, Exception):
            raise answer
        if answer.persistence == ACCEPTED or answer.refusal is not None or answer.dead_letter:
            raise TimeoutError(f"no owner answered for {key.kind} {key.key}")
        return answer

    async def _watch_room(self) -> None:
        """Where no owner tells, this edge looks itself that the room for draining work is left."""
        while True:
            heard = {PartitionId(status.group, status.partition) for status in self.statuses()}
            for partition in self._appenders:
                if partition not in heard:
                    await self._look(partition)
            await asyncio.sleep(self._options.member_timeout_s)

    async def _look(self, partition: PartitionId) -> None:
        try:
            state = await self._log.state(partition)
        except LogError:
            return
        if state.bytes_used > self._options.intake_share * state.bytes_max:
            self._no_room[partition] = self._clock.monotonic() + 2 * self._options.member_timeout_s

    def _hear_replies(self, data: bytes) -> None:
        for reply in log_pb2.ReplyFrame.FromString(data).replies:
            pending = self._pending.pop(reply.correlation, None)
            if pending is not None and not pending.done():
                refusal = reply.refusal if reply.HasField("refusal") else None
                pending.set_result(Answer(reply.persistence, refusal, reply.state, reply.dead_letter))

    def _hear_status(self, data: bytes) -> None:
        status = log_pb2.PartitionStatus.FromString(data)
        partition = PartitionId(status.group, status.partition)
        self._statuses[partition] = (status, self._clock.monotonic())
        if status.intake_open or status.stopped_reason:
            self._behind.discard(partition)
        else:
            self._behind.add(partition)
