"""Steps that read, list and watch orders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from pytest_bdd import then, when

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_service_pb2
from tests.e2e.api.client import ENDED, new_id
from tests.scenarios.shop import WAIT_S, Shop, until
from tests.scenarios.wording import said

STRENGTHS = [f"READ_CONSISTENCY_{name}" for name in ("EVENTUAL", "QUORUM", "AT_LEAST", "LINEARIZABLE")]
"""The consistencies of reads, the weakest first."""


@dataclass
class Watcher:
    """Somebody who watches an order until it has ended."""

    after_version: int
    updates: list[Any] = field(default_factory=list)
    thread: threading.Thread | None = None

    def watch(self, shop: Shop, order_id: str) -> None:
        """Begins; a stream that breaks is resumed with the last version."""
        self.thread = threading.Thread(target=self._run, args=(shop, order_id), daemon=True)
        self.thread.start()

    def _run(self, shop: Shop, order_id: str) -> None:
        while True:
            last = self.updates[-1].version if self.updates else self.after_version
            request = order_service_pb2.WatchOrderRequest(order_id=order_id, after_version=last)
            try:
                for update in shop.client.orders.WatchOrder(request, timeout=WAIT_S):
                    self.updates.append(update)
                    if update.order.order_state in ENDED and update.version >= update.order.version:
                        return
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    return


@pytest.fixture
def watcher() -> Watcher:
    """The scenario's watcher."""
    return Watcher(0)


@when(said("{customer} watches {order}[ after version {version}]"))
def watches(shop: Shop, watcher: Watcher, customer: str, order: str, version: str | None) -> None:
    """From the beginning, or from a version that was seen."""
    watcher.after_version = int(version or 0)
    watcher.watch(shop, shop.order_id(order))


@then(said("each version after {version} was seen once, and the last is {event}"))
def seen_without_gap(watcher: Watcher, version: str, event: str) -> None:
    """Nothing is left out and nothing comes twice."""
    assert watcher.thread is not None
    watcher.thread.join(WAIT_S)
    assert not watcher.thread.is_alive(), f"the order has not ended; seen: {[each.event for each in watcher.updates]}"
    versions = [update.version for update in watcher.updates]
    first = int(version) + 1
    assert versions == list(range(first, first + len(versions)))
    assert watcher.updates[-1].event == event


@when(said("{customer} reads {order}[ as {state}][ at version {version}]"))
def reads(shop: Shop, customer: str, order: str, state: str | None, version: str | None) -> None:
    """A read with a consistency, at least of a version where one is named."""
    request = order_service_pb2.GetOrderRequest(
        order_id=shop.order_id(order),
        read_consistency=f"READ_CONSISTENCY_{state or 'QUORUM'}",
        min_version=int(version or 0),
    )
    shop.try_to(shop.client.orders.GetOrder, request)


@when(said("{customer} reads an order that was never placed"))
def reads_nothing(shop: Shop, customer: str) -> None:
    """A made-up id."""
    shop.try_to(shop.client.orders.GetOrder, order_service_pb2.GetOrderRequest(order_id=new_id()))


@then(said("the answer is of version {version} or later, and says that it is {state} or stronger"))
def answer_says(shop: Shop, version: str, state: str) -> None:
    """How fresh it is: what the store does not have yet is asked of the owner, which is more than was asked for."""
    shop.expect_no_failure()
    freshness = shop.answer.freshness
    wanted = STRENGTHS.index(f"READ_CONSISTENCY_{state}")
    assert STRENGTHS.index(consistency_pb2.ReadConsistency.Name(freshness.consistency)) >= wanted
    assert not freshness.degraded
    assert freshness.version == shop.answer.order.version >= int(version)


@then("the answer holds no payment token")
def no_token(shop: Shop) -> None:
    """It is never answered."""
    shop.expect_no_failure()
    assert shop.answer.order.payment_token == ""


@then(said('the list of {customer}\'s orders[ that are {state}] is "{words}"'))
def listed(shop: Shop, customer: str, state: str | None, words: str) -> None:
    """Names of orders, the newest first; a page of two at a time. Waits, because lists are of what is stored."""
    wanted = [] if words == "empty" else [shop.order_id(f"order {name}") for name in words.split(", ")]
    look = pages_of(shop, shop.customer(customer), f"ORDER_STATE_{state or 'UNSPECIFIED'}")
    until(lambda: look() == wanted, lambda: f"the list is {words}; it is {look()}")


def pages_of(shop: Shop, customer_id: str, state: str) -> Callable[[], list[str]]:
    """Reads a list to its end."""

    def read() -> list[str]:
        ids: list[str] = []
        token = ""
        while True:
            request = order_service_pb2.ListOrdersRequest(
                customer_id=customer_id, order_state=state, page_size=2, page_token=token
            )
            page = shop.client.call(shop.client.orders.ListOrders, request)
            ids += [order.order_id for order in page.orders]
            token = page.next_page_token
            if not token:
                return ids

    return read
