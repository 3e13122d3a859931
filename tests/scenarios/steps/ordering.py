"""Steps that place orders, and say where they are."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytest_bdd import step, then, when

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.cli.orders import states
from tests.e2e.api.client import failure_of_status
from tests.scenarios.shop import PRICE, Shop, amount_of, text_of, until
from tests.scenarios.wording import goods_of, said

CROWD = "crowd"
"""The customer of orders that come all at once."""
AT_ONCE = 4
"""Clients of a crowd."""
PAGE = 1000
"""Orders of a list's page."""


@step(said("{customer} orders {goods}[ at {price} each][ by {token}][ as {other}]"))
def orders(shop: Shop, customer: str, goods: str, price: str | None, token: str | None, other: str | None) -> None:
    """A new order; each SKU is a line, also one that is named twice."""
    shop.create(shop.new_order(customer, goods_of(goods), price or PRICE, token or "tok_ok"), other)


@step(said("{customer} orders these lines[ with {amount} for shipping][ as {other}]"))
def orders_lines(shop: Shop, customer: str, amount: str | None, other: str | None, datatable: list[list[str]]) -> None:
    """A new order, line by line: sku, quantity, price, and where the table has them discount and tax."""
    order = shop.new_order(customer, (), PRICE, "tok_ok")
    if amount is not None:
        order.shipping_charge.CopyFrom(amount_of(amount))
    names, *rows = datatable
    for row in rows:
        cells = dict(zip(names, row, strict=True))
        line = order.lines.add(sku=shop.sku(cells["sku"]), quantity=int(cells["quantity"]))
        line.unit_price.CopyFrom(amount_of(cells["price"]))
        for name in ("discount", "tax"):
            if cells.get(name):
                getattr(line, name).CopyFrom(amount_of(cells[name]))
    shop.create(order, other)


@when(said('{customer} places an order with {field} set to "{words}"'))
def orders_nonsense(shop: Shop, customer: str, field: str, words: str) -> None:
    """An order that is wrong in one place; the field is that of its only line, or of the order."""
    order = shop.new_order(customer, [("TEA", 1)], PRICE, "tok_ok")
    spoil(order, field, words)
    shop.try_to(shop.client.orders.CreateOrder, order_service_pb2.CreateOrderRequest(order=order))


def spoil(order: order_pb2.Order, field: str, words: str) -> None:
    """Sets a field by its path; an amount is given as text, `nothing` clears it."""
    target: Any = order
    *parents, last = field.replace("lines[0].", "lines.").split(".")
    for parent in parents:
        target = target.lines[0] if parent == "lines" else getattr(target, parent)
    if words == "nothing":
        target.ClearField(last)
    elif last in ("unit_price", "discount", "tax", "shipping_charge"):
        getattr(target, last).CopyFrom(amount_of(words))
    else:
        setattr(target, last, type(getattr(target, last))(words))


@when(said("{customer} sends {order} again"))
def sends_again(shop: Shop, customer: str, order: str) -> None:
    """The same content under the same id."""
    again = order_pb2.Order()
    again.CopyFrom(shop.created[shop.order_id(order)])
    again.customer_id = shop.customer(customer)
    shop.try_to(shop.client.orders.CreateOrder, order_service_pb2.CreateOrderRequest(order=again))


@when(said("{customer} orders {goods} under the id of {order}"))
def orders_under_id(shop: Shop, customer: str, goods: str, order: str) -> None:
    """Other content under an id that is taken."""
    other = shop.new_order(customer, goods_of(goods), PRICE, "tok_ok")
    other.order_id = shop.order_id(order)
    shop.try_to(shop.client.orders.CreateOrder, order_service_pb2.CreateOrderRequest(order=other))


