"""AdminService: what an operator asks about partitions, dead letters and logs, and the audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.log.v1 import log_pb2
from ordermesh.admin.fleet import Fleet
from ordermesh.admin.ledger import ProviderTruth
from ordermesh.admin.reconcile import Reconciler, span_of
from ordermesh.admin.records import payload_json, records_of
from ordermesh.admin.tally import INVARIANTS
from ordermesh.admin.verify import verify
from ordermesh.core.limits import TEXT_CHARACTERS_MAX
from ordermesh.order.model import OrderPolicy
from ordermesh.payment.provider import PaymentProvider
from ordermesh.runtime.backend import Backend, decided_now
from ordermesh.runtime.calls import Call
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.fields import Violations
from ordermesh.runtime.gate import Overloaded
from ordermesh.runtime.kernel_service import DEAD_LETTERS
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.ports import Kind, LogError, PartitionId, Stored
from ordermesh.runtime.problems import Problem, overloaded
from ordermesh.runtime.topology import KERNEL, named_partition, numbers_of

FETCH_COUNT = 64
"""Messages of a log that are read at once."""
FOLLOW_POLL_S = 0.2
"""Between two looks at the end of a log that is followed."""

KINDS: Sequence[Kind] = ("commands", "messages", "decisions")
"""All that a log has."""


class AdminService:
    """The methods of oms.admin.v1.AdminService."""

    def __init__(
        self,
        backend: Backend,
        truth: ProviderTruth | None,
        payments: PaymentProvider | None,
        fleet: Fleet,
        events: EventStream | None = None,
        reconcile_pause_scale: float = 1.0,
        order_policy: OrderPolicy = OrderPolicy(),  # noqa: B008 # frozen
    ) -> None:
        self._backend = backend
        self._truth = truth
        self._payments = payments
        self._events = events
        self._order_policy = order_policy
        self._fleet = fleet
        self._verifying = asyncio.Lock()
        self._reconciling = asyncio.Lock()
        self._reconcile_pause_scale = reconcile_pause_scale

    async def ListPartitions(
        self, request: admin_service_pb2.ListPartitionsRequest, _call: Call
    ) -> admin_service_pb2.ListPartitionsResponse:
        """Says what every partition is doing; of one without an owner, what is known from its log and checkpoint."""
        statuses = {PartitionId(each.group, each.partition): each for each in self._backend.gate.statuses()}
        wanted = [each for each in self._backend.topology.partitions() if request.group in ("", each.group)]
        if not wanted:
            raise Problem("PARTITION_NOT_FOUND", f"There is no group {request.group}.")
        partitions = []
        for partition in wanted:
            status = statuses.get(partition)
            partitions.append(_partition(status) if status is not None else await self._ownerless(partition))
        return admin_service_pb2.ListPartitionsResponse(partitions=partitions)

    async def ListDeadLetters(
        self, request: admin_service_pb2.ListDeadLettersRequest, _call: Call
    ) -> admin_service_pb2.ListDeadLettersResponse:
        """Lists the commands whose decision raised an error, partition by partition."""
        violations = Violations()
        page = PageRequest.of(f"dead letters {request.include_resolved}", request, violations)
        violations.check()
        partitions = [*self._backend.topology.former(), *self._backend.topology.partitions()]
        number, _, after = self._backend.pages.open(page.bound_to, page.token).partition(b":")
        at, response = int(number or 0), admin_service_pb2.ListDeadLettersResponse()
        while at < len(partitions):
            room = page.size - len(response.dead_letters)
            if room == 0:
                response.next_page_token = self._backend.pages.seal(page.bound_to, b"%d:%s" % (at, after))
                break
            found = await self._backend.query(DEAD_LETTERS, ("", str(partitions[at])), after, room)
            letters = (_dead_letter_row(partitions[at], row) for row in found.rows)
            response.dead_letters.extend(
                each for each in letters if request.include_resolved or each.status == admin_pb2.DEAD_LETTER_STATUS_OPEN
            )
            after = found.next_token
            at += 0 if after else 1
        return response

    async def ReplayDeadLetter(
        self, request: admin_service_pb2.ReplayDeadLetterRequest, call: Call
    ) -> admin_service_pb2.ReplayDeadLetterResponse:
        """Has the command decided again."""
        letter = await self._resolve(request.dead_letter_id, call, replay=True)
        return admin_service_pb2.ReplayDeadLetterResponse(dead_letter=letter)

    async def DiscardDeadLetter(
        self, request: admin_service_pb2.DiscardDeadLetterRequest, call: Call
    ) -> admin_service_pb2.DiscardDeadLetterResponse:
        """Gives the command up."""
        letter = await self._resolve(request.dead_letter_id, call, replay=False)
        return admin_service_pb2.DiscardDeadLetterResponse(dead_letter=letter)

    async def TailLog(
        self, request: admin_service_pb2.TailLogRequest, _call: Call
    ) -> AsyncIterator[admin_service_pb2.TailLogResponse]:
        """Sends the decoded records of a partition's log, and, when asked to, those to come."""
        violations = Violations()
        violations.enum("kind", request.kind, admin_pb2.LogRecordKind.DESCRIPTOR)
        if request.after_sequence < 0:
            violations.add("after_sequence", "has to be 0 or a sequence")
        violations.check()
        partition = self._known(PartitionId(request.group, request.partition))
        after = request.after_sequence
        while True:
            messages = await self._fetch(partition, after)
            for stored in messages:
                after = stored.sequence
                for record in records_of(partition, stored):
                    if request.kind in (0, record.kind) and request.key in ("", record.key):
                        yield admin_service_pb2.TailLogResponse(record=record)
            if not messages:
                if not request.follow:
                    return
                await self._pause()

    async def Verify(
        self, request: admin_service_pb2.VerifyRequest, _call: Call
    ) -> AsyncIterator[admin_service_pb2.VerifyResponse]:
        """Audits the deployment and sends one finding for each invariant; one audit at a time in a process."""
        violations = Violations()
        for index, invariant in enumerate(request.invariant_ids):
            if invariant not in INVARIANTS:
                violations.add(f"invariant_ids[{index}]", f"{invariant!r} is none of {', '.join(INVARIANTS)}")
        violations.check()
        async with self._verifying:
            wanted, policy = request.invariant_ids, self._order_policy
            async for finding in verify(self._backend, self._truth, self._events, wanted, policy):
                yield admin_service_pb2.VerifyResponse(finding=finding)

    async def ReconcilePayments(
        self, request: admin_service_pb2.ReconcilePaymentsRequest, call: Call
    ) -> AsyncIterator[admin_service_pb2.ReconcilePaymentsResponse]:
        """Compares payments with their provider and mends what it may; one comparison at a time in a process."""
        span = span_of(request, self._backend.clock.now_us())
        if self._payments is None:
            raise Problem("PROVIDER_UNAVAILABLE", "This process has no payment provider to compare with.")
        async with self._reconciling:
            reconciler = Reconciler(self._backend, self._payments, call, pause_scale=self._reconcile_pause_scale)
            async for finding in reconciler.run(span, mend=request.mend):
                yield admin_service_pb2.ReconcilePaymentsResponse(finding=finding)
            yield admin_service_pb2.ReconcilePaymentsResponse(reconciliation=reconciler.counts)

    async def GetTopology(
        self, _request: admin_service_pb2.GetTopologyRequest, _call: Call
    ) -> admin_service_pb2.GetTopologyResponse:
        """Says which groups, partitions and processes there are."""
        deployment = self._backend.topology.deployment
        groups = [
            admin_pb2.Group(name=group.name, services=group.services, partitions=len(numbers_of(group)))
            for group in deployment.groups
        ]
        return admin_service_pb2.GetTopologyResponse(
            deployment_id=deployment.deployment_id, groups=groups, members=map(_member, self._fleet.members())
        )

    async def DrainInstance(
        self, request: admin_service_pb2.DrainInstanceRequest, call: Call
    ) -> admin_service_pb2.DrainInstanceResponse:
        """Has an owner process hand over all its partitions."""
        groups = [group.name for group in self._backend.topology.deployment.groups]
        member = await self._fleet.drain(request.instance, groups, call.answer_timeout_s)
        return admin_service_pb2.DrainInstanceResponse(member=_member(member))

    async def ResumeInstance(
        self, request: admin_service_pb2.ResumeInstanceRequest, call: Call
    ) -> admin_service_pb2.ResumeInstanceResponse:
        """Has it take its part again."""
        member = await self._fleet.resume(request.instance, call.answer_timeout_s)
        return admin_service_pb2.ResumeInstanceResponse(member=_member(member))

    def _known(self, partition: PartitionId) -> PartitionId:
        if partition not in self._backend.topology.partitions():
            raise Problem("PARTITION_NOT_FOUND", f"There is no partition {partition}.")
        return partition

    async def _ownerless(self, partition: PartitionId) -> admin_pb2.Partition:
        found = admin_pb2.Partition(group=partition.group, partition=partition.number)
        found.intake_open = True
        try:
            found.last_sequence = (await self._backend.log.state(partition)).last_sequence
        except LogError:
            found.intake_reason = "its log does not answer"
        data = await self._backend.load_checkpoint(partition)
        if data is not None:
            checkpoint = log_pb2.Checkpoint.FromString(data)
            found.epoch, found.checkpoint = checkpoint.epoch, checkpoint.sequence
            found.decided_through, found.agenda = checkpoint.decided_sequence, len(checkpoint.agenda)
        return found

    async def _resolve(self, name: str, call: Call, *, replay: bool) -> admin_pb2.DeadLetter:
        """Has an operator's decision about a dead letter decided by its partition."""
        partition_name, _, dead_letter_id = name.rpartition("/")
        if not dead_letter_id or len(name) > TEXT_CHARACTERS_MAX:
            raise Problem("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {name[:128]}; list them.")
        command = log_pb2.ResolveDeadLetter(dead_letter_id=dead_letter_id, replay=replay)
        try:
            partition = named_partition(partition_name)
            pending = self._backend.gate.post(KERNEL, "", partition_name, command)
        except KeyError as error:
            raise Problem("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {name[:128]}; list them.") from error
        except Overloaded as error:
            raise overloaded(error.reason, error.retry_after_s) from error
        (answer,) = await self._backend.gate.settle([pending], call.answer_timeout_s)
        state = log_pb2.DeadLetterState.FromString(decided_now(answer).state)
        if state.replayed != replay:
            done = "replayed" if state.replayed else "discarded"
            raise Problem("DEAD_LETTER_RESOLVED", f"Dead letter {name} was {done} before.", metadata={"status": done})
        return _dead_letter(partition, state)

    async def _fetch(self, partition: PartitionId, after: int) -> Sequence[Stored]:
        try:
            return await self._backend.log.fetch(partition, KINDS, after, FETCH_COUNT)
        except LogError as error:
            raise Problem("LOG_UNAVAILABLE", f"The log of {partition} does not answer; try again.") from error

    async def _pause(self) -> None:
        """Waits a moment. Raises Problem when the process is about to stop."""
        try:
            async with asyncio.timeout(FOLLOW_POLL_S):
                await self._backend.stopping.wait()
        except TimeoutError:
            return
        raise Problem("SHUTTING_DOWN", "The server is about to stop; go on elsewhere after the last sequence.")


