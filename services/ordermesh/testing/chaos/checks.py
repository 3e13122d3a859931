"""What must hold of the evidence, by the names of the invariants (docs/explanation/consistency.md). PURE.

Each check is a generator of violations over the whole evidence, and says how many things it compared. Nothing here
uses the engine's own code to judge the engine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.testing.chaos import changes, events
from ordermesh.testing.chaos.evidence import Evidence, restocks
from ordermesh.testing.chaos.freshness import check_reads
from ordermesh.testing.chaos.journal import Told

ENDED = frozenset({"COMPLETED", "CANCELLED", "REJECTED"})
NANOS_PER_UNIT = 1_000_000_000


class Violation(NamedTuple):
    """A promise that was broken."""

    invariant: str
    text: str


Found = Iterator[Violation | int]
"""Violations, and between them how many things were compared."""


class Verdict(NamedTuple):
    """What the checks found: how many things were compared, by invariant, and what is wrong."""

    compared: Mapping[str, int]
    violations: Sequence[Violation]


def judge(evidence: Evidence) -> Verdict:
    """All checks."""
    compared: Counter[str] = Counter()
    violations: list[Violation] = []
    for invariant, checks in CHECKS.items():
        for check in checks:
            for found in check(evidence):
                if isinstance(found, int):
                    compared[invariant] += found
                else:
                    violations.append(found)
    return Verdict(compared, violations)


def check_acknowledged(evidence: Evidence) -> Found:
    """I1: what was acknowledged is there, with the content that was acknowledged."""
    contents: dict[str, set[str]] = defaultdict(set)
    for told in evidence.journal:
        if told.call == "create":
            contents[told.key].add(told.content)
    for told in evidence.journal:
        if told.call != "create" or not told.is_ok:
            continue
        if not told.is_decided and len(contents[told.key]) > 1:
            continue  # ACCEPTED under an id that another order may have had promises nothing
        yield 1
        order = evidence.orders.get(told.key)
        if order is None:
            yield Violation("I1", f"order {told.key} was acknowledged {told.persistence} and is not there")
        elif order.placed != told.content:
            text = f"order {told.key}, acknowledged {told.persistence}: {told.content} became {order.placed}"
            yield Violation("I1", text)


def check_identity(evidence: Evidence) -> Found:
    """I2 and I8: the same again is the same order, other content is refused, and another customer is told nothing."""
    for told in evidence.journal:
        refused = told.reason in ("ORDER_ALREADY_EXISTS", "ORDER_NOT_FOUND")
        if told.call != "create" or not refused:
            continue
        yield 1
        order = evidence.orders.get(told.key)
        if order is None:
            yield Violation("I2", f"placing {told.key} was refused as {told.reason}, and there is no such order")
            continue
        same_customer = told.content.partition(":")[0] == order.placed.partition(":")[0]
        expected = "ORDER_ALREADY_EXISTS" if same_customer else "ORDER_NOT_FOUND"
        if told.content == order.placed or told.reason != expected:
            yield Violation("I2", f"placing {told.key} was refused with {told.reason}; it is {order.placed}")
    for order in evidence.found():
        yield 1
        placed = order.count("OrderPlaced")
        if placed != 1:
            yield Violation("I2", f"order {order.order_id} was placed {placed} times")


def check_contents(evidence: Evidence) -> Found:
    """I1: no content but what was placed, or asked for by an amendment."""
    yield from _named("I1", changes.check_contents(evidence.journal, evidence.found()))


def check_stock(evidence: Evidence) -> Found:
    """I3: stock balances, with what came in, what was sold, and what came back."""
    sold: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for order in evidence.found():
        for line in order.lines:
            sold[line.sku] += line.sent
            back[line.sku] += line.returned if restocks(order.order_id) else 0
    came_in = {(told.key, told.request): told.quantity for told in evidence.journal if told.call == "receive"}
    received: Counter[str] = Counter()
    for (sku, _request), quantity in came_in.items():
        received[sku] += quantity
    for sku, stock in evidence.stocks.items():
        yield 1
        said = f"{sku}: {stock}"
        if stock.available < 0 or stock.available != stock.on_hand - stock.reserved:
            yield Violation("I3", f"{said}: more is promised than there is")
        if stock.received != stock.on_hand + stock.committed:
            yield Violation("I3", f"{said}: it does not balance")
        if stock.received != received[sku]:
            yield Violation("I3", f"{said}: {received[sku]} came in")
        if stock.committed != sold[sku] - back[sku]:
            yield Violation("I3", f"{said}: {sold[sku]} were sold and {back[sku]} came back")
        if stock.reserved or stock.backordered:
            yield Violation("I5", f"{said}: reserved or waited for though every order has ended")


def check_keys(evidence: Evidence) -> Found:
    """I4: the provider did nothing twice under one key, nothing twice for one order, nothing for no order."""
    keys = Counter(entry.idempotency_key for entry in evidence.ledger)
    yield len(keys)
    for key, count in keys.items():
        if count > 1:
            yield Violation("I4", f"the provider did {key} {count} times")
    named = Counter((entry.order_id, entry.operation, entry.operation_id) for entry in evidence.ledger)
    done = Counter((entry.order_id, entry.operation) for entry in evidence.ledger)
    shipments = {order.order_id: order.count("OrderShipped") for order in evidence.found()}
    for (order_id, operation), count in done.items():
        most = shipments.get(order_id, 0) if operation == "capture" else 1
        if operation not in ("refund", "adjust") and count > most:
            yield Violation("I4", f"order {order_id}: {operation} took effect {count} times, {most} at most were due")
    for (order_id, operation, name), count in named.items():
        if name and count > 1:
            yield Violation("I4", f"order {order_id}: {operation} {name} took effect {count} times")
    for order_id in {entry.order_id for entry in evidence.ledger}:
        if evidence.orders.get(order_id) is None:
            yield Violation("I4", f"the provider knows {order_id}, which is no order")


def check_money(evidence: Evidence) -> Found:
    """I4: each order against the provider's ledger."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in evidence.ledger:
        sums[entry.order_id][entry.operation] += _nanos(entry)
    for order in evidence.found():
        yield 1
        done = sums[order.order_id]
        held, taken, given = done["authorize"] + done["adjust"], done["capture"], done["refund"]
        left = held - taken - done["void"] - done["release"]
        said = f"order {order.order_id} is {order.state} over {order.due_nanos}, {dict(done)}"
        if not given <= taken <= held:
            yield Violation("I4", f"{said}: more than there was")
        if order.state == "COMPLETED" and (taken, given) != (order.due_nanos, order.refunded_nanos):
            yield Violation("I4", f"{said}: not charged once, or not given back what it says ({order.refunded_nanos})")
        if order.state in ENDED and (left or (order.state != "COMPLETED" and taken != given)):
            yield Violation("I4", f"{said}: it holds money")


