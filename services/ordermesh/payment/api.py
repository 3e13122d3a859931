"""PaymentService: reads of payments. Payments are made by orders alone."""

from __future__ import annotations

from oms.payment.v1 import payment_service_pb2
from ordermesh.payment.model import PAYMENT, SERVICE, payment_key
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import Found, Readable, Wanted, wanted


class PaymentService:
    """The methods of oms.payment.v1.PaymentService."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        aggregate = backend.registry.kinds[PAYMENT]
        self._readable = Readable(SERVICE, aggregate, lambda state: int(state.payment.version))

    async def GetPayment(
        self, request: payment_service_pb2.GetPaymentRequest, call: Call
    ) -> payment_service_pb2.GetPaymentResponse:
        """Reads the payment of an order as fresh as asked for."""
        violations = Violations()
        order_id = violations.order_id("order_id", request.order_id)
        violations.check()
        want = wanted(request.read_consistency, request.min_version, call.answer_timeout_s)
        found = await self._read(order_id, want, call)
        return payment_service_pb2.GetPaymentResponse(payment=found.state.payment, freshness=found.freshness)

    async def ListPaymentEvents(
        self, request: payment_service_pb2.ListPaymentEventsRequest, call: Call
    ) -> payment_service_pb2.ListPaymentEventsResponse:
        """Reads what happened to the payment of an order, the oldest first."""
        violations = Violations()
        order_id = violations.order_id("order_id", request.order_id)
        page = PageRequest.of(f"events of payment {call.tenant}/{order_id}", request, violations)
        violations.check()
        seen = int(self._backend.pages.open(page.bound_to, page.token) or 0)
        found = await self._read(order_id, wanted(0, 0, call.answer_timeout_s), call)
        events = [event for event in found.state.events if event.version > seen]
        response = payment_service_pb2.ListPaymentEventsResponse(events=events[: page.size])
        if len(events) > page.size:
            last = str(response.events[-1].version).encode()
            response.next_page_token = self._backend.pages.seal(page.bound_to, last)
        return response

    async def _read(self, order_id: str, want: Wanted, call: Call) -> Found:
        found = await self._backend.reads.read(self._readable, payment_key(call.tenant, order_id), want)
        if found is None:
            message = f"Order {order_id} has no payment."
            raise Problem("PAYMENT_NOT_FOUND", message, metadata={"order_id": order_id})
        return found
