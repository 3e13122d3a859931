"""Under which idempotency key an operation is asked of Stripe, and when it has to be looked up instead.

The key names the operation, not the effect that asks: whoever asks for the same once more, after a crash, a lost log
or by hand, cannot do it twice. Stripe forgets a key after 24 hours, and repeats an error of its own under it until
then, so keys change every two hours. What was sent last under the key before may show up late, and Stripe's search lags
by up to an hour, so in the second hour of each nothing is sent: what was done is looked up, as it is before every later
sending. PURE.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, NamedTuple

from oms.payment.v1.payment_commands_pb2 import PROVIDER_OPERATION_AUTHORIZE, ProviderOperation, ProviderRequest

PERIOD_S: Final = 7_200
"""How long a key is used: far below the 24 hours that Stripe keeps it."""
SENDING_S: Final = 3_600
"""The part of a period in which anything is sent; for the rest Stripe's search can catch up."""
KEY_BYTES: Final = 20


class Attempt(NamedTuple):
    """How a request is to be asked now: whether it is looked up first, whether it may be sent, and under which key;
    `is_searchable`: what was there when it was first asked has shown up in Stripe's search by now."""

    looks_first: bool
    may_send: bool
    key: str
    is_searchable: bool


def attempt_of(request: ProviderRequest, deployment_id: str, now_us: int) -> Attempt:
    """The attempt at a time. Of a request that does not say when it was first asked nothing is trusted."""
    age_s = max(0, now_us - request.ask_time_us) // 1_000_000
    period, within_s = divmod(age_s, PERIOD_S)
    may_send = within_s < SENDING_S and not request.look_only
    looks_first = period > 0 or not may_send or request.look_up or not request.ask_time_us
    return Attempt(looks_first, may_send, _key(request, deployment_id, period), age_s >= SENDING_S)


def _key(request: ProviderRequest, deployment_id: str, period: int) -> str:
    """The key of an operation: equal for equal operations, other for everything else."""
    money = request.amount
    parts = [
        deployment_id, request.order_id, str(int(request.operation)), request.operation_id, str(request.attempt),
        money.currency_code, str(money.units), str(money.nanos), str(period),
    ]  # fmt: skip
    if request.operation == PROVIDER_OPERATION_AUTHORIZE:
        parts.append(request.payment_token)
    digest = blake2b("\x1f".join(parts).encode(), digest_size=KEY_BYTES).hexdigest()
    return f"om-{ProviderOperation.Name(request.operation).removeprefix('PROVIDER_OPERATION_').lower()}-{digest}"
