"""`ordermesh partitions pauses`: how long each partition answered nothing, asked again and again while things happen.

Each question is a read that its owner has to decide, of a key that does not exist, so nothing is changed by it. A pause
is the time between two answers, so it includes the finding of another edge and of another owner. Orders are asked for
by ids that are new each time, of which an owner knows that they do not exist; a SKU it has to look up in the store, so
the pauses of stock are those of the store too.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import grpc
import typer

from oms.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from oms.log.v1 import log_pb2
from oms.order.v1 import order_service_pb2, order_service_pb2_grpc
from oms.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from oms.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from ordermesh.cli.client import SERVER_DEFAULT, OutputForm, Server, aio_channel, connected
from ordermesh.cli.output import Output, print_data, print_table
from ordermesh.cli.progress import Progress
from ordermesh.core.ids import RANDOM_BYTES, order_id_of
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.topology import Topology

INTERVAL_S = 0.1
"""Between an answer and the next question: what a pause is known to, and ten questions a second for a partition."""
ANSWER_S = 2.0
"""How long a question is given; then it is asked anew, so that none waits for what went with a process."""
TENANT = "default"
LINEARIZABLE = consistency_pb2.READ_CONSISTENCY_LINEARIZABLE

Ask = Callable[[str], Awaitable[object]]
"""Asks for a key's state."""


@dataclass(slots=True)
class Pauses:
    """What one partition did. Times are the monotonic clock's, in seconds."""

    partition: str
    answered_at: float
    answers: int = 0
    failures: int = 0
    longest_s: float = 0.0
    longest_at: float = 0.0

    def answered(self, now: float) -> None:
        """Takes an answer."""
        self.waited(now)
        self.answers += 1
        self.answered_at = now

    def waited(self, now: float) -> None:
        """Takes that there was none until now."""
        if now - self.answered_at > self.longest_s:
            self.longest_s, self.longest_at = now - self.answered_at, self.answered_at


def pauses(
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="For how long.")] = 60.0,
    server: Server = SERVER_DEFAULT,
    output: OutputForm = Output.TABLE,
) -> None:
    """Ask every partition ten times a second, and say how long each answered nothing at most.

    For drills: begin it, stop or kill something, end it by Ctrl-C, and read how long that was felt.
    Example: ordermesh partitions pauses --seconds 120
    """
    with connected(server) as channel:
        listed = admin_service_pb2_grpc.AdminServiceStub(channel).GetTopology(
            admin_service_pb2.GetTopologyRequest(), timeout=30.0
        )
        partitions = admin_service_pb2_grpc.AdminServiceStub(channel).ListPartitions(
            admin_service_pb2.ListPartitionsRequest(), timeout=30.0
        )
    numbers: dict[str, list[int]] = {}
    for each in partitions.partitions:
        numbers.setdefault(each.group, []).append(each.partition)
    questions: list[Question] = []
    for group in listed.groups:
        service = next((service for service in group.services if service in _KEYS), "")
        if service:
            questions += _questions(group.name, service, sorted(numbers[group.name]))
    told = asyncio.run(_watch(server, questions, seconds))
    _print(told, output)


class Question:
    """What one partition is asked."""

    def __init__(self, topology: Topology, partition: PartitionId, service: str) -> None:
        self.partition = partition
        self.service = service
        self._topology = topology

    def new_key(self) -> str:
        """A key of the service that lives in the partition."""
        while True:
            key = _KEYS[self.service]()
            if self._topology.partition_of(self.service, TENANT, key) == self.partition:
                return key


def _questions(group: str, service: str, numbers: list[int]) -> list[Question]:
    """One for each partition of a group."""
    deployment = log_pb2.Deployment()
    deployment.groups.add(name=group, services=[service], partitions=len(numbers), first=numbers[0], count=len(numbers))
    topology = Topology(deployment)
    return [Question(topology, partition, service) for partition in topology.partitions()]


