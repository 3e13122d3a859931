"""What a run's journal and its faults add up to: counts, latencies in fault and out, the longest time without. PURE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ordermesh.cli.latency import percentile_ms
from ordermesh.testing.chaos.faults import Happened
from ordermesh.testing.chaos.journal import Told


class Call(NamedTuple):
    """A call over all its attempts: when it began, how long until it was acknowledged."""

    begin: float
    seconds: float


class Numbers(NamedTuple):
    """Latencies are milliseconds of CreateOrder, from the first attempt to the acknowledgement."""

    acknowledged: Mapping[str, int]
    """Calls, by kind."""
    persistence: Mapping[str, int]
    """Of the acknowledged creates."""
    errors: Mapping[str, int]
    """Attempts that failed, by code."""
    faults: Mapping[str, int]
    """By kind."""
    unavailable_s: float
    """The longest time in which no create was acknowledged anywhere."""
    in_fault: Mapping[str, float]
    out_of_fault: Mapping[str, float]


def creates(journal: Sequence[Told]) -> list[Call]:
    """The creates that were acknowledged, in the order of their beginnings."""
    begun: dict[tuple[str, str], float] = {}
    ended: dict[tuple[str, str], float] = {}
    for told in journal:
        if told.call == "create":
            name = (told.key, told.request)
            begun[name] = min(begun.get(name, told.begin), told.begin)
            if told.is_ok:
                ended[name] = min(ended.get(name, told.end), told.end)
    return sorted(Call(begun[name], end - begun[name]) for name, end in ended.items())


def numbers(journal: Sequence[Told], faults: Sequence[Happened], begin: float, end: float) -> Numbers:
    """Of a run whose customers were served from `begin` to `end`."""
    answered = {(told.call, told.key, told.request) for told in journal if told.is_ok}
    calls = [call for call in creates(journal) if call.begin >= begin]
    inside = [call.seconds for call in calls if any(fault.begin <= call.begin <= fault.end for fault in faults)]
    outside = [call.seconds for call in calls if not any(fault.begin <= call.begin <= fault.end for fault in faults)]
    return Numbers(
        acknowledged=Counter(call for call, _key, _request in answered),
        persistence=Counter(told.persistence for told in journal if told.call == "create" and told.is_ok),
        errors=Counter(told.outcome for told in journal if not told.is_ok),
        faults=Counter(fault.kind for fault in faults),
        unavailable_s=_longest_gap(calls, begin, end),
        in_fault=_percentiles(inside),
        out_of_fault=_percentiles(outside),
    )


def _longest_gap(calls: Sequence[Call], begin: float, end: float) -> float:
    moments = [begin, *sorted(call.begin + call.seconds for call in calls if call.begin + call.seconds < end), end]
    return max(later - earlier for earlier, later in pairwise(moments))


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    ordered = sorted(seconds)
    values = {"p50": percentile_ms(ordered, 0.5), "p99": percentile_ms(ordered, 0.99)}
    return {"count": len(ordered), **{name: round(value, 1) for name, value in values.items() if value is not None}}
