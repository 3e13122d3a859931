"""What Stripe has of ours: PaymentIntents and refunds, found by their metadata, by an order or by time.

Reading by id and listing are up to date at Stripe; its search lags, by a minute as a rule and by an hour at worst.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from oms.payment.v1.payment_commands_pb2 import PROVIDER_OPERATION_AUTHORIZE, ProviderRequest
from ordermesh.adapters.stripe_amounts import nanos_from
from ordermesh.adapters.stripe_calls import StripeCalls, StripeRefused
from ordermesh.adapters.stripe_objects import ADJUST_PREFIX, ATTEMPT, CAPTURE_PREFIX, DEPLOYMENT, ORDER, Intent, Refund
from ordermesh.payment.provider import ProviderHold, ProviderUnreachable

PAGE: Final = 100
"""Objects of an answer: the most that Stripe gives."""
HOLDS_PER_ORDER_MAX: Final = 100
"""An order has one, and one more for each time that its log was lost or its payment tried anew."""
REFUNDS_MAX: Final = 1_000
"""Of one PaymentIntent."""
SEARCHES_PER_S: Final = 15
"""Of a process: below the twenty that Stripe allows an account, so that payments that look something up find room."""
EXPANDED: Final = ["latest_charge"]


def capture_mark(capture_id: str) -> str:
    """The name in a PaymentIntent's metadata that says that the capture took effect."""
    return f"{CAPTURE_PREFIX}{capture_id}"


def adjust_mark(adjustment_id: str) -> str:
    """The name in a PaymentIntent's metadata that says that the increase took effect."""
    return f"{ADJUST_PREFIX}{adjustment_id}"


def attempt_mark(request: ProviderRequest) -> Mapping[str, str]:
    """The metadata that tells an authorisation from others for the same order."""
    name = request.operation_id or (str(request.attempt) if request.attempt else "")
    return {ATTEMPT: name} if name and request.operation == PROVIDER_OPERATION_AUTHORIZE else {}


