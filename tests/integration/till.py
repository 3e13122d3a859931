"""A deployment that takes its payments at the stand-in for Stripe, for tests of what it asks there."""

from __future__ import annotations

import time
from typing import Any

from google.type.money_pb2 import Money

from oms.payment.v1.payment_commands_pb2 import (
    PROVIDER_OPERATION_ADJUST,
    PROVIDER_OPERATION_AUTHORIZE,
    PROVIDER_OPERATION_CAPTURE,
    PROVIDER_OPERATION_REFUND,
    PROVIDER_OPERATION_VOID,
    ProviderOperation,
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters.stripe_calls import StripeOptions
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.testing.stripe_fake.server import StripeFake

ORDER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
AUTHORIZE, CAPTURE = PROVIDER_OPERATION_AUTHORIZE, PROVIDER_OPERATION_CAPTURE
VOID, REFUND, ADJUST = PROVIDER_OPERATION_VOID, PROVIDER_OPERATION_REFUND, PROVIDER_OPERATION_ADJUST
HOUR_S = 3600.0
DEPLOYMENT = "one"


class Till:
    """A deployment at an account of the stand-in. Both clocks go together."""

    def __init__(self, fake: StripeFake, timeout_s: float = 5.0) -> None:
        self.fake = fake
        options = StripeOptions(
            api_key=fake.api_key, deployment_id=DEPLOYMENT, api_base=fake.url, timeout_s=timeout_s, in_flight_max=8
        )
        self.provider = StripePayments(options, self.now_us)
        self.asked_us = self.now_us()

    def now_us(self) -> int:
        """The time, as both see it."""
        return round((time.time() + self.fake.account.ahead_s) * 1_000_000)

    def later(self, seconds: float) -> None:
        """Lets time pass."""
        self.fake.account.ahead_s += seconds

    def request(self, operation: ProviderOperation, amount: str = "12.50 GBP", **more: Any) -> ProviderRequest:
        """What is asked, first at the beginning."""
        number, currency = amount.split()
        units, _, rest = number.partition(".")
        money = Money(currency_code=currency, units=int(units), nanos=int(rest.ljust(9, "0")))
        fields: dict[str, Any] = {
            "order_id": ORDER,
            "payment_token": "pm_card_visa",
            "ask_time_us": self.asked_us,
            **more,
        }
        return ProviderRequest(operation=operation, amount=money, **fields)

    async def ask(self, operation: ProviderOperation, amount: str = "12.50 GBP", **more: Any) -> ProviderResult:
        """The answer to one attempt."""
        return await self.provider.execute(self.request(operation, amount, **more), "the kernel's key")

    async def authorized(self, **more: Any) -> str:
        """The reference of a hold."""
        result = await self.ask(AUTHORIZE, **more)
        assert result.approved, result.code
        return str(result.reference)

    @property
    def effects(self) -> dict[str, int]:
        """What took effect at the account, in sum: amounts as Stripe tells them."""
        intents = self.fake.account.intents.values()
        refunds = self.fake.account.refunds.values()
        return {
            "held": sum(each["amount_capturable"] for each in intents),
            "taken": sum(each["amount_received"] for each in intents),
            "given back": sum(each["amount"] for each in refunds if each["status"] == "succeeded"),
        }
