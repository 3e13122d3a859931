"""Changes of orders that wait for a warehouse: shipping decides, stock and money follow, and the audit holds."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from oms.order.v1 import order_pb2, order_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from tests.e2e.api.client import ENDED, Client, failure_of, order_of, pounds, until
from tests.e2e.engine import Engine

ORDERS = 40
CONFIRMED = order_pb2.ORDER_STATE_CONFIRMED
Line = order_service_pb2.LineQuantity
UNDECIDED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED}
"""A call that fails so is sent again."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose shipments leave by hand alone."""
    data = tmp_path_factory.mktemp("by-hand") / "data"
    with Engine(data, "--partitions", "2", "--no-dispatch-automatically") as running:
        yield running


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    """A client of the engine."""
    connected = Client(engine.grpc)
    yield connected
    await connected.channel.close()


async def confirmed(client: Client, *, sku: str, quantity: int = 4, token: str = "tok_ok") -> str:
    """The id of an order whose shipment waits for the warehouse."""
    order_id: str = (await client.create(order_of(sku=sku, quantity=quantity, token=token))).order.order_id

    async def is_confirmed() -> bool:
        return bool((await client.get(order_id)).order.order_state == CONFIRMED)

    await until(is_confirmed, "the order is confirmed")
    return order_id


def amendment(order_id: str, quantity: int, sku: str, request_id: str = "amend") -> order_service_pb2.AmendOrderRequest:
    """So many of a SKU instead."""
    lines = order_of(sku=sku, quantity=quantity).lines
    return order_service_pb2.AmendOrderRequest(order_id=order_id, lines=lines, request_id=request_id)


async def dispatch(client: Client, order_id: str) -> None:
    """The newest shipment leaves, and the order ends; who owns the partition may change meanwhile."""

    async def leaves() -> bool:
        try:
            return await _dispatched(client, order_id)
        except grpc.aio.AioRpcError as error:
            if error.code() in {grpc.StatusCode.FAILED_PRECONDITION, *UNDECIDED}:
                return False
            raise

    await until(leaves, "the shipment leaves, and the order ends")


async def _dispatched(client: Client, order_id: str) -> bool:
    if (await client.get(order_id)).order.order_state in ENDED:
        return True
    request = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)
    for shipment in (await client.shipping.ListShipments(request)).shipments[-1:]:
        asked = shipping_service_pb2.DispatchShipmentRequest(shipment_id=shipment.shipment_id, tracking="T")
        await client.shipping.DispatchShipment(asked)
    return False


async def test_an_amendment_adds_stock_and_money_and_is_done_once(client: Client) -> None:
    await client.receive("HAND-1", 20)
    order_id = await confirmed(client, sku="HAND-1")
    request = amendment(order_id, 9, "HAND-1")

    answers = await asyncio.gather(*(client.orders.AmendOrder(request) for _ in range(3)))
    assert {answer.order.lines[0].quantity for answer in answers} == {9}
    await dispatch(client, order_id)
    order = (await client.get(order_id)).order
    assert (order.order_state, order.total) == (order_pb2.ORDER_STATE_COMPLETED, pounds(44, 910_000_000))
    assert [entry.event for entry in order.timeline].count("OrderAmended") == 1


@pytest.mark.parametrize(
    ("token", "quantity", "why"),
    [("tok_ok", 1_000, "OUT_OF_STOCK"), ("tok_no_increase", 5, "PAYMENT_DECLINED: increase_declined")],
    ids=["no stock", "no money"],
)
async def test_a_refused_amendment_leaves_the_order_as_it_was(
    client: Client, token: str, quantity: int, why: str
) -> None:
    await client.receive("HAND-2", 20)
    order_id = await confirmed(client, sku="HAND-2", token=token)

    failure = await failure_of(client.orders.AmendOrder(amendment(order_id, quantity, "HAND-2")))
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "AMENDMENT_REFUSED")
    assert why in failure.metadata["detail"]
    await dispatch(client, order_id)
    order = (await client.get(order_id)).order
    assert (order.order_state, order.lines[0].quantity) == (order_pb2.ORDER_STATE_COMPLETED, 4)


