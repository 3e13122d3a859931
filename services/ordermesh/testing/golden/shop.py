"""What is done while a recording is made: something of everything that leaves a trace in logs and store."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
from google.type import money_pb2

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.notification.v1 import webhook_pb2, webhook_service_pb2, webhook_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from oms.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from ordermesh.adapters.sandbox_payments import (
    TOKEN_DECLINE,
    TOKEN_FLAKY,
    TOKEN_FRAUD_REVIEW,
    TOKEN_OK,
    TOKEN_SLOW,
)
from ordermesh.core import ids
from ordermesh.testing.golden.care import Care
from ordermesh.testing.golden.waiting import CALL_S, LINEARIZABLE, until

ENDED = (order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
SKUS = ("tea", "cup", "pot", "tin", "jug")
ENOUGH = 500
TOO_MANY = 10_000
PENCE = 10_000_000


class Shop:
    """Clients of an engine, one call after another, and the journal of what they were told."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.insecure_channel(address)
        self.orders = order_service_pb2_grpc.OrderServiceStub(self.channel)
        self.stock = inventory_service_pb2_grpc.InventoryServiceStub(self.channel)
        self.payments = payment_service_pb2_grpc.PaymentServiceStub(self.channel)
        self.shipping = shipping_service_pb2_grpc.ShippingServiceStub(self.channel)
        self.webhooks = webhook_service_pb2_grpc.WebhookServiceStub(self.channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(self.channel)
        self.journal: list[dict[str, Any]] = []

    def stock_up(self) -> None:
        """Every SKU comes in, some is found broken, one is counted, and one is low for a while."""
        for sku in SKUS:
            self.stock.ReceiveStock(
                inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=ENOUGH, request_id=f"in {sku}"),
                timeout=CALL_S,
            )
        broken = inventory_service_pb2.AdjustStockRequest(sku="jug", change=-7, reason="broken", request_id="broken")
        self.stock.AdjustStock(broken, timeout=CALL_S)
        counted = inventory_service_pb2.CountStockRequest(sku="jug", counted=ENOUGH - 8, request_id="counted")
        self.stock.CountStock(counted, timeout=CALL_S)
        low = inventory_service_pb2.SetLowStockThresholdRequest(sku="pot", threshold=ENOUGH, request_id="low")
        self.stock.SetLowStockThreshold(low, timeout=CALL_S)
        more = inventory_service_pb2.ReceiveStockRequest(sku="pot", quantity=1, request_id="more")
        self.stock.ReceiveStock(more, timeout=CALL_S)

    def tell(self, name: str) -> None:
        """A webhook endpoint for each way that one can go: nobody listens there, so it is found to be dead."""
        endpoint_id, other_id = (self._endpoint(f"{name} {which}") for which in ("lives", "ends"))
        update = webhook_service_pb2.UpdateEndpointRequest(endpoint_id=endpoint_id, description=name, request_id="say")
        self.webhooks.UpdateEndpoint(update, timeout=CALL_S)
        rotate = webhook_service_pb2.RotateSecretRequest(endpoint_id=endpoint_id, request_id="rotate")
        self.webhooks.RotateSecret(rotate, timeout=CALL_S)
        again = webhook_service_pb2.RedeliverRequest(endpoint_id=endpoint_id, request_id="again")
        again.start_time.FromSeconds(1)
        again.end_time.FromSeconds(2)
        self.webhooks.Redeliver(again, timeout=CALL_S)
        until(lambda: not self._endpoint_now(endpoint_id).redeliveries, "what is delivered again is done")
        test = webhook_service_pb2.SendTestEventRequest(endpoint_id=endpoint_id, request_id="test")
        self.webhooks.SendTestEvent(test, timeout=CALL_S)
        disabled = webhook_pb2.ENDPOINT_STATE_DISABLED
        until(lambda: self._endpoint_now(endpoint_id).state == disabled, "the endpoint is disabled")
        self.webhooks.DeleteEndpoint(webhook_service_pb2.DeleteEndpointRequest(endpoint_id=other_id), timeout=CALL_S)

    def _endpoint(self, name: str) -> str:
        request = webhook_service_pb2.CreateEndpointRequest(
            url="https://shop.invalid/hooks", event_types=["oms.notification.*"], request_id=name
        )
        return str(self.webhooks.CreateEndpoint(request, timeout=CALL_S).endpoint.endpoint_id)

    def _endpoint_now(self, endpoint_id: str) -> webhook_pb2.Endpoint:
        request = webhook_service_pb2.GetEndpointRequest(endpoint_id=endpoint_id)
        return self.webhooks.GetEndpoint(request, timeout=CALL_S).endpoint

    def trade(self, name: str) -> None:
        """One order for each way that an order can go."""
        self.shipped(self.order(f"{name} plain"))
        self.delivered(self.shipped(self.order(f"{name} flaky", token=TOKEN_FLAKY)))
        self.ended(self.order(f"{name} declined", token=TOKEN_DECLINE))
        self.ended(self.order(f"{name} sold out", quantity=TOO_MANY))
        self.cancelled(self.order(f"{name} cancelled"))
        self.cancelled(self.order(f"{name} cancelled early", token=TOKEN_SLOW), at_once=True)
        self.returned(self.shipped(self.order(f"{name} returned")))
        self.refunded(self.shipped(self.order(f"{name} refunded")))
        self.ready_to_ship(self.order(f"{name} waits"))
        self.looked_after(name)

    def looked_after(self, name: str) -> None:
        """The ways on which people go along: a review, another payment, a return step by step, an exchange."""
        care = Care(self.orders)
        self.shipped(care.reviewed(self.order(f"{name} reviewed", token=TOKEN_FRAUD_REVIEW)))
        self.shipped(care.paid_otherwise(self.order(f"{name} paid otherwise", token=TOKEN_DECLINE, retry_s=600)))
        back = self.shipped(self.order(f"{name} sent back"))
        care.sent_back(back)
        until(lambda: self.get(back).refunded.units > 0, f"{back} is paid back")
        self.shipped(care.exchanged(self.get(back)))

    def order(
        self, invoice: str, *, token: str = TOKEN_OK, quantity: int = 2, timeout_s: float = CALL_S, retry_s: int = 0
    ) -> str:
        """Two lines are ordered, twice under the same id, and its id is given."""
        first, second = len(self.journal) % len(SKUS), (len(self.journal) + 2) % len(SKUS)
        order = self.new_order(invoice, [(SKUS[first], quantity), (SKUS[second], 1)], token=token)
        order.payment_retry_seconds = retry_s
        return self.create(order, invoice, timeout_s=timeout_s)

    def new_order(self, invoice: str, pieces: Sequence[tuple[str, int]], *, token: str = TOKEN_OK) -> order_pb2.Order:
        """An order of so many pieces of each SKU."""
        lines = [
            order_pb2.OrderLine(sku=sku, quantity=quantity, unit_price=_pounds(price))
            for (sku, quantity), price in zip(pieces, (499, 1250), strict=False)
        ]
        order_id = ids.order_id_of(int(time.time() * 1000), uuid.uuid4().bytes[: ids.RANDOM_BYTES])
        order = order_pb2.Order(
            order_id=order_id, customer_id=f"customer {len(self.journal) % 3}", payment_token=token, lines=lines
        )
        order.labels["invoice_no"] = invoice
        return order

    def create(self, order: order_pb2.Order, invoice: str, *, timeout_s: float = CALL_S) -> str:
        """Creates an order, twice, and gives its id."""
        for _ in range(2):
            answer = self.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order), timeout=timeout_s)
        self._note(invoice, "create", answer.order, answer.persistence)
        return order.order_id

    def get(self, order_id: str) -> order_pb2.Order:
        """The order as it is now."""
        request = order_service_pb2.GetOrderRequest(order_id=order_id, read_consistency=LINEARIZABLE)
        return self.orders.GetOrder(request, timeout=CALL_S).order

    def ended(self, order_id: str) -> str:
        """Waits until it has ended."""
        until(lambda: self.get(order_id).order_state in ENDED, f"{order_id} ends")
        return order_id

    def paying(self, order_id: str) -> None:
        """Waits until the provider is asked for its payment."""
        request = payment_service_pb2.GetPaymentRequest(order_id=order_id)

        def is_asked() -> bool:
            try:
                self.payments.GetPayment(request, timeout=CALL_S)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return False
                raise
            return True

        until(is_asked, f"the payment of {order_id} is asked for")

    def ready_to_ship(self, order_id: str) -> str:
        """Waits until it waits for its shipment to leave; gives the shipment's id."""
        request = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)
        found = until(lambda: self.shipping.ListShipments(request, timeout=CALL_S).shipments, f"{order_id} is packed")
        return str(found[0].shipment_id)

    def shipped(self, order_id: str) -> str:
        """Has it leave, and waits until it is paid."""
        shipment_id = self.ready_to_ship(order_id)
        request = shipping_service_pb2.DispatchShipmentRequest(shipment_id=shipment_id, tracking="T-1")
        self.shipping.DispatchShipment(request, timeout=CALL_S)
        return self.ended(order_id)

    def delivered(self, order_id: str) -> None:
        """Has it arrive."""
        request = shipping_service_pb2.DeliverShipmentRequest(shipment_id=self.ready_to_ship(order_id))
        self.shipping.DeliverShipment(request, timeout=CALL_S)
        arrived = order_pb2.FULFILLMENT_STATE_DELIVERED
        until(lambda: self.get(order_id).fulfillment_state == arrived, f"{order_id} arrives")

    def cancelled(self, order_id: str, *, at_once: bool = False) -> None:
        """Cancels it, before anything left, or while its payment is still being asked for."""
        if not at_once:
            self.ready_to_ship(order_id)
        request = order_service_pb2.CancelOrderRequest(order_id=order_id, reason="changed my mind")
        self.orders.CancelOrder(request, timeout=CALL_S)
        self.ended(order_id)

    def returned(self, order_id: str) -> None:
        """One piece comes back, and is paid back."""
        line = order_service_pb2.LineQuantity(line_id="1", quantity=1)
        request = order_service_pb2.ReturnOrderRequest(
            order_id=order_id, lines=[line], restock=True, request_id="return"
        )
        self.orders.ReturnOrder(request, timeout=CALL_S)
        until(lambda: self.get(order_id).refunded.units > 0, f"{order_id} is paid back")

    def refunded(self, order_id: str) -> None:
        """A part is paid back; asked for twice under one request id."""
        request = order_service_pb2.RefundOrderRequest(order_id=order_id, amount=_pounds(300), request_id="refund")
        for _ in range(2):
            self.orders.RefundOrder(request, timeout=CALL_S)
        until(lambda: self.get(order_id).refunded.units > 0, f"{order_id} is refunded")

    def dead_letters(self, count: int) -> list[str]:
        """Waits for so many that nobody has looked at; gives their ids."""
        request = admin_service_pb2.ListDeadLettersRequest()

        def there() -> list[str]:
            found = self.admin.ListDeadLetters(request, timeout=CALL_S).dead_letters
            return [each.dead_letter_id for each in found] if len(found) >= count else []

        found: list[str] = until(there, f"there are {count} dead letters")
        return found

    def discard(self, dead_letter_id: str) -> None:
        """An operator has seen it."""
        request = admin_service_pb2.DiscardDeadLetterRequest(dead_letter_id=dead_letter_id)
        self.admin.DiscardDeadLetter(request, timeout=CALL_S)

    def _note(self, invoice: str, call: str, order: order_pb2.Order, persistence: int) -> None:
        total = {name: getattr(order.total, name) for name in ("currency_code", "units", "nanos")}
        said = consistency_pb2.Persistence.Name(persistence).removeprefix("PERSISTENCE_")
        line = {"invoice": invoice, "order_id": order.order_id, "call": call, "persistence": said, "total": total}
        self.journal.append({**line, "time": datetime.now(UTC).isoformat()})


def _pounds(pence: int) -> money_pb2.Money:
    return money_pb2.Money(currency_code="GBP", units=pence // 100, nanos=pence % 100 * PENCE)
