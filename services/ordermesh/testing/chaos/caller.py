"""A customer's client: it repeats a call with the same ids until it is answered, at one edge after the other, and every
attempt goes into the journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import grpc

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2_grpc
from ordermesh.cli.client import CONNECT_OPTIONS
from ordermesh.cli.errors import error_info
from ordermesh.cli.retry import backoff_s, may_retry
from ordermesh.testing.chaos.evidence import content_of, state_name
from ordermesh.testing.chaos.journal import OK, JournalWriter, Told

CALL_S = 5.0
"""For one attempt: an edge answers within a second if it lives; then another is asked."""
UNANSWERED = "UNANSWERED"
"""The outcome of a call that was given up: it never got an answer."""
_PERSISTENCE = {number: name.removeprefix("PERSISTENCE_") for name, number in consistency_pb2.Persistence.items()}
_CONSISTENCY = {
    number: name.removeprefix("READ_CONSISTENCY_") for name, number in consistency_pb2.ReadConsistency.items()
}


class Edge:
    """The stubs of one edge."""

    def __init__(self, address: str) -> None:
        options = [*CONNECT_OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.aio.insecure_channel(address, options=options)
        self.orders: Any = order_service_pb2_grpc.OrderServiceStub(self.channel)
        self.stock: Any = inventory_service_pb2_grpc.InventoryServiceStub(self.channel)


Attempt = Callable[[Edge], Any]
"""Makes the call at an edge, once."""


class Caller:
    """Calls, and writes down what it was told. `give_up_at` is set when nothing more is to be waited for."""

    def __init__(self, addresses: Sequence[str], journal: JournalWriter) -> None:
        self.edges = [Edge(address) for address in addresses]
        self.give_up_at = float("inf")
        self._journal = journal
        self._turn = 0

    async def close(self) -> None:
        """Closes the connections."""
        for edge in self.edges:
            await edge.channel.close()

    async def until_answered(self, told: Told, attempt: Attempt) -> Any:
        """The answer; None where the engine refuses, or has not answered until everything was given up."""
        number = 0
        while True:
            answer, outcome, code = await self._once(told, attempt)
            number += 1
            if answer is not None or code is None or not may_retry(code, number):
                return answer
            if time.monotonic() > self.give_up_at:
                self._journal.add(replace(outcome, outcome=UNANSWERED))
                return None
            await asyncio.sleep(backoff_s(number))

    async def once(self, told: Told, attempt: Attempt) -> Any:
        """The answer of a single attempt; None if it failed."""
        answer, _outcome, _code = await self._once(told, attempt)
        return answer

    async def _once(self, told: Told, attempt: Attempt) -> tuple[Any, Told, grpc.StatusCode | None]:
        self._turn += 1
        edge = self.edges[self._turn % len(self.edges)]
        begin = time.monotonic()
        answer, code = None, None
        try:
            answer = await attempt(edge)
            outcome = answered(told, answer)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            outcome = replace(told, outcome=code.name, reason=error_info(error).reason)
        outcome = replace(outcome, begin=begin, end=time.monotonic())
        self._journal.add(outcome)
        return answer, outcome, code


def answered(told: Told, answer: Any) -> Told:
    """What an answer says."""
    told = replace(told, outcome=OK)
    if told.call == "get":
        given = _CONSISTENCY[answer.freshness.consistency]
        told = replace(told, given=given, content=content_of(answer.order))
    else:
        told = replace(told, persistence=_PERSISTENCE[answer.persistence])
    if told.call == "receive":
        return replace(told, version=answer.stock.version)
    return _with_order(told, answer.order)


def _with_order(told: Told, order: order_pb2.Order) -> Told:
    event = order.timeline[-1].event if order.timeline else ""
    return replace(told, version=order.version, event=event, state=state_name(order))


def blank(call: str, key: str, request: str, **values: Any) -> Told:
    """A call that was not made yet."""
    return Told(call=call, key=key, request=request, begin=0.0, end=0.0, outcome="", **values)
