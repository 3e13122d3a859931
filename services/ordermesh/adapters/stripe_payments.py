"""Stripe as the payment provider: an authorisation is a PaymentIntent with manual capture, which is captured, cancelled
or refunded.

What happened is never guessed. A call without a definite answer is repeated under the same key (`stripe_keys`), and
where the key may be forgotten, what was done is found in Stripe itself: PaymentIntents by their metadata, captures by a
mark that the capturing call sets in it, refunds by their metadata.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message
from google.type.money_pb2 import Money

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
from ordermesh.adapters.stripe_amounts import NotExpressible, amount_of
from ordermesh.adapters.stripe_calls import StripeCalls, StripeOptions, StripeRefused
from ordermesh.adapters.stripe_keys import Attempt, attempt_of
from ordermesh.adapters.stripe_objects import DEPLOYMENT, ORDER, REFUND, Intent, Refund
from ordermesh.adapters.stripe_records import StripeRecords, adjust_mark, attempt_mark, capture_mark
from ordermesh.core.money import money_of, nanos_of
from ordermesh.payment.adjusting import NOTHING_AUTHORIZED
from ordermesh.payment.provider import NotYet, ProviderHold, ProviderUnreachable

NOT_EXPRESSIBLE: Final = "amount_not_expressible"
"""The amount is no whole number of what Stripe tells the currency in, like half a penny."""
NO_MULTICAPTURE: Final = "multicapture_unavailable"
"""The account may take from a hold only once, and has."""
HOLD_EXPIRED: Final = "authorization_expired"
"""Stripe let go of the hold by itself: a card's holds last about seven days."""
HOLD_CANCELED: Final = "authorization_canceled"
"""Somebody else let go of the hold, as in Stripe's dashboard."""
NO_DECREASE: Final = "decrease_unavailable"
"""Stripe lets go of all that is not taken, or of nothing."""
ALREADY_CAPTURED: Final = "already_captured"
NEEDS_CUSTOMER: Final = "authentication_required"
"""The bank wants the customer to do something, and there is none."""

LOOK_AGAIN_S: Final = 60.0
"""Until what is waited for is looked up again: Stripe's search lags by a minute as a rule."""
UNDECIDED_S: Final = 5.0
"""The same for what a bank has not decided."""

_Operation: TypeAlias = Callable[[ProviderRequest, Attempt], Awaitable[ProviderResult]]


