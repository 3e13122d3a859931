"""The calls of a replay, each repeated until it is answered: whatever happens to the engine, the replay goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.amounts import money
from ordermesh.cli.errors import error_info, explain
from ordermesh.cli.replay_plan import Purchase, Receipt, ReturnPart, request_id_of
from ordermesh.cli.retry import backoff_s, may_retry

CALL_TIMEOUT_S = 10.0
"""Of one attempt; it is repeated for as long as it takes."""
STOCK_BATCH = 500
CURRENCY = "GBP"
PAYMENT_TOKEN = "tok_ok"

CODES = {code.value[0]: code for code in grpc.StatusCode}
"""Status codes by their number."""


class Refused(Exception):
    """The engine answered, and will not: `code` is the status, `reason` the contract's reason."""

    def __init__(self, code: grpc.StatusCode, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason


class ReplayCalls:
    """Typed calls over one channel; `trouble` is told what keeps a call waiting, and "" when it goes on."""

    def __init__(self, channel: grpc.aio.Channel, trouble: Callable[[str], None]) -> None:
        self._orders: Any = order_service_pb2_grpc.OrderServiceStub(channel)
        self._stock: Any = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        self._trouble = trouble

    async def create(self, purchase: Purchase) -> order_service_pb2.CreateOrderResponse:
        """Creates the order, or gets the one that is there. Raises Refused."""
        response: order_service_pb2.CreateOrderResponse
        response = await self.until_answered(self._orders.CreateOrder, create_request(purchase))
        return response

    async def get(self, order_id: str) -> order_pb2.Order:
        """Reads an order. Raises Refused."""
        request = order_service_pb2.GetOrderRequest(order_id=order_id)
        order: order_pb2.Order = (await self.until_answered(self._orders.GetOrder, request)).order
        return order

    async def cancel(self, part: ReturnPart, reason: str) -> order_service_pb2.CancelOrderResponse:
        """Cancels an order, or some of its pieces. Raises Refused."""
        request = order_service_pb2.CancelOrderRequest(
            order_id=part.order_id,
            reason=reason,
            request_id=request_id_of("cancel", part.request_id),
            lines=[] if part.whole else lines_of(part),
        )
        response: order_service_pb2.CancelOrderResponse = await self.until_answered(self._orders.CancelOrder, request)
        return response

    async def take_back(self, part: ReturnPart) -> order_service_pb2.ReturnOrderResponse:
        """Returns lines of an order. Raises Refused."""
        request = order_service_pb2.ReturnOrderRequest(
            order_id=part.order_id, lines=lines_of(part), restock=True, request_id=part.request_id
        )
        response: order_service_pb2.ReturnOrderResponse = await self.until_answered(self._orders.ReturnOrder, request)
        return response

    async def receive(self, receipts: list[Receipt]) -> list[str]:
        """Receives stock, and returns a sentence for each receipt that was refused."""
        waiting, sentences = receipts, []
        attempt = 0
        while waiting:
            request = inventory_service_pb2.BatchReceiveStockRequest(
                requests=[
                    inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=quantity, request_id=request_id)
                    for sku, quantity, request_id in waiting
                ]
            )
            results = (await self.until_answered(self._stock.BatchReceiveStock, request)).results
            again = []
            for receipt, result in zip(waiting, results, strict=True):
                if result.WhichOneof("result") == "stock":
                    continue
                if may_retry(CODES[result.status.code], attempt + 1):
                    again.append(receipt)
                else:
                    sentences.append(f"stock of {receipt.sku}: {result.status.message}")
            waiting, attempt = again, attempt + 1
            if waiting:
                await asyncio.sleep(backoff_s(attempt))
        return sentences

    async def until_answered(self, call: Callable[..., Awaitable[Any]], request: Any) -> Any:
        """The answer to any call, which is repeated until there is one. Raises Refused."""
        attempt = 0
        while True:
            try:
                answer = await call(request, timeout=CALL_TIMEOUT_S)
                if attempt:
                    self._trouble("")
                return answer
            except grpc.aio.AioRpcError as error:
                attempt += 1
                if not may_retry(error.code(), attempt):
                    raise Refused(error.code(), error_info(error).reason, explain(error)) from None
                self._trouble(f"{error.code().name.lower().replace('_', ' ')}, trying again: {_why(error)}")
            await asyncio.sleep(backoff_s(attempt))


def _why(error: grpc.aio.AioRpcError) -> str:
    """What the engine said; what to look at, if nothing answers."""
    sentence = error.details() or "no reason given"
    if error.code() is grpc.StatusCode.UNAVAILABLE and not error_info(error).reason:
        return f"is the engine up, and --server right? {sentence}"
    return sentence


def lines_of(part: ReturnPart) -> list[order_service_pb2.LineQuantity]:
    """The pieces that are taken back."""
    return [order_service_pb2.LineQuantity(line_id=name, quantity=quantity) for name, quantity in part.lines]


def create_request(purchase: Purchase) -> order_service_pb2.CreateOrderRequest:
    """The request that creates the order of an invoice."""
    invoice = purchase.invoice
    order = order_pb2.Order(
        order_id=purchase.order_id,
        customer_id=invoice.customer_id,
        payment_token=PAYMENT_TOKEN,
        labels={"invoice_no": invoice.number, "country": invoice.country},
    )
    for line in invoice.lines:
        order.lines.add(
            line_id=line.line_id, sku=line.sku, quantity=line.quantity, unit_price=money(line.price_nanos, CURRENCY)
        )
    return order_service_pb2.CreateOrderRequest(order=order)
