"""What changes of an order share: entering a step, waiting for less, settling requests. PURE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestOutcome
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Stamp

Change = Callable[[StoredOrder, Any, Stamp], str]
"""Makes an event happen to an order; gives what its timeline says of it."""

EventChanges = Mapping[type[Message], Change]
"""How each event of a theme changes an order."""


def enter(state: StoredOrder, step: stored.OrderStep, stamp: Stamp) -> None:
    """From now on the order waits for something else."""
    state.step = step
    state.step_since_us = stamp.time_us


def wait_no_longer_for(state: StoredOrder, skus: Iterable[str]) -> None:
    """Takes these SKUs off the list; none named means all."""
    answered = set(skus)
    left = [sku for sku in state.waiting_skus if sku not in answered] if answered else []
    wait_for(state, left)


def wait_for(state: StoredOrder, skus: Iterable[str]) -> None:
    """These SKUs are waited for, and no others."""
    wanted = list(skus)
    del state.waiting_skus[:]
    state.waiting_skus.extend(wanted)


def settle_requests(state: StoredOrder, outcome: RequestOutcome, reason: str = "") -> None:
    """What was asked of the order and left open is decided."""
    for record in state.requests:
        if record.outcome == REQUEST_OUTCOME_PENDING:
            record.outcome = outcome
            record.reason = reason


def drop_change(state: StoredOrder, outcome: RequestOutcome, reason: str = "") -> None:
    """The pending change is decided, and its request with it."""
    for record in state.requests:
        if record.request_hash == state.change.request_hash and record.outcome == REQUEST_OUTCOME_PENDING:
            record.outcome = outcome
            record.reason = reason
    state.ClearField("change")
