"""The audit of a running deployment: I1 to I6 and I9, by logs, rows, the provider's word, and the published events.

It first waits, for a while, until there is nothing left to do; then it looks. What still changes meanwhile is looked at
again, so traffic makes the audit slower, not wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from oms.admin.v1 import admin_pb2
from oms.log.v1 import log_pb2
from ordermesh.admin.events_audit import EventsAudit
from ordermesh.admin.ledger import ProviderTruth
from ordermesh.admin.orders_audit import OrdersAudit
from ordermesh.admin.redo import audit_logs
from ordermesh.admin.stock_audit import StockAudit
from ordermesh.admin.tally import Tally
from ordermesh.order.model import OrderPolicy
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.ports import Kind, LogError, PartitionId, StoreUnavailable
from ordermesh.runtime.problems import Problem

SETTLE_S = 30.0
"""How long to wait for the work under way: a step that is asked again takes that long."""
SETTLE_POLL_S = 0.25
"""Between two looks; owners tell twice a second."""
QUIET_LOOKS = 3
"""Looks in a row that find nothing to do: a message between two partitions is seen by one of them."""
_COMMANDS: Sequence[Kind] = ("commands", "messages")


async def verify(
    backend: Backend,
    truth: ProviderTruth | None,
    events: EventStream | None,
    invariant_ids: Sequence[str],
    policy: OrderPolicy,
) -> AsyncIterator[admin_pb2.Finding]:
    """The findings, in order; `policy` is what owners decide by. Raises Problem when log or store do not answer."""
    tally = Tally(invariant_ids)
    try:
        await settle(backend, SETTLE_S)
        if tally.wants("I1", "I2", "I3", "I4", "I5", "I6"):
            await _audit_state(backend, tally, truth, policy)
        if tally.wants("I9") and events is not None:
            await EventsAudit(backend, tally, events).run()
    except LogError as error:
        raise Problem("LOG_UNAVAILABLE", "The log does not answer, so nothing can be said; try again.") from error
    except StoreUnavailable as error:
        raise Problem("STORE_UNAVAILABLE", "The store does not answer, so nothing can be said; try again.") from error
    for finding in tally.findings():
        yield finding


async def _audit_state(backend: Backend, tally: Tally, truth: ProviderTruth | None, policy: OrderPolicy) -> None:
    """Rows, logs and the provider."""
    orders = OrdersAudit(backend, tally, truth, policy)
    stock = StockAudit(backend, tally)
    await orders.run()
    if tally.wants("I3", "I5", "I1", "I6"):
        await stock.run()
    if tally.wants("I1", "I2", "I3", "I6"):
        await audit_logs(backend, tally, 3 * orders.count + stock.count)


async def settle(backend: Backend, timeout_s: float) -> bool:
    """Waits until every partition has decided and stored all that is in its log, with an empty agenda. Returns whether
    that came about in time."""
    ends_at = backend.clock.monotonic() + timeout_s
    quiet = 0
    while quiet < QUIET_LOOKS:
        statuses = {PartitionId(status.group, status.partition): status for status in backend.gate.statuses()}
        at_rest = [await _is_at_rest(backend, each, statuses) for each in backend.topology.partitions()]
        quiet = quiet + 1 if all(at_rest) else 0
        if backend.clock.monotonic() > ends_at:
            return False
        await asyncio.sleep(SETTLE_POLL_S)
    return True


async def _is_at_rest(
    backend: Backend, partition: PartitionId, statuses: dict[PartitionId, log_pb2.PartitionStatus]
) -> bool:
    """Whether a partition's owner has nothing to do, and has stored everything."""
    status = statuses.get(partition)
    if status is None or status.lag or status.agenda:
        return False
    last = await backend.log.last(partition, "decisions")
    if last is None or last.sequence > status.checkpoint_sequence:
        return False
    for kind in _COMMANDS:
        command = await backend.log.last(partition, kind)
        if command is not None and command.sequence > status.decided_through:
            return False
    return True
