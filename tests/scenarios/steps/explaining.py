"""Steps that ask what an order waits for."""

from __future__ import annotations

from pytest_bdd import then

from oms.order.v1.order_explanation_pb2 import OrderExplanation, Party, WaitingFor
from tests.scenarios.shop import Shop, until
from tests.scenarios.wording import said


def waiting_for(shop: Shop, order: str, state: str) -> OrderExplanation:
    """The explanation, once it is that; waits for it, because what it says is what is stored."""
    wanted = WaitingFor.Value(f"WAITING_FOR_{state}")

    def look() -> OrderExplanation | None:
        found = shop.explain(shop.order_id(order))
        return found if found.waiting_for == wanted and not found.obstacles else None

    explanation: OrderExplanation = until(look, lambda: f"it waits for {state}: {shop.explain(shop.order_id(order))}")
    return explanation


@then(said("{order} waits for {state}[ and the {party} can act]"))
def waits_for(shop: Shop, order: str, state: str, party: str | None) -> None:
    """What it waits for, who can act, and nothing is in the way."""
    shop.expect_no_failure()
    explanation = waiting_for(shop, order, state)
    assert explanation.text
    if party is not None:
        assert Party.Value(f"PARTY_{party.upper()}") in [remedy.party for remedy in explanation.remedies]


@then(said('{order} waits for {state}, of which {service} says "{words}"'))
def part_says(shop: Shop, order: str, state: str, service: str, words: str) -> None:
    """What the service that has to answer has stored."""
    shop.expect_no_failure()

    def look() -> bool:
        parts = waiting_for(shop, order, state).parts
        return [part.text for part in parts if part.service == service] == [words]

    until(look, lambda: f"{service} says it: {shop.explain(shop.order_id(order)).parts}")


@then(said('the explanation of {order} says "{words}"'))
def explanation_says(shop: Shop, order: str, words: str) -> None:
    """To a person."""
    assert words in shop.explain(shop.order_id(order)).text


@then(said("{order} is given up if nobody acts"))
def is_given_up(shop: Shop, order: str) -> None:
    """At a time that is told."""
    explanation = shop.explain(shop.order_id(order))
    assert explanation.gives_up_at.ToMicroseconds() > explanation.since.ToMicroseconds()


@then(said("{order} is asked again, and is {given} up"))
def asked_and_given_up(shop: Shop, order: str, given: str) -> None:
    """The times that are told."""
    explanation = shop.explain(shop.order_id(order))
    asked_us = explanation.asked_again_at.ToMicroseconds()
    assert explanation.since.ToMicroseconds() < asked_us
    assert explanation.HasField("gives_up_at") == (given == "given")
