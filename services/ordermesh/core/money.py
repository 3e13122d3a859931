"""Amounts: `google.type.Money` as integers of nanos, a billionth of the currency's unit. PURE.

Nothing is ever rounded but in `pro_rata`, which says how. Prices with three decimals are exact.
"""

from __future__ import annotations

import re
from typing import Final

from google.type.money_pb2 import Money

NANOS_PER_UNIT: Final = 1_000_000_000
"""Nanos of one unit of a currency."""

UNITS_MAX: Final = 2**63 - 1
"""Whole units that `Money.units` can hold."""

_NANOS_PER_HUNDREDTH: Final = 10_000_000
_WITHOUT_HUNDREDTHS: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_CURRENCY = re.compile(r"[A-Z]{3}")


class InvalidAmount(ValueError):
    """An amount that is not one, or not allowed. `field` is its path in what was checked, `problem` what is wrong."""

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.problem = problem
        self.field = field


def nanos_of(money: Money) -> int:
    """The amount in nanos. Raises InvalidAmount when units and nanos contradict each other."""
    units, nanos = int(money.units), int(money.nanos)
    if not -NANOS_PER_UNIT < nanos < NANOS_PER_UNIT:
        raise InvalidAmount(f"nanos is {nanos}; it has to be between -999,999,999 and 999,999,999")
    if (units > 0 > nanos) or (units < 0 < nanos):
        raise InvalidAmount(f"units ({units}) and nanos ({nanos}) have different signs")
    return units * NANOS_PER_UNIT + nanos


def money_of(currency: str, nanos: int) -> Money:
    """The amount as a message, units and nanos of one sign. Raises InvalidAmount when it is out of range."""
    if nanos >= 0:
        units, rest = divmod(nanos, NANOS_PER_UNIT)
    else:
        units, rest = divmod(-nanos, NANOS_PER_UNIT)
        units, rest = -units, -rest
    if not -UNITS_MAX <= units <= UNITS_MAX:
        raise InvalidAmount(f"{units} units are more than an amount can hold")
    return Money(currency_code=currency, units=units, nanos=rest)


def check_currency(code: str) -> None:
    """Raises InvalidAmount unless it looks like a code of ISO 4217."""
    if _CURRENCY.fullmatch(code) is None:
        raise InvalidAmount(f"currency_code is {code!r}; it has to be three capital letters of ISO 4217, like EUR")


def coin_of(currency: str) -> int:
    """The smallest amount in nanos that cards are charged in a currency: a hundredth, or in some a whole unit. Where
    there are thousandths, as in Kuwait, cards are charged in tens of them."""
    return NANOS_PER_UNIT if currency in _WITHOUT_HUNDREDTHS else _NANOS_PER_HUNDREDTH


def pro_rata(total: int, part: int, whole: int, coin: int = 1) -> int:
    """`part` of `whole` pieces' share of `total` nanos, rounded down to whole coins of so many nanos; to a nano where
    the total is none of whole coins itself.

    Rounding is of the sum so far: shares taken one after another, each as the difference of two such sums, add up to
    exactly `total` when all pieces are taken. `total` >= 0 and 0 <= part <= whole, whole > 0.
    """
    assert 0 <= part <= whole > 0
    assert total >= 0
    share = total * part // whole
    return share if total % coin else share - share % coin


def text_of(money: Money) -> str:
    """The amount for a person: `12.50 GBP`; at least two decimals, more only where they are needed."""
    units, rest = money.units, money.nanos
    if units >= 0 and 0 <= rest < NANOS_PER_UNIT and rest % _NANOS_PER_HUNDREDTH == 0:  # as nearly always, and faster
        return f"{units}.{rest // _NANOS_PER_HUNDREDTH:02} {money.currency_code}"
    nanos = nanos_of(money)
    units, rest = divmod(abs(nanos), NANOS_PER_UNIT)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{units}.{decimals} {money.currency_code}"
