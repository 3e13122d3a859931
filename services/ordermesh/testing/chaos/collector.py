"""Looks at a healed world from outside until it has come to rest: orders, stock, events, ledger, the engine's audit."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import grpc

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2
from oms.notification.v1 import integration_events_pb2
from oms.order.v1 import order_service_pb2
from ordermesh.adapters.jetstream_api import call
from ordermesh.adapters.jetstream_events import STREAM
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.adapters.provider_ledger import read_ledger
from ordermesh.bootstrap import LEDGER_FILE
from ordermesh.cli.retry import backoff_s, may_retry
from ordermesh.runtime.ports import LogError
from ordermesh.testing.chaos.caller import UNANSWERED, Edge
from ordermesh.testing.chaos.checks import ENDED
from ordermesh.testing.chaos.evidence import Evidence, FinalOrder, FinalStock, Published, final_order
from ordermesh.testing.chaos.journal import Told, read_journal

READS_AT_ONCE = 16
READ_S, GIVE_UP_S = 10.0, 90.0
"""For one look, and for all tries of it: everything is healed."""
REST_S = 150.0
"""For every order to end: a step that lost its answer is asked for again after 30 s, and then after twice as long."""
UNCHANGED_S = 10.0
"""An order with more refunds asked for than done that does not change for so long had nothing to give back."""
EVENTS_S = 60.0
"""For the relay to tell the rest, and without a single further event."""
AUDIT_S = 600.0
_ASKED, _DONE = ("OrderReturned", "RefundRequested"), ("OrderRefunded", "OrderRefundDeclined")
_LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE


class Unreadable(Exception):
    """A healed engine does not answer; says what was asked."""


class Collector:
    """Asks the edges at `addresses` and the log at `urls`."""

    def __init__(self, addresses: Sequence[str], urls: Sequence[str], say: Callable[[str], None]) -> None:
        self._addresses = addresses
        self._edges = [Edge(address) for address in addresses]
        self._urls = urls
        self._say = say

    async def collect(self, journal: Path, data: Path) -> Evidence:
        """Everything. Raises Unreadable."""
        told = list(read_journal(journal))
        try:
            orders = await self._orders({one.key for one in told if one.call != "receive"})
            stocks = await self._stocks({one.key for one in told if one.call == "receive"})
            self._say("reading the integration events")
            events = await self._events(sum(order is not None for order in orders.values()))
            self._say("ordermesh verify")
            audit = await self._audit()
        finally:
            for edge in self._edges:
                await edge.channel.close()
        ledger = list(read_ledger(data / LEDGER_FILE))
        return Evidence(told, orders, stocks, ledger, events, audit=audit, unanswered=_unanswered(told))

    async def _orders(self, ids: Iterable[str]) -> dict[str, FinalOrder | None]:
        """Each as it is when it has ended, or when the time for that is over."""
        orders: dict[str, FinalOrder | None] = {}
        left, deadline, changed = sorted(ids), time.monotonic() + REST_S, time.monotonic()
        while left and time.monotonic() < deadline:
            self._say(f"reading {len(left)} orders")
            found = dict(zip(left, await self._in_parallel(self._order, left), strict=True))
            if any(orders.get(key) != order for key, order in found.items()):
                changed = time.monotonic()
            orders.update(found)
            if not any(_has_not_ended(order) for order in found.values()) and time.monotonic() > changed + UNCHANGED_S:
                break
            left = [key for key, order in found.items() if _has_not_ended(order) or _may_refund(order)]
            await asyncio.sleep(1.0)
        return orders

    async def _order(self, key: str) -> FinalOrder | None:
        request = order_service_pb2.GetOrderRequest(order_id=key, read_consistency=_LINEARIZABLE)
        answer = await self._read(f"order {key}", lambda edge: edge.orders.GetOrder(request, timeout=READ_S))
        return None if answer is None else final_order(answer.order)

    async def _stocks(self, skus: Iterable[str]) -> dict[str, FinalStock]:
        """By a linearizable read each; once every reservation is released or committed, or the time is over."""
        deadline = time.monotonic() + REST_S
        while True:
            stocks = dict(await self._in_parallel(self._stock, sorted(skus)))
            if not any(stock.reserved for stock in stocks.values()) or time.monotonic() > deadline:
                return stocks
            await asyncio.sleep(1.0)

    async def _stock(self, sku: str) -> tuple[str, FinalStock]:
        request = inventory_service_pb2.GetStockRequest(sku=sku, read_consistency=_LINEARIZABLE)
        answer = await self._read(f"stock {sku}", lambda edge: edge.stock.GetStock(request, timeout=READ_S))
        if answer is None:
            return sku, FinalStock(0, 0, 0, 0, 0)
        stock = answer.stock
        counts = (stock.received, stock.on_hand, stock.reserved, stock.available, stock.committed, stock.backordered)
        return sku, FinalStock(*counts)

    async def _read(self, what: str, attempt: Callable[[Edge], Any]) -> Any:
        """The answer; None for NOT_FOUND. Raises Unreadable."""
        deadline, number = time.monotonic() + GIVE_UP_S, 0
        while True:
            try:
                return await attempt(self._edges[number % len(self._edges)])
            except grpc.aio.AioRpcError as error:
                number += 1
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                if not may_retry(error.code(), number) or time.monotonic() > deadline:
                    raise Unreadable(f"{what}: {error.code().name}: {error.details()}") from error
            await asyncio.sleep(backoff_s(number))

    async def _in_parallel(self, look: Callable[[str], Any], keys: Sequence[str]) -> list[Any]:
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def guarded(key: str) -> Any:
            async with gate:
                return await look(key)

        return await asyncio.gather(*(guarded(key) for key in keys))

    async def _events(self, orders: int) -> list[Published]:
        """All that the stream holds, once the relay has nothing more to tell."""
        connection = Connection(self._urls, "chaos")
        got: list[Any] = []
        try:
            await connection.open()
            requests = Requests(connection)
            await requests.start()
            await connection.subscribe("chaos.events", got.append)
            config = {"deliver_subject": "chaos.events", "ack_policy": "none", "deliver_policy": "all", "name": "chaos"}
            body = {"stream_name": STREAM, "config": config}
            await call(requests, f"CONSUMER.CREATE.{STREAM}.chaos", body, READ_S)
            await self._until_all(requests, got, orders)
        except LogError as error:
            raise Unreadable(f"{STREAM}: {error}") from error
        finally:
            await connection.close()
        return [_published(message) for message in got]

    async def _until_all(self, requests: Requests, got: list[Any], orders: int) -> None:
        """Until the stream's end was read, each order's first and last event are there, or nothing more comes."""
        deadline, before = time.monotonic() + EVENTS_S, -1
        while time.monotonic() < deadline:
            info = await call(requests, f"STREAM.INFO.{STREAM}", {}, READ_S)
            ends = sum(message.subject.split(".")[4] in ("completed", "cancelled", "rejected") for message in got)
            if len(got) >= info["state"]["messages"] and ends >= orders and len(got) == before:
                return
            if len(got) != before:
                deadline, before = time.monotonic() + EVENTS_S, len(got)
            await asyncio.sleep(1.0)

    async def _audit(self) -> list[str]:
        command = ["verify", "--server", self._addresses[0], "--output", "json", "--timeout", str(AUDIT_S)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ordermesh", *command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )
        told, errors = await process.communicate()
        try:
            invariants = json.loads(told)["invariants"]
        except ValueError:
            return [errors.decode().strip() or f"ended with exit status {process.returncode}"]
        return [f"{one['id']}: {text}" for one in invariants for text in one["violations"]]


def _has_not_ended(order: FinalOrder | None) -> bool:
    return order is not None and order.state not in ENDED


def _may_refund(order: FinalOrder | None) -> bool:
    if order is None:
        return False
    happened = [entry.event for entry in order.timeline]
    return sum(event in _ASKED for event in happened) > sum(event in _DONE for event in happened)


def _published(message: Any) -> Published:
    """An event of the stream, by its subject and its data."""
    _om, _events, _v1, service, name, key = message.subject.split(".", 5)
    return published(service, name, unquote(key), message.data)


def published(service: str, name: str, key: str, data: bytes) -> Published:
    """An event by its data: the version is the second field of each, the shipment the third of each of shipping."""
    shipment = integration_events_pb2.ShipmentDispatched.FromString(data) if service == "shipping" else None
    if shipment is not None:
        return Published(service, name, key, shipment.version, shipment.shipment_id)
    return Published(service, name, key, integration_events_pb2.OrderConfirmed.FromString(data).version)


def _unanswered(journal: Sequence[Told]) -> list[str]:
    return [f"{one.call} of {one.key} got no answer, though all is healed" for one in journal
            if one.outcome == UNANSWERED]  # fmt: skip
