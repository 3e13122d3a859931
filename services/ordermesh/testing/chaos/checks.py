"""What must hold of the evidence, by the names of the invariants (docs/explanation/consistency.md). PURE.

Each check is a generator of violations over the whole evidence, and says how many things it compared. Nothing here
uses the engine's own code to judge the engine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ordermesh.adapters.provider_ledger import LedgerEntry
from ordermesh.testing.chaos.evidence import Evidence, FinalOrder, Published, restocks
from ordermesh.testing.chaos.freshness import check_reads
from ordermesh.testing.chaos.journal import Told

ENDED = frozenset({"COMPLETED", "CANCELLED", "REJECTED"})
NANOS_PER_UNIT = 1_000_000_000
MILESTONES = {
    "OrderPlaced": "placed",
    "OrderConfirmed": "confirmed",
    "OrderCompleted": "completed",
    "UndoStarted": "cancelling",
    "OrderCancelled": "cancelled",
    "OrderRejected": "rejected",
    "OrderReturned": "returned",
    "RefundRequested": "refund_requested",
    "OrderRefunded": "refunded",
    "OrderRefundDeclined": "refund_declined",
}
"""The integration event that each entry of a timeline is told as; all others are not told."""


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
        elif order.content != told.content:
            text = f"order {told.key}, acknowledged {told.persistence}: {told.content} became {order.content}"
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
        same_customer = told.content.partition(":")[0] == order.content.partition(":")[0]
        expected = "ORDER_ALREADY_EXISTS" if same_customer else "ORDER_NOT_FOUND"
        if told.content == order.content or told.reason != expected:
            yield Violation("I2", f"placing {told.key} was refused with {told.reason}; it is {order.content}")
    for order in _found(evidence):
        yield 1
        placed = sum(entry.event == "OrderPlaced" for entry in order.timeline)
        if placed != 1:
            yield Violation("I2", f"order {order.order_id} was placed {placed} times")


def check_stock(evidence: Evidence) -> Found:
    """I3: stock balances, with what came in, what was sold, and what came back."""
    sold: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for order in _found(evidence):
        for line in order.lines if order.state == "COMPLETED" else ():
            sold[line.sku] += line.quantity
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
        if stock.reserved:
            yield Violation("I5", f"{said}: reserved though every order has ended")


def check_keys(evidence: Evidence) -> Found:
    """I4: the provider did nothing twice under one key, nothing twice for one order, nothing for no order."""
    keys = Counter(entry.idempotency_key for entry in evidence.ledger)
    yield len(keys)
    for key, count in keys.items():
        if count > 1:
            yield Violation("I4", f"the provider did {key} {count} times")
    done = Counter((entry.order_id, entry.operation) for entry in evidence.ledger)
    for (order_id, operation), count in done.items():
        if operation != "refund" and count > 1:
            yield Violation("I4", f"order {order_id}: {operation} took effect {count} times")
    for order_id in {entry.order_id for entry in evidence.ledger}:
        if evidence.orders.get(order_id) is None:
            yield Violation("I4", f"the provider knows {order_id}, which is no order")


def check_money(evidence: Evidence) -> Found:
    """I4: each order against the provider's ledger."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in evidence.ledger:
        sums[entry.order_id][entry.operation] += _nanos(entry)
    for order in _found(evidence):
        yield 1
        done = sums[order.order_id]
        held, taken, given = done["authorize"], done["capture"], done["refund"]
        said = f"order {order.order_id} is {order.state} over {order.total_nanos}, {dict(done)}"
        if not given <= taken <= held:
            yield Violation("I4", f"{said}: more than there was")
        if order.state == "COMPLETED" and (taken, given) != (order.total_nanos, order.refunded_nanos):
            yield Violation("I4", f"{said}: not charged once, or not given back what it says ({order.refunded_nanos})")
        if order.state in ("CANCELLED", "REJECTED") and (taken != given or (held and not done["void"] and not taken)):
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
    for order in _found(evidence):
        done = sum(entry.event in ("OrderReturned", "RefundRequested") for entry in order.timeline)
        yield done
        least, most = len(acknowledged[order.order_id]), len(asked[order.order_id])
        if not least <= done <= most:
            text = f"order {order.order_id}: {done} returns and refunds, {least} acknowledged, {most} asked for"
            yield Violation("I4", text)


