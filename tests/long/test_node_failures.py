"""Three Cassandra nodes under steady orders, of which one, two and all are lost: what each answer promises then.

3,000 orders a minute and more are offered throughout. The customers repeat nothing, so a call that fails is seen. What
happened is logged: `scripts/test long -- --log-cli-level=INFO` shows it.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.testing.cassandra_nodes.cluster import Cluster
from tests.cassandra_nodes import points_of
from tests.e2e.engine import Engine, until
from tests.long.shop import PERSISTENCE, SKUS, Created, Period, Shop

SEED = int(os.environ.get("DRILL_SEED", str(random.SystemRandom().randrange(1_000_000))))
RATE = 55.0
ACCEPT_S_MAX = 1.0
ANSWER_S_MAX = 2.0
"""The edge answers with what was reached after one second; the rest is a busy machine."""
STORED_SHARE_MIN = 0.9
ACCEPTED_SHARE_MAX = 0.05
"""Of the orders while a loss is noticed: what a busy machine is late with at the log already."""
TOLD_OF_S = 15.0
"""Until the engine and the nodes have noticed what was lost, generously."""
HEALED_S = 120.0
ROUNDS_MAX = 3
"""Of losing one node: in one of them everything is STORED. Nodes, engine and customers fill two cores, and while one of
the two nodes that are left waits for a core, or for its garbage collector, there is no quorum."""
READ_S = 10.0
READERS = 16

_log = logging.getLogger(__name__)


@pytest.fixture
def engine(three_nodes: Cluster, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a keyspace of its own."""
    options = (
        "--store",
        "cassandra",
        "--cassandra",
        points_of(three_nodes.nodes),
        "--cassandra-keyspace",
        f"drill_{time.time_ns()}",
    )
    with Engine(tmp_path / "data", *options) as running:
        yield running


@pytest.fixture
def shop(engine: Engine) -> Iterator[Shop]:
    """Customers, once nodes and owner keep up: both have just started."""
    with Shop(engine.grpc, RATE, SEED) as shop:
        until(lambda: set(shop.trade(5.0).persistence) == {"STORED"}, "orders are STORED", HEALED_S)
        yield shop


def assert_everything_is_stored(period: Period) -> None:
    """No call failed or was slow, nothing was said to be less than stored, and quorums answered."""
    assert period.errors == {}, period.told()
    assert set(period.persistence) == {"STORED"}, period.told()
    assert period.accept_p99_s() < ACCEPT_S_MAX, period.told()
    assert set(period.reads("QUORUM")) <= {("QUORUM", False, "")}, period.told()
    assert set(period.reads("LINEARIZABLE")) <= {("LINEARIZABLE", False, "")}, period.told()


def assert_hardly_noticed(period: Period) -> None:
    """No call failed, and nearly all was stored. Not everything: a node that starts, or is written hints for, takes
    processor and disk from all others on the machine, and for a moment somebody is told LOGGED."""
    assert period.errors == {}, period.told()
    assert period.persistence["STORED"] >= STORED_SHARE_MIN * len(period.created), period.told()
    assert period.accept_p99_s() < ANSWER_S_MAX, period.told()
    degraded = period.reads("QUORUM").keys() - {
        ("QUORUM", False, ""),
        ("EVENTUAL", True, ""),
        ("LINEARIZABLE", False, ""),
    }
    assert {error for _given, _degraded, error in degraded} <= {"UNAVAILABLE"}, period.told()


def until_healed(engine: Engine, shop: Shop) -> None:
    """Until orders are STORED again and the checkpoints have moved past all that was decided before: until then a row
    may be weak, and no checkpoint is written while one is."""
    until(lambda: set(shop.trade(2.0).persistence) == {"STORED"}, "orders are STORED again", HEALED_S)
    decided = sequences(engine, "decided_through")

    def have_moved() -> bool:
        checkpoints = sequences(engine, "checkpoint")
        return all(checkpoints[partition] >= through for partition, through in decided.items())

    until(have_moved, "the checkpoints pass what was decided", HEALED_S)