async def test_pieces_are_cancelled_until_the_warehouse_sends_them(client: Client) -> None:
    await client.receive("HAND-3", 20)
    order_id = await confirmed(client, sku="HAND-3")
    fewer = order_service_pb2.CancelOrderRequest(order_id=order_id, lines=[Line(line_id="1", quantity=1)])

    assert (await client.orders.CancelOrder(fewer)).order.due == pounds(14, 970_000_000)
    await dispatch(client, order_id)
    assert (await client.get(order_id)).order.lines[0].shipped_quantity == 3
    late = await failure_of(client.orders.CancelOrder(fewer))
    assert (late.code, late.reason) == ("FAILED_PRECONDITION", "ORDER_NOT_CANCELLABLE")


def test_the_command_line_schedules_amends_and_cuts_an_order(engine: Engine) -> None:
    begins, ends = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (2, 30))
    create = ("order", "create", "--customer", "ada", "--line", "CLI:4:4.99", "--not-before", begins)
    order = engine.json(*create, "--policy", "backorder", "--split", "--wait-until", ends)["order"]
    assert (order["order_state"], order["allow_split_shipments"]) == ("ORDER_STATE_SCHEDULED", True)

    order_id = order["order_id"]
    amended = engine.json(
        "order", "amend", order_id, "--line", "1=CLI:7:4.99", "--line", "CUP:1:2.50", "--shipping", "3"
    )
    assert [line["quantity"] for line in amended["order"]["lines"]] == ["7", "1"]
    cut = engine.json("order", "cancel", order_id, "--line", "1:2")
    assert cut["order"]["due"] == {"currency_code": "GBP", "units": "30", "nanos": 450_000_000}
    table = engine.call("order", "get", order_id).stdout
    assert "7 x CLI at 4.99 GBP, 2 cancelled" in table
    assert "30.45 GBP" in table
    wrong = engine.call("order", "create", "--customer", "ada", "--line", "CLI:4:4.99", "--not-before", "tomorrow")
    assert wrong.returncode == 2
    assert "--not-before tomorrow" in wrong.stderr


async def test_whoever_is_first_wins_and_nothing_is_left_behind(engine: Engine, client: Client) -> None:
    """Customers change and cancel orders while the warehouse sends them and an owner is killed; the books balance."""
    await client.receive("RACE", 150)
    chance = random.Random(20)
    order_ids = [await confirmed(client, sku="RACE", quantity=chance.randint(2, 5)) for _ in range(ORDERS)]
    outcomes: Counter[str] = Counter()

    async def customer(number: int, order_id: str) -> None:
        for change in range(2):
            request = change_of(order_id, (number + change) % 3, f"change-{change}", chance.randint(1, 9))
            await asyncio.sleep(chance.random() / 2)
            outcomes[await answered(client, request)] += 1

    async def warehouse(order_id: str) -> None:
        await asyncio.sleep(chance.random())
        await dispatch(client, order_id)

    work = [customer(*each) for each in enumerate(order_ids)] + [warehouse(order_id) for order_id in order_ids]
    running = asyncio.gather(*work)
    await asyncio.sleep(0.4)
    engine.kill("owner")
    await running

    states = Counter([(await client.get(order_id)).order.order_state for order_id in order_ids])
    assert set(states) <= set(ENDED)
    assert outcomes["done"], outcomes
    audit = await asyncio.to_thread(engine.call, "verify")
    assert audit.returncode == 0, audit.stdout + audit.stderr


Change = order_service_pb2.AmendOrderRequest | order_service_pb2.CancelOrderRequest


def change_of(order_id: str, kind: int, request_id: str, quantity: int) -> Change:
    """An amendment, a cancellation of one piece, or of the whole order."""
    if kind == 0:
        return amendment(order_id, quantity, "RACE", request_id)
    pieces = [Line(line_id="1", quantity=1)] if kind == 1 else []
    return order_service_pb2.CancelOrderRequest(order_id=order_id, request_id=request_id, lines=pieces)


async def answered(client: Client, request: Change) -> str:
    """What became of a change, once there is an answer; a refusal is one."""
    amends = isinstance(request, order_service_pb2.AmendOrderRequest)
    method = client.orders.AmendOrder if amends else client.orders.CancelOrder

    async def answer() -> str:
        try:
            await method(request)
        except grpc.aio.AioRpcError as error:
            if error.code() in UNDECIDED:
                return ""
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                return "refused"
            raise
        return "done"

    told: str = await until(answer, "the change is answered")
    return told
