"""The one timer of an order: set for as long as it waits for anything, cleared when it does not. PURE."""

from __future__ import annotations

from oms.order.v1.order_commands_pb2 import StepTimer
from ordermesh.core.decider import Key, SetTimer
from ordermesh.order.model import SERVICE

_STEP = "step"


def set_timer(key: Key, due_us: int) -> SetTimer:
    """Sets it, or moves it."""
    return SetTimer(key, _STEP, SERVICE, due_us, StepTimer())


def clear_timer(key: Key) -> SetTimer:
    """Clears it."""
    return SetTimer(key, _STEP, SERVICE)
