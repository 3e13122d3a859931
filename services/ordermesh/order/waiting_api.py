"""The methods of OrderService about an order that waits for people: hold, release, another payment token."""

from __future__ import annotations

from oms.order.v1 import order_commands_pb2, order_service_pb2
from ordermesh.core import limits
from ordermesh.order.changes import Changes, checked_key, done, public
from ordermesh.order.creation import check_payment_token
from ordermesh.runtime.backend import persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, request_id_or_new


class WaitingCalls(Changes):
    """gRPC to commands about orders that wait for people."""

    async def HoldOrder(
        self, request: order_service_pb2.HoldOrderRequest, call: Call
    ) -> order_service_pb2.HoldOrderResponse:
        """Keeps an order from its next step; waits while shipping decides. Raises Problem where it is too late."""
        violations = Violations()
        key = checked_key(request, violations, call)
        violations.text("reason", request.reason)
        violations.text("detail", request.detail, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
        violations.check()
        command = order_commands_pb2.PlaceHold(
            reason=request.reason, detail=request.detail, request_id=request_id_or_new(request.request_id),
            etag=request.etag,
        )  # fmt: skip
        answer = await self._change(key, command, call)
        whose = "Shipping has not said yet whether it could stop"
        state, answer = await self._answered(answer, key, command.request_id, call, whose=whose)
        return order_service_pb2.HoldOrderResponse(order=public(state), persistence=persistence_of(answer))

    async def ReleaseOrder(
        self, request: order_service_pb2.ReleaseOrderRequest, call: Call
    ) -> order_service_pb2.ReleaseOrderResponse:
        """Ends holds; after the last one the order goes on."""
        violations = Violations()
        key = checked_key(request, violations, call)
        if bool(request.hold_id) == bool(request.reason):
            violations.add("hold_id", "either hold_id or reason is required, and not both")
        violations.text("hold_id", request.hold_id, required=False)
        violations.text("reason", request.reason, required=False)
        violations.text("detail", request.detail, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
        violations.check()
        command = order_commands_pb2.ReleaseHold(
            hold_id=request.hold_id, reason=request.reason, detail=request.detail,
            request_id=request_id_or_new(request.request_id), etag=request.etag,
        )  # fmt: skip
        answer = await self._change(key, command, call)
        order = done(answer, command.request_id)
        return order_service_pb2.ReleaseOrderResponse(order=order, persistence=persistence_of(answer))

    async def UpdatePayment(
        self, request: order_service_pb2.UpdatePaymentRequest, call: Call
    ) -> order_service_pb2.UpdatePaymentResponse:
        """Names another payment token. Raises Problem where the order does not wait for one."""
        violations = Violations()
        key = checked_key(request, violations, call)
        check_payment_token("payment_token", request.payment_token, self._payment_tokens, violations)
        violations.check()
        command = order_commands_pb2.RenewPayment(
            payment_token=request.payment_token, request_id=request_id_or_new(request.request_id), etag=request.etag
        )
        answer = await self._change(key, command, call)
        order = done(answer, command.request_id)
        return order_service_pb2.UpdatePaymentResponse(order=order, persistence=persistence_of(answer))
