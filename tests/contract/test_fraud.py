"""What every fraud scorer has to keep: it is pure, says by which rule it objects, and does not touch the order."""

from __future__ import annotations

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from ordermesh.adapters.fraud_rules import SandboxRule, Strictest, TotalRule, fraud_scorer
from ordermesh.order.fraud import APPROVED, APPROVES_ALL, FraudScorer, Outcome
from tests.unit.orders import line, order_of

TOTAL = TotalRule({"GBP": 50_000_000_000}, {"GBP": 90_000_000_000})
SCORERS: dict[str, FraudScorer] = {
    "none": APPROVES_ALL,
    "sandbox": SandboxRule(),
    "total": TOTAL,
    "strictest": Strictest((SandboxRule(), TOTAL)),
    "settings": fraud_scorer("GBP:50", "GBP:90"),
}
TOKENS = ("tok_ok", "tok_decline", "tok_fraud_review", "")


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS.keys())
@examples(units=st.integers(0, 12), quantity=st.integers(1, 12), token=st.sampled_from(TOKENS))
def test_a_scorer_says_the_same_of_the_same_order_and_changes_nothing(
    scorer: FraudScorer, units: int, quantity: int, token: str
) -> None:
    order = order_of(line("A", quantity, units))
    before = order.SerializeToString(deterministic=True)

    first, second = scorer.score(order, token), scorer.score(order, token)

    assert first == second
    assert order.SerializeToString(deterministic=True) == before
    if first.outcome is Outcome.APPROVE:
        assert first == APPROVED
    else:
        assert first.rule
        assert first.detail.isprintable()


@pytest.mark.parametrize("scorer", [TOTAL, SCORERS["strictest"], SCORERS["settings"]])
@examples(units=st.integers(0, 30), more=st.integers(0, 5))
def test_a_larger_order_is_never_judged_more_mildly(scorer: FraudScorer, units: int, more: int) -> None:
    severity = list(Outcome)
    smaller = scorer.score(order_of(line("A", 5, units)), "tok_ok").outcome
    larger = scorer.score(order_of(line("A", 5, units + more)), "tok_ok").outcome

    assert severity.index(larger) >= severity.index(smaller)
