"""The truth about money that the sagas are tested against."""

from __future__ import annotations

from google.protobuf.message import Message

from oms.payment.v1 import payment_commands_pb2 as payments
from ordermesh.core.money import nanos_of


class Provider:
    """The truth about money: per order what is held, taken and given back, in nanos. Some answers are no."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.back: dict[str, int] = {}
        self.refusals = 0

    def __call__(self, request: Message) -> Message:
        """A definite answer."""
        assert isinstance(request, payments.ProviderRequest)
        result = payments.ProviderResult(operation=request.operation, operation_id=request.operation_id, approved=True)
        if request.payment_token == "tok_decline" or self.refuses(request):
            result.approved, result.code = False, "no"
        else:
            self.do(request.operation, request.order_id, nanos_of(request.amount))
        return result

    def refuses(self, request: payments.ProviderRequest) -> bool:
        """What is not an authorisation is refused as often as the test said, then no more."""
        refuses = self.refusals > 0 and request.operation != payments.PROVIDER_OPERATION_AUTHORIZE
        self.refusals -= refuses
        return refuses

    def do(self, operation: int, order_id: str, nanos: int) -> None:
        """It takes effect."""
        if operation == payments.PROVIDER_OPERATION_AUTHORIZE:
            assert order_id not in self.held, "authorised twice"
            self.held[order_id] = nanos
        elif operation == payments.PROVIDER_OPERATION_CAPTURE:
            self.held[order_id] -= nanos
            self.taken[order_id] = self.taken.get(order_id, 0) + nanos
        elif operation == payments.PROVIDER_OPERATION_VOID:
            self.held[order_id] -= nanos
        elif operation == payments.PROVIDER_OPERATION_ADJUST:
            self.held[order_id] += nanos
        else:
            self.back[order_id] = self.back.get(order_id, 0) + nanos
        assert self.held[order_id] >= 0, "more was taken or let go than was held"
        assert self.back.get(order_id, 0) <= self.taken.get(order_id, 0), "more was given back than was taken"
