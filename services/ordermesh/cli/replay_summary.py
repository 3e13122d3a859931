"""What a replay says at its end: counts, amounts against the file, rates, and what was no sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from oms.order.v1 import order_pb2
from ordermesh.cli.amounts import decimal_text, nanos_of
from ordermesh.cli.latency import percentile_ms
from ordermesh.cli.replay_calls import CURRENCY
from ordermesh.cli.replay_plan import Plan, total_nanos
from ordermesh.cli.replay_run import Outcome

_STATE_NAMES = {
    order_pb2.ORDER_STATE_COMPLETED: "completed",
    order_pb2.ORDER_STATE_REJECTED: "rejected",
    order_pb2.ORDER_STATE_CANCELLED: "cancelled",
}


def summary(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """The summary as plain data; amounts are decimal text in pounds."""
    orders = outcome.orders.values()
    counts, amounts = _by_state(orders)
    unmatched = [item for step in plan.cancellations for item in step.unmatched]
    expected = total_nanos(plan.purchases)
    accept = sorted(outcome.accept_s)
    return {
        "invoices": plan.invoices,
        "orders": {
            "in_file": len(plan.purchases),
            "created": outcome.created,
            "there_already": outcome.there_already,
            **{name: counts[name] for name in ("completed", "rejected", "cancelled", "other")},
            "with_returns": sum(nanos_of(order.refunded) > 0 for order in orders),
        },
        "cancellations": {
            "in_file": len(plan.cancellations),
            "cancel_calls": outcome.calls["cancel"],
            "return_calls": outcome.calls["return"],
            "not_applied": dict(outcome.not_applied),
            "unmatched_lines": dict(Counter(item.kind for item in unmatched)),
            "unmatched_amount": decimal_text(sum(item.amount_nanos for item in unmatched)),
        },
        "no_sale_rows": dict(plan.no_sale),
        "invoices_without_sale": plan.empty_invoices,
        "amounts": {
            "currency": CURRENCY,
            "file": decimal_text(expected),
            "orders": decimal_text(outcome.answered_nanos),
            **{name: decimal_text(amounts[name]) for name in ("completed", "rejected", "cancelled")},
            "refunded": decimal_text(sum(nanos_of(order.refunded) for order in orders)),
        },
        "amounts_equal": expected == outcome.answered_nanos == sum(nanos_of(order.total) for order in orders),
        "accept_ms": {"p50": percentile_ms(accept, 0.5), "p99": percentile_ms(accept, 0.99)},
        "orders_per_second": round(len(accept) / outcome.create_s, 1) if accept else 0.0,
        "seconds": round(outcome.elapsed_s, 1),
        "failures": len(outcome.failures),
    }


def _by_state(orders: Iterable[order_pb2.Order]) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for order in orders:
        name = _STATE_NAMES.get(order.order_state, "other")
        counts[name] += 1
        amounts[name] += nanos_of(order.total)
    return counts, amounts


def summary_rows(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same for a person."""
    orders, cancellations, amounts = data["orders"], data["cancellations"], data["amounts"]
    verdict = "equal exactly" if data["amounts_equal"] else "NOT EQUAL"
    rows = [
        ("invoices", f"{data['invoices']:,}, of them {data['invoices_without_sale']:,} that sell and cancel nothing"),
        ("orders", f"{orders['in_file']:,}: {orders['created']:,} new, {orders['there_already']:,} there already"),
        ("  completed", f"{orders['completed']:,}, of them {orders['with_returns']:,} with returns"),
        ("  rejected", f"{orders['rejected']:,}, for want of stock"),
        ("  cancelled", f"{orders['cancelled']:,}"),
        ("cancellations", _cancellations_text(cancellations)),
        *((f"  {kind}", f"{count:,} line(s) unmatched") for kind, count in cancellations["unmatched_lines"].items()),
        *((f"  {kind}", f"{count:,} return(s) not applied") for kind, count in cancellations["not_applied"].items()),
        ("rows of no sale", f"{sum(data['no_sale_rows'].values()):,}"),
        *((f"  {kind}", f"{count:,}") for kind, count in data["no_sale_rows"].items()),
        ("amount, file", f"{amounts['file']} {amounts['currency']}"),
        ("amount, orders", f"{amounts['orders']} {amounts['currency']}: {verdict}"),
        ("  completed", f"{amounts['completed']}, of it refunded {amounts['refunded']}"),
        ("  rejected", amounts["rejected"]),
        ("  cancelled", amounts["cancelled"]),
    ]
    if orders["other"]:
        rows.append(("orders not ended", f"{orders['other']:,}"))
    if data["accept_ms"]["p50"] is not None:
        accept = data["accept_ms"]
        rows.append(("accepted in", f"p50 {accept['p50']:.1f} ms, p99 {accept['p99']:.1f} ms"))
        rows.append(("rate", f"{data['orders_per_second']:,.0f} orders/s; {data['seconds']:.1f} s in all"))
    return rows


def _cancellations_text(cancellations: Mapping[str, Any]) -> str:
    return (
        f"{cancellations['in_file']:,}: {cancellations['cancel_calls']:,} cancel and"
        f" {cancellations['return_calls']:,} return call(s); unmatched for {cancellations['unmatched_amount']}"
    )
