"""What the verdict on an order means for it, when its payment is authorised: it goes on, is held or undone. PURE."""

from __future__ import annotations

from typing import assert_never

from oms.order.v1 import order_events_pb2 as events
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Context, Decision, Key
from ordermesh.order import changing, model, questions, undoing
from ordermesh.order.draft import Draft
from ordermesh.order.fraud import Outcome
from ordermesh.order.gating import gate, hold_by_rule, hold_timer


def confirm(policy: model.OrderPolicy, state: StoredOrder, key: Key, context: Context) -> Decision:
    """Confirms an order whose money is held, as far as the verdict lets it."""
    verdict = policy.fraud.score(state.order, model.payment_token_of(state))
    match verdict.outcome:
        case Outcome.APPROVE:
            return _go_on(policy, state, key, context)
        case Outcome.REVIEW:
            return _go_on(policy, state, key, context, hold_by_rule(state, verdict, context))
        case Outcome.DECLINE:
            detail = f"{verdict.rule}: {verdict.detail}" if verdict.detail else verdict.rule
            return undoing.undo(state, key, context, model.FRAUD_DECLINED, detail=detail, void_payment=True)
        case _:
            assert_never(verdict.outcome)


def _go_on(
    policy: model.OrderPolicy, state: StoredOrder, key: Key, context: Context, held: events.OrderHeld | None = None
) -> Decision:
    """The order is confirmed, with the hold of a rule where there is one, and goes on unless anything holds it."""
    confirmed = events.OrderConfirmed()
    if state.HasField("fulfillment"):
        draft = Draft(state, key, context)
        for event in (confirmed,) if held is None else (held, confirmed):
            draft.happen(event)
        return changing.go_on(policy, draft)
    if held is None:
        return gate(policy, state, key, confirmed, [questions.ship(state.order, context, first=True)], context)
    confirmed.held = True
    return Decision([(key, held), (key, confirmed)], timers=[hold_timer(policy, key, context)])
