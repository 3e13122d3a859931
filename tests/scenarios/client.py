"""A customer's program: it calls by gRPC, and makes a call again with the same ids where it may."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_status import rpc_status

from oms.inventory.v1 import inventory_service_pb2_grpc
from oms.order.v1 import order_service_pb2_grpc
from oms.payment.v1 import payment_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2_grpc
from ordermesh.cli.retry import backoff_s, may_retry
from tests.e2e.api.client import Failure, failure_of_status

CALL_S = 20.0
"""For one attempt."""
PATIENCE_S = 60.0
"""For all attempts of a call together."""

Answer = TypeVar("Answer", bound=Message)


class Refused(Exception):
    """A call that failed for good."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code} {failure.reason}: {failure.message}")
        self.failure = failure


class Client:
    """The stubs of one channel."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        self.orders: Any = order_service_pb2_grpc.OrderServiceStub(self.channel)
        self.stock: Any = inventory_service_pb2_grpc.InventoryServiceStub(self.channel)
        self.payments: Any = payment_service_pb2_grpc.PaymentServiceStub(self.channel)
        self.shipping: Any = shipping_service_pb2_grpc.ShippingServiceStub(self.channel)

    def close(self) -> None:
        """Closes the connection."""
        self.channel.close()

    def call(self, method: Any, request: Message) -> Any:
        """The answer of a call that may be repeated: its id or request id is in it. Raises Refused."""
        give_up_at = time.monotonic() + PATIENCE_S
        attempt = 0
        while True:
            try:
                return method(request, timeout=CALL_S)
            except grpc.RpcError as error:
                attempt += 1
                failure = failure_of(error)
                if not may_retry(error.code(), attempt) or time.monotonic() > give_up_at:
                    raise Refused(failure) from None
                time.sleep(failure.retry_ms / 1000 if failure.retry_ms else backoff_s(attempt))


def failure_of(error: Any) -> Failure:
    """What a failed call said."""
    status = rpc_status.from_call(error)
    if status is None:
        return Failure(error.code().name, error.details() or "")
    return failure_of_status(status, error.code().name)
