"""Steps by which goods come back and money is given back; and what the provider says about money."""

from __future__ import annotations

import uuid

from pytest_bdd import then, when

from oms.order.v1 import order_service_pb2
from ordermesh.adapters.sandbox_payments import takes_effect_at_first
from tests.scenarios.shop import Shop, amount_of, text_of, until
from tests.scenarios.steps.cancelling import at_once, place
from tests.scenarios.wording import said

Line = order_service_pb2.LineQuantity
ROUND = 6
"""Orders of a crowd that are bought side by side."""
ROUNDS_MAX = 6
"""Half of all captures are meant: that none is among so many happens once in 2^36 runs."""


@when(said("{customer} returns {quantity} of line {line} of {order}[ for {words}]"))
def returns(shop: Shop, customer: str, quantity: str, line: str, order: str, words: str | None) -> None:
    """Goods come back; `for sale` says that they can be sold again."""
    assert words in (None, "sale")
    request = order_service_pb2.ReturnOrderRequest(
        order_id=shop.order_id(order),
        lines=[Line(line_id=line, quantity=int(quantity))],
        restock=words == "sale",
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.orders.ReturnOrder, request)


@when(said("{customer} is refunded {amount} of {order}"))
def is_refunded(shop: Shop, customer: str, amount: str, order: str) -> None:
    """Money without goods."""
    request = order_service_pb2.RefundOrderRequest(
        order_id=shop.order_id(order), amount=amount_of(amount), request_id=uuid.uuid4().hex
    )
    shop.try_to(shop.client.orders.RefundOrder, request)


@when(said("{customer} is refunded for {quantity} of line {line} of {order}"))
def is_refunded_for(shop: Shop, customer: str, quantity: str, line: str, order: str) -> None:
    """The part of a line's total that pieces are, without the goods."""
    request = order_service_pb2.RefundOrderRequest(
        order_id=shop.order_id(order),
        lines=[Line(line_id=line, quantity=int(quantity))],
        request_id=uuid.uuid4().hex,
    )
    shop.try_to(shop.client.orders.RefundOrder, request)


@when(said("the same request id is used to refund {amount}"))
def same_id_other_amount(shop: Shop, amount: str) -> None:
    """A mistake of the client's."""
    assert shop.last is not None, "no call was made yet"
    method, request = shop.last
    assert isinstance(request, order_service_pb2.RefundOrderRequest)
    other = order_service_pb2.RefundOrderRequest(
        order_id=request.order_id, amount=amount_of(amount), request_id=request.request_id
    )
    shop.try_to(method, other)


@then(said("{amount} of {order} is refunded"))
def refunded_is(shop: Shop, amount: str, order: str) -> None:
    """What was given back in sum; waits for the provider."""
    shop.expect_no_failure()
    seen: list[str] = []

    def look() -> bool:
        seen[:] = [text_of(shop.get(shop.order_id(order)).refunded)]
        return seen == [amount]

    until(look, lambda: f"{amount} of {order} is refunded; so far {seen[0]}")


@then(said("the provider did for {order}:"))
def provider_did(shop: Shop, order: str, datatable: list[list[str]]) -> None:
    """Each operation that took effect at the payment provider, by its own ledger, in order; and no other."""
    wanted = [(row[0], row[1]) for row in datatable[1:]]
    order_id = shop.order_id(order)
    until(
        lambda: len(shop.ledger([order_id])) >= len(wanted),
        lambda: f"the provider did {wanted}; it did {shop.ledger([order_id])}",
    )
    assert shop.ledger([order_id]) == wanted


@when(said("orders of {goods} by {token} are bought until the answer to a capture that took effect is lost"))
def bought_until_answer_lost(shop: Shop, goods: str, token: str) -> None:
    """A few side by side, then a few more: of every second capture by tok_flaky the first answer is what is lost."""
    for _ in range(ROUNDS_MAX):
        crowd = [place(shop, goods, token) for _ in range(ROUND)]
        for order_id in crowd:
            shop.is_waiting_for_dispatch(order_id)
        assert all(at_once(shop, [(shop.client.shipping.DispatchShipment, shop.dispatch(each)) for each in crowd]))
        shop.crowd += [shop.ended(order_id).order_id for order_id in crowd]
        captures = [line for line in shop.ledger_lines(crowd) if line["operation"] == "capture"]
        if any(takes_effect_at_first(line["idempotency_key"]) for line in captures):
            return
    raise AssertionError(f"of {len(shop.crowd)} captures none lost its answer")


@then("the provider did for each of them:")
def provider_did_for_each(shop: Shop, datatable: list[list[str]]) -> None:
    """As for one order."""
    for order_id in shop.crowd:
        shop.orders["the order"] = order_id
        provider_did(shop, "the order", datatable)


@then(said("the provider took nothing for {order}"))
def provider_took_nothing(shop: Shop, order: str) -> None:
    """No money was taken, and none is held."""
    operations = [operation for operation, _ in shop.ledger([shop.order_id(order)])]
    assert "capture" not in operations
    assert operations.count("authorize") == operations.count("void")
