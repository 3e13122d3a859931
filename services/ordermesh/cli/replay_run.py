"""A replay at work: stock first, then the invoices in the file's order, many at once, until every order has ended.

A cancellation waits for the orders that it takes back from: what is not dispatched is cancelled, what is comes back. In
between the engine refuses both, and is asked again. Both have request ids, so the first of the two that was done stays
so however often a replay is begun. What the journal has is not asked for again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from oms.order.v1 import order_pb2
from ordermesh.cli.amounts import nanos_of
from ordermesh.cli.journal import Journal, JournalEntry
from ordermesh.cli.orders import ENDED
from ordermesh.cli.progress import Progress
from ordermesh.cli.replay_calls import STOCK_BATCH, Refused, ReplayCalls
from ordermesh.cli.replay_plan import Cancellation, Plan, Purchase, ReturnPart

RETURN_ASK_AGAIN_S = 0.1
"""Between two attempts to return what is not shipped yet."""
SETTLE_ASK_AGAIN_S = 0.2
"""Between two looks at an order that has not ended."""
STILL_EARLIER_S = 1.0
"""An order made that long before this replay began was there already; the clocks may differ by less."""
NOT_RETURNABLE_STATES = (
    order_pb2.ORDER_STATE_REJECTED,
    order_pb2.ORDER_STATE_CANCELLED,
    order_pb2.ORDER_STATE_CANCELLING,
)


@dataclass(slots=True)
class Outcome:
    """What a replay did and found. `accept_s` has the seconds from the first attempt to the answer of each creation."""

    begun: datetime
    created: int = 0
    there_already: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    accept_s: list[float] = field(default_factory=list)
    answered_nanos: int = 0
    orders: dict[str, order_pb2.Order] = field(default_factory=dict)
    not_applied: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    create_s: float = 0.0


class Replay:
    """Carries a plan out; `known` is what an earlier run wrote into the journal."""

    def __init__(
        self,
        plan: Plan,
        calls: ReplayCalls,
        journal: Journal,
        known: Sequence[JournalEntry],
        *,
        concurrency: int,
        speed: float,
    ) -> None:
        self._plan = plan
        self._calls = calls
        self._journal = journal
        self._known = {(entry.invoice, entry.order_id): entry.call for entry in known}
        self._concurrency = concurrency
        self._speed = speed
        self._created = {purchase.order_id: asyncio.Event() for purchase in plan.purchases}
        self._returned_nanos: Counter[str] = Counter()
        self._outcome = Outcome(begun=datetime.now(UTC))

    async def run(self, progress: Progress) -> Outcome:
        """Does what is to be done and waits until every order has ended."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if not all(self._is_known(purchase) for purchase in self._plan.purchases):
            await self._receive_stock(progress)
        create_begun = loop.time()
        await self._each(self._plan.steps, progress)
        self._outcome.create_s = loop.time() - create_begun
        await self._settle(progress)
        self._outcome.elapsed_s = loop.time() - begun
        return self._outcome

    def _is_known(self, step: Purchase) -> bool:
        return (step.invoice.number, step.order_id) in self._known

    async def _receive_stock(self, progress: Progress) -> None:
        progress.note("receiving stock")
        receipts = self._plan.receipts
        for start in range(0, len(receipts), STOCK_BATCH):
            self._outcome.failures += await self._calls.receive(list(receipts[start : start + STOCK_BATCH]))
        progress.note("")

    async def _each(self, steps: Sequence[Purchase | Cancellation], progress: Progress) -> None:
        """Carries the steps out in order, so many at once; with a speed, not before their time."""
        loop = asyncio.get_running_loop()
        free = asyncio.Semaphore(self._concurrency)
        began, first = loop.time(), steps[0].invoice.time if steps else self._outcome.begun
        async with asyncio.TaskGroup() as tasks:
            for step in steps:
                if self._speed:
                    due = began + (step.invoice.time - first).total_seconds() / self._speed
                    await asyncio.sleep(max(0.0, due - loop.time()))
                await free.acquire()
                work = self._create(step) if isinstance(step, Purchase) else self._take_back(step)
                tasks.create_task(_release_after(work, free, progress))

    async def _create(self, step: Purchase) -> None:
        outcome, loop = self._outcome, asyncio.get_running_loop()
        try:
            if self._is_known(step):
                outcome.there_already += 1
                outcome.answered_nanos += step.invoice.amount_nanos
                return
            begun = loop.time()
            response = await self._calls.create(step)
            order = response.order
            outcome.accept_s.append(loop.time() - begun)
            self._journal.add(step.invoice.number, "create", order, response.persistence)
            self._count_created(order, step)
        except Refused as error:
            outcome.failures.append(f"invoice {step.invoice.number}: {error}")
        finally:
            self._created[step.order_id].set()

    def _count_created(self, order: order_pb2.Order, step: Purchase) -> None:
        made = order.create_time.ToDatetime(UTC)
        if order.HasField("create_time") and (self._outcome.begun - made).total_seconds() > STILL_EARLIER_S:
            self._outcome.there_already += 1
        else:
            self._outcome.created += 1
        self._outcome.answered_nanos += nanos_of(order.total)
        if nanos_of(order.total) != step.invoice.amount_nanos:
            self._outcome.failures.append(f"invoice {step.invoice.number}: the order's total is not the file's amount")

    async def _take_back(self, step: Cancellation) -> None:
        for part in step.parts:
            await self._created[part.order_id].wait()
            call = self._known.get((step.invoice.number, part.order_id), "")
            try:
                if not call:
                    call = await self._take_part_back(step, part)
                    self._outcome.calls[call] += 1
                if call == "return":
                    self._returned_nanos[part.order_id] += part.amount_nanos
            except Refused as error:
                await self._not_applied(step, part, error)

    async def _take_part_back(self, step: Cancellation, part: ReturnPart) -> str:
        """Cancels the pieces if they are not dispatched, else returns them; says which."""
        had_ended = False
        while True:
            if await self._is_cancelled(step, part):
                return "cancel"
            try:
                returned = await self._calls.take_back(part)
            except Refused as error:
                if error.code is not grpc.StatusCode.FAILED_PRECONDITION or had_ended:
                    raise
                had_ended = not await self._is_under_way(part.order_id)
                await asyncio.sleep(RETURN_ASK_AGAIN_S)
            else:
                self._journal.add(step.invoice.number, "return", returned.order, returned.persistence)
                return "return"

    async def _is_cancelled(self, step: Cancellation, part: ReturnPart) -> bool:
        """Cancels the pieces, also where an earlier run did. False where it is too late, or another change comes
        first."""
        try:
            cancelled = await self._calls.cancel(part, f"invoice {step.invoice.number}")
        except Refused as error:
            if error.code not in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED):
                raise
            return False
        self._journal.add(step.invoice.number, "cancel", cancelled.order, cancelled.persistence)
        return True

    async def _is_under_way(self, order_id: str) -> bool:
        return (await self._calls.get(order_id)).order_state not in ENDED

    async def _not_applied(self, step: Cancellation, part: ReturnPart, error: Refused) -> None:
        """A return that was refused: to be expected where the order was rejected, else a failure."""
        try:
            order = await self._calls.get(part.order_id)
        except Refused:
            order = order_pb2.Order()
        if order.order_state in NOT_RETURNABLE_STATES:
            self._outcome.not_applied["the order was rejected or cancelled"] += 1
        else:
            self._outcome.failures.append(f"invoice {step.invoice.number}, order {part.order_id}: {error}")

    async def _settle(self, progress: Progress) -> None:
        """Reads every order until it has ended, and what is to be refunded is refunded."""
        progress.note("waiting until every order has ended")
        waiting = iter(self._plan.purchases)

        async def read_some() -> None:
            for purchase in waiting:
                try:
                    self._outcome.orders[purchase.order_id] = await self._ended(purchase.order_id)
                except Refused as error:
                    self._outcome.failures.append(f"invoice {purchase.invoice.number}: {error}")

        await asyncio.gather(*(read_some() for _ in range(self._concurrency)))
        progress.note("")

    async def _ended(self, order_id: str) -> order_pb2.Order:
        while True:
            order = await self._calls.get(order_id)
            completed = order.order_state == order_pb2.ORDER_STATE_COMPLETED
            if order.order_state in ENDED and not (
                completed and nanos_of(order.refunded) < self._returned_nanos[order_id]
            ):
                return order
            await asyncio.sleep(SETTLE_ASK_AGAIN_S)


async def _release_after(work: Awaitable[None], free: asyncio.Semaphore, progress: Progress) -> None:
    try:
        await work
    finally:
        free.release()
    progress.advance()
