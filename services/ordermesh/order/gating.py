"""What holds keep an order from, and the holds that rules place. PURE.

An order asks for money and for shipments at three places, and looks here before: with its stock, with its payment, and
where one in parts goes on (`fulfilment.proceed`, `changing.go_on`).
"""

from __future__ import annotations

from collections.abc import Sequence

from oms.order.v1 import order_events_pb2 as events
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_state_pb2 import ORDER_STEP_BACKORDER, ORDER_STEP_CHANGE_STOCK, StoredOrder
from ordermesh.core.decider import Context, Decision, Key, Outgoing, SetTimer
from ordermesh.core.money import nanos_of
from ordermesh.order import model
from ordermesh.order.fraud import FraudScorer, Outcome, Verdict
from ordermesh.order.model import HELD_STEPS, OrderPolicy
from ordermesh.order.timer import clear_timer, set_timer


def is_held(state: StoredOrder) -> bool:
    """Whether anything keeps the order from its next question."""
    return bool(state.order.holds)


def gate(
    policy: OrderPolicy,
    state: StoredOrder,
    key: Key,
    event: events.StockAllocated | events.OrderConfirmed | events.PaymentRenewed,
    asked: Sequence[Outgoing],
    context: Context,
) -> Decision:
    """The event by which an order goes on, with what is asked then; of an order that is held, the event alone."""
    if not is_held(state):
        return Decision([(key, event)], list(asked))
    event.held = True
    return Decision([(key, event)], timers=[hold_timer(policy, key, context)])


def hold_timer(policy: OrderPolicy, key: Key, context: Context) -> SetTimer:
    """The timer of an order that waits for its release from now on."""
    return set_timer(key, context.now_us + policy.hold_us) if policy.hold_us else clear_timer(key)


def hold_expires_us(policy: OrderPolicy, state: StoredOrder) -> int:
    """When an order that waits for its release is given up, in microseconds of the log clock; 0 for never. It is
    counted from the oldest of its holds, or from when they began to keep it back."""
    kept_back = state.step in (*HELD_STEPS, ORDER_STEP_BACKORDER)
    kept_back |= state.step == ORDER_STEP_CHANGE_STOCK and not state.waiting_skus
    if not (policy.hold_us and kept_back and is_held(state)):
        return 0
    oldest_us = min(hold.create_time.ToMicroseconds() for hold in state.order.holds)
    return max(oldest_us, state.step_since_us) + policy.hold_us


def next_hold_id(state: StoredOrder) -> str:
    """The name of the order's next hold."""
    return str(state.hold_count + 1)


def hold_by_rule(state: StoredOrder, verdict: Verdict, context: Context) -> events.OrderHeld:
    """The hold of a rule that wants somebody to look at the order; whatever else holds it."""
    return events.OrderHeld(
        hold_id=next_hold_id(state), reason=model.FRAUD_REVIEW, detail=verdict.detail, rule=verdict.rule,
        actor=context.actor,
    )  # fmt: skip


def verdict_on_amended(scorer: FraudScorer, before: Order, after: Order, payment_token: str) -> Verdict | None:
    """The verdict on an order that was judged before it was amended; None where it says nothing new: the same rule has
    had it looked at, and it costs no more than then."""
    verdict, known = scorer.score(after, payment_token), scorer.score(before, payment_token)
    if verdict.outcome is Outcome.APPROVE:
        return None
    seen = (verdict.outcome, verdict.rule) == (known.outcome, known.rule)
    return None if seen and nanos_of(after.total) <= nanos_of(before.total) else verdict
