"""What refunds leave in an order: what is under way, for which pieces, and whose share of the shipping charge. PURE.

A share of the shipping charge goes with the value of the lines that it is given back for, and is what all of them so
far have a right to, less what was given: so however the lines are divided and whatever is declined in between, all of
them together get the charge, and never more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.type.money_pb2 import Money

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestOutcome
from oms.order.v1 import order_events_pb2 as events
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.order.v1.order_state_pb2 import PendingRefund, StoredOrder
from ordermesh.core.decider import Stamp
from ordermesh.core.money import coin_of, money_of, nanos_of, pro_rata
from ordermesh.core.requests import remember
from ordermesh.order.model import kept_of, worth_nanos


def shipping_share(state: StoredOrder, value_nanos: int) -> int:
    """The share of the shipping charge that lines of this value have, in nanos. Lines that cost nothing, all of them,
    have no value to share by: the charge goes whole with the first."""
    order = state.order
    if not order.HasField("shipping_charge"):
        return 0
    charge, whole = nanos_of(order.shipping_charge), sum(worth_nanos(line, kept_of(line)) for line in order.lines)
    so_far = min(nanos_of(state.shipping_refunded_for) + value_nanos, whole)
    due = pro_rata(charge, so_far, whole, coin_of(order.total.currency_code)) if whole else charge
    return max(0, due - nanos_of(state.shipping_refunded))


def count_returned(state: StoredOrder, quantities: Mapping[str, int]) -> None:
    """So many pieces of each line came back."""
    for line in state.order.lines:
        line.returned_quantity += quantities.get(line.line_id, 0)
    if all(line.returned_quantity == kept_of(line) for line in state.order.lines):
        state.order.fulfillment_state = words.FULFILLMENT_STATE_RETURNED


def open_refund(
    state: StoredOrder, event: events.OrderReturned | events.ReturnInspected | events.RefundRequested, stamp: Stamp
) -> None:
    """The refund of an event, if it has one, is under way; its request is remembered."""
    if event.HasField("request"):
        remember(state.requests, event.request)
    if not event.refund_id:
        return
    state.refund_count += 1
    pending = state.pending_refunds.add(refund_id=event.refund_id, amount=event.amount, lines=event.refunded_lines)
    if event.request.outcome == REQUEST_OUTCOME_PENDING:
        pending.request_hash = event.request.request_hash
    if not isinstance(event, events.OrderReturned) and event.HasField("shipping"):
        pending.shipping.CopyFrom(event.shipping)
    commit(state, pending, event.refunded_lines, 1)
    state.step_since_us = stamp.time_us


def commit(state: StoredOrder, refund: PendingRefund, lines: Iterable[LineQuantity], sign: int) -> None:
    """Counts a refund as given, or with sign -1 as not given after all."""
    quantities = {line.line_id: line.quantity for line in lines}
    if quantities:
        for line in state.order.lines:
            line.refunded_quantity += sign * quantities.get(line.line_id, 0)
    add(state.refund_committed, refund.amount, sign)
    if refund.HasField("shipping"):
        value = money_of(refund.amount.currency_code, nanos_of(refund.amount) - nanos_of(refund.shipping))
        add(state.shipping_refunded, refund.shipping, sign)
        add(state.shipping_refunded_for, value, sign)


def add(target: Money, amount: Money, sign: int) -> None:
    """Adds an amount to another, or with sign -1 takes it off."""
    target.CopyFrom(money_of(amount.currency_code, nanos_of(target) + sign * nanos_of(amount)))


def close_refund(state: StoredOrder, refund_id: str, outcome: RequestOutcome, reason: str = "") -> PendingRefund:
    """Takes a refund off the list, and settles the request that led to it."""
    number = next(n for n, each in enumerate(state.pending_refunds) if each.refund_id == refund_id)
    pending = PendingRefund()
    pending.CopyFrom(state.pending_refunds[number])
    del state.pending_refunds[number]
    for record in state.requests:
        if record.request_hash == pending.request_hash:
            record.outcome = outcome
            record.reason = reason
    return pending
