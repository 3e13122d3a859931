"""Amounts as Stripe wants them: whole numbers of a currency's smallest unit, which is not a hundredth everywhere.

From Stripe's page on currencies: some have no decimals, some three, of which Stripe takes only tens, and two have none
but are told in hundredths. PURE.
"""

from __future__ import annotations

from typing import Final

from google.type.money_pb2 import Money

from ordermesh.core.money import NANOS_PER_UNIT, coin_of, nanos_of

AMOUNT_MAX: Final = 999_999_999_999
"""Twelve digits, the most that Stripe takes in any currency; in most it takes eight, and declines more itself."""


class NotExpressible(ValueError):
    """The amount is not a whole number of what the currency is told in."""


_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def unit_of(currency_code: str) -> int:
    """What amounts of a currency are told in, in nanos."""
    if currency_code in _WHOLE:
        return NANOS_PER_UNIT
    return NANOS_PER_UNIT // (1000 if currency_code in _THOUSANDTHS else 100)


def amount_of(money: Money) -> int:
    """The amount as Stripe wants it. Raises NotExpressible; InvalidAmount for what is no amount."""
    nanos, coin = nanos_of(money), coin_of(money.currency_code)
    amount = nanos // unit_of(money.currency_code)
    if nanos % coin or not 0 <= amount <= AMOUNT_MAX:
        raise NotExpressible(f"{money.currency_code} is charged in {coin} nanos")
    return amount


def nanos_from(amount: int, currency: str) -> int:
    """An amount of Stripe's in nanos; `currency` in any case."""
    return amount * unit_of(currency.upper())
