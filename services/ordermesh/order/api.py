"""OrderService: gRPC to commands and reads, and what they answer back to gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import islice
from typing import NamedTuple

from google.type import money_pb2

from oms.common.v1 import consistency_pb2, request_record_pb2
from oms.order.v1 import order_commands_pb2, order_pb2, order_service_pb2, order_state_pb2
from ordermesh.core import ids, limits, money, requests
from ordermesh.core.decider import Key
from ordermesh.order import model, questions
from ordermesh.order.creation import Creation, prepare
from ordermesh.order.ingest import Pipeline
from ordermesh.order.listing import Listing
from ordermesh.order.watch import Watched, watch
from ordermesh.runtime.backend import Backend, decided, persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, limited, request_id_or_new
from ordermesh.runtime.gate import Answer, Pending
from ordermesh.runtime.problems import Problem, not_yet_known
from ordermesh.runtime.reads import Found, Readable, Wanted, wanted
from ordermesh.runtime.replies import LOGGED
from ordermesh.runtime.resources import resource_bytes

ASKED_MAX = limits.LINES_PER_ORDER_MAX + len(questions.ASKED)
"""Whom an order of a permitted size asks, at most."""
OUTCOME_POLL_S = 0.05
"""Between two looks at a request that another service has to answer."""


class Posted(NamedTuple):
    """An order on its way to its owner; or why it is not."""

    order_id: str
    creation: Creation | None
    pending: Pending | None
    problem: Problem | None


class OrderService:
    """The methods of oms.order.v1.OrderService."""

    def __init__(self, backend: Backend, payment_tokens: Collection[str] | None) -> None:
        self._backend = backend
        self._payment_tokens = payment_tokens
        aggregate = backend.registry.kinds[model.ORDER]
        self._readable = Readable(model.SERVICE, aggregate, lambda state: int(state.order.version))
        self._listing = Listing(backend, aggregate)

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
        return order_service_pb2.GetOrderResponse(order=_public(found.state), freshness=found.freshness)

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
        watched = Watched(self._backend, self._readable, model.order_key(call.tenant, order_id), _missing)
        async for update in watch(watched, request.after_version):
            yield update

    async def CancelOrder(
        self, request: order_service_pb2.CancelOrderRequest, call: Call
    ) -> order_service_pb2.CancelOrderResponse:
        """Ends an order that is not dispatched yet. Raises Problem where it goes on, and says why."""
        violations = Violations()
        key = _checked_key(request, violations, call)
        violations.text("reason", request.reason, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
        violations.check()
        request_id = request_id_or_new(request.request_id)
        command = order_commands_pb2.Cancel(reason=request.reason, request_id=request_id, etag=request.etag)
        answer = await self._backend.send(model.SERVICE, key, command, call)
        state, answer = await self._answered(answer, key, request_id, call)
        return order_service_pb2.CancelOrderResponse(order=_public(state), persistence=persistence_of(answer))

    async def ReturnOrder(
        self, request: order_service_pb2.ReturnOrderRequest, call: Call
    ) -> order_service_pb2.ReturnOrderResponse:
        """Takes goods back; what is refunded for them follows."""
        violations = Violations()
        key = _checked_key(request, violations, call)
        _check_line_quantities("lines", request.lines, violations)
        violations.check()
        request_id = request_id_or_new(request.request_id)
        command = order_commands_pb2.Return(
            lines=request.lines, restock=request.restock, request_id=request_id, etag=request.etag
        )
        answer = await self._backend.send(model.SERVICE, key, command, call)
        order = _done(answer, request_id)
        return order_service_pb2.ReturnOrderResponse(order=order, persistence=persistence_of(answer))

    async def RefundOrder(
        self, request: order_service_pb2.RefundOrderRequest, call: Call
    ) -> order_service_pb2.RefundOrderResponse:
        """Gives money back without goods; `refunded` follows when the provider has answered."""
        violations = Violations()
        key = _checked_key(request, violations, call)
        command = order_commands_pb2.Refund(request_id=request_id_or_new(request.request_id), etag=request.etag)
        if request.HasField("amount") == bool(request.lines):
            violations.add("amount", "either amount or lines is required, and not both")
        elif request.lines:
            _check_line_quantities("lines", request.lines, violations)
            command.lines.extend(request.lines)
        else:
            _check_amount("amount", request.amount, violations)
            command.amount.CopyFrom(request.amount)
        violations.check()
        answer = await self._backend.send(model.SERVICE, key, command, call)
        order = _done(answer, command.request_id)
        return order_service_pb2.RefundOrderResponse(order=order, persistence=persistence_of(answer))

    async def _read(self, key: Key, want: Wanted) -> Found:
        found = await self._backend.reads.read(self._readable, key, want)
        if found is None:
            raise _missing(key.key)
        return found

    async def _answered(
        self, answer: Answer, key: Key, request_id: str, call: Call
    ) -> tuple[order_state_pb2.StoredOrder, Answer]:
        """The state once the request is decided everywhere, and the answer: of a later state than the one that was
        answered no more is known than that it is in the log. Raises Problem if the request was refused, or is not
        decided yet."""
        state = order_state_pb2.StoredOrder.FromString(answer.state)
        ends_at = self._backend.clock.monotonic() + call.answer_timeout_s
        while (outcome := _outcome(state, request_id)) == request_record_pb2.REQUEST_OUTCOME_PENDING:
            remaining_s = ends_at - self._backend.clock.monotonic()
            if remaining_s <= OUTCOME_POLL_S:
                message = "Shipping has not said yet whether it could stop; send the request again with its request_id."
                raise not_yet_known(message, order_id=key.key, request_id=request_id)
            await asyncio.sleep(OUTCOME_POLL_S)
            want = Wanted(consistency_pb2.READ_CONSISTENCY_LINEARIZABLE, 0, remaining_s)
            state = (await self._read(key, want)).state
            answer = answer._replace(persistence=LOGGED)
        _check_outcome(state, outcome, request_id)
        return state, answer

    def _new_id(self) -> str:
        clock = self._backend.clock
        return ids.order_id_of(clock.now_us() // 1000, clock.token(ids.RANDOM_BYTES))

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


def _public(state: order_state_pb2.StoredOrder) -> order_pb2.Order:
    """What a caller may see of an order."""
    state.order.ClearField("payment_token")
    return state.order


def _missing(order_id: str) -> Problem:
    return Problem("ORDER_NOT_FOUND", f"There is no order {order_id}.", metadata={"order_id": order_id})


def _key(order_id: str, call: Call) -> Key:
    violations = Violations()
    order_id = violations.order_id("order_id", order_id)
    violations.check()
    return model.order_key(call.tenant, order_id)


def _checked_key(
    request: order_service_pb2.CancelOrderRequest
    | order_service_pb2.ReturnOrderRequest
    | order_service_pb2.RefundOrderRequest,
    violations: Violations,
    call: Call,
) -> Key:
    """The key of an order that is to be changed; checks what such requests share."""
    order_id = violations.order_id("order_id", request.order_id)
    violations.text("request_id", request.request_id, required=False)
    violations.etag("etag", request.etag)
    return model.order_key(call.tenant, order_id)


def _check_line_quantities(field: str, lines: Sequence[order_service_pb2.LineQuantity], violations: Violations) -> None:
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


def _check_amount(field: str, amount: money_pb2.Money, violations: Violations) -> None:
    """An amount above 0 in some currency."""
    try:
        money.check_currency(amount.currency_code)
        if money.nanos_of(amount) <= 0:
            violations.add(field, "has to be above 0")
    except money.InvalidAmount as error:
        violations.add(field, error.problem)


def _outcome(state: order_state_pb2.StoredOrder, request_id: str) -> int:
    """What became of a request; done where the order remembers nothing of it, for only what changes nothing leaves no
    record."""
    record = requests.find(state.requests, request_id)
    return request_record_pb2.REQUEST_OUTCOME_DONE if record is None else record.outcome


def _check_outcome(state: order_state_pb2.StoredOrder, outcome: int, request_id: str) -> None:
    """Raises Problem with the reason and the order's states if the request was refused after it was taken."""
    record = requests.find(state.requests, request_id)
    if outcome != request_record_pb2.REQUEST_OUTCOME_REFUSED or record is None:
        return
    order = state.order
    states = model.states_of(order)
    told = f"{states['order_state']}, {states['payment_state']}, {states['fulfillment_state']}"
    message = f"The request was refused; order {order.order_id} is {told}."
    raise Problem(record.reason, message, metadata={"request_id": request_id, **states})


def _done(answer: Answer, request_id: str) -> order_pb2.Order:
    """The order after a return or a refund; what the provider still has to say follows. Raises Problem if refused."""
    state = order_state_pb2.StoredOrder.FromString(answer.state)
    _check_outcome(state, _outcome(state, request_id), request_id)
    return _public(state)
