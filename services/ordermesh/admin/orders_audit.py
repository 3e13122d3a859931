"""The audit of orders and their money by stored rows: one id one order (I2), money balances (I4), everything ends (I5).

The deployment may be working meanwhile, and rows of one order are not read at one moment. So what looks wrong is looked
at again after a pause, a few times, and only what stays wrong is a violation. An order that has not ended is one only
if nothing happens to it all that time: under load, ending may take longer than any audit should wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.type.money_pb2 import Money

from oms.order.v1 import order_pb2, order_state_pb2
from oms.payment.v1 import payment_pb2
from ordermesh.admin import pauses
from ordermesh.admin.ledger import ProviderTruth, Sums, ledger_slice, slices_of, sums_of
from ordermesh.admin.order_rest import Parts, is_at_rest, left_behind, others_of, parted
from ordermesh.admin.stored import key_of, load, pages
from ordermesh.admin.tally import Tally
from ordermesh.core import ids
from ordermesh.core.decider import Key
from ordermesh.core.money import nanos_of, text_of
from ordermesh.order.balance import unbalanced
from ordermesh.order.model import ORDER, OrderPolicy, due_of, order_key
from ordermesh.order.questions import shipment_number
from ordermesh.payment.adjusting import is_adjusting
from ordermesh.payment.model import PAYMENT, payment_key, pending_nanos
from ordermesh.runtime.backend import Backend
from ordermesh.shipping.model import SHIPMENT, shipment_key

SUSPECTS_MAX = 5_000
"""Of more than these, each is looked at again only once, after the longest pause: the deployment is broken or far from
rest."""

TENANT = "default"
"""The provider knows orders by their ids alone."""

UNDONE = (order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
"""States of orders that hold nothing."""
_ASKING = (payment_pb2.PAYMENT_STATUS_AUTHORIZING, payment_pb2.PAYMENT_STATUS_VOIDING)


class Problem(NamedTuple):
    """What breaks an invariant."""

    invariant: str
    text: str


class Suspect(NamedTuple):
    """An order with something wrong, and the versions of its parts when it was looked at."""

    versions: tuple[int, ...]
    problems: list[Problem]

    def since(self, before: Suspect) -> Suspect:
        """What is still wrong if it looked like that before: an order that moves is on its way to its end."""
        moved = self.versions != before.versions
        return self._replace(problems=[each for each in self.problems if not (moved and each.invariant == "I5")])


class OrdersAudit:
    """Reads every order with its payment and shipments, and the provider's ledger where there is one. `policy` is what
    owners decide by: it says how long an order may wait."""

    def __init__(self, backend: Backend, tally: Tally, truth: ProviderTruth | None, policy: OrderPolicy) -> None:
        self._backend = backend
        self._tally = tally
        self._truth = truth
        self._policy = policy
        self._kinds = backend.registry.kinds
        self.count = 0

    async def run(self) -> None:
        """Audits all orders. Raises StoreUnavailable."""
        slices = 1 if self._truth is None else await slices_of(self._truth)
        for number in range(slices):
            await self._audit_slice(number, slices)

    async def _audit_slice(self, number: int, slices: int) -> None:
        sums = await self._sums(lambda order_id: ledger_slice(order_id, slices) == number, self._tally)
        suspects: dict[Key, Suspect] = {}
        async for page in pages(self._backend, self._kinds[ORDER]):
            keys = [key_of(self._kinds[ORDER], row) for row in page]
            keys = [key for key in keys if ledger_slice(key.key, slices) == number]
            suspects.update(await self._judge(keys, sums))
            self.count += len(keys)
            for invariant in ("I2", "I4", "I5"):
                self._tally.checked(invariant, len(keys))
            for key in keys:
                sums.pop(key.key, None)
        await self._look_again(suspects)
        await self._check_unknown(sums)

    async def _sums(self, wanted: Callable[[str], bool], tally: Tally | None = None) -> dict[str, Sums]:
        return {} if self._truth is None else await sums_of(self._truth, wanted, tally)

    async def _look_again(self, suspects: dict[Key, Suspect]) -> None:
        """Tells what stays wrong."""
        for pause_s in pauses.PAUSES_S if len(suspects) <= SUSPECTS_MAX else pauses.PAUSES_S[-1:]:
            if not suspects:
                return
            await asyncio.sleep(pause_s)
            names = frozenset(key.key for key in suspects)
            again = await self._judge(list(suspects), await self._sums(names.__contains__))
            found = {key: suspect.since(suspects[key]) for key, suspect in again.items()}
            suspects = {key: suspect for key, suspect in found.items() if suspect.problems}
        for suspect in suspects.values():
            for problem in suspect.problems:
                self._tally.violated(*problem)

    async def _check_unknown(self, sums: Mapping[str, Sums]) -> None:
        """What the provider did for orders that were not among the rows: they may have come meanwhile. A hold that was
        released again is nothing."""
        kind = self._kinds[ORDER]
        keys = [order_key(TENANT, order_id) for order_id, found in sums.items() if any(found.of_payment(""))]
        for pause_s in (0.0, *pauses.PAUSES_S):
            if not keys:
                return
            await asyncio.sleep(pause_s)
            found = await load(self._backend, kind, keys)
            keys = [key for key in keys if key not in found]
        for key in keys:
            text = f"the provider has {sums[key.key].as_text()} for {key.key}, which is no order"
            self._tally.violated("I4", text)

    async def _judge(self, keys: Sequence[Key], sums: Mapping[str, Sums]) -> dict[Key, Suspect]:
        """What is wrong with each of these orders, now; without those that are right."""
        wrong = {}
        orders = await load(self._backend, self._kinds[ORDER], keys)
        payments = await load(self._backend, self._kinds[PAYMENT], [payment_key(k.tenant, k.key) for k in keys])
        shipments = await load(
            self._backend,
            self._kinds[SHIPMENT],
            [name for k, o in orders.items() for name in _shipments(k, o).values()],
        )
        others = await self._others(orders)
        now_us = self._backend.clock.now_us()
        for key, order in orders.items():
            payment = payments.get(payment_key(key.tenant, key.key))
            own = {number: shipments[name] for number, name in _shipments(key, order).items() if name in shipments}
            linked = {name: others[order_key(key.tenant, name)] for name in others_of(order.order)
                      if order_key(key.tenant, name) in others}  # fmt: skip
            parts = Parts(key, order, payment, own, linked)
            said = sums.get(key.key, Sums()) if self._truth is not None else None
            problems = list(problems_of(parts, said, now_us, self._policy))
            if problems:
                wrong[key] = Suspect(parts.versions(), problems)
        return wrong

    async def _others(self, orders: Mapping[Key, order_state_pb2.StoredOrder]) -> dict[Key, Any]:
        """The orders that these name."""
        names = {order_key(key.tenant, name) for key, state in orders.items() for name in others_of(state.order)}
        return await load(self._backend, self._kinds[ORDER], sorted(names))


def _shipments(key: Key, order: order_state_pb2.StoredOrder) -> dict[int, Key]:
    """The keys of an order's shipments up to the newest, by their numbers."""
    return {n: shipment_key(key.tenant, key.key, n) for n in range(1, shipment_number(order) + 1)}


