"""What settings say of amounts in one text: one for each currency."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?P<currency>[A-Z]{3}):(?P<units>[0-9]{1,15})(?:\.(?P<decimals>[0-9]{1,9}))?")
_NANOS_PER_UNIT = 1_000_000_000


def amounts(text: str) -> dict[str, int]:
    """Nanos by currency of `GBP:500,EUR:649.50`; none of "". Raises ValueError."""
    found: dict[str, int] = {}
    for part in text.split(",") if text else ():
        match = _AMOUNT.fullmatch(part.strip())
        if match is None or match["currency"] in found:
            raise ValueError("expected CURRENCY:AMOUNT,CURRENCY:AMOUNT..., a currency once, as in GBP:500,EUR:649.50")
        decimals = (match["decimals"] or "").ljust(9, "0")
        found[match["currency"]] = int(match["units"]) * _NANOS_PER_UNIT + int(decimals)
    return found
