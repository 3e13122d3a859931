"""The simulated payment provider: its own ledger, exactly once per idempotency key, and answers that get lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple
from zlib import crc32

from google.protobuf.message import Message

from oms.payment.v1 import payment_commands_pb2 as commands
from ordermesh.core.money import nanos_of
from ordermesh.runtime.agenda import EntryId
from ordermesh.runtime.ports import EffectHandler, PartitionId
from ordermesh.testing.simulation.chance import Chance
from ordermesh.testing.simulation.findings import Findings
from ordermesh.testing.simulation.loop import VirtualLoop

AUTHORIZE = commands.PROVIDER_OPERATION_AUTHORIZE
CAPTURE = commands.PROVIDER_OPERATION_CAPTURE
VOID = commands.PROVIDER_OPERATION_VOID
REFUND = commands.PROVIDER_OPERATION_REFUND
ADJUST = commands.PROVIDER_OPERATION_ADJUST
RELEASE = commands.PROVIDER_OPERATION_RELEASE

FLAKY_FAILURES = 2
"""How often `tok_flaky` fails before it works."""


class Entry(NamedTuple):
    """An operation that took effect. The amount is in nanos of the currency."""

    order_id: str
    operation: int
    amount: int
    key: str


class Stray(NamedTuple):
    """A hold that the provider has besides that of the order's payment, in nanos."""

    order_id: str
    amount: int


def reference_of(key: str) -> str:
    """The provider's name of the hold that was asked for under a key."""
    return f"hold-{crc32(key.encode()):08x}"


class ProviderFailed(Exception):
    """The provider's answer did not come: the outcome is unknown."""


