"""Every unary method of every service is reached by HTTP, with the result and with the error that gRPC gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import time
from typing import Any, NamedTuple

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status

from oms.admin.v1 import admin_service_pb2 as admin
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2 as inventory
from oms.notification.v1 import webhook_service_pb2 as webhooks
from oms.order.v1 import order_pb2
from oms.order.v1 import order_service_pb2 as orders
from oms.payment.v1 import payment_service_pb2 as payment
from oms.shipping.v1 import shipping_service_pb2 as shipping
from ordermesh.gateway.http.errors import STATUSES
from ordermesh.gateway.http.routes import Binding
from tests.e2e.api.client import LINEARIZABLE, Client, new_id, order_of, until
from tests.unit.edge.shop import Shop
from tests.unit.gateway.caller import BINDINGS, METHODS, SERVICES, binding_of, call, result_of, status_of


class Known(NamedTuple):
    """What is there when a method is tried."""

    order: order_pb2.Order
    shipment_id: str
    cancelled_id: str
    amended_id: str
    amended_lines: Sequence[order_pb2.OrderLine]
    endpoint_id: str
    declined_id: str
    returned_id: str
    exchanged_id: str


Requests = Mapping[str, Callable[[Known], Message]]

AT_LEAST = consistency_pb2.READ_CONSISTENCY_AT_LEAST
UNKNOWN = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
NEW_ENDPOINT = webhooks.CreateEndpointRequest(
    url="https://shop.example/hooks", event_types=["oms.order.*"], request_id="endpoint"
)
DELETED = "we_b087aeb30374a0579938f647"
"""The endpoint that a request named `deleted` makes."""
WELL: Requests = {
    "CreateOrder": lambda known: orders.CreateOrderRequest(order=same_order(known.order)),
    "BatchCreateOrders": lambda known: orders.BatchCreateOrdersRequest(
        requests=[
            orders.CreateOrderRequest(order=same_order(known.order)),
            orders.CreateOrderRequest(order=order_of(order_id=UNKNOWN, quantity=0)),
        ]
    ),
    "GetOrder": lambda known: orders.GetOrderRequest(
        order_id=known.order.order_id, read_consistency=AT_LEAST, min_version=2
    ),
    "ListOrders": lambda known: orders.ListOrdersRequest(
        customer_id="ada", order_state=order_pb2.ORDER_STATE_PLACED, create_time_from=known.order.create_time
    ),
    "ExplainOrder": lambda known: orders.ExplainOrderRequest(
        order_id=known.order.order_id, read_consistency=LINEARIZABLE
    ),
    "CancelOrder": lambda known: orders.CancelOrderRequest(order_id=known.cancelled_id, request_id="cancel"),
    "AmendOrder": lambda known: orders.AmendOrderRequest(
        order_id=known.amended_id, lines=known.amended_lines, request_id="amend"
    ),
    "HoldOrder": lambda known: orders.HoldOrderRequest(
        order_id=known.cancelled_id, reason="ADDRESS_CHECK", request_id="hold"
    ),
    "ReleaseOrder": lambda known: orders.ReleaseOrderRequest(
        order_id=known.cancelled_id, reason="ADDRESS_CHECK", request_id="release"
    ),
    "UpdatePayment": lambda known: orders.UpdatePaymentRequest(
        order_id=known.declined_id, payment_token="tok_ok", request_id="pay"
    ),
    "ReturnOrder": lambda known: orders.ReturnOrderRequest(
        order_id=known.order.order_id,
        lines=[orders.LineQuantity(line_id=known.order.lines[0].line_id, quantity=1)],
        request_id="return",
    ),
    "RefundOrder": lambda known: orders.RefundOrderRequest(
        order_id=known.order.order_id, amount=known.order.lines[0].unit_price, request_id="refund"
    ),
    "AuthorizeReturn": lambda known: orders.AuthorizeReturnRequest(
        order_id=known.returned_id, lines=[orders.LineQuantity(line_id="1", quantity=2)], request_id="permit"
    ),
    "ReceiveReturn": lambda known: orders.ReceiveReturnRequest(
        order_id=known.returned_id, return_id="1", lines=[{"line_id": "1", "quantity": 1}], request_id="came"
    ),
    "InspectReturn": lambda known: orders.InspectReturnRequest(
        order_id=known.returned_id, return_id="1", lines=[{"line_id": "1", "restock_quantity": 1}], request_id="judged"
    ),
    "CancelReturn": lambda known: orders.CancelReturnRequest(
        order_id=known.returned_id, return_id="1", request_id="end"
    ),
    "ExchangeOrder": lambda known: orders.ExchangeOrderRequest(
        order_id=known.returned_id,
        lines=[{"line_id": "1", "quantity": 1}],
        request_id="exchange",
        replacement=order_of(order_id=known.exchanged_id),
    ),
    "ReceiveStock": lambda _: inventory.ReceiveStockRequest(sku="a/b c%2F:x", quantity=5, request_id="receive"),
    "BatchReceiveStock": lambda _: inventory.BatchReceiveStockRequest(
        requests=[
            inventory.ReceiveStockRequest(sku="CUP", quantity=5, request_id="receive"),
            inventory.ReceiveStockRequest(sku="CUP", quantity=-5),
        ]
    ),
    "AdjustStock": lambda _: inventory.AdjustStockRequest(sku="TEA", change=-2, reason="broken", request_id="adjust"),
    "CountStock": lambda _: inventory.CountStockRequest(sku="PIN", counted=7, request_id="count"),
    "SetLowStockThreshold": lambda _: inventory.SetLowStockThresholdRequest(
        sku="TEA", threshold=3, request_id="threshold"
    ),
    "ListStockMovements": lambda _: inventory.ListStockMovementsRequest(sku="TEA", page_size=1),
    "ListStockReservations": lambda _: inventory.ListStockReservationsRequest(
        sku="TEA", include_closed=True, min_age={"seconds": 0, "nanos": 1_000}
    ),
    "GetStock": lambda _: inventory.GetStockRequest(sku="TEA", read_consistency=LINEARIZABLE),
    "BatchGetStock": lambda _: inventory.BatchGetStockRequest(skus=["TEA", "NONE"], read_consistency=LINEARIZABLE),
    "ListReservations": lambda known: inventory.ListReservationsRequest(order_id=known.order.order_id, page_size=1),
    "GetPayment": lambda known: payment.GetPaymentRequest(order_id=known.order.order_id, read_consistency=LINEARIZABLE),
    "ListPaymentEvents": lambda known: payment.ListPaymentEventsRequest(order_id=known.order.order_id, page_size=1),
    "GetShipment": lambda known: shipping.GetShipmentRequest(
        shipment_id=known.shipment_id, read_consistency=LINEARIZABLE
    ),
    "ListShipments": lambda known: shipping.ListShipmentsRequest(order_id=known.order.order_id),
    "DispatchShipment": lambda known: shipping.DispatchShipmentRequest(shipment_id=known.shipment_id),
    "DeliverShipment": lambda known: shipping.DeliverShipmentRequest(shipment_id=known.shipment_id),
    "CreateEndpoint": lambda _: NEW_ENDPOINT,
    "GetEndpoint": lambda known: webhooks.GetEndpointRequest(endpoint_id=known.endpoint_id),
    "ListEndpoints": lambda _: webhooks.ListEndpointsRequest(page_size=5),
    "UpdateEndpoint": lambda known: webhooks.UpdateEndpointRequest(
        endpoint_id=known.endpoint_id, description="orders", event_types=["*"], request_id="update"
    ),
    "DeleteEndpoint": lambda _: webhooks.DeleteEndpointRequest(endpoint_id=DELETED),
    "RotateSecret": lambda known: webhooks.RotateSecretRequest(endpoint_id=known.endpoint_id, request_id="rotate"),
    "SendTestEvent": lambda known: webhooks.SendTestEventRequest(endpoint_id=known.endpoint_id, request_id="test"),
    "ListDeliveries": lambda known: webhooks.ListDeliveriesRequest(endpoint_id=known.endpoint_id, page_size=5),
    "Redeliver": lambda known: webhooks.RedeliverRequest(
        endpoint_id=known.endpoint_id, start_time={"seconds": 1}, end_time={"seconds": 2}, request_id="redeliver"
    ),
    "ListPartitions": lambda _: admin.ListPartitionsRequest(group="orders"),
    "ListDeadLetters": lambda _: admin.ListDeadLettersRequest(include_resolved=True, page_size=5),
    "GetTopology": lambda _: admin.GetTopologyRequest(),
    "ResumeInstance": lambda _: admin.ResumeInstanceRequest(instance="owner-1"),
}
"""A request of each method that succeeds, however often it is sent."""
ILL: Requests = {
    "CreateOrder": lambda known: orders.CreateOrderRequest(order=order_of(order_id=known.order.order_id, sku="OTHER")),
    "BatchCreateOrders": lambda _: orders.BatchCreateOrdersRequest(),
    "GetOrder": lambda _: orders.GetOrderRequest(order_id="no id", read_consistency=77),  # type: ignore[arg-type] # none
    "ListOrders": lambda _: orders.ListOrdersRequest(customer_id="ada", page_token="made up", page_size=-1),
    "ExplainOrder": lambda _: orders.ExplainOrderRequest(order_id=UNKNOWN, min_version=3),
    "CancelOrder": lambda known: orders.CancelOrderRequest(order_id=known.order.order_id, etag="1"),
    "AmendOrder": lambda known: orders.AmendOrderRequest(order_id=known.order.order_id, lines=known.amended_lines),
    "HoldOrder": lambda known: orders.HoldOrderRequest(order_id=known.order.order_id, reason="LATE", request_id="late"),
    "ReleaseOrder": lambda known: orders.ReleaseOrderRequest(order_id=known.order.order_id, hold_id="1", reason="both"),
    "UpdatePayment": lambda known: orders.UpdatePaymentRequest(order_id=known.order.order_id, payment_token="tok_ok"),
    "ReturnOrder": lambda known: orders.ReturnOrderRequest(order_id=UNKNOWN, lines=[{"line_id": "1", "quantity": 0}]),
    "RefundOrder": lambda known: orders.RefundOrderRequest(
        order_id=known.order.order_id, request_id="too much", amount={"currency_code": "GBP", "units": 999_999}
    ),
    "AuthorizeReturn": lambda known: orders.AuthorizeReturnRequest(
        order_id=known.order.order_id, lines=[{"line_id": "1", "quantity": 999}], request_id="too many"
    ),
    "ReceiveReturn": lambda known: orders.ReceiveReturnRequest(
        order_id=known.order.order_id, return_id="7/8", lines=[{"line_id": "1", "quantity": 1}], request_id="no such"
    ),
    "InspectReturn": lambda _: orders.InspectReturnRequest(
        order_id=UNKNOWN, return_id="1", lines=[{"line_id": "1"}, {"line_id": "1", "restock_quantity": -1}]
    ),
    "CancelReturn": lambda known: orders.CancelReturnRequest(
        order_id=known.order.order_id, return_id="9", request_id="no return"
    ),
    "ExchangeOrder": lambda known: orders.ExchangeOrderRequest(
        order_id=known.order.order_id,
        lines=[{"line_id": "1", "quantity": 1}],
        replacement=order_of(order_id=UNKNOWN, quantity=0, token=""),
    ),
    "ReceiveStock": lambda _: inventory.ReceiveStockRequest(sku="TEA\n", quantity=-(2**63)),
    "BatchReceiveStock": lambda _: inventory.BatchReceiveStockRequest(),
    "AdjustStock": lambda _: inventory.AdjustStockRequest(sku="NONE", change=-1, request_id="adjust"),
    "CountStock": lambda _: inventory.CountStockRequest(sku="TEA", counted=-1, etag="x"),
    "SetLowStockThreshold": lambda _: inventory.SetLowStockThresholdRequest(sku="NONE", threshold=3, request_id="low"),
    "ListStockMovements": lambda _: inventory.ListStockMovementsRequest(sku="NONE"),
    "ListStockReservations": lambda _: inventory.ListStockReservationsRequest(sku="TEA", min_age={"seconds": -1}),
    "GetStock": lambda _: inventory.GetStockRequest(sku="NONE", read_consistency=LINEARIZABLE),
    "BatchGetStock": lambda _: inventory.BatchGetStockRequest(),
    "ListReservations": lambda _: inventory.ListReservationsRequest(order_id="x" * 300),
    "GetPayment": lambda _: payment.GetPaymentRequest(order_id=UNKNOWN, read_consistency=LINEARIZABLE),
    "ListPaymentEvents": lambda _: payment.ListPaymentEventsRequest(order_id=UNKNOWN, page_token="é"),
    "GetShipment": lambda _: shipping.GetShipmentRequest(shipment_id=f"{UNKNOWN}-1", read_consistency=LINEARIZABLE),
    "ListShipments": lambda _: shipping.ListShipmentsRequest(order_id=UNKNOWN, page_size=-5),
    "DispatchShipment": lambda _: shipping.DispatchShipmentRequest(shipment_id="none", tracking="\x00"),
    "DeliverShipment": lambda _: shipping.DeliverShipmentRequest(shipment_id=f"{UNKNOWN}-1"),
    "CreateEndpoint": lambda _: webhooks.CreateEndpointRequest(url="gopher://shop.example"),
    "GetEndpoint": lambda _: webhooks.GetEndpointRequest(endpoint_id="a/b:c"),
    "ListEndpoints": lambda _: webhooks.ListEndpointsRequest(page_token="made up"),
    "UpdateEndpoint": lambda known: webhooks.UpdateEndpointRequest(
        endpoint_id=known.endpoint_id, state="ENDPOINT_STATE_DISABLED"
    ),
    "DeleteEndpoint": lambda known: webhooks.DeleteEndpointRequest(endpoint_id=known.endpoint_id, etag="999"),
    "RotateSecret": lambda _: webhooks.RotateSecretRequest(endpoint_id="nobody", request_id="x"),
    "SendTestEvent": lambda _: webhooks.SendTestEventRequest(endpoint_id="nobody", request_id="x"),
    "ListDeliveries": lambda known: webhooks.ListDeliveriesRequest(endpoint_id=known.endpoint_id, page_size=-1),
    "Redeliver": lambda known: webhooks.RedeliverRequest(endpoint_id=known.endpoint_id, delivery_id="77"),
    "ListPartitions": lambda _: admin.ListPartitionsRequest(group="nobody"),
    "ListDeadLetters": lambda _: admin.ListDeadLettersRequest(page_token="made up"),
    "ReplayDeadLetter": lambda _: admin.ReplayDeadLetterRequest(dead_letter_id="orders/0/7/0"),
    "DiscardDeadLetter": lambda _: admin.DiscardDeadLetterRequest(dead_letter_id="a:replay"),
    "DrainInstance": lambda _: admin.DrainInstanceRequest(instance="owner-1"),
    "ResumeInstance": lambda _: admin.ResumeInstanceRequest(instance="a/b:c"),
}
"""A request of each method that fails."""
ALWAYS_WELL = {"GetTopology"}
NEVER_WELL = {"ReplayDeadLetter", "DiscardDeadLetter", "DrainInstance"}
"""There are no dead letters here, and one owner; their own tests have more."""
UNARY = [name for name, method in METHODS.items() if not (method.client_streaming or method.server_streaming)]


def same_order(order: order_pb2.Order) -> order_pb2.Order:
    """The request by which an order was created."""
    return order_of(order_id=order.order_id, quantity=order.lines[0].quantity)


@pytest.fixture
async def known(shop: Shop, client: Client) -> Known:
    """A completed order and its shipment, stored, one that was cancelled by a request `cancel`, and one that waits for
    its time and was amended by a request `amend`."""
    order = await client.completed()
    request = shipping.ListShipmentsRequest(order_id=order.order_id)

    async def listed() -> Any:
        return (await client.shipping.ListShipments(request)).shipments

    shipment_id = (await until(listed, "the shipment is stored"))[0].shipment_id
    shop.provider.silent = True
    created = await client.create(order_of(), consistency_pb2.DURABILITY_LOGGED)
    cancelled_id = created.order.order_id
    hold = orders.HoldOrderRequest(order_id=cancelled_id, reason="ADDRESS_CHECK", request_id="hold")
    await client.orders.HoldOrder(hold)
    release = orders.ReleaseOrderRequest(order_id=cancelled_id, reason="ADDRESS_CHECK", request_id="release")
    await client.orders.ReleaseOrder(release)
    await client.orders.CancelOrder(orders.CancelOrderRequest(order_id=cancelled_id, request_id="cancel"))
    shop.provider.silent = False
    await client.ended(cancelled_id)
    endpoint_id = (await client.webhooks.CreateEndpoint(NEW_ENDPOINT)).endpoint.endpoint_id
    other = webhooks.CreateEndpointRequest(url="https://shop.example/", request_id="deleted")
    assert (await client.webhooks.CreateEndpoint(other)).endpoint.endpoint_id == DELETED
    declined_id, exchanged_id = await paid_by_another_token(client), new_id()
    returned_id = await sent_back(client, exchanged_id)
    scheduled = order_of()
    scheduled.not_before.FromSeconds(int(time()) + 86_400)
    amended_id = (await client.create(scheduled)).order.order_id
    lines = order_of(quantity=3).lines
    await client.orders.AmendOrder(orders.AmendOrderRequest(order_id=amended_id, lines=lines, request_id="amend"))
    return Known(
        order, shipment_id, cancelled_id, amended_id, lines, endpoint_id, declined_id, returned_id, exchanged_id
    )


async def sent_back(client: Client, exchanged_id: str) -> str:
    """A completed order with a return that went its whole way, and another in exchange, by the requests below."""
    order = await client.completed()
    known = Known(order, "", "", "", [], "", "", order.order_id, exchanged_id)
    for name in ("AuthorizeReturn", "ReceiveReturn", "InspectReturn", "CancelReturn", "ExchangeOrder"):
        await getattr(client.orders, name)(WELL[name](known))
    await client.ended(exchanged_id)
    return str(order.order_id)


async def paid_by_another_token(client: Client) -> str:
    """A completed order whose payment was declined at first, and renewed by a request `pay`."""
    declined = order_of(token="tok_decline")
    declined.payment_retry_seconds = 600
    order_id = (await client.create(declined)).order.order_id

    async def waits() -> bool:
        return bool((await client.get(order_id)).order.payment_state == order_pb2.PAYMENT_STATE_RETRY)

    await until(waits, "another token is waited for")
    await client.orders.UpdatePayment(
        orders.UpdatePaymentRequest(order_id=order_id, payment_token="tok_ok", request_id="pay")
    )
    await client.ended(order_id)
    return order_id


async def by_grpc(client: Client, method: str, request: Message) -> Any:
    """The answer of gRPC, or the status of its failure."""
    service = METHODS[method].containing_service.name
    stubs = {
        "OrderService": client.orders,
        "InventoryService": client.stock,
        "PaymentService": client.payments,
        "ShippingService": client.shipping,
        "WebhookService": client.webhooks,
        "AdminService": client.admin,
    }
    try:
        return await getattr(stubs[service], method)(request)
    except grpc.aio.AioRpcError as error:
        return rpc_status.from_call(error)  # type: ignore[arg-type] # it has what is asked of a call


def steady(message: Any) -> Any:
    """The message without what differs from call to call."""
    parts = [message, *getattr(message, "results", ())]
    for part in parts:
        if "freshness" in part.DESCRIPTOR.fields_by_name:
            part.freshness.ClearField("read_time")
    for reservation in getattr(message, "reservations", ()):
        reservation.ClearField("age")
    for partition in getattr(message, "partitions", ()):
        partition.CopyFrom(type(partition)(group=partition.group, partition=partition.partition, owner=partition.owner))
    return message


def test_every_unary_method_has_a_path_and_a_case_here() -> None:
    bound = {binding.method.name for binding in BINDINGS}
    assert bound == {*UNARY, "WatchOrder"}
    assert set(WELL) == set(UNARY) - NEVER_WELL
    assert set(ILL) == set(UNARY) - ALWAYS_WELL
    assert len(METHODS) == sum(len(service.methods) for service in SERVICES), "names are unique"


async def test_every_method_answers_the_same_by_http(client: Client, http: httpx.AsyncClient, known: Known) -> None:
    async def is_same(binding: Binding, request: Message) -> bool:
        expected = await by_grpc(client, binding.method.name, request)
        assert not isinstance(expected, status_pb2.Status), (binding.method.name, expected)
        answer = result_of(binding, await call(http, binding, request))
        return bool(steady(answer) == steady(expected))

    for binding in BINDINGS:
        name = binding.method.name
        if name in WELL:  # what a return leads to goes on between two calls; once it has ended they are the same
            same = partial(is_same, binding, WELL[name](known))
            await until(same, f"{binding.verb} of {name} answers the same")


async def test_every_method_fails_the_same_by_http(client: Client, http: httpx.AsyncClient, known: Known) -> None:
    for method, make in ILL.items():
        request = make(known)

        expected = await by_grpc(client, method, request)
        response = await call(http, binding_of(method), request)

        # Not their bytes: a map in a detail has no order.
        assert MessageToDict(status_of(response)) == MessageToDict(expected), method
        code = next(code for code in STATUSES if code.value[0] == expected.code)
        assert response.status_code == STATUSES[code], method


async def test_an_order_is_put_under_its_id(client: Client, http: httpx.AsyncClient) -> None:
    await client.receive("TEA")
    request = orders.CreateOrderRequest(order=order_of(), durability=consistency_pb2.DURABILITY_LOGGED)

    response = await call(http, binding_of("CreateOrder", "PUT"), request)

    assert response.request.url.path == f"/v1/orders/{request.order.order_id}"
    assert (await client.get(request.order.order_id)).order.customer_id == "ada"
    assert response.json()["persistence"] in {"PERSISTENCE_LOGGED", "PERSISTENCE_STORED"}
    other = await http.put(
        f"/v1/orders/{new_id()}",
        json={"order_id": request.order.order_id, "customer_id": "ada"},
    )
    assert other.status_code == 400, "the body says another id than the path"
