"""What the payment service needs of a payment provider."""

from __future__ import annotations

from typing import Protocol

from oms.payment.v1.payment_commands_pb2 import ProviderRequest, ProviderResult


class ProviderUnreachable(Exception):
    """The provider gave no definite answer: the operation may or may not have taken effect. Ask again, same key."""


class PaymentProvider(Protocol):
    """Holds, takes, lets go and gives back money."""

    async def execute(self, request: ProviderRequest, idempotency_key: str) -> ProviderResult:
        """Does what is asked at most once for each key, and answers the same for it ever after.

        A provider that forgets keys does not keep this by itself: past their lifetime its adapter has to look up what
        was done, and must not execute again.

        Raises ProviderUnreachable when there is no definite answer.
        """
