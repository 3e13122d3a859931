"""`ordermesh order authorize-return`, `receive-return`, `inspect-return`, `cancel-return` and `exchange`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oms.order.v1 import order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected, usage
from ordermesh.cli.orders import (
    Etag,
    LineQuantities,
    OrderId,
    RequestId,
    line_quantities,
    new_order,
    order_table,
    persistence_row,
)
from ordermesh.cli.output import Output, print_message

ReturnId = Annotated[str, typer.Argument(metavar="RETURN_ID", help="The return's name within the order.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; for a person.")]
InspectedLines = Annotated[
    list[str], typer.Option("--line", metavar="LINE_ID:RESTOCK:WRITE_OFF", help="Repeat for each line.")
]


def authorize_return(
    order_id: OrderId,
    line: LineQuantities,
    reason: Reason = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Let goods be sent back; they are refunded when they have come and are inspected.

    Example: ordermesh order authorize-return ORDER_ID --line 1:2 --reason "too small"
    """
    request = order_service_pb2.AuthorizeReturnRequest(
        order_id=order_id, lines=line_quantities(line), reason=reason, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).AuthorizeReturn(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def receive_return(
    order_id: OrderId,
    return_id: ReturnId,
    line: LineQuantities,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Take in goods of a return, all or some."""
    request = order_service_pb2.ReceiveReturnRequest(
        order_id=order_id, return_id=return_id, lines=line_quantities(line), request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ReceiveReturn(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def inspect_return(
    order_id: OrderId,
    return_id: ReturnId,
    line: InspectedLines,
    include_shipping: Annotated[
        bool, typer.Option("--include-shipping", help="Give back their share of the shipping charge too.")
    ] = False,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Say how many pieces of a return can be sold again and how many cannot; all of them are refunded.

    Example: ordermesh order inspect-return ORDER_ID 1 --line 1:1:1
    """
    request = order_service_pb2.InspectReturnRequest(
        order_id=order_id, return_id=return_id, lines=[_inspected(text) for text in line],
        include_shipping=include_shipping, request_id=request_id, etag=etag,
    )  # fmt: skip
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).InspectReturn(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def cancel_return(
    order_id: OrderId,
    return_id: ReturnId,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Say that nothing more of a return comes."""
    request = order_service_pb2.CancelReturnRequest(
        order_id=order_id, return_id=return_id, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).CancelReturn(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def exchange(
    order_id: OrderId,
    back: Annotated[list[str], typer.Option("--back", metavar="LINE_ID:QUANTITY", help="What comes back; repeat.")],
    customer: Annotated[str, typer.Option("--customer", help="Whose orders they are.")] = "",
    line: Annotated[
        list[str], typer.Option("--line", metavar="SKU:QUANTITY:PRICE", help="What goes out; repeat.")
    ] = [],  # noqa: B006 # typer copies it
    token: Annotated[str, typer.Option("--token", help="Payment token of the order in exchange.")] = "tok_ok",
    currency: Annotated[str, typer.Option("--currency", help="Of the prices.")] = "GBP",
    file: Annotated[
        Path | None, typer.Option("--file", help="Take that order as JSON from a file, - for stdin.")
    ] = None,
    reason: Reason = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Let goods be sent back and place another order in their stead, which is paid by itself.

    Example: ordermesh order exchange ORDER_ID --back 1:1 --customer ada --line TEA-L:1:4.99
    """
    request = order_service_pb2.ExchangeOrderRequest(
        order_id=order_id, lines=line_quantities(back), reason=reason, request_id=request_id, etag=etag,
        replacement=new_order(file, customer, line, token, currency),
    )  # fmt: skip
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ExchangeOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.replacement, persistence_row(response.persistence)))


def _inspected(text: str) -> order_service_pb2.InspectedLine:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not (parts[0] and parts[1].isdecimal() and parts[2].isdecimal()):
        raise usage(f"{text!r}: expected --line LINE_ID:RESTOCK:WRITE_OFF, as 1:2:0")
    return order_service_pb2.InspectedLine(
        line_id=parts[0], restock_quantity=int(parts[1]), write_off_quantity=int(parts[2])
    )
