"""`ordermesh stock`: receiving, counting and reading stock, and what orders hold of it."""

from __future__ import annotations

from typing import Annotated

import typer

from oms.inventory.v1 import inventory_pb2, inventory_service_pb2, inventory_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected
from ordermesh.cli.orders import Consistency, Etag, ReadConsistency, RequestId
from ordermesh.cli.output import Output, print_message

app = typer.Typer(no_args_is_help=True, help="Receive, correct and read stock.")

Sku = Annotated[str, typer.Argument(metavar="SKU", help="The article; upper and lower case differ.")]


@app.command()
def receive(
    sku: Sku,
    quantity: Annotated[int, typer.Argument(min=1, help="How many pieces came in.")],
    request_id: RequestId = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Receive pieces of a SKU. Example: ordermesh stock receive TEA 100"""
    request = inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity, request_id=request_id)
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).ReceiveStock(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def adjust(
    sku: Sku,
    change: Annotated[int, typer.Option("--by", help="How many pieces more, or fewer if negative.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; for a person.")] = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Correct the count of a SKU. Example: ordermesh stock adjust TEA --by -3 --reason broken"""
    request = inventory_service_pb2.AdjustStockRequest(
        sku=sku, change=change, reason=reason, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).AdjustStock(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def get(
    sku: Sku,
    consistency: ReadConsistency = Consistency.QUORUM,
    min_version: Annotated[int, typer.Option("--min-version", help="The version to wait for, with at_least.")] = 0,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Read the stock of a SKU. Exit status 4 when it was never received."""
    request = inventory_service_pb2.GetStockRequest(
        sku=sku, read_consistency=consistency.name_in_contract(), min_version=min_version
    )
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).GetStock(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def reservations(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")],
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")] = 50,
    page_token: Annotated[str, typer.Option("--page-token", help="Where to go on.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List what an order holds of each SKU."""
    request = inventory_service_pb2.ListReservationsRequest(
        order_id=order_id, page_size=page_size, page_token=page_token
    )
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).ListReservations(request, timeout=timeout)
    rows = [("SKU", "QUANTITY", "STATE", "RESTOCKED")]
    for item in response.reservations:
        state = inventory_pb2.ReservationState.Name(item.state).removeprefix("RESERVATION_STATE_")
        rows.append((item.sku, str(item.quantity), state, str(item.restocked)))
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", "", "", ""))
    print_message(response, output, rows)


def _stock_table(stock: inventory_pb2.Stock) -> list[tuple[str, ...]]:
    counts = (stock.on_hand, stock.reserved, stock.available, stock.received, stock.committed, stock.version)
    return [
        ("SKU", "ON HAND", "RESERVED", "AVAILABLE", "RECEIVED", "COMMITTED", "VERSION"),
        (stock.sku, *map(str, counts)),
    ]
