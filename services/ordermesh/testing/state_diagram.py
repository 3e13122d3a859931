"""The page of an order's states: diagrams and a table of every change that `order_states` finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from oms.order.v1.order_state_pb2 import OrderStep
from ordermesh.testing.order_states import Change, Where, explore

START: Final = "[*]"
"""How Mermaid names the beginning, and the end."""
ENDED: Final = ("CANCELLED", "REJECTED")
"""States that nothing follows."""


def diagram(changes: Iterable[Change], name: Callable[[Where], str], *, loops: bool) -> str:
    """A Mermaid diagram of the states under these names, by the first event of each decision; without `loops` only of
    what changes the name."""
    arrows: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    names: dict[str, Where] = {}
    for change in changes:
        before = START if change.before is None else name(change.before)
        after = name(change.after)
        names.setdefault(after, change.after)
        if loops or before != after:
            arrows[before, after].add(change.events[0])
    lines = [f"    {before} --> {after}: {', '.join(sorted(labels))}" for (before, after), labels in arrows.items()]
    ends = [f"    {each} --> {START}" for each in names if each.startswith(ENDED)]
    return "\n".join(["```mermaid", "stateDiagram-v2", *sorted(lines), *sorted(ends), "```"])


def step_name(where: Where) -> str:
    """The order's state, and what it waits for where it waits."""
    return where.order_state if where.step == "NONE" else f"{where.order_state}_{where.step}"


def rows(changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    """A row for each state: what it is, and what can happen in it."""
    following: defaultdict[Where, set[str]] = defaultdict(set)
    known: set[Where] = set()
    for change in changes:
        known.add(change.after)
        if change.before is not None:
            following[change.before].add(" + ".join(change.events))
    for where in sorted(known, key=_place):
        yield (*where, ", ".join(sorted(following[where])) or "nothing")


_ORDER: Final = ("SCHEDULED", "PLACED", "CONFIRMED", "COMPLETED", "CANCELLING", "CANCELLED", "REJECTED")


def _place(where: Where) -> tuple[int, str, int, Where]:
    """The way of an order first, then what ends it early; step by step."""
    index = _ORDER.index(where.order_state) if where.order_state in _ORDER else len(_ORDER)
    return index, where.order_state, OrderStep.Value(f"ORDER_STEP_{where.step}"), where


def page(note: str, table: Callable[[str, Iterable[tuple[str, ...]]], str]) -> str:
    """The page; `note` says that it is generated, `table(columns, rows)` makes a table."""
    changes = explore()
    states = {change.after for change in changes}
    return f"""# An order's states

{note}
Found by trying commands and answers in every state of small orders, of at most three pieces, with the code that
decides: {len(states)} states, {len(changes)} changes. Random walks with all services stay within them. Not tried
are orders of more pieces, so that a row of one in parts may lack what needs a third shipment; returns of orders
that were sent in parts or changed; returns step by step and exchanges beside other returns and refunds, but on an
order of one piece; and holds by hand of a whole order of several pieces. They are decided by the same code. An
arrow is what the order makes of what it is told, whether or not the other services ever say it. It is labelled with
the first events of decisions, as in the order's timeline; what changes nothing that a diagram shows is in the table
alone, where `+` joins the events of one decision. What an order is waiting for right now, [`ordermesh order
explain`](../how-to/find-out-why-an-order-is-stuck.md) says.

## The order, and what it waits for
{diagram(changes, step_name, loops=False)}

## Its payment
{diagram(changes, lambda where: where.payment_state, loops=False)}

## Its goods
{diagram(changes, lambda where: where.fulfillment_state, loops=False)}

## Every state
The three states of an order and its step, and what can happen then. `RESERVE` waits for stock, `AUTHORIZE` and
`CAPTURE` for the payment provider, `SHIP` for the dispatch, `STOP_SHIPPING` for shipping's word on a cancellation,
`UNDO` for stock and money to be let go; `SCHEDULE` for its time, `BACKORDER` for stock to come in or, in parts, for a
release; `STOP_FOR_CHANGE`, `CHANGE_STOCK` and `CHANGE_PAYMENT` for what a change needs, `SETTLE` for the end of what is
held and not needed; `HELD_BEFORE_PAYMENT` and `HELD_BEFORE_SHIPPING` for a release, `PAYMENT_RETRY` for another token;
`NONE` waits for nothing, for refunds, or for an order in exchange.

{table("order,payment,fulfillment,step,what can happen", rows(changes))}"""
