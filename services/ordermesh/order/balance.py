"""What must hold of an order by itself, whatever was done to it by hand: an audit and the simulation ask for it. PURE.

No piece comes back twice, no money is given back twice, and nothing that costs money or sends goods is asked for while
the order is held; that is read from its timeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from oms.order.v1.order_pb2 import Order, TimelineEntry
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.money import nanos_of
from ordermesh.order import returning
from ordermesh.order.model import due_of, kept_of

OUTWARD: Final = ("AuthorizationAsked", "ChangeAuthorizing", "ShipmentRequested")
"""Events of which each is a question that a hold keeps back."""
ASKED: Final = ("waits for payment", "waits for dispatch")
"""How the timeline tells such a question of an order that is sent as a whole."""
ENDING: Final = ("UndoStarted", "OrderCancelled", "OrderRejected", "OrderCompleted")
"""Events that end all holds."""
_NAMES: Final = re.compile(r"hold ([0-9]+(?:, [0-9]+)*)")


def unbalanced(state: StoredOrder) -> Iterator[str]:
    """What does not add up, in words; nothing where all does."""
    order = state.order
    under_way = returning.returns_under_way(order)
    for line in order.lines:
        back = line.returned_quantity + under_way.get(line.line_id, 0)
        if not 0 <= back <= kept_of(line):
            yield f"of line {line.line_id} {back} pieces come back, of {kept_of(line)}"
    given, charge = nanos_of(state.shipping_refunded), nanos_of(order.shipping_charge)
    if not 0 <= given <= charge:
        yield f"of its shipping charge {given} nanos are given back, of {charge}"
    committed, due = nanos_of(state.refund_committed), nanos_of(due_of(order))
    if committed > due:
        yield f"{committed} nanos of it are given back, of {due}"
    for entry in asked_while_held(order):
        yield f"it was held and asked for something: {entry.event}, {entry.detail}"


def asked_while_held(order: Order) -> list[TimelineEntry]:
    """The entries of questions that a hold should have kept back."""
    held, found = set[str](), list[TimelineEntry]()
    for entry in order.timeline:
        names = _NAMES.match(entry.detail)
        if entry.event == "OrderHeld" and names is not None:
            held.add(names.group(1))
        elif entry.event == "OrderReleased" and names is not None:
            held -= set(names.group(1).split(", "))
        elif entry.event in ENDING:
            held.clear()
        elif held and (entry.event in OUTWARD or entry.detail in ASKED):
            found.append(entry)
    return found
