"""OrderService: gRPC to commands and reads, and what they answer back to gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from itertools import islice
from typing import NamedTuple

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2
from ordermesh.core import limits
from ordermesh.core.decider import Key
from ordermesh.order import model, questions
from ordermesh.order.changes import (
    check_amount,
    check_line_quantities,
    check_refund_reason,
    checked_key,
    done,
    missing,
    public,
)
from ordermesh.order.creation import Creation, check_lines, prepare
from ordermesh.order.ingest import Pipeline
from ordermesh.order.inquiry import Inquiry
from ordermesh.order.listing import Listing
from ordermesh.order.returns_api import ReturnCalls
from ordermesh.order.terms import amendment
from ordermesh.order.waiting_api import WaitingCalls
from ordermesh.order.watch import Watched, watch
from ordermesh.runtime.backend import Backend, decided, persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, limited, request_id_or_new
from ordermesh.runtime.gate import Answer, Pending
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import wanted
from ordermesh.runtime.resources import resource_bytes

ASKED_MAX = limits.LINES_PER_ORDER_MAX + len(questions.ASKED)
"""Whom an order of a permitted size asks, at most."""


class Posted(NamedTuple):
    """An order on its way to its owner; or why it is not."""

    order_id: str
    creation: Creation | None
    pending: Pending | None
    problem: Problem | None


class OrderService(WaitingCalls, ReturnCalls):
    """The methods of oms.order.v1.OrderService; some of its themes are in classes of their own."""

    def __init__(
        self,
        backend: Backend,
        payment_tokens: Collection[str] | None,
        policy: model.OrderPolicy = model.OrderPolicy(),  # noqa: B008 # frozen
    ) -> None:
        super().__init__(backend, payment_tokens)
        self._inquiry = Inquiry(backend, policy)
        self._listing = Listing(backend, backend.registry.kinds[model.ORDER])

    async def CreateOrder(
        self, request: order_service_pb2.CreateOrderRequest, call: Call
    ) -> order_service_pb2.CreateOrderResponse:
        """Takes an order; the same order again is answered as it is now."""
        (answered,) = await self._settle([self._post(request, call)], call)
        posted, answer = answered
        response = order_service_pb2.CreateOrderResponse()
        response.persistence = _fill(response.order, posted, answer)
        return response

    async def BatchCreateOrders(
        self, request: order_service_pb2.BatchCreateOrdersRequest, call: Call
    ) -> order_service_pb2.BatchCreateOrdersResponse:
        """Takes many orders; one that is refused fails alone."""
        limited("requests", request.requests, "orders", limits.BATCH_SIZE_MAX)
        self._backend.check_intake(model.SERVICE)
        self._backend.check_kept_up(call.tenant, ((service, "") for service in questions.ASKED))
        response = order_service_pb2.BatchCreateOrdersResponse()
        add = response.results.add
        for posted, answer in await self._settle([self._post(one, call) for one in request.requests], call):
            result = add()
            try:
                result.persistence = _fill(result.order, posted, answer)
            except Problem as problem:
                result.status.CopyFrom(problem.status())
        return response

    async def IngestOrders(
        self, stream: AsyncIterator[order_service_pb2.CreateOrderRequest], call: Call
    ) -> AsyncIterator[order_service_pb2.IngestOrdersResponse]:
        """Takes a stream of orders and answers each, in their order."""

        async def settle(posted: list[Posted]) -> list[order_service_pb2.IngestOrdersResponse]:
            return [_ingested(*answered) for answered in await self._settle(posted, call)]

        pipeline: Pipeline[order_service_pb2.CreateOrderRequest, Posted, order_service_pb2.IngestOrdersResponse] = (
            Pipeline(lambda request: self._post_patiently(request, call), settle)
        )
        async for response in pipeline.run(stream):
            yield response

    async def GetOrder(
        self, request: order_service_pb2.GetOrderRequest, call: Call
    ) -> order_service_pb2.GetOrderResponse:
        """Reads an order as fresh as asked for."""
        key = _key(request.order_id, call)
        want = wanted(request.read_consistency, request.min_version, call.answer_timeout_s)
        found = await self._read(key, want)
        return order_service_pb2.GetOrderResponse(order=public(found.state), freshness=found.freshness)

    async def ListOrders(
        self, request: order_service_pb2.ListOrdersRequest, call: Call
    ) -> order_service_pb2.ListOrdersResponse:
        """Reads a customer's orders, the newest first."""
        return await self._listing.page(request, call.tenant)

    async def WatchOrder(
        self, request: order_service_pb2.WatchOrderRequest, call: Call
    ) -> AsyncIterator[order_service_pb2.OrderUpdate]:
        """Sends one update for each version after the one named, until the caller ends it."""
        violations = Violations()
        order_id = violations.order_id("order_id", request.order_id)
        if request.after_version < 0:
            violations.add("after_version", "has to be 0 or a version")
        violations.check()
        watched = Watched(self._backend, self._readable, model.order_key(call.tenant, order_id), missing)
        async for update in watch(watched, request.after_version):
            yield update

    async def ExplainOrder(
        self, request: order_service_pb2.ExplainOrderRequest, call: Call
    ) -> order_service_pb2.ExplainOrderResponse:
        """Says what an order waits for, and what is in the way."""
        key = _key(request.order_id, call)
        want = wanted(request.read_consistency, request.min_version, call.answer_timeout_s)
        return await self._inquiry.explain(await self._read(key, want), key)

    async def CancelOrder(
        self, request: order_service_pb2.CancelOrderRequest, call: Call
    ) -> order_service_pb2.CancelOrderResponse:
        """Ends what is not dispatched of an order, or some pieces. Raises Problem where it goes on, and says why."""
        violations = Violations()
        key = checked_key(request, violations, call)
        violations.text("reason", request.reason, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
        if request.lines:
            check_line_quantities("lines", request.lines, violations)
        violations.check()
        request_id = request_id_or_new(request.request_id)
        command = order_commands_pb2.Cancel(
            reason=request.reason, request_id=request_id, etag=request.etag, lines=request.lines
        )
        answer = await self._backend.send(model.SERVICE, key, command, call)
        whose = "Shipping has not said yet whether it could stop"
        state, answer = await self._answered(answer, key, request_id, call, whose=whose)
        return order_service_pb2.CancelOrderResponse(order=public(state), persistence=persistence_of(answer))

    async def AmendOrder(
        self, request: order_service_pb2.AmendOrderRequest, call: Call
    ) -> order_service_pb2.AmendOrderResponse:
        """Changes an order of which nothing is dispatched. Raises Problem where it stays as it is, and says why."""
        violations = Violations()
        key = checked_key(request, violations, call)
        command = amendment(request, check_lines, violations)
        command.request_id = request_id_or_new(request.request_id)
        answer = await self._backend.send(model.SERVICE, key, command, call)
        whose = "It is not decided yet whether this can be done"
        state, answer = await self._answered(answer, key, command.request_id, call, whose=whose)
        return order_service_pb2.AmendOrderResponse(order=public(state), persistence=persistence_of(answer))

    async def ReturnOrder(
        self, request: order_service_pb2.ReturnOrderRequest, call: Call
    ) -> order_service_pb2.ReturnOrderResponse:
        """Takes goods back; what is refunded for them follows."""
        violations = Violations()
        key = checked_key(request, violations, call)
        check_line_quantities("lines", request.lines, violations)
        violations.check()
        request_id = request_id_or_new(request.request_id)
        command = order_commands_pb2.Return(
            lines=request.lines, restock=request.restock, request_id=request_id, etag=request.etag
        )
        answer = await self._backend.send(model.SERVICE, key, command, call)
        order = done(answer, request_id)
        return order_service_pb2.ReturnOrderResponse(order=order, persistence=persistence_of(answer))

    async def RefundOrder(
        self, request: order_service_pb2.RefundOrderRequest, call: Call
    ) -> order_service_pb2.RefundOrderResponse:
        """Gives money back without goods; `refunded` follows when the provider has answered."""
        violations = Violations()
        key = checked_key(request, violations, call)
        command = order_commands_pb2.Refund(
            request_id=request_id_or_new(request.request_id), etag=request.etag, reason=request.reason,
            include_shipping=request.include_shipping,
        )  # fmt: skip
        check_refund_reason(request, violations)
        if request.HasField("amount") == bool(request.lines):
            violations.add("amount", "either amount or lines is required, and not both")
        elif request.lines:
            check_line_quantities("lines", request.lines, violations)
            command.lines.extend(request.lines)
        else:
            check_amount("amount", request.amount, violations)
            command.amount.CopyFrom(request.amount)
        violations.check()
        answer = await self._backend.send(model.SERVICE, key, command, call)
        order = done(answer, command.request_id)
        return order_service_pb2.RefundOrderResponse(order=order, persistence=persistence_of(answer))

    def _post(self, request: order_service_pb2.CreateOrderRequest, call: Call) -> Posted:
        """Judges and posts an order; whatever is wrong with it is its own problem."""
        if not request.order.order_id:
            request.order.order_id = self._new_id()
        try:
            self._backend.check_intake(model.SERVICE, call.tenant, request.order.order_id)
            asked = islice(questions.asked_by(request.order), ASKED_MAX)
            self._backend.check_kept_up(call.tenant, asked)
            creation = prepare(request, self._backend.clock.now_us(), self._new_id, self._payment_tokens)
            order_id = creation.order.order_id
            pending = self._backend.post(
                model.SERVICE,
                model.order_key(call.tenant, order_id),
                creation.command(),
                call,
                durability=creation.durability,
            )
        except Problem as problem:
            return Posted(request.order.order_id, None, None, problem)
        return Posted(order_id, creation, pending, None)

    async def _post_patiently(self, request: order_service_pb2.CreateOrderRequest, call: Call) -> Posted:
        """As `_post`; but where no new work is taken, the stream is held up for a while before its orders fail."""
        ends_at = self._backend.clock.monotonic() + call.answer_timeout_s
        while True:
            posted = self._post(request, call)
            if posted.problem is None or posted.problem.reason != "OVERLOADED":
                return posted
            pause_s = posted.problem.retry_after_s
            if self._backend.clock.monotonic() + pause_s > ends_at:
                return posted
            await asyncio.sleep(pause_s)

    async def _settle(self, posted: list[Posted], call: Call) -> list[tuple[Posted, Answer | Exception | None]]:
        """Each with its answer; None where nothing was posted."""
        pending = [one.pending for one in posted if one.pending is not None]
        answers = iter(await self._backend.gate.settle(pending, call.answer_timeout_s))
        return [(one, None if one.pending is None else next(answers)) for one in posted]


def _fill(order: order_pb2.Order, posted: Posted, answer: Answer | Exception | None) -> consistency_pb2.Persistence:
    """Puts the order as it is now into a response, and says how durable it is. Raises Problem with the order's id."""
    try:
        if posted.problem is not None or posted.creation is None:
            raise posted.problem or AssertionError
        answer = decided(answer or AssertionError())
    except Problem as problem:
        problem.metadata["order_id"] = posted.order_id
        raise
    if answer.state:
        order.MergeFromString(resource_bytes(answer.state))
    else:
        order.MergeFrom(posted.creation.order)
        order.order_state = order_pb2.ORDER_STATE_ACCEPTED
    order.ClearField("payment_token")
    return persistence_of(answer)


def _ingested(posted: Posted, answer: Answer | Exception | None) -> order_service_pb2.IngestOrdersResponse:
    response = order_service_pb2.IngestOrdersResponse(order_id=posted.order_id)
    try:
        response.persistence = _fill(response.order, posted, answer)
    except Problem as problem:
        response.status.CopyFrom(problem.status())
    return response


def _key(order_id: str, call: Call) -> Key:
    violations = Violations()
    order_id = violations.order_id("order_id", order_id)
    violations.check()
    return model.order_key(call.tenant, order_id)