def sequences(engine: Engine, name: str) -> dict[tuple[str, int], int]:
    """A position in the log of every partition."""
    partitions = engine.json("partitions")["partitions"]
    return {(one["group"], int(one.get("partition", 0))): int(one.get(name, 0)) for one in partitions}


def assert_every_order_is_there(engine: Engine, created: list[Created]) -> None:
    """As acknowledged: the customer, the lines and the prices; whatever the persistence that was told."""
    with grpc.insecure_channel(engine.grpc) as channel, ThreadPoolExecutor(READERS) as readers:
        stub = order_service_pb2_grpc.OrderServiceStub(channel)

        def is_there(one: Created) -> bool:
            order = stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=one.order.order_id), timeout=READ_S).order
            return (order.customer_id, content(order)) == (one.order.customer_id, content(one.order))

        acknowledged = [one for one in created if not one.error]
        found = readers.map(is_there, acknowledged)
        assert [one for one, good in zip(acknowledged, found, strict=True) if not good] == []


def content(order: order_pb2.Order) -> list[tuple[str, int, int]]:
    """What was ordered."""
    return [(line.sku, line.quantity, line.unit_price.units) for line in order.lines]


def assert_audit_holds(engine: Engine) -> None:
    """All invariants, once everything has come to its end."""
    done = engine.call("verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_two_and_all_nodes_are_lost_and_come_back(three_nodes: Cluster, engine: Engine, shop: Shop) -> None:
    for number in range(1, ROUNDS_MAX + 1):
        three_nodes.kill(1)
        one_down = shop.trade(TOLD_OF_S + 10.0)
        _log.info("one down, round %d: %s", number, one_down.told())
        assert_hardly_noticed(one_down)
        if set(one_down.persistence) == {"STORED"}:
            break
        three_nodes.start(1)
        until_healed(engine, shop)
    assert_everything_is_stored(one_down)

    three_nodes.kill(2)
    noticing = shop.trade(TOLD_OF_S)
    _log.info("two down, noticing: %s", noticing.told())
    two_down = shop.trade(15.0)
    _log.info("two down: %s", two_down.told())
    assert noticing.errors == two_down.errors == {}
    assert noticing.persistence["ACCEPTED"] <= ACCEPTED_SHARE_MAX * len(noticing.created)
    assert set(two_down.persistence) <= {"STORED_ONE", "LOGGED"}
    assert set(two_down.reads("EVENTUAL")) == {("EVENTUAL", False, "")}
    assert set(two_down.reads("QUORUM")) == {("EVENTUAL", True, "")}
    assert set(two_down.reads("LINEARIZABLE")) <= {("LINEARIZABLE", False, ""), ("", False, "UNAVAILABLE")}

    three_nodes.kill(3)
    none_up = shop.trade(20.0)
    _log.info("all down: %s", none_up.told())
    assert none_up.errors == {}
    assert set(none_up.persistence) <= {"STORED_ONE", "LOGGED", "ACCEPTED"}

    three_nodes.start(1, 2, 3)
    until_healed(engine, shop)
    shop.close()
    assert_every_order_is_there(engine, shop.created)
    assert_audit_holds(engine)


def test_nodes_restarted_in_turn_are_hardly_noticed(three_nodes: Cluster, engine: Engine, shop: Shop) -> None:
    for number in (1, 2, 3):
        begun = shop.now()
        three_nodes.restart(number)
        shop.trade(2.0)
        restarted = shop.since(begun)
        _log.info("node %d restarted: %s", number, restarted.told())
        assert_hardly_noticed(restarted)
    shop.close()
    assert_audit_holds(engine)


def test_a_node_that_hangs_and_one_that_is_slow_are_hardly_noticed(
    three_nodes: Cluster, engine: Engine, shop: Shop
) -> None:
    three_nodes.pause(1)
    try:
        hangs = shop.trade(25.0)
    finally:
        three_nodes.resume(1)
    _log.info("one hangs: %s", hangs.told())
    assert_hardly_noticed(hangs)

    until_healed(engine, shop)
    with Stutter(three_nodes, 2):
        slow = shop.trade(15.0)
    _log.info("one slow: %s", slow.told())
    assert_hardly_noticed(slow)
    shop.close()
    assert_audit_holds(engine)


class Stutter:
    """A node that runs a tenth of the time, a tenth of a second in each."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self._node = cluster.node(number)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        """Begins."""
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        """Ends; the node runs again."""
        self._ended.set()
        self._thread.join()
        self._node.resume()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._node.pause()
            self._ended.wait(0.9)
            self._node.resume()
            self._ended.wait(0.1)


PAIRS = 10_000
PAIRS_AT_ONCE = 16
PROMISED_SHARE_MIN = 0.98
"""Of the pairs: the rest was honestly said to be less than STORED, or read at less than a quorum."""
WARM_S = 12.0
"""Servers learn every five seconds how long a replica takes as a rule; before that they wait for one that is dead."""


def test_a_quorum_read_sees_what_was_stored_while_at_most_one_node_is_down(
    three_nodes: Cluster, engine: Engine
) -> None:
    chance = random.Random(SEED)
    pairs = Pairs(engine.grpc)
    with pairs:
        pairs.go_on(WARM_S)
        while pairs.count < PAIRS:
            number = chance.randint(1, 3)
            if chance.random() < 0.5:
                three_nodes.kill(number)
                pairs.go_on(chance.uniform(2.0, 12.0))
                three_nodes.start(number)
            else:
                three_nodes.restart(number)
            pairs.go_on(chance.uniform(2.0, 6.0))
    told = f"{pairs.count} pairs, {pairs.not_stored} not STORED, {pairs.degraded} degraded, seed {SEED}"
    _log.info(told)
    assert pairs.wrong == [], told
    assert pairs.count >= PROMISED_SHARE_MIN * (pairs.count + pairs.not_stored + pairs.degraded), told


class Pairs:
    """Writes an order, and reads it at once at quorum, again and again from several threads."""

    def __init__(self, server: str) -> None:
        self.count = 0
        self.not_stored = 0
        self.degraded = 0
        self.wrong: list[str] = []
        self._server = server
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(PAIRS_AT_ONCE)]

    def __enter__(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_error: object) -> None:
        """Ends, with every pair whole."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, seconds: float) -> None:
        """For so long."""
        assert not self._ended.wait(seconds)

    def _run(self) -> None:
        with grpc.insecure_channel(self._server, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            stub = order_service_pb2_grpc.OrderServiceStub(channel)
            while not self._ended.is_set():
                try:
                    self._pair(stub)
                except grpc.RpcError as error:
                    self.wrong.append(str(error))

    def _pair(self, stub: order_service_pb2_grpc.OrderServiceStub) -> None:
        order = order_pb2.Order(customer_id="pairs", payment_token="tok_ok")
        order.lines.add(sku=SKUS[0], quantity=1).unit_price.currency_code = "GBP"
        order.lines[0].unit_price.units = 1
        created = stub.CreateOrder(
            order_service_pb2.CreateOrderRequest(order=order), timeout=READ_S, wait_for_ready=True
        )
        request = order_service_pb2.GetOrderRequest(order_id=created.order.order_id)
        found = stub.GetOrder(request, timeout=READ_S)
        freshness = found.freshness
        is_quorum = freshness.consistency == consistency_pb2.READ_CONSISTENCY_QUORUM
        with self._lock:
            if PERSISTENCE[created.persistence] != "STORED":
                self.not_stored += 1
            elif freshness.degraded:
                self.degraded += 1
            else:
                self.count += 1
                if not (is_quorum and found.order.version >= created.order.version):
                    self.wrong.append(f"{created.order.order_id}: {freshness}")