def check_cancels(evidence: Evidence) -> Found:
    """I4: a cancellation that was acknowledged was asked of the order, and without one nothing was cancelled."""
    asked = {told.key for told in evidence.journal if told.call == "cancel"}
    acknowledged = {told.key for told in evidence.journal if told.call == "cancel" and told.is_decided}
    for order in _found(evidence):
        yield 1
        happened = {entry.event for entry in order.timeline}
        if order.order_id in acknowledged and not happened & {"UndoStarted", "CancelRequested"}:
            yield Violation("I4", f"order {order.order_id}: its cancellation was acknowledged and never happened")
        if "CancelRequested" in happened and order.order_id not in asked:
            yield Violation("I4", f"order {order.order_id}: nobody asked to cancel it")


def check_ends(evidence: Evidence) -> Found:
    """I5: every order has ended, and every call was answered."""
    for order in _found(evidence):
        yield 1
        if order.state not in ENDED:
            last = order.timeline[-1].event if order.timeline else "nothing"
            yield Violation("I5", f"order {order.order_id} is {order.state}, last {last}, though all is healed")
    for text in evidence.unanswered:
        yield Violation("I5", text)


def check_history(evidence: Evidence) -> Found:
    """I6: whatever version an order was shown at, it is what happened as that version."""
    for order in _found(evidence):
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
    """I9: each milestone is told, in order per order, and nothing that did not happen."""
    told: dict[str, list[Published]] = defaultdict(list)
    for event in dict.fromkeys(evidence.events):
        if event.service == "order":
            told[event.key].append(event)
    for order in _found(evidence):
        wanted = [(MILESTONES[e.event], e.version) for e in order.timeline if e.event in MILESTONES]
        yield len(wanted)
        had = [(event.name, event.version) for event in told.pop(order.order_id, [])]
        if missing := set(wanted) - set(had):
            yield Violation("I9", f"order {order.order_id}: {sorted(missing)} never told")
        if invented := set(had) - set(wanted):
            yield Violation("I9", f"order {order.order_id}: {sorted(invented)} told, and did not happen")
        versions = [version for _name, version in had]
        if versions != sorted(versions):
            yield Violation("I9", f"order {order.order_id}: told in the order {had}")
    for key in told:
        yield Violation("I9", f"events of {key}, which is no order")


def check_shipments(evidence: Evidence) -> Found:
    """I9: of every order that was completed, and of no other, a shipment is told to have left."""
    left = {event.key for event in evidence.events if (event.service, event.name) == ("shipping", "dispatched")}
    for order in _found(evidence):
        yield 1
        if (order.state == "COMPLETED") != (order.order_id in left):
            was = "was" if order.order_id in left else "was not"
            yield Violation("I9", f"order {order.order_id} is {order.state}, and its dispatch {was} told")


def check_freshness(evidence: Evidence) -> Found:
    """I7: no read is older than what was known before it began."""
    for found in check_reads(evidence.journal, evidence.orders):
        yield Violation("I7", found) if isinstance(found, str) else found


def _found(evidence: Evidence) -> list[FinalOrder]:
    return [order for order in evidence.orders.values() if order is not None]


def _nanos(entry: LedgerEntry) -> int:
    return entry.units * NANOS_PER_UNIT + entry.nanos


CHECKS: Mapping[str, Sequence[Callable[[Evidence], Found]]] = {
    "I1": (check_acknowledged,),
    "I2": (check_identity,),
    "I3": (check_stock,),
    "I4": (check_keys, check_money, check_requests, check_cancels),
    "I5": (check_ends,),
    "I6": (check_history, check_audit),
    "I7": (check_freshness,),
    "I9": (check_events, check_shipments),
}
"""The checks of each invariant. I8 is part of I2: another customer's order is NOT_FOUND."""


def calls_by_outcome(journal: Sequence[Told]) -> Mapping[str, int]:
    """How many calls were acknowledged, by kind; attempts of one call count once."""
    return dict(Counter(call for call, _request in {(t.call, (t.key, t.request)) for t in journal if t.is_ok}))