class Provider:
    """What the provider knows, whoever asks."""

    def __init__(self, loop: VirtualLoop, chance: Chance, findings: Findings) -> None:
        self.ledger: list[Entry] = []
        self.strays: dict[str, Stray] = {}
        """Holds that nobody needs and that are not let go of, by the provider's name of them."""
        self.names_holds = False
        self.effect_started: Callable[[PartitionId, EntryId, bytes], None]
        self._loop = loop
        self._chance = chance
        self._findings = findings
        self._results: dict[str, commands.ProviderResult] = {}
        self._done: dict[tuple[str, int, str], commands.ProviderResult] = {}
        self._requests: dict[str, bytes] = {}
        self._attempts: dict[str, int] = {}

    def total(self, order_id: str, operation: int) -> int:
        """What the operations of a kind on an order sum up to."""
        return sum(entry.amount for entry in self.ledger if (entry.order_id, entry.operation) == (order_id, operation))

    def handler(self) -> EffectHandler:
        """The effect handler of one process."""
        return self._call

    async def _call(self, request: Message, key: str) -> Message:
        assert isinstance(request, commands.ProviderRequest)
        self._check_start(request, key)
        future = self._loop.create_future()
        strike = self._chance.strike_first("provider_lost", "provider_unknown", "provider_late", whom=request.order_id)
        delay_s = self._chance.spread(0.001, 0.05)
        if self._chance.strikes("provider_slow", request.order_id):
            delay_s = self._chance.spread(0.1, 20.0)
        if strike == "provider_late":
            self._loop.after(self._chance.spread(1.0, 30.0), self._execute, request, key)
        elif strike != "provider_lost":
            self._loop.after(delay_s / 2, self._answer, future, request, key, delay_s / 2, bool(strike))
        if strike in ("provider_lost", "provider_late"):
            self._loop.after(delay_s, _fail, future)
        result: commands.ProviderResult = await future
        return result

    def _answer(
        self, future: asyncio.Future[Any], request: commands.ProviderRequest, key: str, delay_s: float, unknown: bool
    ) -> None:
        result = self._execute(request, key)
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        if unknown or (request.payment_token == "tok_flaky" and attempt <= FLAKY_FAILURES):
            self._loop.after(delay_s, _fail, future)
        else:
            self._loop.after(delay_s, _finish, future, result)

    def _execute(self, request: commands.ProviderRequest, key: str) -> commands.ProviderResult:
        """Does it, unless this key was done before, or it is to be looked up and was done under any."""
        payload = request.SerializeToString(deterministic=True)
        known = self._results.get(key)
        if known is not None:
            same = self._requests[key] == payload
            self._findings.require(same, "I4", "the key {} comes with another request", key)
            return known
        name = (request.order_id, request.operation, request.operation_id)
        if request.look_only or request.look_up:
            known = self._done.get(name)
        if known is None and request.look_only:
            return _result(request, not_found=True)
        if known is None:
            known = self._do(request, key)
        self._results[key], self._requests[key], self._done[name] = known, payload, known
        return known

    def _do(self, request: commands.ProviderRequest, key: str) -> commands.ProviderResult:
        """Does it for the first time."""
        if request.operation == RELEASE:
            return self._release(request)
        if not self._approves(request, key):
            return _result(request, code="card_declined")
        self.ledger.append(Entry(request.order_id, request.operation, nanos_of(request.amount), key))
        is_named = self.names_holds and request.operation == AUTHORIZE
        return _result(request, approved=True, reference=reference_of(key) if is_named else "")

    def hold_again(self, order_id: str, amount: int) -> str:
        """Holds money that nobody here asked for, as after a fault of the provider's; the name of the hold."""
        reference = f"stray-{order_id[-12:]}"
        self.strays[reference] = Stray(order_id, amount)
        return reference

    def _release(self, request: commands.ProviderRequest) -> commands.ProviderResult:
        """Lets go of a hold by its name. One that the order's payment needs must never be asked for."""
        order_id = request.order_id
        own = {reference_of(one.key) for one in self.ledger if (one.order_id, one.operation) == (order_id, AUTHORIZE)}
        voided = any((entry.order_id, entry.operation) == (order_id, VOID) for entry in self.ledger)
        needed = request.reference in own and not voided
        self._findings.require(not needed, "I4", "{} lets go of the hold {} that it needs", order_id, request.reference)
        stray = self.strays.pop(request.reference, None)
        return _result(request, approved=stray is not None, code="" if stray is not None else "nothing_held")

    def held(self, order_id: str) -> int:
        """What was ever held for an order, with increases and decreases; what was taken or let go counts as held."""
        return self.total(order_id, AUTHORIZE) + self.total(order_id, ADJUST)

    def _approves(self, request: commands.ProviderRequest, key: str) -> bool:
        """A bank's answer; an engine that asks for more than there is has broken I4."""
        order_id, operation, require = request.order_id, request.operation, self._findings.require
        if operation == AUTHORIZE:
            count = sum((entry.order_id, entry.operation) == (order_id, AUTHORIZE) for entry in self.ledger)
            require(count == 0, "I4", "{} is authorised twice", order_id)
            return request.payment_token != "tok_decline"
        held = self.held(order_id)
        voided = any((entry.order_id, entry.operation) == (order_id, VOID) for entry in self.ledger)
        captured, refunded = self.total(order_id, CAPTURE), self.total(order_id, REFUND)
        if operation == CAPTURE:
            asked = nanos_of(request.amount)
            good = captured + asked <= held and not voided
            require(good, "I4", "{} captures {} of {}, voided={}", order_id, captured + asked, held, voided)
        elif operation == VOID:
            require(captured == 0 and not voided, "I4", "{} is voided after capture or twice", order_id)
        elif operation == ADJUST:
            more = nanos_of(request.amount)
            good = held > 0 and not voided and held + more >= captured
            require(good, "I4", "{} holds {} more than {}, {} taken, voided={}", order_id, more, held, captured, voided)
            return more < 0 or crc32(key.encode()) % 4 > 0
        else:
            good = refunded + nanos_of(request.amount) <= captured
            require(good, "I4", "{} refunds {} of {}, {} given", order_id, request.amount, captured, refunded)
        return True

    def _check_start(self, request: commands.ProviderRequest, key: str) -> None:
        """The key names the agenda entry that the logged decision opened."""
        _deployment, group, number, entry = key.split(":")[:4]
        name = EntryId(*map(int, entry.split(".")))
        self.effect_started(PartitionId(group, int(number)), name, request.SerializeToString())


def _result(request: commands.ProviderRequest, **more: Any) -> commands.ProviderResult:
    """An answer to a request."""
    return commands.ProviderResult(operation=request.operation, operation_id=request.operation_id, **more)


def _fail(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(ProviderFailed("no answer"))


def _finish(future: asyncio.Future[Any], result: commands.ProviderResult) -> None:
    if not future.done():
        future.set_result(result)
