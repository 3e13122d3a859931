"""What an order may say of times and shortages, and what it may be amended to: judged before anything is appended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2
from ordermesh.core import limits
from ordermesh.core.money import InvalidAmount
from ordermesh.order import model
from ordermesh.runtime.fields import Violations, limited, too_much
from ordermesh.runtime.problems import Violation, invalid

_US_PER_SECOND: Final = 1_000_000
_AHEAD_US_MAX: Final = limits.AHEAD_DAYS_MAX * 86_400 * _US_PER_SECOND
_FOR_BACKORDERS: Final = "is for FULFILLMENT_POLICY_BACKORDER alone"
CheckLines = Callable[[order_pb2.Order, Violations, str], None]
"""Judges the lines of an order, under the path at which they stand in the request."""


def check_terms(order: order_pb2.Order, now_us: int, violations: Violations) -> None:
    """Times not too far ahead, and what is for backorders alone on backorders alone.

    A time that has passed is taken: the same order again must be the same.
    """
    not_before_us = expires_us = 0
    if order.HasField("not_before"):
        not_before_us = _ahead("order.not_before", order.not_before, now_us, violations)
    if order.HasField("backorder_expire_time"):
        expires_us = _ahead("order.backorder_expire_time", order.backorder_expire_time, now_us, violations)
        if expires_us <= not_before_us:
            violations.add("order.backorder_expire_time", "has to be after order.not_before")
    if order.fulfillment_policy != order_pb2.FULFILLMENT_POLICY_BACKORDER:
        if order.allow_split_shipments:
            violations.add("order.allow_split_shipments", _FOR_BACKORDERS)
        if order.HasField("backorder_expire_time"):
            violations.add("order.backorder_expire_time", _FOR_BACKORDERS)


def _ahead(field: str, time: Timestamp, now_us: int, violations: Violations) -> int:
    """A time in microseconds since 1970, from 1970 to the farthest ahead."""
    time_us = time.seconds * _US_PER_SECOND + time.nanos // 1_000
    if not 0 <= time.nanos < 1_000_000_000:
        violations.add(f"{field}.nanos", f"is {time.nanos}; it has to be from 0 to 999,999,999")
    elif time.seconds < 0 or time_us > now_us + _AHEAD_US_MAX:
        violations.add(field, f"has to be after 1970 and at most {limits.AHEAD_DAYS_MAX} days ahead")
    return time_us


def amendment(
    request: order_service_pb2.AmendOrderRequest, check_lines: CheckLines, violations: Violations
) -> order_commands_pb2.Amend:
    """The command of an amendment, with line ids, without its request's id. Raises Problem for one that cannot be."""
    limited("lines", request.lines, "lines", limits.LINES_PER_ORDER_MAX)
    size = request.ByteSize()
    if size > limits.ORDER_BYTES_MAX:
        raise too_much("lines", "bytes", size, limits.ORDER_BYTES_MAX)
    request.DiscardUnknownFields()
    amended = order_pb2.Order(lines=request.lines)
    if request.HasField("shipping_charge"):
        amended.shipping_charge.CopyFrom(request.shipping_charge)
    check_lines(amended, violations, "lines")
    violations.check()
    try:
        model.complete(amended)
    except InvalidAmount as error:
        raise invalid([Violation(error.field, error.problem)]) from None
    command = order_commands_pb2.Amend(lines=amended.lines, etag=request.etag)
    if request.HasField("shipping_charge"):
        command.shipping_charge.CopyFrom(request.shipping_charge)
    if request.HasField("ship_to"):
        command.ship_to.CopyFrom(request.ship_to)
    return command
