"""Amounts in their forms: decimal text, whole nanos (1e-9 of a unit), `google.type.Money`. Nothing is rounded."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from google.type import money_pb2

NANOS_PER_UNIT = 1_000_000_000


def parse_nanos(text: str) -> int:
    """A decimal number in nanos. Raises ValueError for what is no number or has more than nine decimals."""
    try:
        scaled = Decimal(text.strip()) * NANOS_PER_UNIT
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None
    if not scaled.is_finite() or scaled != int(scaled):
        raise ValueError(f"{text!r} is not an amount of at most nine decimals")
    return int(scaled)


def money(nanos: int, currency: str) -> money_pb2.Money:
    """The amount as a message; units and nanos have the same sign."""
    sign = -1 if nanos < 0 else 1
    units, rest = divmod(abs(nanos), NANOS_PER_UNIT)
    return money_pb2.Money(currency_code=currency, units=sign * units, nanos=sign * rest)


def nanos_of(amount: money_pb2.Money) -> int:
    """The amount in nanos."""
    return int(amount.units) * NANOS_PER_UNIT + int(amount.nanos)


def decimal_text(nanos: int) -> str:
    """The amount for a person: two decimals, more where there are more, thousands separated."""
    text = f"{Decimal(abs(nanos)) / NANOS_PER_UNIT:,f}"
    whole, _, decimals = text.partition(".")
    return f"{'-' if nanos < 0 else ''}{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def money_text(amount: money_pb2.Money) -> str:
    """The amount with its currency."""
    return f"{decimal_text(nanos_of(amount))} {amount.currency_code}".strip()
