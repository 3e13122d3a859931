"""What an order waits for, told: since when, what will happen when, and who can act. PURE.

What it waits for is the business of `waits`; here are the times, and the explanation as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from oms.order.v1 import order_explanation_pb2 as told
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.stamps import write_time
from ordermesh.order import model, pieces
from ordermesh.order.awaiting import Elsewhere
from ordermesh.order.model import OrderPolicy
from ordermesh.order.waits import EXCHANGING, HELD, REFUNDING, STEPS, UNKNOWN, Entry

PARTS_MAX: Final = 100
"""Parts of an explanation: an order may have thousands of lines, and a person reads a few."""


def explain(state: StoredOrder, elsewhere: Elsewhere, policy: OrderPolicy, now_us: int) -> told.OrderExplanation:
    """The explanation, without obstacles. `now_us` is the wall clock in microseconds: times to come are after it."""
    order, entry = state.order, entry_of(state)
    explanation = told.OrderExplanation(
        order_id=order.order_id, order_state=order.order_state, payment_state=order.payment_state,
        fulfillment_state=order.fulfillment_state, state_reason=order.state_reason, version=order.version,
        waiting_for=entry.waiting_for, text=entry.text(state), outcomes=entry.outcomes, remedies=entry.remedies,
    )  # fmt: skip
    write_time(explanation.since, state.step_since_us)
    if entry.asks:
        asked_us = asked_again_us(policy, state.step_since_us, now_us)
        write_time(explanation.asked_again_at, asked_us)
        if entry.give_up_us is not None:
            patience_us = entry.give_up_us(policy)
            end_us = asked_again_us(policy, state.step_since_us, state.step_since_us + patience_us - 1)
            write_time(explanation.gives_up_at, max(end_us, asked_us if now_us >= end_us else 0))
    ends_us = 0 if entry.ends_us is None else entry.ends_us(policy, state)
    if ends_us:
        write_time(explanation.gives_up_at, ends_us)
    for part in entry.parts(state, elsewhere):
        if len(explanation.parts) == PARTS_MAX:
            break
        explanation.parts.append(part)
    return explanation


def entry_of(state: StoredOrder) -> Entry:
    """How the order's wait is explained."""
    if state.step == stored.ORDER_STEP_NONE and state.pending_refunds:
        return REFUNDING
    if state.step == stored.ORDER_STEP_NONE and model.exchanges_asked(state):
        return EXCHANGING
    return HELD if _waits_for_release(state) else STEPS.get(state.step, UNKNOWN)


def _waits_for_release(state: StoredOrder) -> bool:
    """Whether an order in parts waits for nothing but the release of its holds."""
    if state.step == stored.ORDER_STEP_CHANGE_STOCK:
        return not state.waiting_skus
    return state.step == stored.ORDER_STEP_BACKORDER and not pieces.missing(state)


def skus_waited_for(state: StoredOrder) -> Sequence[str]:
    """The SKUs whose stock the order waits for; at most as many as parts are told."""
    entry = entry_of(state)
    return entry.skus(state)[:PARTS_MAX] if "inventory" in entry.services else ()


def asked_again_us(policy: OrderPolicy, since_us: int, after_us: int) -> int:
    """When a step that began at `since_us` is asked again for the first time after `after_us`: as the step's timer
    does, after `ask_again_us`, then each time after as long again as it has waited, at most `ask_again_us_max`."""
    first_us, most_us = policy.ask_again_us, policy.ask_again_us_max
    waited_us = first_us
    while since_us + waited_us <= after_us:
        pause_us = max(first_us, min(waited_us, most_us))
        if waited_us >= most_us:  # from here on all pauses are alike
            return since_us + waited_us + ((after_us - since_us - waited_us) // pause_us + 1) * pause_us
        waited_us += pause_us
    return since_us + waited_us
