"""What every call that changes an order shares: the checks of its request, and the answer that it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from google.protobuf.message import Message
from google.type import money_pb2

from oms.common.v1 import consistency_pb2, request_record_pb2
from oms.order.v1 import order_pb2, order_service_pb2, order_state_pb2
from ordermesh.core import errors, ids, limits, money, requests
from ordermesh.core.decider import Key
from ordermesh.order import model
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, limited
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.problems import Problem, not_yet_known
from ordermesh.runtime.reads import Found, Readable, Wanted
from ordermesh.runtime.replies import LOGGED

OUTCOME_POLL_S = 0.05
"""Between two looks at a request that another service has to answer."""


class ChangeRequest(Protocol):
    """What a request to change an order has at least."""

    order_id: str
    request_id: str
    etag: str


class Changes:
    """What the methods that change an order work with. With `payment_tokens` None every token is taken."""

    def __init__(self, backend: Backend, payment_tokens: Collection[str] | None) -> None:
        self._backend = backend
        self._payment_tokens = payment_tokens
        self._readable = Readable(
            model.SERVICE, backend.registry.kinds[model.ORDER], lambda state: int(state.order.version)
        )

    def _new_id(self) -> str:
        clock = self._backend.clock
        return ids.order_id_of(clock.now_us() // 1000, clock.token(ids.RANDOM_BYTES))

    async def _read(self, key: Key, want: Wanted) -> Found:
        found = await self._backend.reads.read(self._readable, key, want)
        if found is None:
            raise missing(key.key)
        return found

    async def _change(self, key: Key, command: Message, call: Call) -> Answer:
        """A command, decided. Raises Problem where it is refused, or not known yet."""
        return await self._backend.send(model.SERVICE, key, command, call)

    async def _answered(
        self, answer: Answer, key: Key, request_id: str, call: Call, *, whose: str
    ) -> tuple[order_state_pb2.StoredOrder, Answer]:
        """The state once the request is decided everywhere, and the answer: of a later state than the one that was
        answered no more is known than that it is in the log. `whose` word that waits for, for a person. Raises Problem
        if the request was refused, or is not decided yet."""
        state = order_state_pb2.StoredOrder.FromString(answer.state)
        ends_at = self._backend.clock.monotonic() + call.answer_timeout_s
        while (outcome := outcome_of(state, request_id)) == request_record_pb2.REQUEST_OUTCOME_PENDING:
            remaining_s = ends_at - self._backend.clock.monotonic()
            if remaining_s <= OUTCOME_POLL_S:
                message = f"{whose}; send the request again with its request_id."
                raise not_yet_known(message, order_id=key.key, request_id=request_id)
            await asyncio.sleep(OUTCOME_POLL_S)
            want = Wanted(consistency_pb2.READ_CONSISTENCY_LINEARIZABLE, 0, remaining_s)
            state = (await self._read(key, want)).state
            answer = answer._replace(persistence=LOGGED)
        check_outcome(state, outcome, request_id)
        return state, answer


def public(state: order_state_pb2.StoredOrder) -> order_pb2.Order:
    """What a caller may see of an order."""
    state.order.ClearField("payment_token")
    return state.order


def missing(order_id: str) -> Problem:
    """There is no such order, for this caller."""
    return Problem("ORDER_NOT_FOUND", f"There is no order {order_id}.", metadata={"order_id": order_id})


def checked_key(request: ChangeRequest, violations: Violations, call: Call) -> Key:
    """The key of an order that is to be changed; checks what such requests share."""
    order_id = violations.order_id("order_id", request.order_id)
    violations.text("request_id", request.request_id, required=False)
    violations.etag("etag", request.etag)
    return model.order_key(call.tenant, order_id)


def check_line_quantities(field: str, lines: Sequence[order_service_pb2.LineQuantity], violations: Violations) -> None:
    """At least one line, each once, each with a quantity."""
    limited(field, lines, "lines", limits.LINES_PER_ORDER_MAX)
    seen = set()
    for index, line in enumerate(lines):
        if violations.is_full():
            return
        violations.text(f"{field}[{index}].line_id", line.line_id)
        violations.quantity(f"{field}[{index}].quantity", line.quantity)
        if line.line_id in seen:
            violations.add(f"{field}[{index}].line_id", f"{line.line_id!r} is named twice")
        seen.add(line.line_id)


def check_amount(field: str, amount: money_pb2.Money, violations: Violations) -> None:
    """An amount above 0 in some currency."""
    try:
        money.check_currency(amount.currency_code)
        if money.nanos_of(amount) <= 0:
            violations.add(field, "has to be above 0")
    except money.InvalidAmount as error:
        violations.add(field, error.problem)


def check_refund_reason(request: order_service_pb2.RefundOrderRequest, violations: Violations) -> None:
    """What a refund is for goes with what it is of: goodwill is an amount, a share of shipping is of lines."""
    if request.reason not in order_pb2.RefundReason.values():
        violations.add("reason", f"{request.reason} is none of its values")
    if request.reason == order_pb2.REFUND_REASON_GOODWILL and request.lines:
        violations.add("lines", "are refunded for themselves; goodwill is an amount")
    if request.include_shipping and not request.lines:
        violations.add("include_shipping", "is the share of lines; name them, or refund an amount")


def outcome_of(state: order_state_pb2.StoredOrder, request_id: str) -> int:
    """What became of a request; done where the order remembers nothing of it, for only what changes nothing leaves no
    record."""
    record = requests.find(state.requests, request_id)
    return request_record_pb2.REQUEST_OUTCOME_DONE if record is None else record.outcome


def check_outcome(state: order_state_pb2.StoredOrder, outcome: int, request_id: str) -> None:
    """Raises Problem with the reason and the order's states if the request was refused after it was taken."""
    record = requests.find(state.requests, request_id)
    if outcome != request_record_pb2.REQUEST_OUTCOME_REFUSED or record is None:
        return
    order = state.order
    states = model.states_of(order)
    told = f"{states['order_state']}, {states['payment_state']}, {states['fulfillment_state']}"
    message = f"The request was refused; order {order.order_id} is {told}."
    metadata = {"request_id": request_id, **states}
    why = next((entry.detail for entry in reversed(order.timeline) if entry.event == "ChangeRefused"), "")
    if record.reason == errors.AMENDMENT_REFUSED and why:
        message, metadata["detail"] = f"{message} {why}", why
    raise Problem(record.reason, message, metadata=metadata)


def done(answer: Answer, request_id: str) -> order_pb2.Order:
    """The order after a change; what others still have to say follows. Raises Problem if it was refused."""
    state = order_state_pb2.StoredOrder.FromString(answer.state)
    check_outcome(state, outcome_of(state, request_id), request_id)
    return public(state)
