"""`ordermesh up --replicas 3`: each of its three nats-servers is killed in turn while customers order."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import grpc

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from ordermesh.adapters.jetstream_api import call, stream_name
from ordermesh.adapters.nats_cluster import cluster_servers
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.cli.data_directory import DataDirectory
from ordermesh.runtime.ports import LogUnavailable, PartitionId
from tests.e2e.engine import Engine, ordermesh, until
from tests.long.shop import Shop

ORDERS = PartitionId("orders", 0)
MEMBERS = ["nats-1", "nats-2", "nats-3"]
ORDERS_PER_S = 15.0
RECOVERY_S = 120.0
"""Bounds what takes some seconds on a quiet machine: an election, and clients that notice it."""
ENDED = {
    order_pb2.ORDER_STATE_COMPLETED,
    order_pb2.ORDER_STATE_CANCELLED,
    order_pb2.ORDER_STATE_REJECTED,
}
QUORUM = consistency_pb2.READ_CONSISTENCY_QUORUM
ADDRESSES = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
OPTIONS = ("--replicas", "3", "--partitions", "1", "--log-bytes", str(64 << 20))


async def _members(urls: str) -> dict[str, Any]:
    connection = Connection(urls.split(","), "test")
    requests = Requests(connection)
    await connection.open()
    try:
        await requests.start()
        info = await call(requests, f"STREAM.INFO.{stream_name(ORDERS)}", {}, 2.0)
    finally:
        await connection.close()
    members: dict[str, Any] = info["cluster"]
    return members


def leader(engine: Engine) -> str:
    """Who leads the log of orders, once all three have everything; else empty."""
    try:
        members = asyncio.run(_members(engine.ready["nats"]))
    except LogUnavailable:
        return ""
    current = [one for one in members.get("replicas") or () if one["current"] and not one.get("offline")]
    return str(members.get("leader", "")) if len(current) == len(MEMBERS) - 1 else ""


def pid_of(engine: Engine, name: str) -> int:
    """The process of that name that runs now; 0 if none does."""
    status = DataDirectory(engine.data).status()
    assert status is not None
    return next((one.pid for one in status.processes if one.name == name and one.is_alive()), 0)


def acknowledged(shop: Shop) -> int:
    """Orders so far that the shop was told are taken."""
    return sum(not one.error for one in shop.created)


def kill_and_go_on(engine: Engine, shop: Shop, name: str) -> None:
    """Kills a server, and says how long no order was taken; returns when it runs again and has everything."""
    pid, begun, count = pid_of(engine, name), shop.now(), acknowledged(shop)
    os.kill(pid, signal.SIGKILL)
    until(lambda: acknowledged(shop) >= count + 3 * ORDERS_PER_S, "orders are taken again", RECOVERY_S)
    moments = [begun, *sorted(one.due + one.seconds for one in shop.created if not one.error and one.due > begun)]
    longest = max(later - earlier for earlier, later in itertools.pairwise(moments))
    sys.stdout.write(f"{name} was killed: no order was taken for {longest:.1f} s\n")
    until(lambda: pid_of(engine, name) not in (0, pid), f"{name} runs again", RECOVERY_S)
    until(lambda: leader(engine), "all three have everything", RECOVERY_S)


def assert_all_are_kept(engine: Engine, shop: Shop) -> None:
    """Every acknowledged order is there as it was given, and comes to its end."""
    with grpc.insecure_channel(engine.grpc) as channel:
        stub = order_service_pb2_grpc.OrderServiceStub(channel)

        def get(order_id: str) -> order_pb2.Order:
            request = order_service_pb2.GetOrderRequest(order_id=order_id, read_consistency=QUORUM)
            return stub.GetOrder(request, timeout=30.0).order

        for one in [one for one in shop.created if not one.error]:
            kept = get(one.order.order_id)
            assert [(line.sku, line.quantity) for line in kept.lines] == [
                (line.sku, line.quantity) for line in one.order.lines
            ]
            until(lambda: get(kept.order_id).order_state in ENDED, f"{kept.order_id} ends", RECOVERY_S)  # noqa: B023 # called at once


def receive(engine: Engine, request_id: str) -> None:
    """Five pieces, once; asked again while a leader is elected."""
    command = ("stock", "receive", "TEA", "5", "--request-id", request_id)
    until(lambda: engine.call(*command).returncode == 0, "stock is received", RECOVERY_S)


def on_hand(engine: Engine) -> str:
    """Pieces that are there, as far as the engine can say; an election leaves it without an answer."""
    done = engine.call("stock", "get", "TEA", "--consistency", "linearizable", "--output", "json")
    return str(json.loads(done.stdout)["stock"]["on_hand"]) if done.returncode == 0 else ""


def test_each_of_three_servers_killed_in_turn_loses_no_order(tmp_path: Path) -> None:
    with Engine(tmp_path / "data", *OPTIONS) as engine, Shop(engine.grpc, ORDERS_PER_S, 1) as shop:
        first = until(lambda: leader(engine), "a leader", RECOVERY_S)
        for name in [first, *(name for name in MEMBERS if name != first)]:
            until(lambda: acknowledged(shop) > 0, "orders are taken", RECOVERY_S)
            kill_and_go_on(engine, shop, name)
        kill_and_go_on(engine, shop, until(lambda: leader(engine), "a leader", RECOVERY_S))
        shop.close()

        assert_all_are_kept(engine, shop)
        done = engine.call("verify")
        assert done.returncode == 0, done.stdout + done.stderr
        assert sum(1 for name in MEMBERS if f"{name} ended (-9); it is started again" in engine.said()) == 3


def test_replicas_are_fixed_at_the_first_start_and_everything_stops_and_starts_again(tmp_path: Path) -> None:
    with Engine(tmp_path / "data", *OPTIONS) as engine:
        assert {name for name in engine.ready["pids"] if name.startswith("nats")} == set(MEMBERS)
        assert len(set(engine.ready["nats"].split(","))) == len(MEMBERS)
        assert all((engine.data / name / "jetstream").is_dir() for name in MEMBERS)
        assert not (engine.data / "nats").exists()
        receive(engine, "first")
        servers = engine.pids("nats")
        assert len(servers) == len(MEMBERS)
        assert engine.stop() == 0
        assert engine.pids("nats") == []

        refused = ordermesh("up", "--data", engine.data, *ADDRESSES, "--replicas", "1")
        assert refused.returncode == 1
        assert "was made with 3 replica(s) of each log, not with --replicas 1" in refused.stderr

        engine.options = ()
        engine.start()
        receive(engine, "second")
        until(lambda: on_hand(engine) == "10", "both are there", RECOVERY_S)
        assert leader(engine) in MEMBERS


async def test_a_cluster_that_is_there_is_used_by_the_addresses_of_its_servers(tmp_path: Path) -> None:
    servers = cluster_servers(tmp_path / "cluster")
    try:
        await asyncio.gather(*(server.start() for server in servers))
        urls = ",".join(server.url for server in servers)
        with Engine(tmp_path / "data", *OPTIONS, "--nats", urls) as engine:
            receive(engine, "first")
            until(lambda: on_hand(engine) == "5", "it is there", RECOVERY_S)
            assert engine.pids("nats") == []
            assert len((await _members(urls))["replicas"]) == len(servers) - 1
            await servers[0].kill()
            receive(engine, "second")
            until(lambda: on_hand(engine) == "10", "both are there", RECOVERY_S)
    finally:
        await asyncio.gather(*(server.kill() for server in servers))
