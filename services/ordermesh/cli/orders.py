"""`ordermesh order`: creating, reading, watching, cancelling, returning and refunding orders."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.amounts import money, money_text, parse_nanos
from ordermesh.cli.client import (
    SERVER_DEFAULT,
    TIMEOUT_DEFAULT_S,
    OutputForm,
    Server,
    Timeout,
    connected,
    usage,
)
from ordermesh.cli.output import Output, print_line, print_message

app = typer.Typer(no_args_is_help=True, help="Create, read, watch, cancel, return and refund orders.")

ENDED = (order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
"""The states in which an order waits for nothing any more."""


class Consistency(StrEnum):
    """How fresh a read has to be."""

    QUORUM = "quorum"
    EVENTUAL = "eventual"
    AT_LEAST = "at_least"
    LINEARIZABLE = "linearizable"

    def name_in_contract(self) -> str:
        """The same in the contract."""
        return f"READ_CONSISTENCY_{self.name}"


class Durability(StrEnum):
    """What a creation waits for."""

    STORED = "stored"
    LOGGED = "logged"


OrderId = Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")]
RequestId = Annotated[
    str, typer.Option("--request-id", help="Names the request, so that it is done once; made if empty.")
]
Etag = Annotated[str, typer.Option("--etag", help="Only if the order is still at this version.")]
ReadConsistency = Annotated[Consistency, typer.Option("--consistency", help="How fresh the answer has to be.")]
LineQuantities = Annotated[list[str], typer.Option("--line", metavar="LINE_ID:QUANTITY", help="Repeat for each line.")]


@app.command()
def create(
    customer: Annotated[str, typer.Option("--customer", help="Whose order it is.")] = "",
    line: Annotated[list[str], typer.Option("--line", metavar="SKU:QUANTITY:PRICE", help="Repeat for each line.")] = [],  # noqa: B006 # typer copies it
    token: Annotated[
        str, typer.Option("--token", help="Payment token; the sandbox knows tok_ok, tok_decline, tok_slow, tok_flaky.")
    ] = "tok_ok",
    order_id: Annotated[str, typer.Option("--order-id", help="A UUIDv7; made if empty.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of the prices.")] = "GBP",
    label: Annotated[list[str], typer.Option("--label", metavar="NAME=VALUE", help="Repeat for each label.")] = [],  # noqa: B006 # typer copies it
    file: Annotated[
        Path | None, typer.Option("--file", help="Take the order as JSON from a file, - for stdin.")
    ] = None,
    durability: Annotated[Durability, typer.Option("--durability", help="What to wait for.")] = Durability.STORED,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Create an order.

    Example: ordermesh order create --customer ada --line TEA:2:4.99 --line CUP:1:7.50
    """
    order = _order_of_file(file) if file else order_pb2.Order()
    try:
        order.lines.extend(_order_line(text, currency) for text in line)
        order.labels.update(dict(_pair(text, "=", "--label NAME=VALUE") for text in label))
    except ValueError as error:
        raise usage(str(error)) from None
    order.customer_id = customer or order.customer_id
    order.order_id = order_id or order.order_id
    order.payment_token = order.payment_token or token
    if not order.customer_id or not order.lines:
        raise usage("an order needs --customer and at least one --line SKU:QUANTITY:PRICE, or --file")
    request = order_service_pb2.CreateOrderRequest(order=order, durability=f"DURABILITY_{durability.name}")
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).CreateOrder(request, timeout=timeout)
    print_message(response, output, _order_table(response.order, _persistence(response.persistence)))