def _member(member: log_pb2.Member) -> admin_pb2.Member:
    return admin_pb2.Member(
        instance=member.instance, role=member.role, groups=member.groups, build=member.build, drained=member.drained
    )


def _partition(status: log_pb2.PartitionStatus) -> admin_pb2.Partition:
    return admin_pb2.Partition(
        group=status.group,
        partition=status.partition,
        owner=status.instance,
        epoch=status.epoch,
        last_sequence=status.last_sequence,
        decided_through=status.decided_through,
        lag=status.lag,
        checkpoint=status.checkpoint_sequence,
        agenda=status.agenda,
        lag_ms=status.lag_ms,
        intake_open=status.intake_open,
        intake_reason=status.intake_reason,
        stopped_reason=status.stopped_reason,
    )


def _dead_letter_row(partition: PartitionId, row: Mapping[str, Any]) -> admin_pb2.DeadLetter:
    return _dead_letter(partition, log_pb2.DeadLetterState.FromString(row["state"]))


def _dead_letter(partition: PartitionId, state: log_pb2.DeadLetterState) -> admin_pb2.DeadLetter:
    """A dead letter as operators see it, under the name that it has in the whole deployment."""
    envelope = state.dead_letter.envelope
    status = admin_pb2.DEAD_LETTER_STATUS_OPEN
    if state.replayed:
        status = admin_pb2.DEAD_LETTER_STATUS_REPLAYED
    elif state.discarded:
        status = admin_pb2.DEAD_LETTER_STATUS_DISCARDED
    letter = admin_pb2.DeadLetter(
        dead_letter_id=f"{partition}/{state.dead_letter_id}",
        group=partition.group,
        partition=partition.number,
        service=envelope.service,
        tenant=envelope.tenant,
        key=envelope.key,
        type=envelope.type,
        payload_json=payload_json(envelope.type, envelope.payload),
        error=state.dead_letter.error,
        status=status,
    )
    letter.create_time.FromMicroseconds(state.create_us)
    return letter
