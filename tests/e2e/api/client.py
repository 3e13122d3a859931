"""A client of the engine's gRPC API, and the orders and failures that the tests speak of."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from google.type import money_pb2
from grpc_status import rpc_status

from oms.admin.v1 import admin_service_pb2_grpc
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.notification.v1 import webhook_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from oms.payment.v1 import payment_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2_grpc
from ordermesh.core import ids

LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE
ENDED = (order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
DEADLINE_S = 30.0


class Client:
    """The stubs of one channel."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        stub: Any = order_service_pb2_grpc.OrderServiceStub
        self.orders: Any = stub(self.channel)
        self.stock: Any = inventory_service_pb2_grpc.InventoryServiceStub(self.channel)
        self.payments: Any = payment_service_pb2_grpc.PaymentServiceStub(self.channel)
        self.shipping: Any = shipping_service_pb2_grpc.ShippingServiceStub(self.channel)
        self.webhooks: Any = webhook_service_pb2_grpc.WebhookServiceStub(self.channel)
        self.admin: Any = admin_service_pb2_grpc.AdminServiceStub(self.channel)

    async def receive(self, sku: str, quantity: int = 1000) -> None:
        """Makes stock."""
        request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity)
        await self.stock.ReceiveStock(request, timeout=DEADLINE_S)

    async def create(self, order: order_pb2.Order, durability: int = 0) -> order_service_pb2.CreateOrderResponse:
        """Creates an order."""
        request = order_service_pb2.CreateOrderRequest(order=order, durability=durability)  # type: ignore[arg-type]  # its number
        response: order_service_pb2.CreateOrderResponse = await self.orders.CreateOrder(request, timeout=DEADLINE_S)
        return response

    async def get(self, order_id: str, consistency: int = LINEARIZABLE, min_version: int = 0) -> Any:
        """Reads an order."""
        request = order_service_pb2.GetOrderRequest(
            order_id=order_id,
            read_consistency=consistency,  # type: ignore[arg-type]  # an enum's number
            min_version=min_version,
        )
        return await self.orders.GetOrder(request, timeout=DEADLINE_S)

    async def ended(self, order_id: str) -> order_pb2.Order:
        """The order once it has ended."""

        async def has_ended() -> order_pb2.Order | None:
            order: order_pb2.Order = (await self.get(order_id)).order
            return order if order.order_state in ENDED else None

        order: order_pb2.Order = await until(has_ended, f"order {order_id} ends")
        return order

    async def completed(self, sku: str = "TEA", quantity: int = 4) -> order_pb2.Order:
        """A new order that is shipped and paid."""
        await self.receive(sku)
        created = await self.create(order_of(sku=sku, quantity=quantity))
        order = await self.ended(created.order.order_id)
        assert order.order_state == order_pb2.ORDER_STATE_COMPLETED, order
        return order


async def until(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What the condition gives, once it is something true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not (value := await condition()):
        assert loop.time() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        await asyncio.sleep(0.02)
    return value


def new_id(ahead_ms: int = 0) -> str:
    """An order id of now, or of a time ahead."""
    return ids.order_id_of(int(time() * 1000) + ahead_ms, uuid.uuid4().bytes[: ids.RANDOM_BYTES])


def pounds(units: int, nanos: int = 0) -> money_pb2.Money:
    """An amount."""
    return money_pb2.Money(currency_code="GBP", units=units, nanos=nanos)


def order_of(
    *,
    sku: str = "TEA",
    quantity: int = 2,
    customer_id: str = "ada",
    token: str = "tok_ok",
    order_id: str | None = None,
) -> order_pb2.Order:
    """An order of one line at 4.99."""
    return order_pb2.Order(
        order_id=new_id() if order_id is None else order_id,
        customer_id=customer_id,
        payment_token=token,
        lines=[order_pb2.OrderLine(sku=sku, quantity=quantity, unit_price=pounds(4, 990_000_000))],
    )


@dataclass
class Failure:
    """What a failed call said: its code, and its details by name."""

    code: str
    message: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[str] = ()
    retry_ms: int = 0
    precondition: str = ""


def failure_of_status(status: status_pb2.Status, code: str = "") -> Failure:
    """A status as a failure."""
    names = {each.value[0]: each.name for each in grpc.StatusCode}
    failure = Failure(code or names[status.code], status.message)
    for packed in status.details:
        _add_detail(failure, packed)
    return failure


def _add_detail(failure: Failure, packed: Any) -> None:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry, precondition = error_details_pb2.RetryInfo(), error_details_pb2.PreconditionFailure()
    if packed.Unpack(info):
        assert info.domain == "oms"
        failure.reason, failure.metadata = info.reason, dict(info.metadata)
    elif packed.Unpack(bad):
        failure.fields = [violation.field for violation in bad.field_violations]
    elif packed.Unpack(retry):
        failure.retry_ms = retry.retry_delay.ToMilliseconds()
    elif packed.Unpack(precondition):
        failure.precondition = precondition.violations[0].type


async def failure_of(call: Awaitable[Any]) -> Failure:
    """How a call fails; one that succeeds is an error."""
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # it has what is asked of a call
        if status is None:
            return Failure(error.code().name, error.details() or "")
        return failure_of_status(status, error.code().name)
    raise AssertionError(f"it should fail, and gave {response}")
