"""Percentiles of latencies."""

from __future__ import annotations

from collections.abc import Sequence


def percentile_ms(seconds_sorted: Sequence[float], share: float) -> float | None:
    """The latency in milliseconds that this share of the calls did not exceed (nearest rank); None without calls."""
    if not seconds_sorted:
        return None
    rank = min(len(seconds_sorted) - 1, max(0, -(-len(seconds_sorted) * share // 1) - 1))
    return round(seconds_sorted[int(rank)] * 1000, 3)
