"""What is looked at after a cut: every acknowledged order with its content, the stock, and the engine's own audit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import grpc

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.cli.client import CONNECT_OPTIONS
from ordermesh.testing.power.load import Acknowledged, Customers

READS_AT_ONCE = 16
READ_S = 20.0
RETRIES_MAX = 30
RETRY_PAUSE_S = 0.5
VERIFY_S = 180.0
_UNDONE = (order_pb2.ORDER_STATE_CANCELLING, order_pb2.ORDER_STATE_CANCELLED)
_LATER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


class Found(NamedTuple):
    """What was found: the orders that are not there, and those whose cancellation is not, each with the persistence
    that was named; what else is not as acknowledged; and what the audit says, by invariant."""

    checked: int
    missing: Mapping[str, str]
    revived: Mapping[str, str]
    wrong: list[str]
    audit: Mapping[str, list[str]]

    def problems(self) -> Iterator[str]:
        """Everything that is wrong, one sentence each."""
        for order_id, persistence in self.missing.items():
            yield f"I1: order {order_id}, acknowledged {persistence}, is not there"
        for order_id, persistence in self.revived.items():
            yield f"I1: order {order_id}, its cancellation acknowledged {persistence}, is not cancelled"
        yield from self.wrong
        for invariant, texts in self.audit.items():
            yield from (f"{invariant}: {text}" for text in texts)


async def look(server: str, customers: Customers) -> Found:
    """Looks at everything."""
    async with grpc.aio.insecure_channel(server, options=CONNECT_OPTIONS) as channel:
        waiting = iter(list(customers.acknowledged.values()))
        missing: dict[str, str] = {}
        revived: dict[str, str] = {}
        wrong: list[str] = []
        stub = order_service_pb2_grpc.OrderServiceStub(channel)
        await asyncio.gather(*(_look_at_some(stub, waiting, missing, revived, wrong) for _ in range(READS_AT_ONCE)))
        wrong += await _stock_problems(channel, customers)
        return Found(len(customers.acknowledged), missing, revived, wrong, await _audit(channel))


async def _look_at_some(
    stub: Any, waiting: Iterator[Acknowledged], missing: dict[str, str], revived: dict[str, str], wrong: list[str]
) -> None:
    for known in waiting:
        order_id = known.order.order_id
        found = await _read(stub.GetOrder, order_service_pb2.GetOrderRequest(order_id=order_id))
        if found is None:
            missing[order_id] = known.persistence
        else:
            if known.cancelled and found.order.order_state not in _UNDONE:
                revived[order_id] = known.cancelled
            wrong.extend(f"I1: order {order_id}: {problem}" for problem in _differences(known, found.order))


def _differences(known: Acknowledged, found: order_pb2.Order) -> Iterator[str]:
    """What of an order is not as it was acknowledged."""
    if found.customer_id != known.order.customer_id:
        yield f"it is of {found.customer_id}, not of {known.order.customer_id}"
    lines = [(line.sku, line.quantity, line.unit_price.units, line.unit_price.nanos) for line in found.lines]
    if lines != [(one.sku, one.quantity, one.unit_price.units, one.unit_price.nanos) for one in known.order.lines]:
        yield f"its lines are {lines}"


async def _stock_problems(channel: grpc.aio.Channel, customers: Customers) -> list[str]:
    stub: Any = inventory_service_pb2_grpc.InventoryServiceStub(channel)
    problems = []
    for sku, pieces in customers.received.items():
        found = await _read(stub.GetStock, inventory_service_pb2.GetStockRequest(sku=sku))
        received = 0 if found is None else found.stock.received
        if received != pieces:
            problems.append(f"I3: {pieces} of {sku} were received, and the engine knows of {received}")
    return problems


async def _read(call: Any, request: Any) -> Any:
    """The answer; None for what does not exist. While the engine cannot say it is asked again. Raises grpc.RpcError."""
    for attempt in range(RETRIES_MAX):
        try:
            return await call(request, timeout=READ_S)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            if error.code() not in _LATER or attempt == RETRIES_MAX - 1:
                raise
        await asyncio.sleep(RETRY_PAUSE_S)
    raise AssertionError("the last attempt returns or raises")


async def _audit(channel: grpc.aio.Channel) -> dict[str, list[str]]:
    stub: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
    violated: dict[str, list[str]] = {}
    async for response in stub.Verify(admin_service_pb2.VerifyRequest(), timeout=VERIFY_S):
        finding = response.finding
        if not finding.holds:
            violated[finding.invariant_id] = list(finding.violations)
    return violated
