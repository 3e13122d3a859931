"""What the order service needs of whoever judges orders for fraud. PURE.

A scorer is asked once for each order, when its payment is authorised, and in the decision itself: so it knows what it
judges by before it is asked, and answers at once and the same for the same order. What it said is in the order's
events; redoing a log does not ask it again. A scorer that has to call somebody is an effect, and another port.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple, Protocol

from oms.order.v1.order_pb2 import Order


class Outcome(Enum):
    """What is to become of an order."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"


class Verdict(NamedTuple):
    """An outcome, the rule that led to it, and why, for a person."""

    outcome: Outcome
    rule: str = ""
    detail: str = ""


APPROVED: Final = Verdict(Outcome.APPROVE)
"""Nothing speaks against it."""


class FraudScorer(Protocol):
    """Judges an order. Pure: no I/O, no clock, no chance."""

    def score(self, order: Order, payment_token: str) -> Verdict:
        """The verdict on an order that is paid with this token."""


class _ApprovesAll:
    def score(self, order: Order, payment_token: str) -> Verdict:
        del order, payment_token
        return APPROVED


APPROVES_ALL: Final[FraudScorer] = _ApprovesAll()
"""Where nobody judges."""
