"""Fraud scorers: the sandbox's, which goes by the payment token alone, and one that goes by an order's total.

They are pure, as `ordermesh.order.fraud` demands: what they judge by is settled when the process starts. Owners of one
deployment should be told the same; where they are not, an order is judged by whoever decides it, and stays so judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oms.order.v1.order_pb2 import Order
from ordermesh.adapters.sandbox_payments import TOKEN_FRAUD_REVIEW
from ordermesh.core.money import money_of, nanos_of, text_of
from ordermesh.order.fraud import APPROVED, FraudScorer, Outcome, Verdict
from ordermesh.runtime.settings_amounts import amounts


class SandboxRule:
    """The sandbox: `tok_fraud_review` is looked at, every other token approved."""

    def score(self, order: Order, payment_token: str) -> Verdict:
        """See `FraudScorer.score`."""
        del order
        if payment_token == TOKEN_FRAUD_REVIEW:
            return Verdict(Outcome.REVIEW, "sandbox", f"paid with {TOKEN_FRAUD_REVIEW}")
        return APPROVED


@dataclass(frozen=True, slots=True)
class TotalRule:
    """Orders above a total are declined or looked at; limits are nanos by currency, others are approved."""

    review_above: Mapping[str, int]
    decline_above: Mapping[str, int]

    def score(self, order: Order, payment_token: str) -> Verdict:
        """See `FraudScorer.score`."""
        del payment_token
        currency, total = order.total.currency_code, nanos_of(order.total)
        for outcome, limits in ((Outcome.DECLINE, self.decline_above), (Outcome.REVIEW, self.review_above)):
            limit = limits.get(currency)
            if limit is not None and total > limit:
                above = text_of(money_of(currency, limit))
                return Verdict(outcome, "total", f"{text_of(order.total)} is above {above}")
        return APPROVED


@dataclass(frozen=True, slots=True)
class Strictest:
    """Several scorers: the first that declines counts, else the first that wants a look."""

    scorers: Sequence[FraudScorer]

    def score(self, order: Order, payment_token: str) -> Verdict:
        """See `FraudScorer.score`."""
        verdicts = [scorer.score(order, payment_token) for scorer in self.scorers]
        for outcome in (Outcome.DECLINE, Outcome.REVIEW):
            for verdict in verdicts:
                if verdict.outcome is outcome:
                    return verdict
        return APPROVED


def fraud_scorer(review_above: str, decline_above: str) -> FraudScorer:
    """What a deployment judges by: the sandbox's rule, and totals as the settings give them. Raises ValueError."""
    total = TotalRule(amounts(review_above), amounts(decline_above))
    if not total.review_above and not total.decline_above:
        return SandboxRule()
    return Strictest((SandboxRule(), total))
