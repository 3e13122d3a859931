"""What people do with orders while a recording is made: release, pay otherwise, send back, exchange."""

from __future__ import annotations

import time
import uuid
from typing import Any

import grpc

from oms.order.v1 import order_pb2, order_service_pb2
from oms.order.v1.order_service_pb2 import InspectedLine, LineQuantity
from ordermesh.adapters.sandbox_payments import TOKEN_OK
from ordermesh.core import ids
from ordermesh.testing.golden.waiting import CALL_S, LINEARIZABLE, until


class Care:
    """Those people."""

    def __init__(self, orders: Any) -> None:
        """`orders` is the stub of OrderService."""
        self._orders = orders

    def _get(self, order_id: str) -> order_pb2.Order:
        request = order_service_pb2.GetOrderRequest(order_id=order_id, read_consistency=LINEARIZABLE)
        order: order_pb2.Order = self._orders.GetOrder(request, timeout=CALL_S).order
        return order

    def reviewed(self, order_id: str) -> str:
        """Waits until it is held, and lets it go on."""
        until(lambda: self._get(order_id).holds, f"{order_id} is held")
        request = order_service_pb2.ReleaseOrderRequest(order_id=order_id, reason="FRAUD_REVIEW", request_id="release")
        self._orders.ReleaseOrder(request, timeout=CALL_S)
        return order_id

    def paid_otherwise(self, order_id: str) -> str:
        """Waits until it waits for another token, and names one."""
        waits = order_pb2.PAYMENT_STATE_RETRY
        until(lambda: self._get(order_id).payment_state == waits, f"{order_id} waits for a token")
        request = order_service_pb2.UpdatePaymentRequest(order_id=order_id, payment_token=TOKEN_OK, request_id="pay")
        self._orders.UpdatePayment(request, timeout=CALL_S)
        return order_id

    def sent_back(self, order_id: str) -> None:
        """One of two pieces comes and cannot be sold again; the other does not come."""
        permit = order_service_pb2.AuthorizeReturnRequest(
            order_id=order_id, lines=[LineQuantity(line_id="1", quantity=2)], request_id="permit"
        )
        self._orders.AuthorizeReturn(permit, timeout=CALL_S)
        came = order_service_pb2.ReceiveReturnRequest(
            order_id=order_id, return_id="1", lines=[LineQuantity(line_id="1", quantity=1)], request_id="came"
        )
        self._orders.ReceiveReturn(came, timeout=CALL_S)
        judged = order_service_pb2.InspectReturnRequest(
            order_id=order_id, return_id="1", lines=[InspectedLine(line_id="1", write_off_quantity=1)],
            request_id="judged",
        )  # fmt: skip
        self._orders.InspectReturn(judged, timeout=CALL_S)
        end = order_service_pb2.CancelReturnRequest(order_id=order_id, return_id="1", request_id="end")
        self._orders.CancelReturn(end, timeout=CALL_S)

    def exchanged(self, order: order_pb2.Order) -> str:
        """A piece is exchanged, first under an id that is taken; gives the other order's id."""
        replacement = order_pb2.Order(
            order_id=order.order_id, customer_id=order.customer_id, payment_token=TOKEN_OK, lines=order.lines[1:]
        )
        request = order_service_pb2.ExchangeOrderRequest(
            order_id=order.order_id, lines=[LineQuantity(line_id="2", quantity=1)], request_id="taken",
            replacement=replacement,
        )  # fmt: skip
        try:
            self._orders.ExchangeOrder(request, timeout=CALL_S)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        request.request_id = "exchange"
        request.replacement.order_id = ids.order_id_of(int(time.time() * 1000), uuid.uuid4().bytes[: ids.RANDOM_BYTES])
        answer = self._orders.ExchangeOrder(request, timeout=CALL_S)
        return str(answer.replacement.order_id)
