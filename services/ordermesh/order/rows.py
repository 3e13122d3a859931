"""The tables of orders, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from oms.order.v1.order_pb2 import FulfillmentState, OrderState, PaymentState
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Row, Table
from ordermesh.core.ids import time_ms_of
from ordermesh.core.money import text_of

ORDERS = Table(
    name="orders",
    columns=(
        *AGGREGATE_COLUMNS,
        ("customer_id", "text"),
        ("order_state", "text"),
        ("payment_state", "text"),
        ("fulfillment_state", "text"),
        ("total", "text"),
    ),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("key", "order_id"), ("sub_key", "")),
)
"""Every order."""

ORDERS_BY_CUSTOMER = Table(
    name="orders_by_customer",
    columns=(("tenant", "text"), ("customer_id", "text"), ("month", "text"), ("order_id", "text")),
    partition=("tenant", "customer_id", "month"),
    clustering=("order_id",),
    newest_first=True,
)
"""The ids of a customer's orders, by the month of the id's time; an id begins with its time, so they sort by it."""

CUSTOMER_MONTHS = Table(
    name="customer_months",
    columns=(("tenant", "text"), ("customer_id", "text"), ("month", "text")),
    partition=("tenant", "customer_id"),
    clustering=("month",),
    newest_first=True,
    overwritten=True,
)
"""The months in which a customer has orders."""

_MS_PER_DAY = 86_400_000
_ORDER_STATES = {number: name.removeprefix("ORDER_STATE_") for name, number in OrderState.items()}
_PAYMENT_STATES = {number: name.removeprefix("PAYMENT_STATE_") for name, number in PaymentState.items()}
_FULFILLMENT_STATES = {number: name.removeprefix("FULFILLMENT_STATE_") for name, number in FulfillmentState.items()}


def month_of(time_ms: int) -> str:
    """The month (UTC) of a time in milliseconds since 1970, as `2010-12`."""
    return _month_of_day(time_ms // _MS_PER_DAY)


@lru_cache(1_024)
def _month_of_day(day: int) -> str:
    return datetime.fromtimestamp(day * _MS_PER_DAY / 1_000, UTC).strftime("%Y-%m")


def columns(_key: Key, state: StoredOrder) -> tuple[Any, ...]:
    """The columns for a person's eyes."""
    order = state.order
    return (
        order.customer_id,
        _ORDER_STATES[order.order_state],
        _PAYMENT_STATES[order.payment_state],
        _FULFILLMENT_STATES[order.fulfillment_state],
        text_of(order.total),
    )


def query_rows(key: Key, state: StoredOrder, write_time: int) -> Sequence[Row]:
    """The rows by which a customer's orders are found."""
    customer_id, month = state.order.customer_id, month_of(time_ms_of(key.key))
    return (
        Row(ORDERS_BY_CUSTOMER.name, (key.tenant, customer_id, month, key.key), write_time),
        Row(CUSTOMER_MONTHS.name, (key.tenant, customer_id, month), write_time),
    )
