"""What the APIs of an edge work with: commands to owners, reads, pages, watched logs. One per process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

from google.protobuf.message import Message

from oms.common.v1 import consistency_pb2
from ordermesh.core.decider import Key, Service, State, Table
from ordermesh.runtime.calls import Call
from ordermesh.runtime.gate import Answer, Gate, Overloaded, Pending
from ordermesh.runtime.host import all_services
from ordermesh.runtime.pages import PageRequest, PageTokens
from ordermesh.runtime.ports import Clock, Log, LogError, Page, PartitionId, Store, StoreUnavailable
from ordermesh.runtime.problems import Problem, not_yet_known, overloaded, refused
from ordermesh.runtime.reads import Readable, Reads
from ordermesh.runtime.registry import Registry
from ordermesh.runtime.tail import Tails
from ordermesh.runtime.topology import Topology

ACCEPTED = consistency_pb2.PERSISTENCE_ACCEPTED
"""The persistence of a command that is in the log and that nobody has answered yet."""


class ListPage(NamedTuple):
    """Rows of a list, and the token of its next page; empty at the end."""

    rows: Sequence[Mapping[str, object]]
    next_token: str


class Backend:
    """The parts, wired. `stopping` is set when the process is about to end: long streams end then."""

    def __init__(
        self, *, gate: Gate, store: Store, log: Log, clock: Clock, topology: Topology, services: Sequence[Service]
    ) -> None:
        self.gate = gate
        self.store = store
        self.log = log
        self.clock = clock
        self.topology = topology
        self.registry = Registry(all_services(services))
        self.reads = Reads(gate=gate, store=store, clock=clock)
        self.tails = Tails(log)
        self.pages = PageTokens(topology.deployment_id)
        self.stopping = asyncio.Event()

    def post(
        self,
        service: str,
        key: Key,
        command: Message,
        call: Call,
        *,
        durability: int = consistency_pb2.DURABILITY_STORED,
    ) -> Pending:
        """Queues a command for its partition's log. Raises Problem if it is not taken; then nothing was done."""
        try:
            return self.gate.post(
                service,
                key.tenant,
                key.key,
                command,
                durability=durability,
                actor=call.actor,
                traceparent=call.traceparent,
            )
        except Overloaded as error:
            raise overloaded(error.reason, error.retry_after_s) from error

    def check_intake(self, service: str, tenant: str = "", key: str = "") -> None:
        """Raises Problem where no commands are taken: for the key, or without one for any key of the service."""
        try:
            self.gate.check_intake(service, tenant, key)
        except Overloaded as error:
            raise overloaded(error.reason, error.retry_after_s) from error

    def check_kept_up(self, tenant: str, asked: Iterable[tuple[str, str]]) -> None:
        """Raises Problem where one of these services' keys is behind, without a key where the whole service is: what a
        command leads to is done whatever it costs, so that has to be known before the command is taken."""
        try:
            for service, key in asked:
                self.gate.check_kept_up(service, tenant, key)
        except Overloaded as error:
            raise overloaded(error.reason, error.retry_after_s) from error

    async def send(self, service: str, key: Key, command: Message, call: Call) -> Answer:
        """A command and its answer, decided. Raises Problem, also where it is not known yet what was decided: then the
        same request with the same request id may be sent again."""
        pending = self.post(service, key, command, call)
        (answer,) = await self.gate.settle([pending], call.answer_timeout_s)
        return decided_now(answer)

    async def load(self, readable: Readable, keys: Sequence[Key]) -> Mapping[Key, State]:
        """The stored states of these keys, from a quorum or else from any replica; those that are not there are
        absent. Raises Problem STORE_UNAVAILABLE."""
        table = readable.aggregate.table
        if not keys:
            return {}
        try:
            rows = await self.store.load(table, keys)
        except StoreUnavailable:
            rows = await _or_unavailable(self.store.load_weakly(table, keys))
        parse = readable.aggregate.state.FromString
        return {key: parse(row.state) for key, row in rows.items()}

    async def query(self, table: Table, partition: Sequence[object], after: bytes, count_max: int) -> Page:
        """Rows of a query table, from a quorum or else from any replica. Raises Problem STORE_UNAVAILABLE."""
        try:
            return await self.store.query(table, partition, after=after, count_max=count_max)
        except StoreUnavailable:
            weak = self.store.query(table, partition, after=after, count_max=count_max, quorum=False)
            return await _or_unavailable(weak)

    async def load_checkpoint(self, partition: PartitionId) -> bytes | None:
        """The partition's checkpoint. Raises Problem STORE_UNAVAILABLE."""
        return await _or_unavailable(self.store.load_checkpoint(partition))

    async def page(self, table: Table, partition: Sequence[object], page: PageRequest) -> ListPage:
        """A page of rows and the token of the next. Raises Problem for a token of another list."""
        after = self.pages.open(page.bound_to, page.token)
        found = await self.query(table, partition, after, page.size)
        token = self.pages.seal(page.bound_to, found.next_token) if found.next_token else ""
        return ListPage(found.rows, token)


Result = TypeVar("Result")


async def _or_unavailable(answer: Awaitable[Result]) -> Result:
    try:
        return await answer
    except StoreUnavailable as error:
        raise Problem("STORE_UNAVAILABLE", "The store does not answer; try again.") from error


def persistence_of(answer: Answer) -> consistency_pb2.Persistence:
    """How durable an answer is, in the contract's words; the numbers are the same."""
    return cast("consistency_pb2.Persistence", answer.persistence)


def decided_now(answer: Answer | BaseException) -> Answer:
    """The answer of a decided command. Raises Problem for all else, also where it is only in the log."""
    answer = decided(answer)
    if answer.persistence <= ACCEPTED:
        raise not_yet_known("The request is in the log and not decided yet; send it again with the same request_id.")
    return answer


def decided(answer: Answer | BaseException) -> Answer:
    """The answer of a decided or accepted command. Raises Problem for all else."""
    if isinstance(answer, Answer):
        if answer.dead_letter:
            raise Problem("DEAD_LETTERED", "The command could not be decided; it is kept for an operator.")
        if answer.refusal is not None:
            raise refused(answer.refusal)
        return answer
    if isinstance(answer, Overloaded):
        raise overloaded(answer.reason, answer.retry_after_s) from answer
    if isinstance(answer, LogError):
        raise Problem(
            "LOG_UNAVAILABLE", "The log did not take the request in time; send it again with the same id."
        ) from answer
    raise answer
