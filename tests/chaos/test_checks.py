"""Every check finds what it is there for, and nothing where all went well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ordermesh.testing.chaos.checks import CHECKS, Verdict, judge
from ordermesh.testing.chaos.evidence import Arrived, Entry, Evidence, FinalOrder, FinalStock, Published
from ordermesh.testing.chaos.journal import Told
from tests.chaos import truth
from tests.chaos.truth import CANCELLED, COMPLETED, LOST, PARTS, PRICE, REJECTED


def with_order(key: str, **changes: object) -> Evidence:
    """The sound evidence, but for one order."""
    sound = truth.evidence()
    found = sound.orders[key]
    assert found is not None
    return replace(sound, orders={**sound.orders, key: replace(found, **changes)})  # type: ignore[arg-type]  # a test's values


def with_told(*more: Told) -> Evidence:
    """The sound evidence, and some more answers."""
    sound = truth.evidence()
    return replace(sound, journal=[*sound.journal, *more])


def with_ledger(
    operation: str, key: str, order_id: str = COMPLETED, nanos: int = 2 * PRICE, name: str = ""
) -> Evidence:
    """The sound evidence, and one more operation of the provider."""
    sound = truth.evidence()
    return replace(sound, ledger=[*sound.ledger, truth.ledger_entry(order_id, operation, nanos, key, name)])


def with_sent(key: str, sent: int) -> Evidence:
    """The sound evidence, but for how many pieces of an order left."""
    return with_order(key, lines=[line._replace(sent=sent) for line in truth.order(key).lines])


def with_stock(**changes: int) -> Evidence:
    """The sound evidence, but for the stock."""
    sound = truth.evidence()
    ((sku, stock),) = sound.stocks.items()
    return replace(sound, stocks={sku: stock._replace(**changes)})


def with_events(change: Callable[[list[Published]], list[Published]]) -> Evidence:
    """The sound evidence with other events."""
    sound = truth.evidence()
    return replace(sound, events=change(list(sound.events)))


def with_arrivals(change: Callable[[list[Arrived]], list[Arrived]]) -> Evidence:
    """The sound evidence with other webhooks."""
    sound = truth.evidence()
    return replace(sound, arrived=change(list(sound.arrived)))


def without_order(key: str) -> Evidence:
    """The sound evidence, in which an order is not found."""
    sound = truth.evidence()
    return replace(sound, orders={**sound.orders, key: None})


def entries(key: str) -> list[Entry]:
    """The timeline of an order."""
    return list(truth.order(key).timeline)


def told(call: str, key: str, begin: float, **values: object) -> Told:
    """One more answer."""
    return truth.told(call, key, "more", begin, **values)


PLANTED: dict[str, tuple[str, Callable[[], Evidence], str]] = {
    "an acknowledged order is lost": ("I1", lambda: without_order(REJECTED), "acknowledged STORED and is not there"),
    "an acknowledged order has other content": (
        "I1", lambda: with_order(COMPLETED, placed=truth.content(COMPLETED, quantity=9)), "became"),
    "an order is another without an amendment": (
        "I1", lambda: with_order(COMPLETED, content=truth.content(COMPLETED, quantity=9)), "without an amendment"),
    "an order is amended to something else": (
        "I1", lambda: with_order(PARTS, content=truth.content(PARTS, quantity=9)), "was amended to"),
    "an order that was accepted is lost": (
        "I1", lambda: with_told(told("create", LOST, 9.0, persistence="ACCEPTED", content=truth.content(LOST))),
        "acknowledged ACCEPTED"),
    "the same order again is refused": (
        "I2", lambda: with_told(told("create", COMPLETED, 9.0, outcome="ALREADY_EXISTS",
                                     reason="ORDER_ALREADY_EXISTS", content=truth.content(COMPLETED))), "was refused"),
    "another customer learns of an order": (
        "I2", lambda: with_told(told("create", COMPLETED, 9.0, outcome="ALREADY_EXISTS",
                                     reason="ORDER_ALREADY_EXISTS", content=truth.content(COMPLETED, "eve"))),
        "was refused"),
    "a create is refused and there is no order": (
        "I2", lambda: with_told(told("create", LOST, 9.0, outcome="ALREADY_EXISTS", reason="ORDER_ALREADY_EXISTS",
                                     content=truth.content(LOST))), "there is no such order"),
    "an order is placed twice": (
        "I2", lambda: with_order(REJECTED, version=3, timeline=[*entries(REJECTED), Entry(3, "OrderPlaced")]),
        "placed 2 times"),
    "more is promised than there is": ("I3", lambda: with_stock(reserved=10, available=-1), "more is promised"),
    "stock does not balance": ("I3", lambda: with_stock(on_hand=8, available=8), "does not balance"),
    "stock came in that nobody sent": ("I3", lambda: with_stock(received=11, on_hand=10, available=10), "10 came in"),
    "more is sold than left": ("I3", lambda: with_sent(COMPLETED, 3), "3 were sold"),
    "more left than was sold": ("I3", lambda: with_stock(committed=3, on_hand=7, available=7), "2 were sold"),
    "a key takes effect twice": ("I4", lambda: with_ledger("capture", "b"), "the provider did b 2 times"),
    "an order is charged twice": ("I4", lambda: with_ledger("capture", "z"), "capture took effect 2 times"),
    "a shipment is charged twice": (
        "I4", lambda: with_ledger("capture", "z", PARTS, name="3"), "capture took effect 3 times, 2 at most"),
    "more is held twice for one amendment": (
        "I4", lambda: with_ledger("adjust", "z", PARTS, name="6"), "adjust 6 took effect 2 times"),
    "a completed order holds money": ("I4", lambda: with_ledger("adjust", "z", PARTS, PRICE), "it holds money"),
    "a completed order is not sent": ("I4", lambda: with_sent(PARTS, 3), "is completed; sent and to be sent"),
    "a cancelled order is sent": ("I4", lambda: with_sent(CANCELLED, 1), "is CANCELLED; sent"),
    "an acknowledged amendment did not happen": (
        "I4", lambda: with_told(told("amend", COMPLETED, 9.0, persistence="LOGGED")), "0 times OrderAmended, 1 ack"),
    "an amendment that nobody asked for": (
        "I4", lambda: with_order(REJECTED, version=3, timeline=[*entries(REJECTED), Entry(3, "OrderAmended")]),
        "1 times OrderAmended, 0 acknowledged, 0 asked"),
    "an acknowledged hold did not happen": (
        "I4", lambda: with_told(told("hold", COMPLETED, 9.0, persistence="LOGGED")), "0 times OrderHeld, 1 ack"),
    "an acknowledged release did not happen": (
        "I4", lambda: with_told(told("release", PARTS, 9.0, persistence="LOGGED")), "1 times OrderReleased, 2 ack"),
    "another payment token was acknowledged and not taken": (
        "I4", lambda: with_told(told("renew", COMPLETED, 9.0, persistence="LOGGED")), "0 times PaymentRenewed, 1 ack"),
    "pieces were to be cancelled and are not": (
        "I4", lambda: with_told(told("cut", COMPLETED, 9.0, persistence="LOGGED")), "its pieces were cancelled"),
    "a held order asks for something": (
        "I4", lambda: with_order(PARTS, asked_while_held=["ShipmentRequested as version 3"]), "was held and asked"),
    "a completed order is held": ("I4", lambda: with_order(PARTS, holds=1), "that nobody released"),
    "money of no order is held": ("I4", lambda: with_ledger("authorize", "z", LOST), "which is no order"),
    "a refund is not known to the order": ("I4", lambda: with_ledger("refund", "z", nanos=1), "not charged once"),
    "a cancelled order holds money": (
        "I4", lambda: replace(truth.evidence(), ledger=truth.evidence().ledger[:-1]), "holds money"),
    "a completed order was not charged": (
        "I4", lambda: with_order(COMPLETED, due_nanos=3 * PRICE), "not charged once"),
    "an acknowledged return did not happen": (
        "I4", lambda: with_told(told("return", CANCELLED, 9.0, persistence="LOGGED")), "0 returns and refunds"),
    "a return happens that nobody asked for": (
        "I4", lambda: with_order(REJECTED, version=3, timeline=[*entries(REJECTED), Entry(3, "OrderReturned")]),
        "1 returns and refunds"),
    "an acknowledged cancellation did not happen": (
        "I4", lambda: with_told(told("cancel", COMPLETED, 0.1, persistence="LOGGED")), "never happened"),
    "a cancellation that nobody asked for": (
        "I4", lambda: with_order(REJECTED, version=3, timeline=[*entries(REJECTED), Entry(3, "CancelRequested")]),
        "nobody asked"),
    "an order does not end": ("I5", lambda: with_order(COMPLETED, state="CONFIRMED"), "though all is healed"),
    "stock stays reserved": ("I5", lambda: with_stock(reserved=1, available=8), "every order has ended"),
    "an order that has ended is waited for": ("I5", lambda: with_stock(backordered=1), "every order has ended"),
    "a call is never answered": ("I5", lambda: replace(truth.evidence(), unanswered=["cancel"]), "cancel"),
    "a version is missing": ("I6", lambda: with_order(COMPLETED, timeline=entries(COMPLETED)[1:]), "at version 7 has"),
    "a version was shown that never was": (
        "I6", lambda: with_told(told("get", COMPLETED, 9.0, given="QUORUM", version=3, event="OrderCancelled")),
        "it is by OrderConfirmed"),
    "the audit finds something": ("I6", lambda: replace(truth.evidence(), audit=["I3: CUP"]), "verify: I3: CUP"),
    "a linearizable read is old": (
        "I7", lambda: with_told(told("get", COMPLETED, 9.0, given="LINEARIZABLE", version=4, event="OrderShipped")),
        "when 6 was known"),
    "a quorum read misses what was stored": (
        "I7", lambda: with_told(told("get", COMPLETED, 9.0, given="QUORUM", version=5, event="OrderCompleted")),
        "when 6 was known"),
    "a read is older than it was to be": (
        "I7", lambda: with_told(told("get", REJECTED, 9.0, given="AT_LEAST", version_min=2, version=1,
                                     event="OrderPlaced")), "when 2 was known"),
    "an answer to a write is old": (
        "I7", lambda: with_told(told("cancel", CANCELLED, 9.0, persistence="LOGGED", version=2,
                                     event="StockAllocated")), "when 3 was known"),
    "an acknowledged order is NOT_FOUND": (
        "I7", lambda: with_told(told("get", REJECTED, 9.0, outcome="NOT_FOUND")), "it was acknowledged before"),
    "an event is never told": (
        "I9", lambda: with_events(lambda events: [one for one in events if one.name != "completed"]), "never told"),
    "an event is told that did not happen": (
        "I9", lambda: with_events(lambda events: [*events, Published("order", "refunded", REJECTED, 3)]),
        "did not happen"),
    "events are told in another order": ("I9", lambda: with_events(lambda events: events[::-1]), "told in the order"),
    "events of an order that is none": (
        "I9", lambda: with_events(lambda events: [*events, Published("order", "placed", LOST, 1)]), "is no order"),
    "a dispatch is not told": (
        "I9", lambda: with_events(lambda events: [one for one in events if one.service != "shipping"]),
        "1 shipments of it left and 0 were told"),
    "one of two dispatches is not told": (
        "I9", lambda: with_events(lambda events: [one for one in events if one.part != f"{PARTS}-2"]),
        "2 shipments of it left and 1 were told"),
    "a dispatch is told of a cancelled order": (
        "I9", lambda: with_events(lambda events: [*events, *truth.dispatched((CANCELLED, 1))]),
        "0 shipments of it left and 1 were told"),
    "the webhook of the second shipment never arrives": (
        "I9", lambda: with_arrivals(lambda arrived: [one for one in arrived if one.event.part != f"{PARTS}-2"]),
        "never taken"),
    "a webhook never arrives": (
        "I9", lambda: with_arrivals(lambda arrived: [one for one in arrived if one.event.name != "refunded"]),
        "never taken"),
    "a webhook arrives, is refused, and never again": (
        "I9", lambda: with_arrivals(lambda arrived: [one._replace(is_taken=False) for one in arrived]), "never taken"),
    "webhooks arrive in another order": (
        "I9", lambda: with_arrivals(lambda arrived: arrived[::-1]), "arrived in the order"),
    "a webhook is not signed": (
        "I9", lambda: with_arrivals(lambda arrived: [arrived[0]._replace(is_signed=False), *arrived]), "not signed"),
    "a webhook of what was never published": (
        "I9", lambda: with_arrivals(lambda arrived: [
            *arrived, arrived[0]._replace(message_id="msg_x", event=arrived[0].event._replace(version=99))]),
        "arrived, and not published"),
    "two webhooks share an id": (
        "I9", lambda: with_arrivals(lambda arrived: [one._replace(message_id="msg_0") for one in arrived]),
        "was used for"),
}  # fmt: skip
"""What went wrong, the invariant that it breaks, and words of the violation."""


def test_nothing_is_found_where_all_went_well() -> None:
    verdict = judge(truth.evidence())
    assert verdict.violations == []
    assert set(verdict.compared) == set(CHECKS)
    assert all(verdict.compared.values())


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name: str) -> None:
    invariant, make, words = PLANTED[name]
    verdict = judge(make())
    assert any(one.invariant == invariant and words in one.text for one in verdict.violations), verdict.violations


def test_every_invariant_has_something_planted() -> None:
    assert {invariant for invariant, _make, _words in PLANTED.values()} == set(CHECKS)


def test_what_promises_nothing_is_no_violation() -> None:
    """ACCEPTED under an id that others use too, a degraded read, an event told twice, a refused attempt before any, a
    webhook that comes again."""
    verdict: Verdict = judge(
        with_told(
            told("create", COMPLETED, 9.0, persistence="ACCEPTED", content=truth.content(COMPLETED, quantity=3)),
            told("get", COMPLETED, 9.0, asked="QUORUM", given="EVENTUAL", version=1, event="OrderPlaced"),
            told("get", COMPLETED, 0.1, outcome="NOT_FOUND"),
        )
    )
    assert verdict.violations == []
    assert judge(with_events(lambda events: [*events, events[0]])).violations == []
    assert judge(with_arrivals(lambda arrived: [*arrived, *arrived])).violations == []


def test_pieces_that_were_to_be_cancelled_may_end_with_a_rejected_order() -> None:
    timeline = [Entry(1, "OrderPlaced"), Entry(2, "ChangeRequested"), Entry(3, "OrderRejected")]
    found = with_order(REJECTED, version=3, timeline=timeline)
    cut = told("cut", REJECTED, 9.0, persistence="STORED", version=3, event="OrderRejected")
    verdict = judge(replace(found, journal=[*found.journal, cut]))
    assert [one for one in verdict.violations if one.invariant != "I9"] == []
    unasked = judge(with_told(replace(cut, version=2)))
    assert any("never happened" in one.text for one in unasked.violations)


def test_a_stock_that_is_kept_by_an_order_that_never_was_is_found() -> None:
    sound = truth.evidence()
    stocks = {**sound.stocks, "CUP-x": FinalStock(received=0, on_hand=0, reserved=1, available=-1, committed=0)}
    assert {one.invariant for one in judge(replace(sound, stocks=stocks)).violations} == {"I3", "I5"}


def test_orders_of_the_evidence_are_what_they_say() -> None:
    found: FinalOrder = truth.order(CANCELLED)
    assert (found.state, found.version) == ("CANCELLED", 6)