@when(said("{count} orders of {goods} are placed at once"))
def crowd(shop: Shop, count: str, goods: str) -> None:
    """A rush: several clients send batches side by side."""
    wanted = [shop.new_order(CROWD, goods_of(goods), PRICE, "tok_ok") for _ in range(int(count))]
    shop.crowd = [order.order_id for order in wanted]
    share = -(-len(wanted) // (2 * AT_ONCE))
    batches = [wanted[start : start + share] for start in range(0, len(wanted), share)]
    with ThreadPoolExecutor(AT_ONCE) as clients:
        answers = list(clients.map(lambda batch: send_batch(shop, batch), batches))
    assert not [result for answer in answers for result in answer.results if result.HasField("status")]


@when(said("{customer} sends a batch of these orders"))
def sends_batch(shop: Shop, customer: str, datatable: list[list[str]]) -> None:
    """One row per order: goods and token."""
    wanted = [shop.new_order(customer, goods_of(row[0]), PRICE, row[1]) for row in datatable[1:]]
    shop.crowd = [order.order_id for order in wanted]
    request = order_service_pb2.BatchCreateOrdersRequest(
        requests=[order_service_pb2.CreateOrderRequest(order=order) for order in wanted]
    )
    shop.try_to(shop.client.orders.BatchCreateOrders, request)


def send_batch(shop: Shop, wanted: list[order_pb2.Order]) -> Any:
    """The answer to a batch; what was refused for want of room is sent again, as a client would."""

    def look() -> Any:
        request = order_service_pb2.BatchCreateOrdersRequest(
            requests=[order_service_pb2.CreateOrderRequest(order=order) for order in wanted]
        )
        answer = shop.client.call(shop.client.orders.BatchCreateOrders, request)
        failures = [failure_of_status(each.status) for each in answer.results if each.HasField("status")]
        return None if any(failure.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") for failure in failures) else answer

    return until(look, "a batch is taken")


@then(said("order {number} of the batch is refused with {reason}"))
def one_of_batch_refused(shop: Shop, number: str, reason: str) -> None:
    """It failed alone."""
    shop.expect_no_failure()
    results = shop.answer.results
    refused = [place for place, result in enumerate(results, 1) if result.HasField("status")]
    assert refused == [int(number)]
    assert failure_of_status(results[int(number) - 1].status).reason == reason


@then(said("the call is refused with {reason}[ for {field}]"))
def is_refused(shop: Shop, reason: str, field: str | None) -> None:
    """It failed, with the reason that programs may rely on, and with the field where one is wrong."""
    failure = shop.look_at_failure()
    assert failure.reason == reason, failure
    if field is not None:
        assert list(failure.fields) == [field], failure


@when("the same call is made again")
def again(shop: Shop) -> None:
    """The same request, with the same ids."""
    assert shop.last is not None, "no call was made yet"
    shop.try_to(*shop.last)


@then(said("the answer is {order} as it is"))
def answer_is(shop: Shop, order: str) -> None:
    """The order that there is, not another one."""
    shop.expect_no_failure()
    assert shop.answer.order.order_id == shop.order_id(order)
    assert shop.answer.persistence == consistency_pb2.PERSISTENCE_STORED
    assert shop.answer.order.create_time == shop.get(shop.order_id(order)).create_time


@step(said("{order} is waiting for dispatch"))
def waiting_for_dispatch(shop: Shop, order: str) -> None:
    """Stock is reserved, money is held, and the shipment is there."""
    shop.expect_no_failure()
    shop.is_waiting_for_dispatch(shop.order_id(order))


@step(said("the provider was asked for the payment of {order}"))
def provider_was_asked(shop: Shop, order: str) -> None:
    """Whether or not it has answered since."""
    shop.expect_no_failure()
    none = order_pb2.PAYMENT_STATE_NONE
    shop.wait_for(shop.order_id(order), lambda found: found.payment_state != none, f"{order} is being paid")


@then(said("{order} ends as {state}[ because of {reason}]"))
def ends_as(shop: Shop, order: str, state: str, reason: str | None) -> None:
    """How it ended, and why."""
    shop.expect_no_failure()
    found = shop.ended(shop.order_id(order))
    assert states(found)[0] == state, f"it ended as {states(found)} {found.state_reason}"
    if reason is not None:
        assert found.state_reason == reason


@step(said("the payment of {order} is {state}"))
def payment_is(shop: Shop, order: str, state: str) -> None:
    """What the order knows of its payment; waits for it."""
    shop.expect_no_failure()
    shop.wait_for(shop.order_id(order), lambda found: states(found)[1] == state, f"the payment of {order} is {state}")


@step(said("the goods of {order} are {state}"))
def goods_are(shop: Shop, order: str, state: str) -> None:
    """Where the goods are; waits for it."""
    shop.expect_no_failure()
    shop.wait_for(shop.order_id(order), lambda found: states(found)[2] == state, f"the goods of {order} are {state}")


@then(said("{order} costs {amount}"))
def costs(shop: Shop, order: str, amount: str) -> None:
    """Its total; waits for it, because an order may change."""
    shop.expect_no_failure()
    shop.wait_for(shop.order_id(order), lambda found: text_of(found.total) == amount, f"{order} costs {amount}")


@then(said("exactly {count} of them are {state}[ and all others are {reason}]"))
def exactly(shop: Shop, count: str, state: str, reason: str | None) -> None:
    """How many of a crowd are where; `all others` waits until nobody is anywhere else."""
    wanted = Counter({state: int(count)})
    if reason is not None:
        wanted[reason] = len(shop.crowd) - int(count)
    seen: Counter[str] = Counter()

    def look() -> bool:
        seen.clear()
        seen.update(states(order)[0] for order in crowd_now(shop))
        assert seen[state] <= wanted[state], f"more than {count} are {state}: {dict(seen)}"
        return seen == wanted

    until(look, lambda: f"{dict(wanted)}; they are {dict(seen)}")


def crowd_now(shop: Shop) -> list[order_pb2.Order]:
    """The orders of the crowd as they are now."""
    ids, found, token = set(shop.crowd), [], ""
    while True:
        request = order_service_pb2.ListOrdersRequest(
            customer_id=shop.customer(CROWD), page_size=PAGE, page_token=token
        )
        page = shop.client.call(shop.client.orders.ListOrders, request)
        found += [order for order in page.orders if order.order_id in ids]
        token = page.next_page_token
        if not token:
            return found
