"""What a run tells: the report in Markdown, the line of a results file, and the last line for a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ordermesh.testing.chaos.checks import Verdict
from ordermesh.testing.chaos.evidence import Evidence
from ordermesh.testing.chaos.faults import KINDS, Happened
from ordermesh.testing.chaos.statistics import Numbers

VIOLATIONS_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run that has ended and was judged."""

    seed: int
    minutes: float
    revision: str
    begin: float
    numbers: Numbers
    faults: Sequence[Happened]
    verdict: Verdict
    states: Mapping[str, int]
    """Orders by their state in the end."""
    trouble: Sequence[str]
    """What was odd, and is no violation."""


def states_of(evidence: Evidence) -> Mapping[str, int]:
    """Orders by state; those whose create never got anywhere are NOT_FOUND."""
    return Counter("NOT_FOUND" if order is None else order.state for order in evidence.orders.values())


def last_line(outcome: Outcome) -> str:
    """Counts of acknowledged calls, faults by kind, violations."""
    numbers = outcome.numbers
    calls = f"{sum(numbers.acknowledged.values())} calls acknowledged ({_counts(numbers.acknowledged)})"
    faults = f"{sum(numbers.faults.values())} faults ({_counts(numbers.faults)})"
    return f"{calls}; {faults}; {len(outcome.verdict.violations)} violations"


def results_line(outcome: Outcome) -> dict[str, Any]:
    """For a results file."""
    numbers = outcome.numbers
    return {
        "revision": outcome.revision,
        "seed": outcome.seed,
        "minutes": outcome.minutes,
        "acknowledged": dict(sorted(numbers.acknowledged.items())),
        "persistence": dict(sorted(numbers.persistence.items())),
        "orders": dict(sorted(outcome.states.items())),
        "faults": dict(sorted(numbers.faults.items())),
        "longest_unavailable_s": round(numbers.unavailable_s, 1),
        "accept_ms_in_fault": dict(numbers.in_fault),
        "accept_ms_out_of_fault": dict(numbers.out_of_fault),
        "compared": dict(sorted(outcome.verdict.compared.items())),
        "violations": [f"{one.invariant}: {one.text}" for one in outcome.verdict.violations[:VIOLATIONS_SHOWN]],
    }


def markdown(outcome: Outcome, picture: str) -> str:
    """The report; `picture` is the file beside it."""
    return "\n".join(_lines(outcome, picture)) + "\n"


def _lines(outcome: Outcome, picture: str) -> Iterator[str]:
    numbers, violations = outcome.numbers, outcome.verdict.violations
    yield f"# Chaos, seed {outcome.seed}, {outcome.minutes:g} minutes"
    yield ""
    yield f"Revision {outcome.revision}. **{len(violations)} violations.** {last_line(outcome)}."
    yield ""
    yield f"![orders and latencies over time]({picture})"
    yield ""
    yield from _table("what", "count", _facts(outcome))
    yield ""
    yield "Milliseconds from the first attempt to place an order to its acknowledgement:"
    yield ""
    yield "| when it was placed | orders | p50 | p99 |"
    yield "| --- | --- | --- | --- |"
    for name, values in (("during a fault", numbers.in_fault), ("without", numbers.out_of_fault)):
        yield f"| {name} | {values.get('count', 0):g} | {values.get('p50', 0):g} | {values.get('p99', 0):g} |"
    yield ""
    yield "## Compared and violated"
    yield ""
    broken = Counter(one.invariant for one in violations)
    rows = {name: f"{count} | {broken[name]}" for name, count in sorted(outcome.verdict.compared.items())}
    yield from _table("invariant", "compared | violated", rows)
    yield from _paragraphs("Violations", [f"{one.invariant}: {one.text}" for one in violations[:VIOLATIONS_SHOWN]])
    yield from _paragraphs("Odd, and no violation", outcome.trouble)
    yield ""
    yield "## Faults"
    yield ""
    missing = [kind for kind in KINDS if kind not in numbers.faults]
    if missing:
        yield f"Kinds that did not get their turn: {', '.join(missing)}."
        yield ""
    yield "| at | for | what | whom |"
    yield "| --- | --- | --- | --- |"
    for fault in sorted(outcome.faults, key=lambda one: one.begin):
        at, seconds = fault.begin - outcome.begin, fault.end - fault.begin
        yield f"| {at:.1f} s | {seconds:.1f} s | {fault.kind} {fault.way} | {fault.target} |"


def _facts(outcome: Outcome) -> Mapping[str, object]:
    numbers = outcome.numbers
    return {
        "calls acknowledged": _counts(numbers.acknowledged),
        "creates by persistence": _counts(numbers.persistence),
        "attempts that failed": _counts(numbers.errors),
        "orders in the end": _counts(outcome.states),
        "longest time without an acknowledged order": f"{numbers.unavailable_s:.1f} s",
    }


def _table(left: str, right: str, rows: Mapping[str, object]) -> Iterator[str]:
    yield f"| {left} | {right} |"
    yield "|" + " --- |" * (2 + right.count("|"))
    for name, value in rows.items():
        yield f"| {name} | {value} |"


def _paragraphs(title: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield from ("", f"## {title}", "")
        yield from (f"* {text}" for text in texts)


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items())) or "none"
