"""The server itself: reflection, health, probes, deadlines, what an operator sees, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_service_pb2
from tests.e2e.api.client import Client, failure_of, order_of, until
from tests.e2e.engine import Engine

SERVICES = {
    "oms.order.v1.OrderService",
    "oms.inventory.v1.InventoryService",
    "oms.payment.v1.PaymentService",
    "oms.shipping.v1.ShippingService",
    "oms.admin.v1.AdminService",
}


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_and_describes_the_services(client: Client, version: str) -> None:
    call = client.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    listed: Any = await call.read()
    await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol="oms.order.v1.OrderService"))
    described: Any = await call.read()
    await call.done_writing()

    assert {service.name for service in listed.list_services_response.service} >= SERVICES
    assert described.file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize("service", ["", *sorted(SERVICES)])
async def test_health_says_serving_for_each_service(client: Client, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(client.channel)

    async def serves() -> bool:
        response = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    assert await until(serves, f"{service or 'the server'} serves")


async def test_the_http_port_answers_probes_and_metrics(engine: Engine, client: Client) -> None:
    await client.create(order_of())

    async with httpx.AsyncClient(base_url=f"http://{engine.ready['http']}") as http:
        assert (await http.get("/livez")).status_code == 200
        ready = await http.get("/readyz")
        metrics = (await http.get("/metrics")).text
        assert (await http.get("/nothing")).status_code == 404

    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": [], "degraded": []})
    assert 'rpc_method="oms.order.v1.OrderService/CreateOrder",rpc_response_status_code="OK"' in metrics
    assert 'ordermesh_partition_lag_commands{group="orders",partition="0"}' in metrics
    assert "process_cpu_seconds_total" in metrics


async def test_a_passed_deadline_ends_the_call(client: Client) -> None:
    order = (await client.create(order_of())).order
    request = order_service_pb2.WatchOrderRequest(order_id=order.order_id)

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _to_the_end(client.orders.WatchOrder(request, timeout=0.5))

    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_bytes_that_are_no_request_are_invalid(client: Client) -> None:
    call: Any = client.channel.unary_unary("/oms.order.v1.OrderService/CreateOrder")

    failure = await failure_of(call(b"\xff\xff\xff"))

    assert (failure.code, failure.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_a_method_that_is_not_there_is_unimplemented(client: Client) -> None:
    call: Any = client.channel.unary_unary("/oms.order.v1.OrderService/ForgetOrder")

    failure = await failure_of(call(b""))

    assert failure.code == "UNIMPLEMENTED"


async def test_partitions_and_topology_are_told(client: Client) -> None:
    partitions = (await client.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest())).partitions
    topology = await client.admin.GetTopology(admin_service_pb2.GetTopologyRequest())

    named = [(partition.group, partition.partition) for partition in partitions]
    assert named == [(group.name, number) for group in topology.groups for number in range(group.partitions)]
    assert all(partition.owner and partition.intake_open and partition.epoch > 0 for partition in partitions)
    assert "owner" in {member.role for member in topology.members}
    missing = await failure_of(client.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest(group="x")))
    assert missing.reason == "PARTITION_NOT_FOUND"


async def test_the_log_is_told_decoded_and_without_payment_tokens(client: Client) -> None:
    created = await client.create(order_of())
    records = []
    for partition in range(2):
        request = admin_service_pb2.TailLogRequest(group="orders", partition=partition, key=created.order.order_id)
        records += [response.record async for response in client.admin.TailLog(request)]

    assert {record.type for record in records} >= {"oms.order.v1.PlaceOrder", "oms.order.v1.OrderPlaced"}
    payloads = [json.loads(record.payload_json) for record in records if record.payload_json]
    tokens = [payload["order"]["payment_token"] for payload in payloads if "order" in payload]
    assert tokens
    assert set(tokens) == {"[redacted]"}


async def test_a_followed_log_goes_on_with_what_comes(client: Client) -> None:
    order = order_of()
    requests = [
        admin_service_pb2.TailLogRequest(
            group="orders",
            partition=partition,
            key=order.order_id,
            follow=True,
            kind=admin_pb2.LOG_RECORD_KIND_EVENT,
        )
        for partition in range(2)
    ]
    calls = [client.admin.TailLog(request) for request in requests]
    reads = [asyncio.ensure_future(call.read()) for call in calls]

    await client.create(order)

    done, _ = await asyncio.wait(reads, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result().record.type for task in done] == ["oms.order.v1.OrderPlaced"]
    for call in calls:
        call.cancel()
    await asyncio.wait(reads)


async def test_there_are_no_dead_letters_and_none_can_be_resolved(client: Client) -> None:
    assert not (await client.admin.ListDeadLetters(admin_service_pb2.ListDeadLettersRequest())).dead_letters

    for name in ("", "x", "orders/000/1.1.1", "orders/777/1.1.1"):
        failure = await failure_of(
            client.admin.ReplayDeadLetter(admin_service_pb2.ReplayDeadLetterRequest(dead_letter_id=name))
        )
        assert (failure.code, failure.reason) == ("NOT_FOUND", "DEAD_LETTER_NOT_FOUND")


async def test_the_audit_finds_every_invariant_to_hold(client: Client) -> None:
    await client.completed()

    findings = [answer.finding async for answer in client.admin.Verify(admin_service_pb2.VerifyRequest(), timeout=120)]

    assert [finding.invariant_id for finding in findings] == ["I1", "I2", "I3", "I4", "I5", "I6", "I9"]
    assert {finding.invariant_id: list(finding.violations) for finding in findings if not finding.holds} == {}
    assert all(finding.checked > 0 for finding in findings)


async def test_an_invariant_that_nobody_knows_is_refused(client: Client) -> None:
    failure = await failure_of(client.admin.Verify(admin_service_pb2.VerifyRequest(invariant_ids=["I99"])).read())

    assert failure.fields == ["invariant_ids[0]"]


async def test_orders_are_accepted_while_no_owner_answers_and_nothing_false_is_said_of_them(
    engine: Engine, client: Client
) -> None:
    order = order_of(customer_id="patient")
    owners = engine.pids("owner")
    for pid in owners:
        os.kill(pid, signal.SIGSTOP)
    try:
        created = await client.create(order)
        missing = await failure_of(client.get(order.order_id, consistency_pb2.READ_CONSISTENCY_QUORUM))
    finally:
        for pid in owners:
            os.kill(pid, signal.SIGCONT)

    assert created.persistence == consistency_pb2.PERSISTENCE_ACCEPTED
    assert created.order.order_id == order.order_id
    assert created.order.payment_token == ""
    assert (missing.code, missing.reason) == ("UNAVAILABLE", "STATE_NOT_YET_KNOWN")
    assert missing.retry_ms > 0
    assert (await client.ended(order.order_id)).customer_id == "patient"


async def test_a_stopping_server_says_so_and_ends_watches(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data")
    engine.start()
    client = Client(engine.grpc)
    order = (await client.create(order_of())).order
    watch = client.orders.WatchOrder(order_service_pb2.WatchOrderRequest(order_id=order.order_id))
    await watch.read()
    stub: Any = health_pb2_grpc.HealthStub(client.channel)
    health = stub.Watch(health_pb2.HealthCheckRequest())
    while (await health.read()).status != health_pb2.HealthCheckResponse.SERVING:
        pass

    stopped = asyncio.get_running_loop().run_in_executor(None, engine.stop)

    assert (await health.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING

    failure = await failure_of(_to_the_end(watch))
    assert (failure.code, failure.reason) == ("UNAVAILABLE", "SHUTTING_DOWN")
    assert await stopped == 0
    await client.channel.close()


async def _to_the_end(call: Any) -> None:
    """Reads a stream until it fails."""
    while await call.read() is not grpc.aio.EOF:
        pass
