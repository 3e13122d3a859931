"""How the gRPC server ends: what has arrived is answered, however busy the process was."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
from prometheus_client import CollectorRegistry

from oms.order.v1 import order_service_pb2
from ordermesh.runtime.server import Api, GrpcServer, ServerOptions
from ordermesh.runtime.telemetry import CallMetrics

CALLS = 100
BUSY_S = 0.5
GRACE_S = 20.0
ORDERS = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]


class _Servicer:
    """Has every method, and answers with nothing."""

    def __getattr__(self, name: str) -> object:
        async def answer(_request: object, _call: object) -> order_service_pb2.GetOrderResponse:
            return order_service_pb2.GetOrderResponse()

        return answer


def calls(address: str, are_sent: threading.Event) -> Counter[str]:
    """Many calls at once; what they ended with."""
    with grpc.insecure_channel(address) as channel:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/oms.order.v1.OrderService/GetOrder")
        grpc.channel_ready_future(channel).result(GRACE_S)
        futures = [method.future(b"", timeout=GRACE_S) for _ in range(CALLS)]
        are_sent.set()
        return Counter(future.code().name for future in futures)


async def test_no_call_that_has_arrived_is_reset() -> None:
    server = GrpcServer([Api(ORDERS, _Servicer())], ServerOptions(), CallMetrics(CollectorRegistry()))
    address = await server.start("127.0.0.1:0")
    are_sent = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        ended = asyncio.get_running_loop().run_in_executor(threads, calls, address, are_sent)
        await asyncio.to_thread(are_sent.wait, GRACE_S)
        time.sleep(BUSY_S)  # noqa: ASYNC251 - a busy process
        await server.stop(GRACE_S)
        codes = await ended
    assert set(codes) <= {"OK", "UNAVAILABLE"}, codes
    assert codes["OK"], codes
