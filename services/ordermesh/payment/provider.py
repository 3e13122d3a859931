"""What the payment service needs of a payment provider, and what a provider says of what it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from google.protobuf.message import Message

from oms.payment.v1.payment_commands_pb2 import ProviderRequest, ProviderResult
from ordermesh.runtime.ports import AskLater


class ProviderUnreachable(Exception):
    """The provider gave no definite answer: the operation may or may not have taken effect. Ask again, same key."""


class NotYet(ProviderUnreachable, AskLater):
    """The provider answers, but what it was asked before may not have shown up there: ask again after a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHold:
    """An authorisation that took effect at the provider, and what became of it. Amounts are nanos of the currency."""

    order_id: str
    reference: str
    """The provider's own name of it."""
    currency_code: str
    authorized: int
    captured: int = 0
    voided: int = 0
    """What was let go without being taken: by us, or by the provider when it was too old."""
    refunded: int = 0
    refunds: Mapping[str, int] | None = None
    """Each refund by the name that it has here; None where only their sum was asked for."""
    create_us: int = field(default=0)
    """When it took effect, in microseconds since 1970."""

    @property
    def held(self) -> int:
        """What can still be taken."""
        return self.authorized - self.captured - self.voided


class Unsigned(Exception):
    """What came is not signed by the provider, or was signed too long ago; the text has nothing of it."""


class Notice(NamedTuple):
    """What a provider says by itself, as far as it is believed: that there is news of an order's payment. Without an
    order it is about nothing of ours."""

    event_id: str
    kind: str
    order_id: str


class NoticeReader(Protocol):
    """Reads what a provider sends by itself."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """The notice in a signed body. Raises Unsigned; ValueError for one that is signed and cannot be read."""


class PaymentProvider(Protocol):
    """Holds, takes, lets go and gives back money, and says what it has."""

    async def execute(self, request: ProviderRequest, idempotency_key: str) -> ProviderResult:
        """Does what is asked at most once for each key, and answers the same for it ever after.

        A provider that forgets keys does not keep this by itself: past their lifetime its adapter has to look up what
        was done, and must not execute again. With `look_up` what was done under any key is looked up first; with
        `look_only` nothing is done, and the answer may be `not_found`.

        Raises ProviderUnreachable when there is no definite answer.
        """

    async def handle(self, request: Message, idempotency_key: str) -> Message:
        """The same as an effect's handler. Raises TypeError for what is no `ProviderRequest`."""

    async def find(self, order_id: str, references: Sequence[str] = ()) -> Sequence[ProviderHold]:
        """The holds of an order, with each refund; `references` are those known here, of which the provider's answer is
        never out of date. Raises ProviderUnreachable."""

    def list_holds(self, from_us: int, to_us: int) -> AsyncIterator[ProviderHold]:
        """The holds of this deployment that took effect from a time on and before another, microseconds since 1970, in
        no order, refunds as sums. Raises ProviderUnreachable."""

    async def close(self) -> None:
        """Ends cleanly; idempotent."""