def _new_order_id() -> str:
    return order_id_of(time.time_ns() // 1_000_000, secrets.token_bytes(RANDOM_BYTES))


def _new_sku() -> str:
    return f"no-such-{secrets.token_hex(8)}"


_KEYS: Mapping[str, Callable[[], str]] = {
    "order": _new_order_id,
    "inventory": _new_sku,
    "payment": _new_order_id,
    "shipping": _new_order_id,
}
"""The services that can be asked for what does not exist, and a key of theirs."""


def _asks(channel: grpc.aio.Channel) -> Mapping[str, Ask]:
    order: Any = order_service_pb2_grpc.OrderServiceStub(channel)
    inventory: Any = inventory_service_pb2_grpc.InventoryServiceStub(channel)
    payment: Any = payment_service_pb2_grpc.PaymentServiceStub(channel)
    shipping: Any = shipping_service_pb2_grpc.ShippingServiceStub(channel)
    return {
        "order": lambda key: order.GetOrder(
            order_service_pb2.GetOrderRequest(order_id=key, read_consistency=LINEARIZABLE), timeout=ANSWER_S
        ),
        "inventory": lambda key: inventory.GetStock(
            inventory_service_pb2.GetStockRequest(sku=key, read_consistency=LINEARIZABLE), timeout=ANSWER_S
        ),
        "payment": lambda key: payment.GetPayment(
            payment_service_pb2.GetPaymentRequest(order_id=key, read_consistency=LINEARIZABLE), timeout=ANSWER_S
        ),
        "shipping": lambda key: shipping.GetShipment(
            shipping_service_pb2.GetShipmentRequest(shipment_id=f"{key}-1", read_consistency=LINEARIZABLE),
            timeout=ANSWER_S,
        ),
    }


async def _watch(server: str, questions: list[Question], seconds: float) -> list[Pauses]:
    """Asks all partitions for that long, or until it is interrupted."""
    told = [Pauses(str(question.partition), time.monotonic()) for question in questions]
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with aio_channel(server) as channel:
        asks = _asks(channel)
        asking = [
            asyncio.create_task(_ask_on(asks[question.service], question, one, ended))
            for question, one in zip(questions, told, strict=True)
        ]
        with Progress("seconds", round(seconds)) as progress:
            await _show(progress, told, seconds, ended)
        ended.set()
        await asyncio.gather(*asking)
    return told


async def _show(progress: Progress, told: list[Pauses], seconds: float, ended: asyncio.Event) -> None:
    """Tells every second how it stands, until the time is up."""
    began = time.monotonic()
    for second in range(1, round(seconds) + 1):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), max(0.0, began + second - time.monotonic()))
            return
        worst = max(told, key=lambda one: one.longest_s, default=None)
        progress.note(f"longest {worst.longest_s:.2f} s, {worst.partition}" if worst is not None else "")
        progress.advance()


async def _ask_on(ask: Ask, question: Question, one: Pauses, ended: asyncio.Event) -> None:
    while not ended.is_set():
        try:
            await ask(question.new_key())
            one.answered(time.monotonic())
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                one.answered(time.monotonic())
            else:
                one.failures += 1
                one.waited(time.monotonic())
        await asyncio.sleep(INTERVAL_S)
    one.waited(time.monotonic())


def _print(told: list[Pauses], output: Output) -> None:
    since = time.time() - time.monotonic()
    rows = [
        {
            "partition": one.partition,
            "answers": one.answers,
            "failures": one.failures,
            "longest_pause_s": round(one.longest_s, 3),
            "began": datetime.fromtimestamp(since + one.longest_at, UTC).isoformat(timespec="milliseconds"),
        }
        for one in told
    ]
    if output is not Output.TABLE:
        print_data({"pauses": rows}, output)
        return
    table = [("PARTITION", "ANSWERS", "FAILURES", "LONGEST PAUSE S", "BEGAN")]
    table += [tuple(str(value) for value in row.values()) for row in rows]  # type: ignore[misc]  # as many as headings
    print_table(table)