@app.command()
def get(
    order_id: OrderId,
    consistency: ReadConsistency = Consistency.QUORUM,
    min_version: Annotated[int, typer.Option("--min-version", help="The version to wait for, with at_least.")] = 0,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Read an order, as fresh as asked for. Exit status 4 when there is none."""
    request = order_service_pb2.GetOrderRequest(
        order_id=order_id, read_consistency=consistency.name_in_contract(), min_version=min_version
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).GetOrder(request, timeout=timeout)
    given = consistency_pb2.ReadConsistency.Name(response.freshness.consistency).removeprefix("READ_CONSISTENCY_")
    print_message(response, output, _order_table(response.order, ("freshness", given)))


@app.command("list")
def list_orders(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Whose orders.")],
    state: Annotated[str, typer.Option("--state", help="Only orders in this state, as COMPLETED.")] = "",
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=1000, help="At most so many.")] = 50,
    page_token: Annotated[str, typer.Option("--page-token", help="Where to go on.")] = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """List a customer's orders, the newest first."""
    wanted = f"ORDER_STATE_{state.upper() or 'UNSPECIFIED'}"
    if wanted not in set(order_pb2.OrderState.keys()):
        names = ", ".join(name.removeprefix("ORDER_STATE_") for name in order_pb2.OrderState.keys()[1:])
        raise usage(f"there is no state {state}; there are {names}")
    request = order_service_pb2.ListOrdersRequest(
        customer_id=customer, order_state=wanted, page_size=page_size, page_token=page_token
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ListOrders(request, timeout=timeout)
    rows: list[tuple[str, ...]] = [("ORDER", "STATE", "PAYMENT", "FULFILLMENT", "LINES", "TOTAL", "CREATED")]
    rows += [_order_row(order) for order in response.orders]
    if response.next_page_token:
        rows.append((f"more: --page-token {response.next_page_token}", "", "", "", "", "", ""))
    print_message(response, output, rows)


@app.command()
def watch(
    order_id: OrderId,
    after_version: Annotated[int, typer.Option("--after-version", help="The last version known; 0 for all.")] = 0,
    until_ended: Annotated[bool, typer.Option("--until-ended", help="Stop when the order has ended.")] = False,
    server: Server = SERVER_DEFAULT,
    output: OutputForm = Output.TABLE,
) -> None:
    """Print what happens to an order, one line for each version, until Ctrl-C."""
    request = order_service_pb2.WatchOrderRequest(order_id=order_id, after_version=after_version)
    with connected(server) as channel:
        for update in order_service_pb2_grpc.OrderServiceStub(channel).WatchOrder(request):
            detail = next((entry.detail for entry in update.order.timeline if entry.version == update.version), "")
            cells = (f"{update.version:>4}", update.time.ToJsonString(), update.event.ljust(24), detail)
            print_line(update, output, cells)
            if until_ended and update.order.order_state in ENDED and update.version >= update.order.version:
                return


@app.command()
def cancel(
    order_id: OrderId,
    reason: Annotated[str, typer.Option("--reason", help="Why; for a person.")] = "",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Cancel an order that is not dispatched yet; after that, return it."""
    request = order_service_pb2.CancelOrderRequest(order_id=order_id, reason=reason, request_id=request_id, etag=etag)
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).CancelOrder(request, timeout=timeout)
    print_message(response, output, _order_table(response.order, _persistence(response.persistence)))


@app.command("return")
def return_order(
    order_id: OrderId,
    line: LineQuantities,
    restock: Annotated[bool, typer.Option("--restock", help="The goods can be sold again.")] = False,
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Take goods back and refund their part of the line totals.

    Example: ordermesh order return ORDER_ID --line 1:2 --restock
    """
    request = order_service_pb2.ReturnOrderRequest(
        order_id=order_id, lines=_line_quantities(line), restock=restock, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ReturnOrder(request, timeout=timeout)
    print_message(response, output, _order_table(response.order, _persistence(response.persistence)))


@app.command()
def refund(
    order_id: OrderId,
    amount: Annotated[str, typer.Option("--amount", help="So much, as 4.99; or name lines.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of the amount.")] = "GBP",
    line: LineQuantities = [],  # noqa: B006 # typer copies it
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Give money back without goods: an amount, or the part of the line totals that pieces are.

    Example: ordermesh order refund ORDER_ID --amount 4.99
    """
    if bool(amount) == bool(line):
        raise usage("give either --amount or --line LINE_ID:QUANTITY")
    request = order_service_pb2.RefundOrderRequest(order_id=order_id, request_id=request_id, etag=etag)
    if amount:
        try:
            request.amount.CopyFrom(money(parse_nanos(amount), currency))
        except ValueError as error:
            raise usage(f"--amount {error}") from None
    else:
        request.lines.extend(_line_quantities(line))
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).RefundOrder(request, timeout=timeout)
    print_message(response, output, _order_table(response.order, _persistence(response.persistence)))


def _order_of_file(file: Path) -> order_pb2.Order:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        return json_format.Parse(text, order_pb2.Order())
    except OSError as error:
        raise usage(f"--file {file}: {error.strerror}") from None
    except (UnicodeDecodeError, json_format.ParseError) as error:
        raise usage(f"--file {file}: {error}; expected an Order as JSON, see protos/oms/order/v1") from None


def _order_line(text: str, currency: str) -> order_pb2.OrderLine:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        raise ValueError(f"--line {text}: expected SKU:QUANTITY:PRICE, as TEA:2:4.99")
    try:
        price = money(parse_nanos(parts[2]), currency)
    except ValueError as error:
        raise ValueError(f"--line {text}: {error}") from None
    return order_pb2.OrderLine(sku=parts[0], quantity=int(parts[1]), unit_price=price)


def _line_quantities(lines: list[str]) -> list[order_service_pb2.LineQuantity]:
    try:
        pairs = [_pair(text, ":", "--line LINE_ID:QUANTITY") for text in lines]
        return [order_service_pb2.LineQuantity(line_id=name, quantity=int(number)) for name, number in pairs]
    except ValueError as error:
        raise usage(str(error)) from None


def _pair(text: str, separator: str, form: str) -> tuple[str, str]:
    name, found, value = text.rpartition(separator) if separator == ":" else text.partition(separator)
    if not found or not name or (separator == ":" and not value.isdecimal()):
        raise ValueError(f"{text!r}: expected {form}")
    return name, value


def _persistence(value: consistency_pb2.Persistence) -> tuple[str, str]:
    return ("persistence", consistency_pb2.Persistence.Name(value).removeprefix("PERSISTENCE_"))


def states(order: order_pb2.Order) -> tuple[str, str, str]:
    """The three states of an order, without the prefixes of their enums."""
    return (
        order_pb2.OrderState.Name(order.order_state).removeprefix("ORDER_STATE_"),
        order_pb2.PaymentState.Name(order.payment_state).removeprefix("PAYMENT_STATE_"),
        order_pb2.FulfillmentState.Name(order.fulfillment_state).removeprefix("FULFILLMENT_STATE_"),
    )


def _order_row(order: order_pb2.Order) -> tuple[str, ...]:
    created = order.create_time.ToJsonString()
    return (order.order_id, *states(order), str(len(order.lines)), money_text(order.total), created)


def _order_table(order: order_pb2.Order, last: tuple[str, str]) -> list[tuple[str, str]]:
    state, payment, fulfillment = states(order)
    rows = [
        ("order", order.order_id),
        ("customer", order.customer_id),
        ("state", state + (f" ({order.state_reason})" if order.state_reason else "")),
        ("payment", payment),
        ("fulfillment", fulfillment),
        ("total", money_text(order.total)),
        ("refunded", money_text(order.refunded) if order.refunded.currency_code else "nothing"),
        ("version", str(order.version)),
    ]
    for line in order.lines:
        returned = f", {line.returned_quantity} returned" if line.returned_quantity else ""
        rows.append(
            (f"line {line.line_id}", f"{line.quantity} x {line.sku} at {money_text(line.unit_price)}{returned}")
        )
    happened = (
        (entry.time.ToJsonString(), f"{entry.version} {entry.event} {entry.detail}") for entry in order.timeline
    )
    return [*rows, *happened, last]
