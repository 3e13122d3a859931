"""Compares payments with their provider: every payment that is not at rest, and all of a time range on both sides.

Both sides are read once, and only what does not look right is compared one by one, a slice at a time. Rows and the
provider are not read at one moment, so what looks wrong is looked at again after a pause, a few times, as audits do,
and only what stays is told. What can be mended safely is mended by a command in the payment's own log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.order.v1 import order_pb2
from oms.payment.v1 import payment_pb2
from oms.payment.v1.payment_commands_pb2 import Check
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.adapters.provider_ledger import KeyIndex
from ordermesh.admin import pauses
from ordermesh.admin.orders_audit import TENANT, is_canonical
from ordermesh.admin.payment_differences import Difference, differences, is_asking, is_at_rest, looks_right
from ordermesh.admin.stored import key_of, load, pages
from ordermesh.core.money import nanos_of
from ordermesh.order.model import ORDER, order_key
from ordermesh.payment.model import PAYMENT, payment_key
from ordermesh.payment.model import SERVICE as PAYMENTS
from ordermesh.payment.provider import PaymentProvider, ProviderHold, ProviderUnreachable
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations
from ordermesh.runtime.ports import StoreUnavailable
from ordermesh.runtime.problems import Problem

DAY_US: Final = 86_400_000_000
SPAN_US_MAX: Final = 31 * DAY_US
"""Of what is listed at the provider: a month, as books are closed."""
SPAN_DEFAULT_US: Final = DAY_US
HOLDS_MAX: Final = 5_000_000
"""Of a time range: of each a digest of 16 bytes is held. Stripe lists a thousand a second at best."""
COMPARED_MAX: Final = 1_000_000
"""Orders that are compared one by one, of which a digest is held too. At Stripe each takes a search, of which there are
fifteen a second, unless it is only being asked."""
SLICE: Final = 1_000
"""Orders that are compared before the next are read."""
FINDS_AT_ONCE: Final = 16
"""Questions to the provider under way."""
BATCH: Final = 250
"""Orders that are read at once."""
TRIES: Final = 5
"""Of one question to the provider."""
TRY_PAUSE_S: Final = 0.5
"""Before the second; doubled each time."""

T = TypeVar("T")
_Suspect: TypeAlias = tuple[str, payment_pb2.Payment | None]
"""An order to compare, and its payment."""


class Span(NamedTuple):
    """A range of time, the end excluded, in microseconds since 1970."""

    from_us: int
    to_us: int

    def has(self, time_us: int) -> bool:
        """Whether a time is in it."""
        return self.from_us <= time_us < self.to_us


def span_of(request: admin_service_pb2.ReconcilePaymentsRequest, now_us: int) -> Span:
    """The range that is asked for. Raises Problem for what is none."""
    violations = Violations()
    to_us = _time_us("to_time", request.to_time, violations) if request.HasField("to_time") else now_us
    from_us = to_us - SPAN_DEFAULT_US
    if request.HasField("from_time"):
        from_us = _time_us("from_time", request.from_time, violations)
    if not violations and not 0 <= from_us < to_us:
        violations.add("to_time", "has to be after from_time, and after 1970")
    if not violations and to_us - from_us > SPAN_US_MAX:
        violations.add("from_time", f"is more than {SPAN_US_MAX // DAY_US} days before to_time")
    violations.check()
    return Span(from_us, to_us)


def _time_us(field: str, time: Timestamp, violations: Violations) -> int:
    try:
        return time.ToMicroseconds()
    except ValueError as error:
        violations.add(field, f"is no time: {error}")
        return 0


class Reconciler:
    """One comparison, for one caller; `pause_scale` lengthens or shortens the time between two looks at what differs.
    `counts` is what was looked at so far."""

    def __init__(self, backend: Backend, provider: PaymentProvider, call: Call, *, pause_scale: float = 1.0) -> None:
        self._backend = backend
        self._provider = provider
        self._call = call
        self._pause_scale = pause_scale
        self._kinds = backend.registry.kinds
        self._listed = KeyIndex()
        self.counts = admin_pb2.PaymentReconciliation()

    async def run(self, span: Span, *, mend: bool) -> AsyncIterator[admin_pb2.PaymentFinding]:
        """Every difference. Raises Problem where store or provider do not answer, or there is too much."""
        try:
            async for suspects in self._suspects(span):
                for found in await self._lasting(suspects):
                    yield await self._tell(found, mend=mend)
        except StoreUnavailable as error:
            raise Problem("STORE_UNAVAILABLE", "The store does not answer, so nothing can be compared.") from error
        except ProviderUnreachable as error:
            raise Problem("PROVIDER_UNAVAILABLE", f"The payment provider does not answer: {error}") from error

    async def _suspects(self, span: Span) -> AsyncIterator[dict[str, Sequence[str]]]:
        """The orders to compare, each once, with the holds that their payments know; a slice at a time."""
        suspects: dict[str, Sequence[str]] = {}
        compared = KeyIndex()
        for read in (self._read_provider, self._read_payments):
            async for order_id, payment in read(span):
                if order_id.encode() in compared:
                    continue
                compared.add(order_id.encode())
                if compared.count > COMPARED_MAX:
                    raise _too_much("payments to compare one by one", COMPARED_MAX)
                suspects[order_id] = (payment.reference,) if payment is not None and payment.reference else ()
                if len(suspects) == SLICE:
                    yield suspects
                    suspects = {}
        if suspects:
            yield suspects

    async def _read_provider(self, span: Span) -> AsyncIterator[_Suspect]:
        """Looks at every hold of the range."""
        batch: list[ProviderHold] = []
        async for hold in self._provider.list_holds(span.from_us, span.to_us):
            self.counts.holds_listed += 1
            if self.counts.holds_listed > HOLDS_MAX:
                raise _too_much("holds in the time range", HOLDS_MAX)
            batch.append(hold)
            if len(batch) == BATCH:
                for suspect in await self._glance(batch):
                    yield suspect
                batch = []
        for suspect in await self._glance(batch):
            yield suspect

    async def _glance(self, holds: Sequence[ProviderHold]) -> list[_Suspect]:
        """Which holds do not look right, a second one of an order among them."""
        payments = await self._payments([hold.order_id for hold in holds])
        orders = await self._orders([name for name, payment in payments.items() if not is_at_rest(payment)])
        found: list[_Suspect] = []
        for hold in holds:
            payment, name = payments.get(hold.order_id), hold.order_id.encode()
            if name in self._listed:
                found.append((hold.order_id, payment))
                continue
            self._listed.add(name)
            if not looks_right(payment, hold, orders.get(hold.order_id)):
                found.append((hold.order_id, payment))
        return found

    async def _read_payments(self, span: Span) -> AsyncIterator[_Suspect]:
        """Looks at every payment: those that the provider is asked for, and those that it did not list though they hold
        money or are of the range."""
        kind = self._kinds[PAYMENT]
        async for page in pages(self._backend, kind):
            for row in page:
                name = key_of(kind, row).key
                payment = StoredPayment.FromString(row["state"]).payment
                is_in_range = span.has(payment.create_time.ToMicroseconds())
                self.counts.payments_in_range += is_in_range
                is_there = nanos_of(payment.authorized) and (is_in_range or not is_at_rest(payment))
                if is_asking(payment) or (is_there and name.encode() not in self._listed):
                    yield name, payment

    async def _lasting(self, suspects: dict[str, Sequence[str]]) -> list[Difference]:
        """What differs, and goes on differing in the same way."""
        self.counts.payments_compared += len(suspects)
        found = await self._compare(suspects)
        for pause_s in pauses.PAUSES_S:
            if not found:
                return []
            await asyncio.sleep(pause_s * self._pause_scale)
            again = await self._compare({each.order_id: suspects[each.order_id] for each in found})
            known = {each[:4] for each in found}
            found = [each for each in again if each[:4] in known]
        return found

    async def _compare(self, suspects: dict[str, Sequence[str]]) -> list[Difference]:
        """What differs now. Where the provider is being asked already, it is not asked what it has."""
        found: list[Difference] = []
        every = list(suspects)
        for start in range(0, len(every), BATCH):
            names = every[start : start + BATCH]
            payments, orders = await self._payments(names), await self._orders(names)
            asked = [name for name in names if name not in payments or not is_asking(payments[name])]
            holds = dict(zip(asked, await _each(asked, lambda name: self._find(name, suspects[name])), strict=True))
            now_us = self._backend.clock.now_us()
            for name in names:
                found.extend(differences(name, orders.get(name), payments.get(name), holds.get(name, ()), now_us))
        return found

    async def _find(self, order_id: str, references: Sequence[str]) -> Sequence[ProviderHold]:
        """The holds of an order. Raises ProviderUnreachable when it was asked often enough."""
        pause_s = TRY_PAUSE_S
        for _ in range(TRIES - 1):
            try:
                return await self._provider.find(order_id, references)
            except ProviderUnreachable:
                await asyncio.sleep(pause_s)
                pause_s *= 2
        return await self._provider.find(order_id, references)

    async def _payments(self, order_ids: Sequence[str]) -> dict[str, payment_pb2.Payment]:
        keys = list(dict.fromkeys(payment_key(TENANT, name) for name in order_ids))
        return {
            key.key: state.payment for key, state in (await load(self._backend, self._kinds[PAYMENT], keys)).items()
        }

    async def _orders(self, order_ids: Sequence[str]) -> dict[str, order_pb2.Order]:
        keys = [order_key(TENANT, name) for name in order_ids]
        return {key.key: state.order for key, state in (await load(self._backend, self._kinds[ORDER], keys)).items()}

    async def _tell(self, found: Difference, *, mend: bool) -> admin_pb2.PaymentFinding:
        """The finding, mended if that is wanted and possible. What is only looked up is not called mended: whether that
        helps is seen by the next comparison."""
        self.counts.differences += 1
        mends = found.mend if is_canonical(found.order_id) else None
        finding = admin_pb2.PaymentFinding(
            difference=found.kind,
            order_id=found.order_id,
            reference=found.reference,
            detail=found.text,
            mendable=mends is not None,
        )
        if mend and mends is not None:
            try:
                await self._backend.send(PAYMENTS, payment_key(TENANT, found.order_id), mends, self._call)
                finding.looked_up = isinstance(mends, Check)
                finding.mended = not finding.looked_up
                self.counts.mended += finding.mended
            except Problem as problem:
                finding.not_mended_reason = problem.reason
        return finding


def _too_much(what: str, most: int) -> Problem:
    message = f"There are more than {most:,} {what}; ask for a shorter time range."
    return Problem("LIMIT_EXCEEDED", message, metadata={"limit": str(most), "actual": f"over {most}"})


async def _each(names: Sequence[str], ask: Callable[[str], Awaitable[T]]) -> list[T]:
    """Asks about each, a few at a time; the answers in order. The first that fails ends the others."""
    room = asyncio.Semaphore(FINDS_AT_ONCE)

    async def one(name: str) -> T:
        async with room:
            return await ask(name)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(name)) for name in names]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
