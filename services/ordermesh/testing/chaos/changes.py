"""I1 and I4: what was changed of orders was done once where it was acknowledged, and never unasked. PURE.

An order that is held asks for nothing, and one that is completed was sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ordermesh.testing.chaos.evidence import FinalOrder
from ordermesh.testing.chaos.journal import Told

DONE = {"amend": "OrderAmended", "hold": "OrderHeld", "release": "OrderReleased", "renew": "PaymentRenewed"}
"""What each call is in the timeline; a call that is refused is not there."""
CUT = ("LinesCancelled", "UndoStarted", "CancelRequested")
"""What a cancellation of some pieces may come to: where no others are left, or the order is undone, it ends whole."""
UNDONE = ("CANCELLED", "REJECTED")

Found = Iterator[str | int]
"""What is wrong, in words, and between it how many things were compared."""


class _Requests:
    """Which requests of a call were made of each order, and which were acknowledged as decided."""

    def __init__(self, journal: Sequence[Told]) -> None:
        self.asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.acknowledged: dict[tuple[str, str], set[str]] = defaultdict(set)
        for told in journal:
            self.asked[told.key, told.call].add(told.request)
            if told.is_decided:
                self.acknowledged[told.key, told.call].add(told.request)


def check_contents(journal: Sequence[Told], orders: Sequence[FinalOrder]) -> Found:
    """I1: an order is what it was placed as, or what an amendment asked for."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for told in journal:
        if told.call == "amend":
            wanted[told.key].add(told.content)
    for order in orders:
        yield 1
        if order.count("OrderAmended"):
            if order.content not in wanted[order.order_id]:
                yield f"order {order.order_id}, placed as {order.placed}, was amended to {order.content}, unasked"
        elif order.content != order.placed:
            yield f"order {order.order_id}, placed as {order.placed}, is {order.content} without an amendment"


def check_done(journal: Sequence[Told], orders: Sequence[FinalOrder]) -> Found:
    """I4: each change that was acknowledged happened once, and none that nobody asked for."""
    requests = _Requests(journal)
    for order in orders:
        for call, event in DONE.items():
            done = order.count(event)
            least, most = (len(made[order.order_id, call]) for made in (requests.acknowledged, requests.asked))
            yield done
            if not least <= done <= most:
                yield f"order {order.order_id}: {done} times {event}, {least} acknowledged, {most} asked for"
        ended_with_all = order.state in UNDONE and order.count("ChangeRequested")
        if requests.acknowledged[order.order_id, "cut"] and not (order.count(*CUT) or ended_with_all):
            yield f"order {order.order_id}: its pieces were cancelled, was acknowledged, and never happened"


def check_held(orders: Sequence[FinalOrder]) -> Found:
    """I4 and I5: an order that is held asks for no money and sends nothing, and one that has ended is not held."""
    for order in orders:
        yield order.count("OrderHeld")
        for asked in order.asked_while_held:
            yield f"order {order.order_id} was held and asked: {asked}"
        if order.holds:
            yield f"order {order.order_id} is {order.state} and has {order.holds} holds that nobody released"


def check_sent(orders: Sequence[FinalOrder]) -> Found:
    """I4: of a completed order all that was not cancelled was sent, of any other that has ended nothing."""
    for order in orders:
        yield 1
        lines: Mapping[str, tuple[int, int]] = {line.sku: (line.sent, line.quantity) for line in order.lines}
        if order.state == "COMPLETED" and any(line.sent != line.quantity for line in order.lines):
            yield f"order {order.order_id} is completed; sent and to be sent of each SKU: {lines}"
        if order.state in UNDONE and any(line.sent for line in order.lines):
            yield f"order {order.order_id} is {order.state}; sent and to be sent of each SKU: {lines}"
