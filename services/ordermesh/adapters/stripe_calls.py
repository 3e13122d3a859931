"""Calls to Stripe by its own library: bounded in time and number, and sorted into answers, refusals and silence.

A refusal is definite: nothing happened, and the same call would be refused again. All else, from a lost connection to
an exceeded rate or a key that is not let in, says nothing about what happened, and the kernel asks again. Nothing of
what Stripe says is shown but types, codes and the request's id: its texts may repeat what was sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import stripe

from ordermesh.payment.provider import ProviderUnreachable

TIMEOUT_S: Final = 20.0
"""For one call: Stripe answers most within two seconds, and a bank may take ten."""
IN_FLIGHT_MAX: Final = 64
"""Calls of a process at once: below Stripe's limit of a hundred a second for an account, and the pool's of sockets."""
CODE_CHARACTERS_MAX: Final = 64
"""Of a refusal's code: it stands in events."""
API_BASE_DEFAULT: Final = "https://api.stripe.com"
LIBRARIES_THAT_TELL_ALL: Final = ("stripe", "httpx", "httpcore")
"""They log each call and its path; that is for debugging them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeOptions:
    """What an account is spoken to with. `deployment_id` marks what is ours in it: others may use it too."""

    api_key: str = field(repr=False)
    deployment_id: str
    api_base: str = API_BASE_DEFAULT
    timeout_s: float = TIMEOUT_S
    in_flight_max: int = IN_FLIGHT_MAX


class StripeRefused(Exception):
    """Stripe did not do it, and never will under that key."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StripeCalls:
    """The library's client, with limits."""

    def __init__(self, options: StripeOptions) -> None:
        stripe.enable_telemetry = False  # it would write a file of its own into the home directory
        for name in LIBRARIES_THAT_TELL_ALL:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = stripe.HTTPXClient(timeout=options.timeout_s)
        self._client = stripe.StripeClient(
            options.api_key,
            base_addresses={"api": options.api_base},
            max_network_retries=0,  # the kernel repeats, with its own pauses
            http_client=self._http,
        )
        self._timeout_s = options.timeout_s
        self._room = asyncio.Semaphore(options.in_flight_max)

    @property
    def intents(self) -> stripe.PaymentIntentService:
        """PaymentIntents."""
        return self._client.v1.payment_intents

    @property
    def refunds(self) -> stripe.RefundService:
        """Refunds."""
        return self._client.v1.refunds

    async def close(self) -> None:
        """Closes the connections; idempotent."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the one method without types

    async def call(self, start: Callable[[], Awaitable[T]]) -> T:
        """What Stripe answers. Raises StripeRefused, ProviderUnreachable."""
        async with self._room:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await start()
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                raise _refusal(error) from error
            except stripe.StripeError as error:
                raise ProviderUnreachable(_told(error)) from None  # its text may say what was sent
            except TimeoutError:
                raise ProviderUnreachable(f"Stripe did not answer within {self._timeout_s:g} s") from None


def _refusal(error: stripe.CardError | stripe.InvalidRequestError) -> Exception:
    """What Stripe refused. A missing permission or a wrong address is no refusal of the payment."""
    details = error.error
    code = str((details is not None and (details.decline_code or details.code)) or error.code or "invalid_request")
    if isinstance(error, stripe.InvalidRequestError) and error.http_status == 404 and code == "invalid_request":
        return ProviderUnreachable(_told(error))
    return StripeRefused(code[:CODE_CHARACTERS_MAX])


def _told(error: stripe.StripeError) -> str:
    """What may be shown of an error."""
    parts = (type(error).__name__, error.http_status or "", error.code or "", error.request_id or "")
    return "Stripe: " + " ".join(str(part) for part in parts if part)
