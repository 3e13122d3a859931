"""What a replay is going to do, worked out before the first call: orders, stock to receive, returns.

PURE. Everything is derived from the file, so a second replay plans the same ids and changes nothing: order ids are
UUIDv7 made of the invoice's time and number, request ids are UUIDv5 of what they ask for.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ordermesh.cli.replay_file import Invoice, Line, SalesFile

NAMESPACE = uuid.UUID("6b1f6e0a-6f0e-5d3c-9d5e-3f7c2d4f9a10")
"""The namespace of derived request ids; changing it would make a second replay receive stock twice."""

SHORT_SHARE = 0.01
"""The share of orders that shall find too little stock."""


class ReturnPart(NamedTuple):
    """What a cancellation takes back of one order: (line id, quantity) pairs; `whole` when that is all of the order."""

    order_id: str
    request_id: str
    lines: tuple[tuple[str, int], ...]
    amount_nanos: int
    whole: bool


class Unmatched(NamedTuple):
    """A cancelled quantity that belongs to no earlier purchase, and why."""

    invoice: str
    kind: str
    sku: str
    quantity: int
    amount_nanos: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """An invoice that becomes an order."""

    invoice: Invoice
    order_id: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A `C...` invoice: what it takes back, and what it cannot."""

    invoice: Invoice
    parts: tuple[ReturnPart, ...]
    unmatched: tuple[Unmatched, ...]


class Receipt(NamedTuple):
    """Stock to be received before the first order."""

    sku: str
    quantity: int
    request_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay: `steps` in the file's order, the stock that the whole file needs, rows that are no sale by kind.

    `empty_invoices` counts invoices that sell and cancel nothing.
    """

    steps: tuple[Purchase | Cancellation, ...]
    receipts: tuple[Receipt, ...]
    no_sale: Counter[str]
    invoices: int
    empty_invoices: int

    @property
    def purchases(self) -> list[Purchase]:
        """The steps that create orders."""
        return [step for step in self.steps if isinstance(step, Purchase)]

    @property
    def cancellations(self) -> list[Cancellation]:
        """The steps that take back."""
        return [step for step in self.steps if isinstance(step, Cancellation)]


def order_id_of(number: str, time: datetime) -> str:
    """The UUIDv7 of an invoice: its time in milliseconds, then bits of a hash of its number (RFC 9562, section 5.7)."""
    milliseconds = int(time.timestamp() * 1000)
    noise = int.from_bytes(hashlib.sha256(f"ordermesh replay {number}".encode()).digest()[:10], "big")
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (noise >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | noise & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def request_id_of(*parts: str) -> str:
    """The request id of what the parts name."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(parts)))


def make_plan(sales: SalesFile, limit: int | None = None) -> Plan:
    """Plans the first `limit` invoices; stock is planned for the whole file, so a later, longer replay adds none."""
    invoices = sales.invoices if limit is None else sales.invoices[:limit]
    orders = [Purchase(i, order_id_of(i.number, i.time)) for i in sales.invoices if i.is_order]
    order_ids = {purchase.invoice.number: purchase for purchase in orders}
    ledger = _Ledger()
    steps: list[Purchase | Cancellation] = []
    for invoice in invoices:
        if invoice.is_order:
            steps.append(order_ids[invoice.number])
            ledger.add(order_ids[invoice.number])
        elif invoice.cancels and invoice.lines:
            steps.append(ledger.cancel(invoice))
    no_sale: Counter[str] = Counter()
    for invoice in invoices:
        no_sale.update(invoice.no_sale)
    return Plan(tuple(steps), plan_stock(orders, sales.digest), no_sale, len(invoices), len(invoices) - len(steps))


def plan_stock(orders: Sequence[Purchase], digest: str) -> tuple[Receipt, ...]:
    """What to receive so that all orders fit but one in a hundred: these lack a piece of a SKU that is theirs alone."""
    needed: Counter[str] = Counter()
    buyers: dict[str, set[str]] = defaultdict(set)
    for order in orders:
        for line in order.invoice.lines:
            needed[line.sku] += line.quantity
            buyers[line.sku].add(order.order_id)
    for order in _short_orders(orders, buyers):
        needed[_sole_sku(order, buyers)] -= 1
    return tuple(
        Receipt(sku, quantity, request_id_of("receive", digest, sku))
        for sku, quantity in sorted(needed.items())
        if quantity
    )


def _short_orders(orders: Sequence[Purchase], buyers: dict[str, set[str]]) -> list[Purchase]:
    able = [order for order in orders if _sole_sku(order, buyers)]
    able.sort(key=lambda order: hashlib.sha256(order.order_id.encode()).digest())
    return able[: round(len(orders) * SHORT_SHARE)]


def _sole_sku(order: Purchase, buyers: dict[str, set[str]]) -> str:
    return next((line.sku for line in order.invoice.lines if len(buyers[line.sku]) == 1), "")


@dataclass(slots=True)
class _Bought:
    """A line of an earlier purchase, and how much of it has not been taken back."""

    purchase: Purchase
    line: Line
    left: int


class _Ledger:
    """Earlier purchases by customer and SKU; the newest is taken back first, at the same price before any other."""

    def __init__(self) -> None:
        self._bought: dict[tuple[str, str], list[_Bought]] = defaultdict(list)

    def add(self, purchase: Purchase) -> None:
        for line in purchase.invoice.lines:
            self._bought[purchase.invoice.customer_id, line.sku].append(_Bought(purchase, line, line.quantity))

    def cancel(self, invoice: Invoice) -> Cancellation:
        taken: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        purchases: dict[str, Purchase] = {}
        unmatched: list[Unmatched] = []
        for line in invoice.lines:
            left = line.quantity
            candidates = self._candidates(invoice, line)
            for bought in candidates:
                quantity = min(left, bought.left)
                if quantity:
                    bought.left -= quantity
                    left -= quantity
                    taken[bought.purchase.order_id][bought.line.line_id] += quantity
                    purchases[bought.purchase.order_id] = bought.purchase
            if left:
                kind = _unmatched_kind(invoice, bool(candidates))
                unmatched.append(Unmatched(invoice.number, kind, line.sku, left, left * line.price_nanos))
        parts = tuple(_part(invoice, purchases[order_id], lines) for order_id, lines in taken.items())
        return Cancellation(invoice, parts, tuple(unmatched))

    def _candidates(self, invoice: Invoice, line: Line) -> Sequence[_Bought]:
        newest_first = list(reversed(self._bought.get((invoice.customer_id, line.sku), [])))
        newest_first.sort(key=lambda item: item.line.price_nanos != line.price_nanos)
        return newest_first


def _unmatched_kind(invoice: Invoice, bought_any: bool) -> str:
    if invoice.is_guest:
        return "no customer"
    return "more than was bought" if bought_any else "no earlier purchase"


def _part(invoice: Invoice, purchase: Purchase, lines: dict[str, int]) -> ReturnPart:
    prices = {line.line_id: line.price_nanos for line in purchase.invoice.lines}
    return ReturnPart(
        order_id=purchase.order_id,
        request_id=request_id_of("return", invoice.number, purchase.order_id),
        lines=tuple(sorted(lines.items(), key=lambda item: int(item[0]))),
        amount_nanos=sum(quantity * prices[line_id] for line_id, quantity in lines.items()),
        whole=lines == {line.line_id: line.quantity for line in purchase.invoice.lines},
    )


def total_nanos(purchases: Iterable[Purchase]) -> int:
    """The file's amount of these orders."""
    return sum(purchase.invoice.amount_nanos for purchase in purchases)
