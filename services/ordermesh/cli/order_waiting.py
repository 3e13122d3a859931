"""`ordermesh order hold`, `release` and `update-payment`: orders that wait for people."""

from __future__ import annotations

from typing import Annotated

import typer

from oms.order.v1 import order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected, usage
from ordermesh.cli.orders import Etag, OrderId, RequestId, order_table, persistence_row
from ordermesh.cli.output import Output, print_message

Detail = Annotated[str, typer.Option("--detail", help="Why; for a person.")]


def hold(
    order_id: OrderId,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a word for programs, as ADDRESS_CHECK.")],
    detail: Detail = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Keep an order from going on to its next step, until it is released."""
    request = order_service_pb2.HoldOrderRequest(
        order_id=order_id, reason=reason, detail=detail, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).HoldOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def release(
    order_id: OrderId,
    hold_id: Annotated[str, typer.Option("--hold", help="The hold that ends.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="All holds of this reason end.")] = "",
    detail: Detail = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """End a hold, or all of one reason; after the last one the order goes on."""
    if bool(hold_id) == bool(reason):
        raise usage("give either --hold or --reason")
    request = order_service_pb2.ReleaseOrderRequest(
        order_id=order_id, hold_id=hold_id, reason=reason, detail=detail, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ReleaseOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def update_payment(
    order_id: OrderId,
    token: Annotated[str, typer.Option("--token", help="The payment token to try next.")],
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Name another payment token for an order whose payment was declined, while it waits for one."""
    request = order_service_pb2.UpdatePaymentRequest(
        order_id=order_id, payment_token=token, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).UpdatePayment(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))
