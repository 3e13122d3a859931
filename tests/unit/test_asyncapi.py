"""The AsyncAPI document: valid by the specification's own schema, whole, and true of what is really sent."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft7Validator, Draft202012Validator

from oms.log.v1 import log_pb2
from ordermesh.notification import signing
from ordermesh.notification.catalogue import MILESTONES, Milestone
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.runtime.ports import PartitionId
from tests.unit.test_catalogue import headers_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "asyncapi.yaml"
SCHEMA = Path(__file__).with_name("asyncapi-3.0.0-schema.json.xz")
"""Of AsyncAPI 3.0.0, as its authors publish it with @asyncapi/specs (Apache License 2.0)."""
IDS = [milestone.type for milestone in MILESTONES]


@cache
def document() -> dict[str, Any]:
    """The document."""
    read: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return read


def schema_of(message: str, part: str) -> Draft202012Validator:
    """The schema of the headers or the payload of a message."""
    schema = document()["components"]["messages"][message][part]
    return Draft202012Validator({**schema, "components": document()["components"]})


def sent(milestone: Milestone, data_format: str) -> tuple[dict[str, str], bytes]:
    """The headers and the data of an event of that type."""
    frame = log_pb2.DecisionFrame(epoch=7, number=20, clock_us=1_700_000_000_000_001)
    event = frame.decisions.add().events.add(
        tenant="default", key="order-1", sub_key="1", version=4, type=milestone.payload.DESCRIPTOR.full_name
    )
    event.payload = milestone.payload().SerializeToString()
    (told,) = CloudEvents("dep", data_format).translate(PartitionId("orders", 0), frame)  # type: ignore[arg-type] # one of two
    return headers_of(told), told.data


def test_it_is_valid_by_the_specification_s_schema() -> None:
    schema = json.loads(lzma.decompress(SCHEMA.read_bytes()))
    judge = Draft7Validator(schema)
    assert not [f"{error.instance_path}: {error.message[:200]}" for error in judge.iter_errors(document())]
    broken = {**document(), "operations": {"x": {"action": "shout"}}}
    assert list(judge.iter_errors(broken)), "the schema does refuse what is wrong"


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for part in value.values() for each in references(part)]
        return [each for part in value for each in references(part)] if isinstance(value, list) else []

    found = references(document())
    assert len(found) > 3 * len(MILESTONES)
    for reference in found:
        place: Any = document()
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def test_every_type_has_a_channel_and_two_messages() -> None:
    assert set(document()["channels"]) == {f"{each.service}.{each.name}" for each in MILESTONES} | {"webhook"}
    assert set(document()["components"]["messages"]) == {f"{way}{each}" for each in IDS for way in ("", "webhook.")}


@pytest.mark.parametrize("milestone", MILESTONES, ids=IDS)
def test_what_is_published_is_what_the_document_says(milestone: Milestone) -> None:
    headers, data = sent(milestone, "json")

    schema_of(milestone.type, "headers").validate(headers)
    schema_of(milestone.type, "payload").validate(json.loads(data))
    message = document()["components"]["messages"][milestone.type]
    assert message["x-protobuf-message"] == milestone.data.DESCRIPTOR.full_name
    assert headers["content-type"] == "application/json"
    headers, data = sent(milestone, "protobuf")
    schema_of(milestone.type, "headers").validate(headers)
    milestone.data.FromString(data)


@pytest.mark.parametrize("milestone", MILESTONES, ids=IDS)
def test_what_a_webhook_carries_is_what_the_document_says(milestone: Milestone) -> None:
    body = signing.body_of(*sent(milestone, "protobuf"))
    headers = signing.headers([signing.new_secret()], "msg_1", 1_700_000_000, body)

    schema_of(f"webhook.{milestone.type}", "payload").validate(json.loads(body))
    schema_of(f"webhook.{milestone.type}", "headers").validate(headers)
    assert headers["content-type"] == document()["components"]["messages"][f"webhook.{milestone.type}"]["contentType"]


def test_an_addition_to_the_data_breaks_no_consumer_that_was_made_from_the_document() -> None:
    """What is answered is described as open: members may come."""
    _, data = sent(MILESTONES[0], "json")
    schema_of(MILESTONES[0].type, "payload").validate({**json.loads(data), "something_new": 1})
