"""How HTTP calls are made: headers, bodies, queries, limits, and what is said of a call that is none."""

from __future__ import annotations

import asyncio
import gzip
import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from oms.order.v1 import order_service_pb2
from ordermesh.adapters.memory import KINDS
from ordermesh.core.limits import CALL_BYTES_MAX
from ordermesh.gateway import slow_headers
from ordermesh.gateway.http import room
from ordermesh.gateway.http.application import HttpApi
from ordermesh.gateway.http_port import HttpPort, Probes
from ordermesh.runtime.server import Api
from ordermesh.runtime.settings import Settings
from ordermesh.runtime.telemetry import CallMetrics
from tests.e2e.api.client import Client, new_id
from tests.unit.edge.shop import Shop
from tests.unit.gateway.caller import JSON, binding_of, call

ORDER: Mapping[str, Any] = {
    "customer_id": "ada",
    "payment_token": "tok_ok",
    "lines": [{"sku": "TEA", "quantity": 2, "unit_price": {"currency_code": "GBP", "units": 4, "nanos": 990_000_000}}],
}


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error in an answer that has that status."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == status
    assert error["details"][0]["domain"] == "oms"
    return error


def fields_of(response: httpx.Response) -> list[str]:
    """The fields that a refused request is wrong in."""
    details = error_of(response, 400)["details"]
    return [violation.get("field", "") for violation in details[1]["field_violations"]]


async def test_field_names_are_taken_as_in_the_protos_and_in_camel_case_and_answered_as_in_the_protos(
    http: httpx.AsyncClient,
) -> None:
    camel = {
        "customerId": "ada",
        "paymentToken": "tok_ok",
        "lines": [{"sku": "TEA", "quantity": "2", "unitPrice": {"currencyCode": "GBP", "units": "4"}}],
    }
    order_id = new_id()

    created = await http.post("/v1/orders?durability=DURABILITY_LOGGED", json={**camel, "orderId": order_id})

    assert created.status_code == 200, created.text
    order = created.json()["order"]
    assert (order["order_id"], order["lines"][0]["quantity"]) == (order_id, "2")
    assert order["total"]["units"] == "8"
    assert order["labels"] == {}, "what is empty is there too"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"lines": [{"qty": 1}]}', "order.lines[0]"),
        ('{"lines": [{"quantity": "two"}]}', "order.lines.quantity"),
        ('{"customer_id": 5}', "order.customer_id"),
        ('{"create_time": "yesterday"}', "order.create_time"),
        ('{"lines": 3}', "order.lines"),
        ('{"order_state": "DONE"}', "order.order_state"),
        ('{"order_state": 1.5}', "order.order_state"),
        ('{"lines": [{"quantity": 1.5}]}', "order.lines[0].quantity"),
        ('{"version": NaN}', "order"),
        ('{"order_state": true}', "order"),
        ("[]", "order"),
        ("null", "order"),
        ("{", "order"),
        (b"\xff", "order"),
        (b'{"customer_id": "\xff"}', "order"),
        ('{"customer_id": "\\ud800"}', "order.customer_id"),
        ('{"a":' * 50_000, "order"),
        ('{"version": ' + "9" * 5000 + "}", "order"),
        ('{"customer_id": "a", "customer_id": "b"}', "order"),
    ],
)
async def test_a_body_that_is_no_request_is_refused_and_the_place_named(
    http: httpx.AsyncClient, body: str | bytes, field: str
) -> None:
    assert fields_of(await http.post("/v1/orders", content=body, headers=JSON)) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("customer_id=ada&who=me", "who"),
        ("customer_id=ada&customer_id=bob", "customer_id"),
        ("customer_id=ada&page_size=many", "page_size"),
        ("customer_id=ada&page_size=1e1", "page_size"),
        ("customer_id=ada&page_size=99999999999", "page_size"),
        ("customer_id=ada&order_state=DONE", "order_state"),
        ("customer_id=ada&create_time_from=yesterday", "create_time_from"),
        ("customer_id=ada&create_time_from.seconds.minutes=5", "create_time_from.seconds.minutes"),
        ("customer_id.x=ada", "customer_id.x"),
    ],
)
async def test_a_query_that_is_no_request_is_refused_and_the_parameter_named(
    http: httpx.AsyncClient, query: str, field: str
) -> None:
    assert fields_of(await http.get(f"/v1/orders?{query}")) == [field]