def check_requests(evidence: Evidence) -> Found:
    """I4: a return or refund that was acknowledged was done once, and what was never asked for was not done."""
    acknowledged: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    for told in evidence.journal:
        if told.call in ("return", "refund"):
            asked[told.key].add(told.request)
            if told.is_decided:
                acknowledged[told.key].add(told.request)
    for order in evidence.found():
        done = order.count("OrderReturned", "RefundRequested")
        yield done
        least, most = len(acknowledged[order.order_id]), len(asked[order.order_id])
        if not least <= done <= most:
            text = f"order {order.order_id}: {done} returns and refunds, {least} acknowledged, {most} asked for"
            yield Violation("I4", text)


def check_cancels(evidence: Evidence) -> Found:
    """I4: a cancellation that was acknowledged was asked of the order, and without one nothing was cancelled."""
    asked = {told.key for told in evidence.journal if told.call in ("cancel", "cut")}
    acknowledged = {told.key for told in evidence.journal if told.call == "cancel" and told.is_decided}
    for order in evidence.found():
        yield 1
        happened = {entry.event for entry in order.timeline}
        ended = {"UndoStarted", "CancelRequested"}
        if "OrderShipped" in happened:  # of what was sent in part the rest is cancelled, at once or when its step ends
            ended |= {"LinesCancelled", "ChangeRequested"}
        if order.order_id in acknowledged and not happened & ended:
            yield Violation("I4", f"order {order.order_id}: its cancellation was acknowledged and never happened")
        if "CancelRequested" in happened and order.order_id not in asked:
            yield Violation("I4", f"order {order.order_id}: nobody asked to cancel it")