def problems_of(parts: Parts, sums: Sums | None, now_us: int, policy: OrderPolicy) -> Iterator[Problem]:
    """What is wrong with an order, its payment, its shipments and what the provider did for it. `now_us` is the time in
    microseconds since 1970."""
    order = parts.order.order
    if parts.key.key != order.order_id or not is_canonical(order.order_id):
        yield Problem("I2", f"the order stored under {parts.key.key} calls itself {order.order_id!r}")
    payment = parts.payment.payment if parts.payment is not None else payment_pb2.Payment()
    yield from _payment_problems(order, payment)
    yield from _balance_problems(parts.order, payment)
    if sums is not None:
        yield from _provider_problems(order, payment, sums)
    for text in unbalanced(parts.order):
        yield Problem("I4", f"order {order.order_id}: {text}")
    for text in (*left_behind(parts), *parted(parts)):
        yield Problem("I5", text)
    if not is_at_rest(parts, now_us, policy):
        state = order_pb2.OrderState.Name(order.order_state).removeprefix("ORDER_STATE_")
        step = order_state_pb2.OrderStep.Name(parts.order.step).removeprefix("ORDER_STEP_")
        yield Problem("I5", f"order {order.order_id} has not ended: it is {state}, at step {step}")


def is_canonical(order_id: str) -> bool:
    """Whether an id is a UUIDv7 in its one form."""
    try:
        return ids.canonical_order_id(order_id) == order_id
    except ids.InvalidIdentifier:
        return False


