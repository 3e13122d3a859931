"""The sandbox payment provider: what it answers depends on the payment token alone, and its ledger is its own truth.

| token | what happens |
| --- | --- |
| `tok_ok` | works |
| `tok_decline` | the authorisation is declined |
| `tok_no_increase` | works, but an increase of the authorisation is declined |
| `tok_slow` | the authorisation takes two seconds |
| `tok_flaky` | the first two attempts of each operation have an unknown outcome, the third works |
| `tok_fraud_review` | works; the sandbox's fraud rule has somebody look at the order (`fraud_rules.py`) |

For half of the flaky operations the first attempt did take effect.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from google.protobuf.message import Message

from oms.payment.v1.payment_commands_pb2 import (
    PROVIDER_OPERATION_ADJUST,
    PROVIDER_OPERATION_AUTHORIZE,
    PROVIDER_OPERATION_CAPTURE,
    PROVIDER_OPERATION_REFUND,
    PROVIDER_OPERATION_RELEASE,
    PROVIDER_OPERATION_VOID,
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters.provider_ledger import Ledger, LedgerBusy, LedgerEntry
from ordermesh.adapters.sandbox_holds import holds_of, holds_taken_between, reference_of
from ordermesh.core.money import nanos_of
from ordermesh.payment.provider import ProviderHold, ProviderUnreachable

TOKEN_OK = "tok_ok"
TOKEN_DECLINE = "tok_decline"
TOKEN_SLOW = "tok_slow"
TOKEN_FLAKY = "tok_flaky"
TOKEN_FRAUD_REVIEW = "tok_fraud_review"
TOKEN_NO_INCREASE = "tok_no_increase"
TOKENS = frozenset({TOKEN_OK, TOKEN_DECLINE, TOKEN_SLOW, TOKEN_FLAKY, TOKEN_FRAUD_REVIEW, TOKEN_NO_INCREASE})
"""The tokens that it knows."""

SLOW_SECONDS = 2.0
"""What an authorisation by `tok_slow` takes."""
FLAKY_FAILURES = 2
FLAKY_KEYS_MAX = 10_000
"""Keys of `tok_flaky` whose failures are remembered; an older one fails anew."""

_NAMES = {
    PROVIDER_OPERATION_AUTHORIZE: "authorize",
    PROVIDER_OPERATION_CAPTURE: "capture",
    PROVIDER_OPERATION_VOID: "void",
    PROVIDER_OPERATION_REFUND: "refund",
    PROVIDER_OPERATION_ADJUST: "adjust",
    PROVIDER_OPERATION_RELEASE: "release",
}


def takes_effect_at_first(idempotency_key: str) -> bool:
    """Whether the first attempt by `tok_flaky` takes effect under this key, so that its answer is what is lost."""
    return hashlib.blake2b(idempotency_key.encode()).digest()[0] % 2 == 1


class SandboxPayments:
    """The `PaymentProvider` of the sandbox. `handle` is its `EffectHandler`."""

    def __init__(self, ledger: Ledger) -> None:
        """`ledger` may be shared with other processes; it is closed with this."""
        self._ledger = ledger
        self._failures: dict[str, int] = {}

    async def close(self) -> None:
        """Ends cleanly; idempotent."""
        await self._ledger.close()

    async def handle(self, request: Message, idempotency_key: str) -> Message:
        """Executes a `ProviderRequest`; see `execute`. Raises TypeError for anything else."""
        if not isinstance(request, ProviderRequest):
            raise TypeError(f"not a request to a payment provider: {request.DESCRIPTOR.full_name}")
        return await self.execute(request, idempotency_key)

    async def execute(self, request: ProviderRequest, idempotency_key: str) -> ProviderResult:
        """See `PaymentProvider.execute`."""
        token = request.payment_token
        is_authorization = request.operation == PROVIDER_OPERATION_AUTHORIZE
        if token == TOKEN_SLOW and is_authorization:
            await asyncio.sleep(SLOW_SECONDS)
        if is_authorization and (token == TOKEN_DECLINE or token not in TOKENS):
            return _result(request, "card_declined" if token == TOKEN_DECLINE else "unknown_token")
        is_adjustment = request.operation == PROVIDER_OPERATION_ADJUST
        if token == TOKEN_NO_INCREASE and is_adjustment and nanos_of(request.amount) > 0:
            return _result(request, "increase_declined")
        found = await self._look_up(request) if request.look_up or request.look_only else None
        if found is not None:
            return found
        if request.look_only:
            return ProviderResult(operation=request.operation, operation_id=request.operation_id, not_found=True)
        if token == TOKEN_FLAKY:
            await self._fail_at_first(request, idempotency_key)
        await self._take_effect(request, idempotency_key)
        return _result(request, reference=reference_of(idempotency_key) if is_authorization else "")

    async def find(self, order_id: str, references: Sequence[str] = ()) -> Sequence[ProviderHold]:
        """See `PaymentProvider.find`. Reads the whole ledger, so it needs no references."""
        del references
        entries = await asyncio.to_thread(self.operations, order_id)
        return holds_of(entries)

    async def list_holds(self, from_us: int, to_us: int) -> AsyncIterator[ProviderHold]:
        """See `PaymentProvider.list_holds`. Reads the whole ledger, for a slice of the orders at a time."""
        async for hold in holds_taken_between(self._ledger.entries, from_us, to_us):
            yield hold

    async def _look_up(self, request: ProviderRequest) -> ProviderResult | None:
        """The answer where what took effect for the order under any key decides it. Reads the whole ledger, off the
        loop: it is seldom asked."""
        entries = await asyncio.to_thread(self.operations, request.order_id)
        for each in entries:
            if (each.operation, each.operation_id) == (_NAMES[request.operation], request.operation_id):
                is_authorization = request.operation == PROVIDER_OPERATION_AUTHORIZE
                return _result(request, reference=reference_of(each.idempotency_key) if is_authorization else "")
        if request.operation == PROVIDER_OPERATION_VOID and any(each.operation == "capture" for each in entries):
            return _result(request, "already_captured")
        return None

    async def _fail_at_first(self, request: ProviderRequest, idempotency_key: str) -> None:
        """Raises for the first attempts of a key; the very first may take effect all the same."""
        failures = self._failures.pop(idempotency_key, 0)
        if failures == FLAKY_FAILURES:
            return
        if failures == 0 and takes_effect_at_first(idempotency_key):
            await self._take_effect(request, idempotency_key)
        self._failures[idempotency_key] = failures + 1
        if len(self._failures) > FLAKY_KEYS_MAX:
            del self._failures[next(iter(self._failures))]
        raise ProviderUnreachable(f"the sandbox lost its answer to attempt {failures + 1} on purpose ({TOKEN_FLAKY})")

    async def _take_effect(self, request: ProviderRequest, idempotency_key: str) -> None:
        if request.operation == PROVIDER_OPERATION_RELEASE:  # a hold is let go of once, however many found it
            idempotency_key = f"release-{request.operation_id}"
        entry = LedgerEntry(
            time=datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            order_id=request.order_id,
            operation=_NAMES[request.operation],
            currency_code=request.amount.currency_code,
            units=request.amount.units,
            nanos=request.amount.nanos,
            idempotency_key=idempotency_key,
            operation_id=request.operation_id,
        )
        try:
            await self._ledger.add(entry)
        except (LedgerBusy, OSError) as error:
            raise ProviderUnreachable(f"the sandbox cannot write its ledger: {error}") from error

    def operations(self, order_id: str) -> Sequence[LedgerEntry]:
        """What took effect for an order, in order. Reads the whole ledger."""
        return [entry for entry in self._ledger.entries() if entry.order_id == order_id]


def _result(request: ProviderRequest, refusal: str = "", reference: str = "") -> ProviderResult:
    return ProviderResult(
        operation=request.operation,
        operation_id=request.operation_id,
        approved=not refusal,
        code=refusal,
        reference=reference,
        attempt=request.attempt,
    )
