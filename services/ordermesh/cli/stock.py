"""`ordermesh stock`: receiving, counting and reading stock, and what orders hold of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from oms.inventory.v1 import inventory_pb2, inventory_service_pb2, inventory_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, TIMEOUT_DEFAULT_S, OutputForm, Server, Timeout, connected, usage
from ordermesh.cli.orders import Consistency, Etag, ReadConsistency, RequestId
from ordermesh.cli.output import Output, print_message

app = typer.Typer(no_args_is_help=True, help="Receive, correct and read stock.")

Sku = Annotated[str, typer.Argument(metavar="SKU", help="The article; upper and lower case differ.")]
ReasonCode = Annotated[str, typer.Option("--reason-code", help="Why, as damaged, lost, found, expired, cycle_count.")]


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
    reason_code: ReasonCode = "unspecified",
    reason: Annotated[str, typer.Option("--reason", help="Why; for a person.")] = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Correct the count of a SKU. Example: ordermesh stock adjust TEA --by -3 --reason-code damaged"""
    request = inventory_service_pb2.AdjustStockRequest(
        sku=sku, change=change, reason=reason, reason_code=_reason(reason_code), request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).AdjustStock(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def count(
    sku: Sku,
    counted: Annotated[int, typer.Argument(min=0, help="How many there are, promised ones among them.")],
    reason_code: ReasonCode = "cycle_count",
    reason: Annotated[str, typer.Option("--reason", help="Why; for a person.")] = "",
    allow_shortage: Annotated[
        bool, typer.Option("--allow-shortage", help="Take it also where fewer were counted than are promised.")
    ] = False,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Set what is on hand of a SKU to what was counted. Example: ordermesh stock count TEA 97"""
    request = inventory_service_pb2.CountStockRequest(
        sku=sku, counted=counted, reason_code=_reason(reason_code), reason=reason, allow_shortage=allow_shortage,
        request_id=request_id, etag=etag,
    )  # fmt: skip
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).CountStock(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def threshold(
    sku: Sku,
    pieces: Annotated[int | None, typer.Argument(min=0, help="Low when no more are available; without, never.")] = None,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Say from when on stock is low, or that nobody wants to know. Example: ordermesh stock threshold TEA 10"""
    request = inventory_service_pb2.SetLowStockThresholdRequest(
        sku=sku, threshold=pieces, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        response = stub.SetLowStockThreshold(request, timeout=timeout)
    print_message(response, output, _stock_table(response.stock))


@app.command()
def movements(
    sku: Sku,
    kind: Annotated[str, typer.Option("--kind", help="Only this kind, as received, reserved, counted.")] = "",
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")] = 50,
    page_token: Annotated[str, typer.Option("--page-token", help="Where to go on.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List everything that changed the stock of a SKU, the newest first."""
    wanted = f"STOCK_MOVEMENT_KIND_{kind.upper() or 'UNSPECIFIED'}"
    request = inventory_service_pb2.ListStockMovementsRequest(
        sku=sku, kind=_named(inventory_pb2.StockMovementKind, wanted), page_size=page_size, page_token=page_token
    )
    with connected(server) as channel:
        response = inventory_service_pb2_grpc.InventoryServiceStub(channel).ListStockMovements(request, timeout=timeout)
    rows: list[tuple[str, ...]] = [("TIME", "VERSION", "KIND", "QUANTITY", "ON HAND", "RESERVED", "ORDER", "REASON")]
    for item in response.movements:
        name = inventory_pb2.StockMovementKind.Name(item.kind).removeprefix("STOCK_MOVEMENT_KIND_")
        code = (
            inventory_pb2.StockReason.Name(item.reason_code).removeprefix("STOCK_REASON_") if item.reason_code else ""
        )
        reason = ": ".join(part for part in (code, item.reason) if part)
        numbers = map(str, (item.quantity, item.on_hand, item.reserved))
        rows.append((item.time.ToJsonString(), str(item.version), name, *numbers, item.order_id, reason))
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", *[""] * 7))
    print_message(response, output, rows)


@app.command()
def reserved(
    sku: Sku,
    include_closed: Annotated[bool, typer.Option("--all", help="Also those that are not open any more.")] = False,
    min_age: Annotated[float, typer.Option("--min-age", min=0, help="Only those at least so many seconds old.")] = 0.0,
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")] = 50,
    page_token: Annotated[str, typer.Option("--page-token", help="Where to go on.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List for which orders a SKU is reserved, the newest first, and since when."""
    request = inventory_service_pb2.ListStockReservationsRequest(
        sku=sku, include_closed=include_closed, page_size=page_size, page_token=page_token
    )
    if min_age:
        request.min_age.FromMicroseconds(round(min_age * 1_000_000))
    with connected(server) as channel:
        stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        response = stub.ListStockReservations(request, timeout=timeout)
    rows = [("ORDER", "QUANTITY", "STATE", "SINCE", "AGE")]
    for item in response.reservations:
        state = inventory_pb2.ReservationState.Name(item.state).removeprefix("RESERVATION_STATE_")
        rows.append(
            (item.order_id, str(item.quantity), state, item.reserve_time.ToJsonString(), f"{item.age.seconds:,} s")
        )
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", "", "", "", ""))
    print_message(response, output, rows)


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


def _reason(code: str) -> Any:
    """A reason by its name without the prefix."""
    return _named(inventory_pb2.StockReason, f"STOCK_REASON_{code.upper()}")


def _named(values: Any, name: str) -> Any:
    """A value of an enum. Ends the command for a name that it has not."""
    if name not in set(values.keys()):
        prefix = values.keys()[0].removesuffix("UNSPECIFIED")
        names = ", ".join(each.removeprefix(prefix).lower() for each in values.keys()[1:])
        raise usage(f"there is no {name.removeprefix(prefix).lower()}; there are {names}")
    return values.Value(name)


def _stock_table(stock: inventory_pb2.Stock) -> list[tuple[str, ...]]:
    counts = (stock.on_hand, stock.reserved, stock.available, stock.received, stock.committed, stock.version)
    return [
        ("SKU", "ON HAND", "RESERVED", "AVAILABLE", "RECEIVED", "COMMITTED", "VERSION"),
        (stock.sku, *map(str, counts)),
    ]
