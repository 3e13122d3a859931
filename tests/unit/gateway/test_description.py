"""What the API says of itself: templates, /openapi.json, and the page to try it."""

from __future__ import annotations

import base64
import hashlib
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

from ordermesh.gateway.http.pages import policy_of
from ordermesh.gateway.http.routes import Routes, bindings_of, compiled
from tests.unit.gateway.caller import BINDINGS, SERVICES


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/v1/orders/{order.order_id}", "/v1/orders/a%2Fb", {"order.order_id": "a/b"}),
        ("/v1/orders/{order_id}", "/v1/orders/a/b", None),
        ("/v1/orders/{order_id}", "/v1/orders/", None),
        ("/v1/stock/{sku}:receive", "/v1/stock/a:receive:receive", {"sku": "a:receive"}),
        ("/v1/stock/{sku}:receive", "/v1/stock/a%3Areceive", None),
        ("/v1/letters/{letter_id=**}:replay", "/v1/letters/a/b/0:replay", {"letter_id": "a/b/0"}),
        ("/v1/letters/{letter_id=**}:replay", "/v1/letters/a%2Fb:replay", {"letter_id": "a/b"}),
        ("/v1/a.b", "/v1/axb", None),
    ],
)
def test_a_template_takes_its_paths_and_no_others(template: str, path: str, values: dict[str, str] | None) -> None:
    assert compiled(template).match(path) == values


def test_what_cannot_be_served_is_refused_when_the_routes_are_made() -> None:
    with pytest.raises(ValueError, match="not served"):
        compiled("/v1/{name=shelves/*}")

    options = descriptor_pb2.MethodOptions()
    options.Extensions[annotations_pb2.http].get = "/feed"
    fed = SimpleNamespace(full_name="Feeder.Feed", client_streaming=True, GetOptions=lambda: options)
    with pytest.raises(ValueError, match=r"Feeder\.Feed"):
        list(bindings_of(SimpleNamespace(methods=[fed])))  # type: ignore[arg-type] # as much of a service as is asked


async def test_the_description_has_every_binding_with_its_comments_and_no_loose_end(http: httpx.AsyncClient) -> None:
    response = await http.get("/openapi.json")
    document = response.json()
    operations = [
        (verb, path, operation) for path, verbs in document["paths"].items() for verb, operation in verbs.items()
    ]

    assert len(operations) == len(BINDINGS)
    assert len({operation["operationId"] for _, _, operation in operations}) == len(BINDINGS)
    for verb, path, operation in operations:
        assert operation["description"], (verb, path)
        assert all(parameter["schema"] for parameter in operation["parameters"])
        named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert named == {part.partition("}")[0] for part in path.split("{")[1:]}
    schemas = document["components"]["schemas"]
    wanted = {text.split('"')[0] for text in json.dumps(document).split("#/components/schemas/")[1:]}
    assert wanted <= set(schemas)
    assert all(each for each in schemas.values())
    ours = {name: schema for name, schema in schemas.items() if name.startswith("oms.") and "properties" in schema}
    without = [
        f"{name}.{field}" for name, schema in ours.items() for field, said in schema["properties"].items()
        if "description" not in said
    ]  # fmt: skip
    assert without == []


async def test_an_order_that_is_taken_lacks_what_only_the_server_says_and_one_that_is_answered_its_token(
    http: httpx.AsyncClient,
) -> None:
    schemas = (await http.get("/openapi.json")).json()["components"]["schemas"]
    taken, answered = schemas["oms.order.v1.Order.Input"], schemas["oms.order.v1.Order"]

    assert taken["required"] == ["customer_id", "lines", "payment_token"]
    assert not {"version", "total", "order_state"} & set(taken["properties"])
    assert "payment_token" not in answered["properties"]
    assert {"version", "order_state", "timeline"} <= set(answered["required"])


async def test_the_page_runs_its_own_script_only_and_asks_no_other_server(http: httpx.AsyncClient) -> None:
    response = await http.get("/docs")

    assert response.headers["content-security-policy"] == policy_of(response.text)
    assert "'sha256-" in policy_of(response.text)
    assert "default-src 'none'" in policy_of(response.text)
    assert "http:" not in response.text
    assert "https:" not in response.text


def test_a_script_is_allowed_by_what_a_browser_hashes_of_it() -> None:
    digest = base64.b64encode(hashlib.sha256(b"\nrun();\n").digest()).decode()
    policy = policy_of("<p></p><script>\nrun();\n</script>")
    assert f"script-src 'sha256-{digest}';" in policy
    assert "style-src 'none';" in policy


def test_no_two_bindings_have_the_same_verb_and_path() -> None:
    routes = Routes(SERVICES)
    seen: dict[tuple[str, str], Any] = {}
    for binding in routes.bindings:
        path = binding.template.text.replace("{", "").replace("}", "").replace("=**", "")
        assert routes.find(path)[binding.verb].binding is binding, path
        assert (binding.verb, path) not in seen
        seen[binding.verb, path] = binding