def _payment_problems(order: order_pb2.Order, payment: payment_pb2.Payment) -> Iterator[Problem]:
    """A payment by itself."""
    authorized, captured, refunded = (nanos_of(m) for m in (payment.authorized, payment.captured, payment.refunded))
    name = f"payment {order.order_id}"
    if captured > authorized:
        yield Problem("I4", f"{name}: {_text(payment.captured)} captured, {_text(payment.authorized)} authorised")
    if refunded > captured:
        yield Problem("I4", f"{name}: {_text(payment.refunded)} refunded, {_text(payment.captured)} captured")
    if captured != _done(payment.captures) or refunded != _done(payment.refunds):
        yield Problem("I4", f"{name}: its captures or refunds do not add up")


def _balance_problems(state: order_state_pb2.StoredOrder, payment: payment_pb2.Payment) -> Iterator[Problem]:
    """An order against its payment."""
    order, shipments = state.order, len(state.fulfillment.shipped) or 1
    captured, refunded = nanos_of(payment.captured), nanos_of(payment.refunded)
    if order.order_state == order_pb2.ORDER_STATE_COMPLETED:
        captures = sum(1 for each in payment.captures if each.status == payment_pb2.OPERATION_STATUS_DONE)
        if captured != nanos_of(due_of(order)) or captures != shipments:
            text = f"{captures} captures of {_text(payment.captured)} for {shipments} shipments"
            yield Problem("I4", f"order {order.order_id} is completed with {text}; {_text(due_of(order))} were due")
        if captured != nanos_of(payment.authorized):
            yield Problem("I4", f"order {order.order_id} is completed, and {_text(payment.authorized)} are held for it")
        if refunded != nanos_of(order.refunded):
            text = f"{_text(order.refunded)} refunded, and its payment {_text(payment.refunded)}"
            yield Problem("I4", f"order {order.order_id} has {text}")
    elif order.order_state in UNDONE:
        held = nanos_of(payment.authorized) - captured - nanos_of(payment.voided)
        if held or captured != refunded:
            yield Problem("I4", f"order {order.order_id} has ended without goods and still holds money")


def _provider_problems(order: order_pb2.Order, payment: payment_pb2.Payment, sums: Sums) -> Iterator[Problem]:
    """A payment against the provider's own truth, once the provider is not being asked anything."""
    if payment.status in _ASKING or is_adjusting(payment):
        return
    if pending_nanos(payment.captures) or pending_nanos(payment.refunds):
        return
    amounts = (payment.authorized, payment.captured, payment.voided, payment.refunded)
    if tuple(map(nanos_of, amounts)) != sums.of_payment(payment.reference):
        ours = ", ".join(
            f"{name} {_text(amount)}"
            for name, amount in zip(("authorize", "capture", "void", "refund"), amounts, strict=True)
        )
        yield Problem("I4", f"payment {order.order_id}: {ours}; the provider has {sums.as_text()}")


def _done(operations: Iterable[payment_pb2.PaymentOperation]) -> int:
    return sum(nanos_of(each.amount) for each in operations if each.status == payment_pb2.OPERATION_STATUS_DONE)


def _text(amount: Money) -> str:
    return text_of(amount) if amount.currency_code else "0"
