"""Steps about money at Stripe, by what its stand-in knows, and about comparing payments with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pytest_bdd import given, step, then, when

from oms.admin.v1 import admin_pb2, admin_service_pb2, admin_service_pb2_grpc
from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.e2e.api.client import new_id
from tests.scenarios.shop import Shop, until
from tests.scenarios.wording import said

COMPARED_S = 120.0
"""For a comparison, which looks at what differs again and again for half a minute."""


def intents_of(fake: StripeFake, order_id: str) -> Sequence[Mapping[str, Any]]:
    """What Stripe has of an order."""
    return [each for each in fake.account.intents.values() if each["metadata"].get("ordermesh_order") == order_id]


def amounts(fake: StripeFake, order_id: str) -> tuple[Decimal, Decimal, Decimal]:
    """What is held, was taken, and was given back."""
    found = intents_of(fake, order_id)
    refunds = [each for intent in found for each in fake.account.refunds_of(intent["id"])]
    pence = (
        sum(each["amount_capturable"] for each in found),
        sum(each["amount_received"] for each in found),
        sum(each["amount"] for each in refunds if each["status"] == "succeeded"),
    )
    held, taken, given_back = (Decimal(each) / 100 for each in pence)
    return held, taken, given_back


@then(said("at Stripe {amount} is held for {order}, {price} taken and {back} given back"))
def at_stripe(shop: Shop, fake: StripeFake, amount: str, order: str, price: str, back: str) -> None:
    """By Stripe's own account; waits for it."""
    shop.expect_no_failure()
    wanted, order_id = (Decimal(amount), Decimal(price), Decimal(back)), shop.order_id(order)
    until(
        lambda: amounts(fake, order_id) == wanted,
        lambda: f"held, taken and given back are {wanted}; they are {amounts(fake, order_id)}",
    )


@step(said("the answer to the next {operation} at Stripe is lost"))
def answer_is_lost(fake: StripeFake, operation: str) -> None:
    """It took effect, and nobody hears of it."""
    fake.fail(operation, Fault.LOST_AFTER)


@given(said("at Stripe {amount} is held for {order} by somebody else"))
def held_by_somebody_else(shop: Shop, fake: StripeFake, amount: str, order: str) -> None:
    """As the engine would have it held; an order without a name yet is one that the engine does not know."""
    order_id = shop.orders.get(order) or new_id()
    known = next(each for each in fake.account.intents.values() if "ordermesh_order" in each["metadata"])
    shop.orders[order] = order_id
    fake.account.create(
        {
            "amount": str(int(Decimal(amount) * 100)),
            "currency": "gbp",
            "capture_method": "manual",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "metadata": {**known["metadata"], "ordermesh_order": order_id},
        }
    )


@given(said("somebody lets go at Stripe of what is held for {order}"))
def lets_go(shop: Shop, fake: StripeFake, order: str) -> None:
    """By hand, say, on Stripe's own pages."""
    (intent,) = intents_of(fake, shop.order_id(order))
    fake.account.cancel(intent["id"])


@when(said("payments are compared with the provider[ and {mended}]"))
def compared(shop: Shop, mended: str | None) -> None:
    """All of the last day; the findings are what the next steps look at."""
    stub: Any = admin_service_pb2_grpc.AdminServiceStub
    request = admin_service_pb2.ReconcilePaymentsRequest(mend=mended is not None)
    stream = stub(shop.client.channel).ReconcilePayments(request, timeout=COMPARED_S)
    shop.answer = [each.finding for each in stream if each.HasField("finding")]


def findings(shop: Shop, order: str) -> list[tuple[str, bool]]:
    """What differs for an order, and whether it was mended."""
    found = [each for each in shop.answer if each.order_id == shop.order_id(order)]
    names = [admin_pb2.PaymentDifference.Name(each.difference).removeprefix("PAYMENT_DIFFERENCE_") for each in found]
    return [(name, each.mended) for name, each in zip(names, found, strict=True)]


@then(said("{state} is found for {order}, and is {mending}"))
def is_found(shop: Shop, state: str, order: str, mending: str) -> None:
    """That, and nothing else."""
    assert findings(shop, order) == [(state, mending == "mended")], findings(shop, order)


@then(said("nothing differs for {order}"))
def nothing_differs(shop: Shop, order: str) -> None:
    """Both sides say the same."""
    assert findings(shop, order) == [], findings(shop, order)