async def test_what_the_path_or_the_body_says_is_not_said_by_the_query(http: httpx.AsyncClient) -> None:
    assert fields_of(await http.get(f"/v1/orders/{new_id()}?order_id={new_id()}")) == ["order_id"]
    posted = await http.post("/v1/orders?order.customer_id=eve", json=ORDER)
    assert fields_of(posted) == ["order.customer_id"]
    assert fields_of(await http.post(f"/v1/orders/{new_id()}:cancel?reason=x", json={})) == ["reason"]


async def test_booleans_and_enums_by_name_or_number_are_taken_from_a_query(http: httpx.AsyncClient) -> None:
    answers = [
        await http.get("/v1/admin/deadLetters?includeResolved=true"),
        await http.get("/v1/orders?customer_id=ada&order_state=2&create_time_from=2026-01-01T00:00:00Z"),
        await http.get("/v1/orders?customerId=ada&orderState=ORDER_STATE_PLACED"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert fields_of(await http.get("/v1/admin/deadLetters?include_resolved=1")) == ["include_resolved"]


async def test_a_key_that_is_a_uuid_7_makes_a_creation_repeatable(http: httpx.AsyncClient) -> None:
    key = new_id()
    headers = {"Idempotency-Key": f'"{key}"'}

    first = await http.post("/v1/orders", json=ORDER, headers=headers)
    second = await http.post("/v1/orders", json=ORDER, headers=headers)

    assert first.json()["order"]["order_id"] == second.json()["order"]["order_id"] == key
    other = await http.post("/v1/orders", json={**ORDER, "labels": {"another": "order"}}, headers=headers)
    assert error_of(other, 409)["details"][0]["reason"] == "ORDER_ALREADY_EXISTS"
    conflict = await http.post("/v1/orders", json={**ORDER, "order_id": new_id()}, headers=headers)
    assert fields_of(conflict) == ["order.order_id"]
    no_id = await http.post("/v1/orders", json=ORDER, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert fields_of(no_id) == ["order.order_id"]


async def test_a_key_is_the_request_id_of_other_mutations_and_refused_where_there_is_none(
    http: httpx.AsyncClient,
) -> None:
    headers = {"Idempotency-Key": "delivery 7"}

    answers = [await http.post("/v1/stock/TEA:receive", json={"quantity": 5}, headers=headers) for _ in range(2)]

    assert [answer.json()["stock"]["on_hand"] for answer in answers] == ["5", "5"]
    both = {"quantity": 5, "request_id": "delivery 8"}
    assert fields_of(await http.post("/v1/stock/TEA:receive", json=both, headers=headers)) == ["request_id"]
    empty = await http.post("/v1/stock/TEA:receive", json={"quantity": 5}, headers={"Idempotency-Key": '""'})
    assert fields_of(empty) == ["Idempotency-Key"]
    batch = {"requests": [{"order": ORDER}]}
    assert fields_of(await http.post("/v1/orders:batchCreate", json=batch, headers=headers)) == ["Idempotency-Key"]


async def test_an_etag_is_answered_and_a_change_of_another_version_is_refused(http: httpx.AsyncClient) -> None:
    etags = [
        (await http.post("/v1/stock/TEA:receive", json={"quantity": 5})).headers["etag"],
        (await http.post("/v1/stock/TEA:receive", json={"quantity": 5})).headers["etag"],
    ]
    change = {"change": -1}

    late = await http.post("/v1/stock/TEA:adjust", json=change, headers={"If-Match": etags[0]})
    current = await http.post("/v1/stock/TEA:adjust", json=change, headers={"If-Match": etags[1]})
    whichever = await http.post("/v1/stock/TEA:adjust", json=change, headers={"If-Match": "*"})

    assert etags == ['"1"', '"2"']
    assert error_of(late, 409)["details"][0]["reason"] == "ETAG_MISMATCH"
    assert (current.status_code, whichever.json()["stock"]["on_hand"]) == (200, "8")
    for weak in ("", "3", 'W/"3"', '"3", "4"'):
        refused = await http.post("/v1/stock/TEA:adjust", json=change, headers={"If-Match": weak})
        assert fields_of(refused) == ["If-Match"]
    unable = await http.post("/v1/stock/TEA:receive", json={"quantity": 5}, headers={"If-Match": '"4"'})
    assert fields_of(unable) == ["If-Match"]


async def test_long_answers_are_compressed_for_those_who_take_it(http: httpx.AsyncClient) -> None:
    await asyncio.gather(*(http.post("/v1/orders", json=ORDER) for _ in range(3)))
    query = {"requests": [{"order": ORDER} for _ in range(3)]}

    packed = await http.post("/v1/orders:batchCreate", json=query, headers={"accept-encoding": "gzip"})
    plain = await http.post("/v1/orders:batchCreate", json=query, headers={"accept-encoding": "identity"})
    short = await http.get(f"/v1/orders/{new_id()}", headers={"accept-encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.json()["results"]) == len(plain.json()["results"]) == 3
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_that_is_not_plain_json_is_not_taken(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = json.dumps(ORDER).encode()
    content = gzip.compress(body) if "content-encoding" in headers else body
    error_of(await http.post("/v1/orders", content=content, headers=headers), 415)
    error_of(await http.post(f"/v1/orders/{new_id()}:cancel", headers=headers), 415)


async def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(CALL_BYTES_MAX // 65_536 + 1):
            yield b" " * 65_536

    for content in (b" " * (CALL_BYTES_MAX + 1), chunks()):
        error = error_of(await http.post("/v1/orders", content=content, headers=JSON), 413)
        assert error["details"][0]["reason"] == "LIMIT_EXCEEDED"
    assert (await http.post("/v1/orders", content=b" " * CALL_BYTES_MAX, headers=JSON)).status_code == 400


async def test_a_large_batch_is_read_and_answered(client: Client, http: httpx.AsyncClient) -> None:
    await client.receive("TEA")
    order = {**ORDER, "labels": {"note": "x" * 200}}
    response = await http.post("/v1/orders:batchCreate", json={"requests": [{"order": order}] * 200})

    results = response.json()["results"]
    assert len({result["order"]["order_id"] for result in results}) == 200


async def test_an_unknown_path_and_a_wrong_verb_are_told_apart(http: httpx.AsyncClient) -> None:
    assert error_of(await http.get("/v1/nothing"), 404)["status"] == "NOT_FOUND"
    assert error_of(await http.get("/v2/orders%0a"), 404)["details"][0]["reason"] == "METHOD_NOT_FOUND"
    wrong = await http.delete(f"/v1/orders/{new_id()}")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, PUT")
    assert (await http.put(f"/v1/orders/{new_id()}:cancel")).headers["allow"] == "POST", "the verb is no part of an id"
    assert (await http.post("/openapi.json")).headers["allow"] == "GET"


async def test_a_deadline_is_kept_and_one_that_cannot_be_read_is_refused(shop: Shop, http: httpx.AsyncClient) -> None:
    path = f"/v1/orders/{new_id()}?read_consistency=READ_CONSISTENCY_AT_LEAST&min_version=3"
    assert error_of(await http.get(path, headers={"Grpc-Timeout": "1n"}), 504)["status"] == "DEADLINE_EXCEEDED"
    assert (await http.get(path, headers={"Grpc-Timeout": "60S"})).status_code in {404, 503}
    assert fields_of(await http.get(path, headers={"Grpc-Timeout": "5 s"})) == ["Grpc-Timeout"]


async def test_a_method_that_answers_late_ends_with_the_deadline() -> None:
    ended = []

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return self.never

        async def never(self, *_: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    api = HttpApi([Api(binding_of("GetOrder").service, Slow())], CallMetrics(CollectorRegistry()), "test")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.application()), base_url="http://edge") as http:
        async with asyncio.timeout(20.0):
            late = await http.get(f"/v1/orders/{new_id()}", headers={"Grpc-Timeout": "50m"})

    assert error_of(late, 504)["status"] == "DEADLINE_EXCEEDED"
    assert ended == [True]
    assert api.room.calls == 0


async def test_calls_are_counted_as_those_by_grpc(shop: Shop, http: httpx.AsyncClient) -> None:
    await http.get(f"/v1/orders/{new_id()}")
    await http.post("/v1/orders", content=b"{", headers=JSON)

    def counted(method: str, code: str) -> float | None:
        labels = {"rpc_method": f"oms.order.v1.OrderService/{method}", "rpc_response_status_code": code}
        return shop.edge.registry.get_sample_value("rpc_server_call_duration_seconds_count", labels)

    assert counted("GetOrder", "NOT_FOUND") == 1
    assert counted("CreateOrder", "INVALID_ARGUMENT") == 1


async def test_a_defect_is_told_by_an_id_and_nothing_else(
    shop: Shop, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("ordermesh.gateway.http.application.request_of", broken)
    response = await http.get(f"/v1/orders/{new_id()}")

    assert error_of(response, 500)["details"][0]["metadata"]["correlation_id"]
    assert "secret" not in response.text


async def test_beyond_its_limits_calls_are_refused_at_once_and_taken_again_afterwards(
    shop: Shop, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding, request = binding_of("GetOrder"), order_service_pb2.GetOrderRequest(order_id=new_id())
    monkeypatch.setattr(room, "CALLS_MAX", 0)
    refused = await call(http, binding, request)
    assert error_of(refused, 429)["details"][0]["reason"] == "OVERLOADED"
    assert int(refused.headers["retry-after"]) >= 1
    monkeypatch.undo()
    assert (await call(http, binding, request)).status_code == 404

    monkeypatch.setattr(room, "BODIES_BYTES_MAX", 10)
    error_of(await http.post("/v1/orders", json=ORDER), 429)
    monkeypatch.undo()
    assert (await http.post("/v1/orders", json=ORDER)).status_code == 200
    assert (shop.edge.http.room.calls, shop.edge.http.room.body_bytes) == (0, 0)


async def test_a_body_that_does_not_come_is_not_waited_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BODY_S", 0.05)
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(
        b"POST /v1/orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
    )
    async with asyncio.timeout(20.0):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("said", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\nGET"])
async def test_headers_that_do_not_come_end_the_connection(
    address: str, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_headers, "HEADERS_S", 0.05)
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(said)
    async with asyncio.timeout(4.0):  # below uvicorn's own limit for what is silent after an answer
        answer = await reader.read()
    writer.close()
    assert answer.count(b"200 OK") == said.count(b"\r\n\r\n")


async def test_an_edge_that_ends_says_so_and_one_that_begins_too(shop: Shop, http: httpx.AsyncClient) -> None:
    await shop.edge.http.stop(1.0)
    leaving = await http.get(f"/v1/orders/{new_id()}")
    assert error_of(leaving, 503)["details"][0]["reason"] == "SHUTTING_DOWN"

    port = HttpPort(Probes(CollectorRegistry()).application())
    address = await port.start("127.0.0.1:0")
    async with httpx.AsyncClient(base_url=f"http://{address}") as beginning:
        assert (await beginning.get("/v1/orders")).status_code == 503
    await port.stop()


async def test_a_trace_context_goes_into_the_log(shop: Shop, http: httpx.AsyncClient) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await http.post("/v1/orders", json=ORDER, headers={"traceparent": trace})

    frames = [stored.data for stream in shop.log.streams.values() for stored in stream.after(KINDS, 0, 1000)]
    assert any(trace.encode() in frame for frame in frames)


@pytest.mark.parametrize(
    ("given", "serves"),
    [
        ({}, True),
        ({"tls_cert": "server.pem"}, False),
        ({"tls_cert": "server.pem", "http_api": True}, True),
        ({"http_api": False}, False),
    ],
)
def test_there_is_no_way_round_tls_by_http_unless_it_is_asked_for(given: Mapping[str, Any], serves: bool) -> None:
    assert Settings(**given).serves_http_api is serves
