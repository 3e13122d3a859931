"""What customers, and the shop for them, change of orders that are placed: lines, pieces, holds, payment tokens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator
from typing import Any

from oms.order.v1 import order_pb2, order_service_pb2
from ordermesh.testing.chaos.caller import CALL_S, Caller, Edge, blank
from ordermesh.testing.chaos.evidence import content_of
from ordermesh.testing.chaos.goods import SLOW, amended

AMENDS, CUTS, HOLDS = 0.08, 0.06, 0.05
"""Shares of the orders that are amended, of which pieces are cancelled, that are held for a while."""
HOLDS_OF_SLOW = 0.4
"""Share of those that wait for goods or for a slow payment which are held: few others are in time for it."""
PAUSE_S = 0.6
"""It is done within so long: about when the shipment leaves."""
RENEWALS = 0.8
"""Share of the orders that wait for another payment token and are given one."""
TOKENS = ("tok_ok", "tok_ok", "tok_decline")
"""Other payment tokens, as often as they come."""
HELD_S = 3.0
"""An order is released within so long."""
DECLINED_S = 2.0
"""Until the customer hears that the payment was declined."""
RENEWALS_MAX = 2
REASON = "CHAOS"
"""Of every hold."""


class Whims:
    """Changes of orders; each is repeated with the same ids until it is answered."""

    def __init__(self, caller: Caller, chance: random.Random) -> None:
        self._caller = caller
        self._chance = chance

    def of(self, order: order_pb2.Order) -> Iterator[Coroutine[Any, Any, None]]:
        """What is done to an order that was placed, each thing beside the others."""
        chance = self._chance.random
        is_slow = order.payment_token == SLOW or order.fulfillment_policy == order_pb2.FULFILLMENT_POLICY_BACKORDER
        if chance() < AMENDS:
            yield self._soon(self._amend(order))
        if chance() < CUTS:
            yield self._soon(self._cut(order))
        if chance() < (HOLDS_OF_SLOW if is_slow else HOLDS):
            yield self._soon(self._hold(order.order_id))
        if order.payment_retry_seconds and chance() < RENEWALS:
            yield self._renew(order.order_id)

    async def _soon(self, coroutine: Coroutine[Any, Any, None]) -> None:
        await asyncio.sleep(self._chance.random() * PAUSE_S)
        await coroutine

    async def _amend(self, order: order_pb2.Order) -> None:
        wanted = amended(order, self._chance)
        request = order_service_pb2.AmendOrderRequest(
            order_id=order.order_id, lines=wanted.lines, request_id=f"amend-{order.order_id}"
        )
        told = blank("amend", order.order_id, "amend", content=content_of(wanted))
        await self._caller.until_answered(told, lambda edge: edge.orders.AmendOrder(request, timeout=CALL_S))

    async def _cut(self, order: order_pb2.Order) -> None:
        """One piece of a line is not wanted any more."""
        line = self._chance.choice(list(order.lines))
        request = order_service_pb2.CancelOrderRequest(order_id=order.order_id, request_id=f"cut-{order.order_id}")
        request.lines.add(line_id=line.line_id, quantity=1)
        told = blank("cut", order.order_id, "cut")
        await self._caller.until_answered(told, lambda edge: edge.orders.CancelOrder(request, timeout=CALL_S))

    async def _hold(self, order_id: str) -> None:
        """Somebody has to look at it, and lets it go on; of one that was not held the release is refused."""
        request = order_service_pb2.HoldOrderRequest(order_id=order_id, reason=REASON, request_id=f"hold-{order_id}")
        told = blank("hold", order_id, "hold")
        await self._caller.until_answered(told, lambda edge: edge.orders.HoldOrder(request, timeout=CALL_S))
        await asyncio.sleep(self._chance.random() * HELD_S)
        release = order_service_pb2.ReleaseOrderRequest(
            order_id=order_id, reason=REASON, request_id=f"release-{order_id}"
        )
        told = blank("release", order_id, "release")
        await self._caller.until_answered(told, lambda edge: edge.orders.ReleaseOrder(release, timeout=CALL_S))

    async def _renew(self, order_id: str) -> None:
        """Another token, and one more if that is not taken either."""
        for number in range(RENEWALS_MAX):
            await asyncio.sleep(DECLINED_S * (0.5 + self._chance.random()))
            token = self._chance.choice(TOKENS)
            request = order_service_pb2.UpdatePaymentRequest(
                order_id=order_id, payment_token=token, request_id=f"renew-{number}-{order_id}"
            )
            await self._caller.until_answered(blank("renew", order_id, f"renew-{number}"), _renewing(request))


def _renewing(request: order_service_pb2.UpdatePaymentRequest) -> Any:
    def attempt(edge: Edge) -> Any:
        return edge.orders.UpdatePayment(request, timeout=CALL_S)

    return attempt
