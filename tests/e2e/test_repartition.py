"""Another number of partitions between two loads: nothing acknowledged is lost, what is open goes on, nothing is done
twice; also where the work is killed on its way."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import nats
import pytest
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from ordermesh.cli.data_directory import DataDirectory
from ordermesh.core.ids import RANDOM_BYTES, order_id_of
from tests.e2e.engine import Engine, environment, ordermesh, until
from tests.e2e.nats import Nats

SKUS = [f"SKU-{number}" for number in range(12)]
STOCK = 100_000
CALL_S = 30.0
END_S = 150.0
DISPATCH_DELAY_S = 30.0
"""Longer than it takes to stop, divide and start again: shipments wait for their timers meanwhile."""
SHORT_DELAY_S = 5.0
"""Where it takes long anyway: they fall due meanwhile."""
EVENTS_BYTES = 640 << 20
GIVEN = ("--log-bytes", str(64 << 20), "--events-bytes", str(EVENTS_BYTES))
ENDED = {order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED}
STEPS = ("Making the new logs", "Draining the logs", "Beginning the new logs", "Recording the new partitions")


class Customers:
    """They order, and remember what they were told."""

    def __init__(self, engine: Engine, journal: Path) -> None:
        self._engine = engine
        self._journal = journal
        self._chance = random.Random(7)
        self.acknowledged: dict[str, order_pb2.Order] = {}
        self.cancelled: set[str] = set()

    def stub(self, channel: grpc.Channel) -> order_service_pb2_grpc.OrderServiceStub:
        """The order service."""
        return order_service_pb2_grpc.OrderServiceStub(channel)

    def channel(self) -> grpc.Channel:
        """To the engine as it runs now."""
        return grpc.insecure_channel(self._engine.grpc)

    def fill(self) -> None:
        """Stock for everybody."""
        with self.channel() as channel:
            stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
            for sku in SKUS:
                stub.ReceiveStock(inventory_service_pb2.ReceiveStockRequest(sku=sku, quantity=STOCK), timeout=CALL_S)

    def order(self, token: str = "tok_ok") -> order_pb2.Order:
        """A new order of three SKUs, which mostly live in several partitions."""
        order = order_pb2.Order(
            order_id=order_id_of(time.time_ns() // 1_000_000, self._chance.randbytes(RANDOM_BYTES)),
            customer_id=f"customer-{self._chance.randrange(9)}",
            payment_token=token,
        )
        order.labels["invoice_no"] = order.order_id  # as the orders of a journal have
        for sku in self._chance.sample(SKUS, 3):
            price = Money(currency_code="GBP", units=self._chance.randint(1, 20))
            order.lines.add(sku=sku, quantity=self._chance.randint(1, 3), unit_price=price)
        return order

    def create(self, count: int, token: str = "tok_ok") -> list[order_pb2.Order]:
        """Creates them, and writes down each that is acknowledged."""
        made = [self.order(token) for _ in range(count)]
        with self.channel() as channel, self._journal.open("a") as journal:
            for order in made:
                answer = self.stub(channel).CreateOrder(
                    order_service_pb2.CreateOrderRequest(order=order), timeout=CALL_S
                )
                self.acknowledged[order.order_id] = order
                total = answer.order.total
                line = {
                    "invoice": order.order_id,
                    "order_id": order.order_id,
                    "call": "create",
                    "persistence": "STORED",
                    "total": {"currency_code": total.currency_code, "units": total.units, "nanos": total.nanos},
                    "time": "2026-01-01T00:00:00Z",
                }
                journal.write(json.dumps(line) + "\n")
        return made

    def cancel(self, orders: Sequence[order_pb2.Order]) -> None:
        """Cancels them; one that has left already says so."""
        with self.channel() as channel:
            for order in orders:
                request = order_service_pb2.CancelOrderRequest(order_id=order.order_id)
                try:
                    self.stub(channel).CancelOrder(request, timeout=CALL_S)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                        raise
                else:
                    self.cancelled.add(order.order_id)

    def dispatch(self, orders: Sequence[order_pb2.Order]) -> None:
        """Has them shipped by hand, before their timers."""
        with self.channel() as channel:
            stub = shipping_service_pb2_grpc.ShippingServiceStub(channel)
            for order in orders:
                request = shipping_service_pb2.ListShipmentsRequest(order_id=order.order_id)
                found = until(lambda: stub.ListShipments(request, timeout=CALL_S).shipments, "a shipment")  # noqa: B023 # called at once
                wanted = shipping_service_pb2.DispatchShipmentRequest(shipment_id=found[0].shipment_id)
                stub.DispatchShipment(wanted, timeout=CALL_S)

    def bring_back(self, order: order_pb2.Order) -> None:
        """Returns the first line."""
        with self.channel() as channel:
            known = self.read(channel, order.order_id)
            request = order_service_pb2.ReturnOrderRequest(order_id=order.order_id, restock=True)
            request.lines.add(line_id=known.lines[0].line_id, quantity=1)
            self.stub(channel).ReturnOrder(request, timeout=CALL_S)

    def read(self, channel: grpc.Channel, order_id: str) -> order_pb2.Order:
        """An order as it is."""
        request = order_service_pb2.GetOrderRequest(order_id=order_id)
        return self.stub(channel).GetOrder(request, timeout=CALL_S).order

    def are_ended(self, orders: Sequence[str]) -> bool:
        """Whether nothing more will become of them by itself."""
        with self.channel() as channel:
            return all(self.read(channel, order_id).order_state in ENDED for order_id in orders)

    def check(self) -> None:
        """Everything acknowledged is there as acknowledged, and has come to its end."""
        until(lambda: self.are_ended(list(self.acknowledged)), "every order has ended", END_S)
        with self.channel() as channel:
            for order_id, order in self.acknowledged.items():
                found = self.read(channel, order_id)
                assert found.customer_id == order.customer_id
                assert [(line.sku, line.quantity) for line in found.lines] == [
                    (line.sku, line.quantity) for line in order.lines
                ]
                if order_id in self.cancelled:
                    assert found.order_state == order_pb2.ORDER_STATE_CANCELLED, order_id
        done = self._engine.call("verify", "--orders", self._journal)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def four_partitions(tmp_path: Path, dispatch_delay_s: float, *options: str) -> Iterator[Engine]:
    """A deployment that is up."""
    engine = Engine(tmp_path / "data", "--partitions", "4", "--dispatch-delay-s", str(dispatch_delay_s), *options)
    with engine:
        engine.options = engine.options[2:]  # from now on the deployment knows
        yield engine


def divide(engine: Engine, *arguments: str) -> Any:
    """Runs the command to its end, which has to be a success."""
    done = ordermesh("repartition", "--data", engine.data, *arguments, *where(engine), "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def where(engine: Engine) -> Sequence[str]:
    """The log's address, if it was given one, and what it keeps of events."""
    return engine.options[-4:] if "--nats" in engine.options else ()


