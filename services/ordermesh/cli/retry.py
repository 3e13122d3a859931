"""When a call is made again, and after how long. Every call here may be repeated: its id makes it happen once."""

from __future__ import annotations

import random

import grpc

RETRIED = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)
"""Retried for as long as the caller has patience."""
RETRIED_SOMETIMES = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL})
"""What a connection that breaks at the wrong moment shows as, but an error of the server too: retried a few times."""
RETRIES_SOMETIMES_MAX = 20
"""How often a call is made again that failed like this."""

BACKOFF_MIN_S = 0.05
BACKOFF_MAX_S = 2.0
"""The wait before a call is made again; doubles with each failure."""


def may_retry(code: grpc.StatusCode, attempt: int) -> bool:
    """Whether a call that failed with that code, for the `attempt`th time, is worth another."""
    return code in RETRIED or (code in RETRIED_SOMETIMES and attempt <= RETRIES_SOMETIMES_MAX)


def backoff_s(attempt: int) -> float:
    """The wait after the `attempt`th failure (from 1): doubling, half of it by chance so that callers spread."""
    limit = min(BACKOFF_MAX_S, BACKOFF_MIN_S * (1 << min(attempt, 10)))
    return limit * random.uniform(0.5, 1.0)