def check_changes(evidence: Evidence) -> Found:
    """I4: amendments, holds, releases and other payment tokens happened where they were acknowledged, and only then;
    what is held goes nowhere, and what is completed was sent."""
    orders = evidence.found()
    yield from _named("I4", changes.check_done(evidence.journal, orders))
    yield from _named("I4", changes.check_held(orders))
    yield from _named("I4", changes.check_sent(orders))


def check_ends(evidence: Evidence) -> Found:
    """I5: every order has ended, and every call was answered."""
    for order in evidence.found():
        yield 1
        if order.state not in ENDED:
            last = order.timeline[-1].event if order.timeline else "nothing"
            yield Violation("I5", f"order {order.order_id} is {order.state}, last {last}, though all is healed")
    for text in evidence.unanswered:
        yield Violation("I5", text)


def check_history(evidence: Evidence) -> Found:
    """I6: whatever version an order was shown at, it is what happened as that version."""
    for order in evidence.found():
        if [entry.version for entry in order.timeline] != list(range(1, order.version + 1)):
            versions = [entry.version for entry in order.timeline]
            yield Violation("I6", f"order {order.order_id} at version {order.version} has {versions}")
    for told in evidence.journal:
        seen = evidence.orders.get(told.key)
        if not told.is_decided or not told.event or seen is None:
            continue
        yield 1
        now = next((entry.event for entry in seen.timeline if entry.version == told.version), "nothing")
        if now != told.event:
            text = f"{told.call} of {told.key} was shown version {told.version} by {told.event}; it is by {now}"
            yield Violation("I6", text)


def check_audit(evidence: Evidence) -> Found:
    """I6: the engine's own audit."""
    yield 1
    for text in evidence.audit:
        yield Violation("I6", f"ordermesh verify: {text}")


def check_events(evidence: Evidence) -> Found:
    """I9: each milestone is told, in order per order, and nothing that did not happen; each shipment that left too."""
    yield from _named("I9", events.check_events(evidence))
    yield from _named("I9", events.check_shipments(evidence))


def check_webhooks(evidence: Evidence) -> Found:
    """I9: every event of an order was taken by the receiver, was signed, and arrived first in the stream's order."""
    yield from _named("I9", events.check_webhooks(evidence))


def check_freshness(evidence: Evidence) -> Found:
    """I7: no read is older than what was known before it began."""
    yield from _named("I7", check_reads(evidence.journal, evidence.orders))


def _named(invariant: str, found: Iterator[str | int]) -> Found:
    """What breaks an invariant, by its name."""
    for one in found:
        yield Violation(invariant, one) if isinstance(one, str) else one


def _nanos(entry: LedgerEntry) -> int:
    return entry.units * NANOS_PER_UNIT + entry.nanos


CHECKS: Mapping[str, Sequence[Callable[[Evidence], Found]]] = {
    "I1": (check_acknowledged, check_contents),
    "I2": (check_identity,),
    "I3": (check_stock,),
    "I4": (check_keys, check_money, check_requests, check_cancels, check_changes),
    "I5": (check_ends,),
    "I6": (check_history, check_audit),
    "I7": (check_freshness,),
    "I9": (check_events, check_webhooks),
}
"""The checks of each invariant. I8 is part of I2: another customer's order is NOT_FOUND."""


def calls_by_outcome(journal: Sequence[Told]) -> Mapping[str, int]:
    """How many calls were acknowledged, by kind; attempts of one call count once."""
    return dict(Counter(call for call, _request in {(t.call, (t.key, t.request)) for t in journal if t.is_ok}))