def numbers_of(engine: Engine, group: str) -> list[int]:
    """The numbers of a group's partitions, as the engine says."""
    return [each.get("partition", 0) for each in engine.json("partitions", "--group", group)["partitions"]]


def assert_done_once(engine: Engine, customers: Customers) -> None:
    """The provider did nothing twice, under any key."""
    keys = Counter(line["idempotency_key"] for line in engine.ledger())
    assert [key for key, count in keys.items() if count > 1] == []
    operations: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in engine.ledger():
        operations[line["order_id"]][line["operation"]] += 1
    with customers.channel() as channel:
        for order_id in customers.acknowledged:
            is_completed = customers.read(channel, order_id).order_state == order_pb2.ORDER_STATE_COMPLETED
            assert operations[order_id]["authorize"] <= 1, order_id
            assert operations[order_id]["capture"] == int(is_completed), order_id
            assert operations[order_id]["void"] <= int(not is_completed), order_id


async def bytes_of_events(url: str) -> int | None:
    """What the stream of events may keep."""
    connection = await nats.connect(url)
    try:
        return (await connection.jetstream().stream_info("OM_EVENTS")).config.max_bytes
    finally:
        await connection.close()


async def told_of(url: str) -> dict[str, list[str]]:
    """What the world was told of each order, in order, each event once."""
    connection = await nats.connect(url)
    try:
        stream = connection.jetstream()
        count = (await stream.stream_info("OM_EVENTS")).state.messages
        reader = await stream.subscribe("om.events.v1.>", ordered_consumer=True)
        told: dict[str, list[str]] = {}
        seen: set[str] = set()
        for _ in range(count):
            message = await reader.next_msg(timeout=20)
            assert message.headers is not None
            service, name, key = message.subject.split(".")[3:]
            if service == "order" and message.headers["ce-id"] not in seen:
                told.setdefault(key, []).append(name)
            seen.add(message.headers["ce-id"])
        return told
    finally:
        await connection.close()


def assert_told_in_order(engine: Engine, customers: Customers) -> None:
    """Of each order once what happened, from its placing to its end."""
    url = str(engine.ready["nats"])

    def is_told() -> dict[str, list[str]]:
        told = asyncio.run(told_of(url))
        ends = {"completed", "cancelled"}
        return told if all(ends & set(told.get(order_id, ())) for order_id in customers.acknowledged) else {}

    told = until(is_told, "the world is told of every end")
    for order_id in customers.acknowledged:
        names = told[order_id]
        assert names[0] == "placed", (order_id, names)
        assert len(set(names)) == len(names), (order_id, names)
        order = ["placed", "confirmed", "cancelling", "completed", "cancelled", "returned"]
        known = [order.index(name) for name in names if name in order]
        assert known == sorted(known), (order_id, names)


