"""Every method of the contract, called with what no well-meaning client sends, on a real engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import grpc
import httpx
from google.protobuf.message_factory import GetMessageClass

from oms.admin.v1 import admin_pb2, admin_service_pb2
from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.runtime.ports import PartitionId
from ordermesh.testing.fuzz.deployment import Deployment
from ordermesh.testing.fuzz.methods import contract_methods
from ordermesh.testing.fuzz.plan import KINDS, Plan, PlannedCall
from ordermesh.testing.fuzz.run import fuzz
from tests.e2e.api.client import Client, order_of, until

CALLS = 5_000
PLANNED = 5_000
METHODS = contract_methods()
STOPPED = 'ordermesh_partition_stopped{group="stock",partition="0"} 1.0'


def test_no_call_breaks_the_engine() -> None:
    """Refusals are typed and small, nothing dies, stops, grows or is a dead letter, and the audit holds."""
    line = fuzz(seed=1, calls=CALLS)

    assert line["failures"] == {}
    assert line["calls"] == CALLS
    assert line["codes"]["OK"] > CALLS // 10, "calls that are taken are among them"


def test_the_same_seed_makes_the_same_calls_of_every_method_and_kind() -> None:
    first, second = ([Plan(7, METHODS, []).call(number) for number in range(PLANNED)] for _ in range(2))

    assert [_content(call) for call in first] == [_content(call) for call in second]
    assert {call.method.path for call in first} == {method.path for method in METHODS}
    assert {call.kind for call in first} | {"huge"} == set(KINDS)
    assert len({request for call in first for request in call.requests}) > PLANNED // 2


def _content(call: PlannedCall) -> tuple[object, ...]:
    return call.method.path, call.requests, call.metadata, call.deadline_s, call.is_compressed


def test_well_meant_calls_are_mostly_ones_that_can_be_read() -> None:
    """Calls that are all refused at the door would test the door alone."""
    kinds: Counter[str] = Counter()
    for number in range(PLANNED):
        call = Plan(7, METHODS, []).call(number)
        if call.kind == "valid":
            for request in call.requests:
                GetMessageClass(call.method.request).FromString(request)
                kinds[call.method.name] += 1

    assert kinds["CreateOrder"] > PLANNED // 100


async def test_garbage_in_a_real_log_is_a_dead_letter_or_an_alert(tmp_path: Path) -> None:
    """A command that cannot be read harms itself; a decision that cannot be read stops its partition, and says so."""
    with Deployment(tmp_path) as engine:
        log = JetStreamLog([engine.nats], name="test")
        await log.open()
        client = Client(engine.address)
        try:
            stock = PartitionId("stock", 0)
            await log.append(stock, "commands", b"\xff\xfe", frame_id="garbage command", dedupe=True)
            letters = await until(lambda: _dead_letters(client), "the command is a dead letter")
            assert [letter.type for letter in letters] == ["unreadable frame"]

            await log.append(stock, "decisions", b"\xff\xfe", frame_id="garbage decision", dedupe=False)
            partitions = await until(lambda: _stopped(client), "the partition is stopped")
            assert [(one.group, one.partition) for one in partitions] == [("stock", 0)]
            assert "cannot be read" in partitions[0].stopped_reason
            async with httpx.AsyncClient() as http:
                assert STOPPED in (await http.get(f"http://{engine.http}/metrics")).text
            order = await client.create(order_of())
            assert order.order.order_id, "orders are still taken"
        finally:
            await client.channel.close()
            await log.close()


async def _dead_letters(client: Client) -> list[admin_pb2.DeadLetter]:
    return list((await client.admin.ListDeadLetters(admin_service_pb2.ListDeadLettersRequest())).dead_letters)


async def _stopped(client: Client) -> list[admin_pb2.Partition]:
    try:
        response = await client.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest())
    except grpc.aio.AioRpcError:
        return []
    return [partition for partition in response.partitions if partition.stopped_reason]
