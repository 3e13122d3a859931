"""From a request to create an order to the command that places it: everything is judged before anything is appended.

Checked by hand in one pass over the fields, because a thousand orders are judged in the time that one call takes; the
limits are those of `core.limits`, the amounts are the model's business. What is output only, or unknown, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2
from ordermesh.core import ids, limits
from ordermesh.core.money import InvalidAmount
from ordermesh.order import model
from ordermesh.order.terms import check_terms
from ordermesh.runtime.fields import Violations, too_much
from ordermesh.runtime.problems import Problem, Violation, invalid

_DURABILITIES = frozenset(consistency_pb2.Durability.values())
_POLICIES = frozenset(order_pb2.FulfillmentPolicy.values())


class Creation(NamedTuple):
    """An order that may be placed: the order as it is asked for, its id's time, and what the caller waits for."""

    order: order_pb2.Order
    durability: int

    def command(self) -> order_commands_pb2.PlaceOrder:
        """What its owner gets."""
        return order_commands_pb2.PlaceOrder(order=self.order)


def prepare(
    request: order_service_pb2.CreateOrderRequest,
    now_us: int,
    new_id: Callable[[], str],
    payment_tokens: Collection[str] | None,
) -> Creation:
    """Checks the request and completes its order in place: id, line ids, total.

    Raises Problem that names every field that is wrong, and the order's id, also where it was made here. With
    `payment_tokens` None every token is taken.
    """
    order = request.order
    if not order.order_id:
        order.order_id = new_id()
    try:
        return _prepare(request, order, now_us, payment_tokens)
    except Problem as problem:
        problem.metadata["order_id"] = order.order_id
        raise


def _prepare(
    request: order_service_pb2.CreateOrderRequest,
    order: order_pb2.Order,
    now_us: int,
    payment_tokens: Collection[str] | None,
) -> Creation:
    violations = Violations()
    _check_limits(order)
    order_id = violations.order_id("order.order_id", order.order_id, may_lead=True)
    if order_id != order.order_id:
        order.order_id = order_id
    if request.durability not in _DURABILITIES:
        violations.add("durability", f"{request.durability} is none of its values")
    _check_header(order, payment_tokens, violations)
    check_lines(order, violations)
    check_terms(order, now_us, violations)
    violations.check()
    if ids.time_ms_of(order_id) - limits.ID_AHEAD_MS_MAX > now_us // 1000:
        raise _in_future(order_id)
    order.DiscardUnknownFields()
    try:
        model.complete(order)
    except InvalidAmount as error:
        raise invalid([Violation(f"order.{error.field}", error.problem)]) from None
    return Creation(order, request.durability or consistency_pb2.DURABILITY_STORED)


def _check_limits(order: order_pb2.Order) -> None:
    """Raises Problem for an order that is too large to be looked at more closely."""
    if len(order.lines) > limits.LINES_PER_ORDER_MAX:
        raise too_much("order.lines", "lines", len(order.lines), limits.LINES_PER_ORDER_MAX)
    if len(order.labels) > limits.LABELS_PER_ORDER_MAX:
        raise too_much("order.labels", "labels", len(order.labels), limits.LABELS_PER_ORDER_MAX)
    size = order.ByteSize()
    if size > limits.ORDER_BYTES_MAX:
        raise too_much("order", "bytes", size, limits.ORDER_BYTES_MAX)


def _check_header(order: order_pb2.Order, payment_tokens: Collection[str] | None, violations: Violations) -> None:
    violations.text("order.customer_id", order.customer_id)
    check_payment_token("order.payment_token", order.payment_token, payment_tokens, violations)
    if order.fulfillment_policy not in _POLICIES:
        violations.add("order.fulfillment_policy", f"{order.fulfillment_policy} is none of its values")
    if not 0 <= order.payment_retry_seconds <= limits.PAYMENT_RETRY_SECONDS_MAX:
        most = limits.PAYMENT_RETRY_SECONDS_MAX
        violations.add("order.payment_retry_seconds", f"is {order.payment_retry_seconds}; it has to be 0 to {most}")
    if order.labels:
        most = limits.LABEL_CHARACTERS_MAX
        for name, value in order.labels.items():
            violations.text(f"order.labels[{name[:64]!r}]", name, characters_max=most)
            violations.text(f"order.labels[{name[:64]!r}]", value, required=False, characters_max=most)


def check_payment_token(
    field: str, payment_token: str, payment_tokens: Collection[str] | None, violations: Violations
) -> None:
    """A token that the provider may know; with `payment_tokens` None every one."""
    violations.text(field, payment_token)
    if payment_tokens is not None and payment_token and payment_token not in payment_tokens:
        known = ", ".join(sorted(payment_tokens))
        violations.add(field, f"is no token of this payment provider; it knows {known}")


def check_lines(order: order_pb2.Order, violations: Violations, path: str = "order.lines") -> None:
    """At least one line, each with a SKU, a quantity and a price, and no two of one name."""
    if not order.lines:
        violations.add(path, "has no lines; at least one is required")
    named = set()
    characters_max, quantity_max = limits.TEXT_CHARACTERS_MAX, limits.QUANTITY_MAX
    for index, line in enumerate(order.lines):
        if violations.is_full():
            return
        sku, line_id = line.sku, line.line_id
        if not (0 < len(sku) <= characters_max and sku.isprintable()):
            violations.text(f"{path}[{index}].sku", sku)
        if not 1 <= line.quantity <= quantity_max:
            violations.quantity(f"{path}[{index}].quantity", line.quantity)
        if not line.HasField("unit_price"):
            violations.add(f"{path}[{index}].unit_price", "is required")
        if line_id:
            violations.text(f"{path}[{index}].line_id", line_id)
            if line_id in named:
                violations.add(f"{path}[{index}].line_id", f"{line_id!r} is the name of another line too")
            named.add(line_id)


def _in_future(order_id: str) -> Problem:
    ahead_s = limits.ID_AHEAD_MS_MAX // 1000
    description = f"its time is more than {ahead_s} s ahead of the clock; make ids of the current time"
    return Problem(
        "ORDER_ID_IN_FUTURE",
        f"order.order_id {order_id}: {description}",
        violations=[Violation("order.order_id", description)],
    )
