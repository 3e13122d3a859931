"""The words of steps: what may stand where a sentence has a gap.

    @when(said("{customer} cancels {order}[ because {why}]"))

A gap has the form of its name, everything else is taken literally, and what is in brackets may be left out: the step
then gets None.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_bdd import parsers

GAPS: Final = {
    "customer": r"[a-z]+",
    "order": r"the order|order [A-Z]",
    "other": r"order [A-Z]",
    "other_customer": r"[a-z]+",
    "about": r"the order|order [A-Z]|[A-Z]+",
    "goods": r"\d+ [A-Z]+(?:(?:, | and )\d+ [A-Z]+)*",
    "quantity": r"\d+",
    "count": r"\d+",
    "number": r"-?\d+",
    "sku": r"[A-Z]+",
    "second": r"[A-Z]+",
    "amount": r"\d+\.\d+",
    "price": r"\d+\.\d+",
    "state": r"[A-Z_]+",
    "reason": r"[A-Z_]+",
    "event": r"[A-Z][A-Za-z]+",
    "token": r"tok_[a-z_]+|pm_card_[A-Za-z_]+",
    "back": r"\d+\.\d+",
    "operation": r"create|capture|cancel|refund",
    "mended": r"mended",
    "mending": r"mended|left to a person",
    "field": r"[a-z_.\[\]0-9]+",
    "line": r"\d+",
    "version": r"\d+",
    "party": r"customer|warehouse|operator",
    "service": r"inventory|payment|shipping",
    "given": r"given|never given",
    "negative": r"-\d+\.\d+",
    "parts": r"parts",
    "shortage": r"a shortage",
    "more": r"\d+ [A-Z]+(?:(?:, | and )\d+ [A-Z]+)*",
    "words": r"[^\"]+",
    "others": r"[^\"]+",
}
"""What each gap may hold."""

NAMED: Final = re.compile(r"\\{(\w+)\\}")


def said(sentence: str) -> parsers.re:
    """A parser of steps that say this sentence."""
    pattern = re.escape(sentence).replace(r"\[", "(?:").replace(r"\]", ")?")
    return parsers.re(NAMED.sub(lambda gap: f"(?P<{gap[1]}>{GAPS[gap[1]]})", pattern))


def goods_of(text: str) -> list[tuple[str, int]]:
    """`2 TEA and 1 CUP` as SKUs and quantities."""
    return [(sku, int(quantity)) for quantity, sku in re.findall(r"(\d+) ([A-Z]+)", text)]
