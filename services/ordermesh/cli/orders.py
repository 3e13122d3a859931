"""`ordermesh order`: creating, reading, watching, explaining, amending, cancelling, returning, refunding orders."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

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
from ordermesh.cli.explanation import explanation_rows
from ordermesh.cli.output import Output, print_line, print_message

app = typer.Typer(
    no_args_is_help=True, help="Create, read, watch, explain, amend, hold, cancel, return, refund and exchange orders."
)

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


class Policy(StrEnum):
    """What is done when stock is short."""

    REJECT = "reject"
    PARTIAL = "partial"
    BACKORDER = "backorder"


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
        str,
        typer.Option(
            "--token",
            help="Payment token; the sandbox's: tok_ok, tok_decline, tok_slow, tok_flaky, tok_fraud_review, "
            "tok_no_increase.",
        ),
    ] = "tok_ok",
    policy: Annotated[Policy, typer.Option("--policy", help="What is done when stock is short.")] = Policy.REJECT,
    split: Annotated[bool, typer.Option("--split", help="Send what is there before the rest; with backorder.")] = False,
    not_before: Annotated[str, typer.Option("--not-before", help="Ask for nothing before this time (RFC 3339).")] = "",
    wait_until: Annotated[
        str, typer.Option("--wait-until", help="Cancel what is missing then (RFC 3339); with backorder.")
    ] = "",
    payment_retry: Annotated[
        int, typer.Option("--payment-retry", help="Seconds to wait for another token after a decline; 0: as set.")
    ] = 0,
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
    order = new_order(file, customer, line, token, currency)
    try:
        order.labels.update(dict(_pair(text, "=", "--label NAME=VALUE") for text in label))
        _take_time("--not-before", not_before, order.not_before)
        _take_time("--wait-until", wait_until, order.backorder_expire_time)
    except ValueError as error:
        raise usage(str(error)) from None
    order.order_id = order_id or order.order_id
    if policy is not Policy.REJECT or not file:
        order.MergeFrom(order_pb2.Order(fulfillment_policy=f"FULFILLMENT_POLICY_{policy.name}"))
    order.allow_split_shipments = order.allow_split_shipments or split
    order.payment_retry_seconds = order.payment_retry_seconds or payment_retry
    request = order_service_pb2.CreateOrderRequest(order=order, durability=f"DURABILITY_{durability.name}")
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).CreateOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


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
    print_message(response, output, order_table(response.order, ("freshness", given)))


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
def explain(
    order_id: OrderId,
    consistency: ReadConsistency = Consistency.QUORUM,
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Say what an order waits for, since when, what comes then, who can act, and what is in the way."""
    request = order_service_pb2.ExplainOrderRequest(order_id=order_id, read_consistency=consistency.name_in_contract())
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ExplainOrder(request, timeout=timeout)
    print_message(response, output, explanation_rows(response.explanation, datetime.now(UTC)))


