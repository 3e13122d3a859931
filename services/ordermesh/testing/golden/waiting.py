"""Waiting for an engine while a recording is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from oms.common.v1 import consistency_pb2

CALL_S = 30.0
ENDS_S = 60.0
STEP_S = 0.05
LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE


def until(condition: Callable[[], Any], what: str, timeout_s: float = ENDS_S) -> Any:
    """What the condition gives once it is something true. Raises TimeoutError."""
    ends_s = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > ends_s:
            raise TimeoutError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(STEP_S)
    return value
