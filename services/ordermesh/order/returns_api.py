"""The methods of OrderService about goods that come back step by step, and about orders in their stead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core import errors, limits, requests
from ordermesh.core.decider import Key
from ordermesh.order import model, questions
from ordermesh.order.changes import (
    ChangeRequest,
    Changes,
    check_line_quantities,
    check_outcome,
    checked_key,
    missing,
    outcome_of,
    public,
)
from ordermesh.order.creation import prepare
from ordermesh.runtime.backend import persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, limited, request_id_or_new
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.problems import Problem, Violation
from ordermesh.runtime.reads import Wanted

_IN_REQUEST, _IN_PLACING = "replacement", "order"
"""Where the other order is in the request for an exchange, and where it is in one that creates it."""


class _ReturnRequest(ChangeRequest, Protocol):
    return_id: str


class _Returned(Protocol):
    """What every answer about a return has."""

    order: order_pb2.Order
    order_return: order_pb2.OrderReturn
    persistence: consistency_pb2.Persistence


class ReturnCalls(Changes):
    """gRPC to commands about returns."""

    async def AuthorizeReturn(
        self, request: order_service_pb2.AuthorizeReturnRequest, call: Call
    ) -> order_service_pb2.AuthorizeReturnResponse:
        """Lets goods be sent back."""
        violations = Violations()
        key = checked_key(request, violations, call)
        check_line_quantities("lines", request.lines, violations)
        _check_reason(request.reason, violations)
        violations.check()
        command = order_commands_pb2.AuthorizeReturn(
            lines=request.lines, reason=request.reason, request_id=request_id_or_new(request.request_id),
            etag=request.etag,
        )  # fmt: skip
        answer = await self._change(key, command, call)
        response = order_service_pb2.AuthorizeReturnResponse()
        _fill(response, _state(answer, command.request_id), answer, request_id=command.request_id)
        return response

    async def ReceiveReturn(
        self, request: order_service_pb2.ReceiveReturnRequest, call: Call
    ) -> order_service_pb2.ReceiveReturnResponse:
        """Takes in what came."""
        violations = Violations()
        key = _checked_return(request, violations, call)
        check_line_quantities("lines", request.lines, violations)
        violations.check()
        command = order_commands_pb2.ReceiveReturn(
            return_id=request.return_id, lines=request.lines, request_id=request_id_or_new(request.request_id),
            etag=request.etag,
        )  # fmt: skip
        answer = await self._change(key, command, call)
        response = order_service_pb2.ReceiveReturnResponse()
        _fill(response, _state(answer, command.request_id), answer, return_id=request.return_id)
        return response

    async def InspectReturn(
        self, request: order_service_pb2.InspectReturnRequest, call: Call
    ) -> order_service_pb2.InspectReturnResponse:
        """Says what becomes of what came; its refund follows."""
        violations = Violations()
        key = _checked_return(request, violations, call)
        _check_inspected("lines", request.lines, violations)
        violations.check()
        command = order_commands_pb2.InspectReturn(
            return_id=request.return_id, lines=request.lines, include_shipping=request.include_shipping,
            request_id=request_id_or_new(request.request_id), etag=request.etag,
        )  # fmt: skip
        answer = await self._change(key, command, call)
        response = order_service_pb2.InspectReturnResponse()
        _fill(response, _state(answer, command.request_id), answer, return_id=request.return_id)
        return response

    async def CancelReturn(
        self, request: order_service_pb2.CancelReturnRequest, call: Call
    ) -> order_service_pb2.CancelReturnResponse:
        """Closes a return for what has not come."""
        violations = Violations()
        key = _checked_return(request, violations, call)
        violations.check()
        command = order_commands_pb2.CancelReturn(
            return_id=request.return_id, request_id=request_id_or_new(request.request_id), etag=request.etag
        )
        answer = await self._change(key, command, call)
        response = order_service_pb2.CancelReturnResponse()
        _fill(response, _state(answer, command.request_id), answer, return_id=request.return_id)
        return response

    async def ExchangeOrder(
        self, request: order_service_pb2.ExchangeOrderRequest, call: Call
    ) -> order_service_pb2.ExchangeOrderResponse:
        """Lets goods be sent back and places another order. Raises Problem where its id is taken."""
        violations = Violations()
        key = checked_key(request, violations, call)
        check_line_quantities("lines", request.lines, violations)
        _check_reason(request.reason, violations)
        violations.check()
        command = order_commands_pb2.Exchange(
            lines=request.lines, reason=request.reason, order_id_made=not request.replacement.order_id,
            request_id=request_id_or_new(request.request_id), etag=request.etag,
        )  # fmt: skip
        command.replacement.CopyFrom(self._replacement(request, call))
        answer = await self._change(key, command, call)
        whose = "The order in exchange has not answered yet"
        try:
            state, answer = await self._answered(answer, key, command.request_id, call, whose=whose)
        except Problem as problem:
            raise _taken(problem, command.replacement.order_id) from None
        response = order_service_pb2.ExchangeOrderResponse()
        _fill(response, state, answer, request_id=command.request_id)
        response.replacement.CopyFrom(await self._placed(response.order_return.exchange_order_id, call))
        return response

    def _replacement(self, request: order_service_pb2.ExchangeOrderRequest, call: Call) -> order_pb2.Order:
        """The order in exchange as it may be placed, with an id. Raises Problem that names fields of the request."""
        placing = order_service_pb2.CreateOrderRequest(order=request.replacement)
        try:
            order = prepare(placing, self._backend.clock.now_us(), self._new_id, self._payment_tokens).order
        except Problem as problem:
            raise _renamed(problem) from None
        self._backend.check_intake(model.SERVICE, call.tenant, order.order_id)
        self._backend.check_kept_up(call.tenant, questions.asked_by(order))
        return order

    async def _placed(self, order_id: str, call: Call) -> order_pb2.Order:
        """The order in exchange, as it is now."""
        want = Wanted(consistency_pb2.READ_CONSISTENCY_LINEARIZABLE, 0, call.answer_timeout_s)
        return public((await self._read(model.order_key(call.tenant, order_id), want)).state)


def _renamed(problem: Problem) -> Problem:
    """What is wrong with an order, as a caller hears it who sent it as the replacement of an exchange: orders are
    judged in one place, which calls them by the name that they have where they are created."""
    problem.violations = [
        Violation(_IN_REQUEST + each.field.removeprefix(_IN_PLACING), each.description)
        if each.field.startswith(_IN_PLACING)
        else each
        for each in problem.violations
    ]
    if problem.message.startswith(_IN_PLACING):
        problem.message = _IN_REQUEST + problem.message.removeprefix(_IN_PLACING)
    return problem


def _taken(problem: Problem, order_id: str) -> Problem:
    """The refusal of an exchange, as a caller hears it: whose id it is about."""
    if problem.reason == errors.ORDER_ALREADY_EXISTS:
        problem.message = f"replacement.order_id: order {order_id} exists otherwise; take a new order id."
        problem.metadata["order_id"] = order_id
    return missing(order_id) if problem.reason == errors.ORDER_NOT_FOUND else problem


def _check_reason(reason: str, violations: Violations) -> None:
    violations.text("reason", reason, required=False, characters_max=limits.REASON_CHARACTERS_MAX)


def _checked_return(request: _ReturnRequest, violations: Violations, call: Call) -> Key:
    """The key of the order of a return that is to be changed; checks what such requests share."""
    key = checked_key(request, violations, call)
    violations.text("return_id", request.return_id)
    return key


def _check_inspected(field: str, lines: Sequence[order_service_pb2.InspectedLine], violations: Violations) -> None:
    """At least one line, each once, each with pieces of which something becomes."""
    limited(field, lines, "lines", limits.LINES_PER_ORDER_MAX)
    seen = set()
    for index, line in enumerate(lines):
        if violations.is_full():
            return
        violations.text(f"{field}[{index}].line_id", line.line_id)
        for name in ("restock_quantity", "write_off_quantity"):
            if not 0 <= getattr(line, name) <= limits.QUANTITY_MAX:
                violations.add(f"{field}[{index}].{name}", f"has to be from 0 to {limits.QUANTITY_MAX}")
        if not line.restock_quantity and not line.write_off_quantity:
            violations.add(f"{field}[{index}]", "either restock_quantity or write_off_quantity is required")
        if line.line_id in seen:
            violations.add(f"{field}[{index}].line_id", f"{line.line_id!r} is named twice")
        seen.add(line.line_id)


def _fill(
    response: _Returned, state: StoredOrder, answer: Answer, *, return_id: str = "", request_id: str = ""
) -> None:
    """Puts order and return into a response: the return of that name, or the one that the request led to."""
    if request_id:
        return_id = str(list(state.return_request_hashes).index(requests.hash_of(request_id)) + 1)
    response.order_return.CopyFrom(next(each for each in state.order.returns if each.return_id == return_id))
    response.order.CopyFrom(public(state))
    response.persistence = persistence_of(answer)


def _state(answer: Answer, request_id: str) -> StoredOrder:
    """The order after a change. Raises Problem if it was refused."""
    state = StoredOrder.FromString(answer.state)
    check_outcome(state, outcome_of(state, request_id), request_id)
    return state