class StripeRecords:
    """Reads an account, and of it only what this deployment made."""

    def __init__(self, calls: StripeCalls, deployment_id: str) -> None:
        self._calls = calls
        self._deployment_id = deployment_id
        self._next_search_s = 0.0

    async def intent(self, reference: str) -> Intent:
        """A PaymentIntent with its charge, up to date. Raises ProviderUnreachable, also where there is none: an id was
        given by Stripe, so the account is another."""
        found = await self._known(reference)
        if found is None:
            raise ProviderUnreachable(f"Stripe does not know {reference}; is it the account that made it?")
        return found

    async def authorization(self, request: ProviderRequest) -> Intent | None:
        """The PaymentIntent of a request's order, and of its attempt if it is one to authorise; one that holds or took
        money before others. None where the search does not know any."""
        wanted = attempt_mark(request).get(ATTEMPT, "")
        is_one = request.operation == PROVIDER_OPERATION_AUTHORIZE
        found = await self._search(request.order_id)
        fitting = [each for each in found if not is_one or each.metadata.get(ATTEMPT, "") == wanted]
        return min(fitting, key=lambda each: (not each.took_effect, each.created), default=None)

    async def refund(self, reference: str, refund_id: str) -> Refund | None:
        """The refund of that name; one that worked before one that failed."""
        found = [each for each in await self._refunds(reference) if each.name == refund_id]
        return min(found, key=lambda each: not each.is_given_back, default=None)

    async def find(self, order_id: str, references: Sequence[str]) -> Sequence[ProviderHold]:
        """See `PaymentProvider.find`."""
        intents = {each.reference: each for each in await self._search(order_id)}
        for reference in references:
            known = await self._known(reference)
            if known is not None:
                intents[reference] = known
        return [
            _hold(intent, await self._refunds(intent.reference)) for intent in intents.values() if intent.took_effect
        ]

    async def list_holds(self, from_us: int, to_us: int) -> AsyncIterator[ProviderHold]:
        """See `PaymentProvider.list_holds`. Stripe tells times in seconds."""
        created = {"gte": from_us // 1_000_000, "lt": -(-to_us // 1_000_000)}
        after: dict[str, str] = {}
        while True:
            params: Any = {"created": created, "limit": PAGE, "expand": [f"data.{each}" for each in EXPANDED], **after}
            page = await self._asked(partial(self._calls.intents.list_async, params))
            for intent in map(Intent.of, page.data):
                if self._is_ours(intent) and intent.took_effect:
                    is_mixed = intent.let_go and intent.charge_refunded
                    yield _hold(intent, await self._refunds(intent.reference) if is_mixed else None)
            if not page.has_more or not page.data:
                return
            after = {"starting_after": page.data[-1].id}

    async def _known(self, reference: str) -> Intent | None:
        params: Any = {"expand": EXPANDED}
        try:
            return Intent.of(await self._calls.call(partial(self._calls.intents.retrieve_async, reference, params)))
        except StripeRefused as refused:
            if refused.code == "resource_missing":
                return None
            raise ProviderUnreachable(f"Stripe does not show {reference}: {refused.code}") from refused

    async def _search(self, order_id: str) -> list[Intent]:
        """All PaymentIntents of an order, each read anew: what a search shows of them may be old."""
        query = f"metadata['{ORDER}']:'{order_id}' AND metadata['{DEPLOYMENT}']:'{self._deployment_id}'"
        params: Any = {"query": query, "limit": HOLDS_PER_ORDER_MAX}
        await self._search_turn()
        page = await self._asked(partial(self._calls.intents.search_async, params))
        found = [await self._known(each.id) for each in page.data]
        return [each for each in found if each is not None]

    async def _search_turn(self) -> None:
        """Waits until a search may begin: they begin at even distances."""
        now_s = asyncio.get_running_loop().time()
        begin_s = max(now_s, self._next_search_s)
        self._next_search_s = begin_s + 1 / SEARCHES_PER_S
        if begin_s > now_s:
            await asyncio.sleep(begin_s - now_s)

    async def _refunds(self, reference: str) -> list[Refund]:
        found: list[Refund] = []
        after: dict[str, str] = {}
        while len(found) < REFUNDS_MAX:
            params: Any = {"payment_intent": reference, "limit": PAGE, **after}
            page = await self._asked(partial(self._calls.refunds.list_async, params))
            found.extend(map(Refund.of, page.data))
            if not page.has_more or not page.data:
                break
            after = {"starting_after": page.data[-1].id}
        return found

    async def _asked(self, start: Any) -> Any:
        """A page. A refusal is no answer to a question."""
        try:
            return await self._calls.call(start)
        except StripeRefused as refused:
            raise ProviderUnreachable(f"Stripe does not answer a question: {refused.code}") from refused

    def _is_ours(self, intent: Intent) -> bool:
        return intent.metadata.get(DEPLOYMENT) == self._deployment_id and ORDER in intent.metadata


def _hold(intent: Intent, refunds: Sequence[Refund] | None = None) -> ProviderHold:
    """A PaymentIntent as the port tells it; what became of a hold that was let go of is no refund."""
    named: dict[str, int] = {}
    for each in refunds or ():
        if each.is_given_back:
            named[each.name] = named.get(each.name, 0) + nanos_from(each.amount, intent.currency)
    told = 0 if intent.let_go else nanos_from(intent.charge_refunded, intent.currency)
    return ProviderHold(
        order_id=intent.metadata.get(ORDER, ""),
        reference=intent.reference,
        currency_code=intent.currency.upper(),
        authorized=nanos_from(intent.amount, intent.currency),
        captured=nanos_from(intent.received, intent.currency),
        voided=nanos_from(intent.let_go, intent.currency),
        refunded=told if refunds is None else sum(named.values()),
        refunds=None if refunds is None else named,
        create_us=intent.created * 1_000_000,
    )