class StripePayments:
    """The `PaymentProvider` at Stripe. `handle` is its `EffectHandler`."""

    def __init__(self, options: StripeOptions, now_us: Callable[[], int] = lambda: time.time_ns() // 1_000) -> None:
        self._deployment_id = options.deployment_id
        self._now_us = now_us
        self._calls = StripeCalls(options)
        self._records = StripeRecords(self._calls, options.deployment_id)
        self._operations: Mapping[Any, _Operation] = {
            PROVIDER_OPERATION_AUTHORIZE: self._authorize,
            PROVIDER_OPERATION_CAPTURE: self._capture,
            PROVIDER_OPERATION_ADJUST: self._adjust,
            PROVIDER_OPERATION_VOID: self._void,
            PROVIDER_OPERATION_REFUND: self._refund,
            PROVIDER_OPERATION_RELEASE: self._void,
        }

    async def close(self) -> None:
        """Ends cleanly; idempotent."""
        await self._calls.close()

    async def handle(self, request: Message, idempotency_key: str) -> Message:
        """Executes a `ProviderRequest`; see `execute`. Raises TypeError for anything else."""
        if not isinstance(request, ProviderRequest):
            raise TypeError(f"not a request to a payment provider: {request.DESCRIPTOR.full_name}")
        return await self.execute(request, idempotency_key)

    async def execute(self, request: ProviderRequest, idempotency_key: str) -> ProviderResult:  # noqa: ARG002 # see below
        """See `PaymentProvider.execute`. The key that is asked with is the operation's own, which does not change where
        the kernel's does. An order that costs nothing holds nothing, and needs no provider."""
        if nanos_of(request.amount) == 0:
            return _result(request)
        try:
            amount_of(_absolute(request.amount))
        except NotExpressible:
            return _result(request, NOT_EXPRESSIBLE)
        attempt = attempt_of(request, self._deployment_id, self._now_us())
        return await self._operations[request.operation](request, attempt)

    async def find(self, order_id: str, references: Sequence[str] = ()) -> Sequence[ProviderHold]:
        """See `PaymentProvider.find`."""
        return await self._records.find(order_id, references)

    def list_holds(self, from_us: int, to_us: int) -> AsyncIterator[ProviderHold]:
        """See `PaymentProvider.list_holds`."""
        return self._records.list_holds(from_us, to_us)

    async def _authorize(self, request: ProviderRequest, attempt: Attempt) -> ProviderResult:
        if attempt.looks_first:
            known = await self._records.authorization(request)
            if known is not None:
                return await self._authorized(request, attempt, known)
        if not attempt.may_send:
            return _not_found(request)
        try:
            intent = await self._calls.call(
                lambda: self._calls.intents.create_async(
                    _authorization(request, self._deployment_id), {"idempotency_key": attempt.key}
                )
            )
        except StripeRefused as refused:
            return _result(request, refused.code)
        return await self._authorized(request, attempt, Intent.of(intent))

    async def _authorized(self, request: ProviderRequest, attempt: Attempt, intent: Intent) -> ProviderResult:
        """What a PaymentIntent says about the authorisation. One that waits for the customer, or was left half made, is
        cancelled, so that it cannot take effect when nobody expects it any more; but not by a mere question, which may
        come while Stripe is still making it."""
        if request.look_only and not intent.is_decided:
            return _not_found(request)
        if intent.status == "processing":  # a repeated answer is as old as the first
            intent = await self._records.intent(intent.reference)
        if intent.status in ("requires_capture", "succeeded"):
            return _result(request, reference=intent.reference)
        if intent.status in ("requires_action", "requires_confirmation"):
            await self._cancel(intent.reference)
            return _result(request, NEEDS_CUSTOMER)
        if intent.status == "canceled":
            return _result(request, _why_canceled(intent))
        if not intent.is_decided:
            if not attempt.is_searchable or intent.status == "processing":
                raise NotYet(f"Stripe has not decided about {intent.reference} yet", UNDECIDED_S)
            await self._cancel(intent.reference)
        return _result(request, intent.decline_code or "card_declined")

    async def _capture(self, request: ProviderRequest, attempt: Attempt) -> ProviderResult:
        reference = await self._reference(request)
        if not reference:
            return _not_found(request)
        intent = await self._records.intent(reference) if attempt.looks_first or request.HasField("left") else None
        if intent is not None and (done := _captured(request, intent)) is not None:
            return done
        if not attempt.may_send:
            return _not_found(request)
        options = _capture_options(request, intent)
        try:
            await self._calls.call(
                lambda: self._calls.intents.capture_async(reference, options, {"idempotency_key": attempt.key})
            )
        except StripeRefused as refused:
            return _captured(request, await self._records.intent(reference)) or _result(request, refused.code)
        return _result(request)

    async def _adjust(self, request: ProviderRequest, attempt: Attempt) -> ProviderResult:
        """Holds more, where the card's bank lets that be; or lets go of all that is not taken. What a hold is now is
        read first each time: the new total is reckoned from it. That there is none is not believed at once."""
        reference = await self._reference(request)
        if not reference:
            if not attempt.is_searchable:
                return _not_found(request)
            return _result(request, NOTHING_AUTHORIZED if nanos_of(request.amount) > 0 else "")
        intent = await self._records.intent(reference)
        if nanos_of(request.amount) < 0:
            return await self._let_rest_go(request, intent)
        if (done := _adjusted(request, intent)) is not None:
            return done
        if not attempt.may_send:
            return _not_found(request)
        more = amount_of(request.amount)
        options: Any = {"amount": intent.amount + more, "metadata": {adjust_mark(request.operation_id): str(more)}}
        try:
            await self._calls.call(
                lambda: self._calls.intents.increment_authorization_async(
                    reference, options, {"idempotency_key": attempt.key}
                )
            )
        except StripeRefused as refused:
            return _adjusted(request, await self._records.intent(reference)) or _result(request, refused.code)
        return _result(request)

    async def _let_rest_go(self, request: ProviderRequest, intent: Intent) -> ProviderResult:
        """Of a hold that is taken or gone there is nothing left; cancelling one of which a part is taken lets go of the
        rest alone."""
        if intent.is_gone:
            return _result(request)
        if amount_of(_absolute(request.amount)) < intent.capturable:
            return _result(request, NO_DECREASE)
        if request.look_only:
            return _not_found(request)
        await self._cancel(intent.reference)
        return _result(request)

    async def _void(self, request: ProviderRequest, attempt: Attempt) -> ProviderResult:
        """Lets go. Of a hold without a name it is looked up whether there is any; that is not believed at once."""
        reference = await self._reference(request)
        if not reference:
            return _result(request) if attempt.is_searchable else _not_found(request)
        if attempt.looks_first:
            intent = await self._records.intent(reference)
            if intent.is_gone:
                return _let_go(request, intent)
        if request.look_only:
            return _not_found(request)
        return _let_go(request, await self._cancel(reference))

    async def _cancel(self, reference: str) -> Intent:
        """Cancels a PaymentIntent, which may be done any number of times, and gives it as it is then."""
        try:
            return Intent.of(await self._calls.call(lambda: self._calls.intents.cancel_async(reference)))
        except StripeRefused as refused:
            intent = await self._records.intent(reference)
            if not intent.is_gone:
                raise ProviderUnreachable(f"Stripe does not let go of {reference}: {refused.code}") from refused
            return intent

    async def _refund(self, request: ProviderRequest, attempt: Attempt) -> ProviderResult:
        """Gives back. A refund that failed decides only about the first time that it was asked for: asked for again, it
        is a new one."""
        reference = await self._reference(request)
        if not reference:
            return _not_found(request)
        if attempt.looks_first:
            known = await self._records.refund(reference, request.operation_id)
            if known is not None and (known.is_given_back or not request.attempt):
                return _refunded(request, known)
        if not attempt.may_send:
            return _not_found(request)
        metadata = {ORDER: request.order_id, DEPLOYMENT: self._deployment_id, REFUND: request.operation_id}
        try:
            refund = await self._calls.call(
                lambda: self._calls.refunds.create_async(
                    {"payment_intent": reference, "amount": amount_of(request.amount), "metadata": metadata},
                    {"idempotency_key": attempt.key},
                )
            )
        except StripeRefused as refused:
            if refused.code == "resource_missing":
                await self._records.intent(reference)  # else the key is of another account
            return _result(request, refused.code)
        return _refunded(request, Refund.of(refund))

    async def _reference(self, request: ProviderRequest) -> str:
        """The PaymentIntent: as it is known, else as it is found by the order; empty where there is none."""
        if request.reference:
            return request.reference
        known = await self._records.authorization(request)
        return "" if known is None else known.reference


def _authorization(request: ProviderRequest, deployment_id: str) -> Any:
    """The parameters of an authorisation: equal for equal requests, or the key would not hold."""
    return {
        "amount": amount_of(request.amount),
        "currency": request.amount.currency_code.lower(),
        "capture_method": "manual",
        "payment_method": request.payment_token,
        "confirm": True,
        "error_on_requires_action": True,
        "payment_method_types": ["card"],
        "payment_method_options": {
            "card": {"request_multicapture": "if_available", "request_incremental_authorization": "if_available"}
        },
        "metadata": {ORDER: request.order_id, DEPLOYMENT: deployment_id, **attempt_mark(request)},
    }


def _capture_options(request: ProviderRequest, intent: Intent | None) -> Any:
    """The parameters of a capture. If more is to come and the account allows that, the rest stays held."""
    options: dict[str, Any] = {
        "amount_to_capture": amount_of(request.amount),
        "metadata": {capture_mark(request.operation_id): str(amount_of(request.amount))},
    }
    if intent is not None and request.HasField("left") and intent.has_multicapture:
        options["final_capture"] = False
    return options


def _captured(request: ProviderRequest, intent: Intent) -> ProviderResult | None:
    """What a PaymentIntent says about a capture; None where it is still to come."""
    if capture_mark(request.operation_id) in intent.metadata:
        return _result(request)
    if intent.status == "canceled":
        return _result(request, _why_canceled(intent))
    return _result(request, NO_MULTICAPTURE) if intent.status == "succeeded" else None


def _adjusted(request: ProviderRequest, intent: Intent) -> ProviderResult | None:
    """What a PaymentIntent says about an increase; None where it is still to come."""
    if adjust_mark(request.operation_id) in intent.metadata:
        return _result(request)
    if intent.status == "canceled":
        return _result(request, _why_canceled(intent))
    return _result(request, ALREADY_CAPTURED) if intent.status == "succeeded" else None


def _absolute(amount: Money) -> Money:
    return money_of(amount.currency_code, abs(nanos_of(amount)))


def _why_canceled(intent: Intent) -> str:
    return HOLD_EXPIRED if intent.cancellation_reason in ("automatic", "expired") else HOLD_CANCELED


def _let_go(request: ProviderRequest, intent: Intent) -> ProviderResult:
    return _result(request, ALREADY_CAPTURED if intent.status == "succeeded" else "")


def _refunded(request: ProviderRequest, refund: Refund) -> ProviderResult:
    return _result(request, "" if refund.is_given_back else refund.failure_reason or "refund_failed")


def _result(request: ProviderRequest, refusal: str = "", reference: str = "") -> ProviderResult:
    return ProviderResult(
        operation=request.operation,
        operation_id=request.operation_id,
        approved=not refusal,
        code=refusal,
        reference=reference,
        attempt=request.attempt,
    )


def _not_found(request: ProviderRequest) -> ProviderResult:
    """The answer to a mere question. Raises NotYet where more was asked than can be done now."""
    if not request.look_only:
        raise NotYet("what Stripe was asked before may not have shown up yet", LOOK_AGAIN_S)
    return ProviderResult(operation=request.operation, operation_id=request.operation_id, not_found=True)