def test_four_partitions_become_eight_between_two_loads(tmp_path: Path) -> None:
    with four_partitions(tmp_path, DISPATCH_DELAY_S) as engine:
        divide_between_two_loads(engine, tmp_path)


def divide_between_two_loads(engine: Engine, tmp_path: Path) -> None:
    """Orders at every stage of their way meet the new partitions."""
    customers = Customers(engine, tmp_path / "journal.jsonl")
    customers.fill()
    early = customers.create(6)
    customers.dispatch(early)
    until(lambda: customers.are_ended([order.order_id for order in early]), "the early orders are through")
    waiting = customers.create(40)
    customers.cancel(waiting[:5])
    customers.create(8, "tok_flaky")
    customers.create(12, "tok_slow")  # their payments are under way when it stops

    refused = ordermesh("repartition", "--data", engine.data, "--to", "8", "--yes")
    assert refused.returncode == 1
    assert "is held by process" in refused.stderr
    assert engine.stop() == 0
    looked = ordermesh("repartition", "--data", engine.data, "--to", "8")
    assert looked.returncode == 0, looked.stderr
    assert "Nothing was changed" in looked.stderr
    report = divide(engine, "--to", "8", "--yes")
    assert report["before"] == {"orders": 4, "stock": 4, "notification": 1}
    assert report["after"] == {"orders": 8, "stock": 8, "notification": 1}
    assert report["carried"] >= 35  # the shipments' timers at least
    engine.start()
    assert numbers_of(engine, "orders") == list(range(4, 12))

    customers.cancel(waiting[5:12])
    customers.bring_back(early[0])
    customers.create(30)
    with customers.channel() as channel:
        again = order_service_pb2.CreateOrderRequest(order=early[1])
        answer = customers.stub(channel).CreateOrder(again, timeout=CALL_S)
        assert answer.order.order_state == order_pb2.ORDER_STATE_COMPLETED
        again.order.lines[0].quantity += 1
        with pytest.raises(grpc.RpcError) as other:
            customers.stub(channel).CreateOrder(again, timeout=CALL_S)
        assert other.value.code() is grpc.StatusCode.ALREADY_EXISTS
    customers.check()
    assert_done_once(engine, customers)
    assert_told_in_order(engine, customers)


@pytest.mark.parametrize("is_alone", [True, False], ids=["own log server", "given log server"])
def test_killed_at_any_step_it_is_ended_or_undone(tmp_path: Path, *, is_alone: bool) -> None:
    if is_alone:
        with four_partitions(tmp_path, SHORT_DELAY_S) as engine:
            divide_with_kills(engine, tmp_path)
        return
    with Nats(tmp_path / "nats") as nats_server:
        url = f"nats://127.0.0.1:{nats_server.port}"
        with four_partitions(tmp_path, SHORT_DELAY_S, *GIVEN, "--nats", url) as engine:
            divide_with_kills(engine, tmp_path)


def divide_with_kills(engine: Engine, tmp_path: Path) -> None:
    """First it is undone, then ended."""
    customers = Customers(engine, tmp_path / "journal.jsonl")
    customers.fill()
    customers.create(20)
    customers.create(6, "tok_slow")
    engine.stop()

    kill_at(engine, STEPS[2], "--to", "3", "--yes")
    if where(engine):
        refused = ordermesh(
            "up", "--data", engine.data, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *where(engine)
        )
        assert refused.returncode == 1, refused.stderr
        assert "a repartition was begun" in refused.stderr
    assert divide(engine, "--abort", "--yes") is None
    engine.start()
    assert numbers_of(engine, "stock") == list(range(4))
    customers.create(5)
    engine.stop()

    for step in STEPS:
        kill_at(engine, step, "--to", "3", "--yes")
    divide(engine, "--to", "3", "--yes", "--purge-old")
    if urls := where(engine)[-1:]:
        assert asyncio.run(bytes_of_events(urls[0])) == EVENTS_BYTES
    engine.start()
    assert numbers_of(engine, "orders") == list(range(4, 7))
    customers.create(10)
    customers.check()
    assert_done_once(engine, customers)
    assert_told_in_order(engine, customers)


def kill_at(engine: Engine, step: str, *arguments: str) -> None:
    """Runs the command and kills it once it says that the step begins; nothing of it runs on."""
    command = [sys.executable, "-m", "ordermesh", "repartition", "--data", str(engine.data), *arguments, *where(engine)]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(step):
            os.kill(process.pid, signal.SIGKILL)
    process.stderr.close()
    assert process.wait(CALL_S) == -signal.SIGKILL, "".join(said)
    until(lambda: DataDirectory(engine.data).held_by() is None, "nobody holds the data")
