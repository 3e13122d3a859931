"""The table of payments."""

from __future__ import annotations

from typing import Any

from oms.payment.v1.payment_pb2 import PaymentStatus
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Table
from ordermesh.core.money import text_of

PAYMENTS = Table(
    name="payments",
    columns=(
        *AGGREGATE_COLUMNS,
        ("payment_status", "text"),
        ("authorized", "text"),
        ("captured", "text"),
        ("refunded", "text"),
    ),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("key", "order_id"), ("sub_key", "")),
)
"""The payment of every order that got that far."""

_STATUSES = {number: name.removeprefix("PAYMENT_STATUS_") for name, number in PaymentStatus.items()}


def columns(_key: Key, state: StoredPayment) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    payment = state.payment
    amounts = (payment.authorized, payment.captured, payment.refunded)
    return (_STATUSES[payment.status], *(text_of(amount) if amount.currency_code else "" for amount in amounts))