@app.command()
def cancel(
    order_id: OrderId,
    reason: Annotated[str, typer.Option("--reason", help="Why; for a person.")] = "",
    line: LineQuantities = [],  # noqa: B006 # typer copies it
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Cancel an order that is not dispatched yet, or only some pieces of it; after that, return it.

    Example: ordermesh order cancel ORDER_ID --line 1:2
    """
    request = order_service_pb2.CancelOrderRequest(
        order_id=order_id, reason=reason, request_id=request_id, etag=etag, lines=line_quantities(line)
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).CancelOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


@app.command()
def amend(
    order_id: OrderId,
    line: Annotated[
        list[str],
        typer.Option("--line", metavar="[LINE_ID=]SKU:QUANTITY:PRICE", help="All lines as they are to be; repeat."),
    ],
    shipping: Annotated[str, typer.Option("--shipping", help="What shipping is to cost; as it is if empty.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of the prices.")] = "GBP",
    request_id: RequestId = "",
    etag: Etag = "",
    server: Server = SERVER_DEFAULT,
    timeout: Timeout = TIMEOUT_DEFAULT_S,
    output: OutputForm = Output.TABLE,
) -> None:
    """Change the lines of an order of which nothing is dispatched: all of them, or nothing is changed.

    Example: ordermesh order amend ORDER_ID --line 1=TEA:3:4.99 --line CUP:1:7.50
    """
    request = order_service_pb2.AmendOrderRequest(order_id=order_id, request_id=request_id, etag=etag)
    try:
        for text in line:
            line_id, _, rest = text.rpartition("=")
            request.lines.append(_order_line(rest, currency))
            request.lines[-1].line_id = line_id
        if shipping:
            request.shipping_charge.CopyFrom(money(parse_nanos(shipping), currency))
    except ValueError as error:
        raise usage(str(error)) from None
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).AmendOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


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
        order_id=order_id, lines=line_quantities(line), restock=restock, request_id=request_id, etag=etag
    )
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).ReturnOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


@app.command()
def refund(
    order_id: OrderId,
    amount: Annotated[str, typer.Option("--amount", help="So much, as 4.99; or name lines.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of the amount.")] = "GBP",
    line: LineQuantities = [],  # noqa: B006 # typer copies it
    include_shipping: Annotated[
        bool, typer.Option("--include-shipping", help="With lines: their share of the shipping charge too.")
    ] = False,
    goodwill: Annotated[bool, typer.Option("--goodwill", help="The amount is given out of goodwill.")] = False,
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
    request = order_service_pb2.RefundOrderRequest(
        order_id=order_id, request_id=request_id, etag=etag, include_shipping=include_shipping,
        reason=order_pb2.REFUND_REASON_GOODWILL if goodwill else order_pb2.REFUND_REASON_UNSPECIFIED,
    )  # fmt: skip
    if amount:
        try:
            request.amount.CopyFrom(money(parse_nanos(amount), currency))
        except ValueError as error:
            raise usage(f"--amount {error}") from None
    else:
        request.lines.extend(line_quantities(line))
    with connected(server) as channel:
        response = order_service_pb2_grpc.OrderServiceStub(channel).RefundOrder(request, timeout=timeout)
    print_message(response, output, order_table(response.order, persistence_row(response.persistence)))


def new_order(file: Path | None, customer: str, lines: list[str], token: str, currency: str) -> order_pb2.Order:
    """An order to be placed, by a file or by options, or both. Raises a usage error."""
    order = _order_of_file(file) if file else order_pb2.Order()
    try:
        order.lines.extend(_order_line(text, currency) for text in lines)
    except ValueError as error:
        raise usage(str(error)) from None
    order.customer_id = customer or order.customer_id
    order.payment_token = order.payment_token or token
    if not order.customer_id or not order.lines:
        raise usage("an order needs --customer and at least one --line SKU:QUANTITY:PRICE, or --file")
    return order


def _order_of_file(file: Path) -> order_pb2.Order:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        return json_format.Parse(text, order_pb2.Order())
    except OSError as error:
        raise usage(f"--file {file}: {error.strerror}") from None
    except (UnicodeDecodeError, json_format.ParseError) as error:
        raise usage(f"--file {file}: {error}; expected an Order as JSON, see protos/oms/order/v1") from None


def _take_time(option: str, text: str, target: Timestamp) -> None:
    """Sets a time that is given. Raises ValueError."""
    if text:
        try:
            target.FromJsonString(text)
        except ValueError:
            raise ValueError(f"{option} {text}: expected a time as 2026-12-24T18:00:00Z") from None


def _order_line(text: str, currency: str) -> order_pb2.OrderLine:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        raise ValueError(f"--line {text}: expected SKU:QUANTITY:PRICE, as TEA:2:4.99")
    try:
        price = money(parse_nanos(parts[2]), currency)
    except ValueError as error:
        raise ValueError(f"--line {text}: {error}") from None
    return order_pb2.OrderLine(sku=parts[0], quantity=int(parts[1]), unit_price=price)


def line_quantities(lines: list[str]) -> list[order_service_pb2.LineQuantity]:
    """Pieces of lines, of LINE_ID:QUANTITY each. Raises a usage error."""
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


def persistence_row(value: consistency_pb2.Persistence) -> tuple[str, str]:
    """The last row of a table: how durable a change is."""
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


def order_table(order: order_pb2.Order, last: tuple[str, str]) -> list[tuple[str, str]]:
    """An order for a person: where it is, what it has, what happened."""
    state, payment, fulfillment = states(order)
    rows = [
        ("order", order.order_id),
        ("customer", order.customer_id),
        ("state", state + (f" ({order.state_reason})" if order.state_reason else "")),
        ("payment", payment),
        ("fulfillment", fulfillment),
        ("total", money_text(order.total)),
        *([("due", money_text(order.due))] if order.HasField("due") else []),
        *([("promised by", order.promised_by.ToJsonString())] if order.HasField("promised_by") else []),
        ("refunded", money_text(order.refunded) if order.refunded.currency_code else "nothing"),
        ("version", str(order.version)),
    ]
    for line in order.lines:
        counts = (
            (line.cancelled_quantity, "cancelled"),
            (line.shipped_quantity, "sent"),
            (line.returned_quantity, "returned"),
        )
        told = "".join(f", {count} {what}" for count, what in counts if count)
        rows.append((f"line {line.line_id}", f"{line.quantity} x {line.sku} at {money_text(line.unit_price)}{told}"))
    for hold in order.holds:
        who = f"rule {hold.rule}" if hold.rule else hold.actor
        rows.append((f"hold {hold.hold_id}", ", ".join(part for part in (hold.reason, who, hold.detail) if part)))
    rows += _return_rows(order)
    if order.exchange_of:
        rows.append(("exchange of", order.exchange_of))
    rows += [("exchanged by", order_id) for order_id in order.exchanged_by]
    happened = (
        (entry.time.ToJsonString(), f"{entry.version} {entry.event} {entry.detail}") for entry in order.timeline
    )
    return [*rows, *happened, last]


def _return_rows(order: order_pb2.Order) -> list[tuple[str, str]]:
    """The returns of an order for a person."""
    rows = []
    for each in order.returns:
        state = order_pb2.ReturnState.Name(each.state).removeprefix("RETURN_STATE_")
        goods = ", ".join(f"{line.received_quantity} of {line.quantity} of line {line.line_id}" for line in each.lines)
        rows.append((f"return {each.return_id}", f"{state}, came: {goods}"))
    return rows
