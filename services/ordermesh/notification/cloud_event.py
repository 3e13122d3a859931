"""Integration events as CloudEvents in binary mode: attributes in headers, the message as data, by protobuf or JSON.

The NATS binding of CloudEvents 1.0.2 names headers `ce-<attribute>`. Text outside printable ASCII is percent-encoded in
headers as the HTTP binding does it; keys are percent-encoded in subjects, where NATS gives `.`, `*`, `>` and spaces a
meaning.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.notification.catalogue import BY_TYPE, Milestone
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.relay import IntegrationEvent

HEADER_SAFE = "!#$&'()*+,-./:;<=>?@[]^_`{|}~"
"""What stays as it is in a header."""
_is_plain = re.compile(r"[A-Za-z0-9_-]+").fullmatch


Format = Literal["protobuf", "json"]
"""How the data of an event is written; its header `content-type` says which."""
CONTENT_TYPES: dict[Format, str] = {"protobuf": "application/protobuf", "json": "application/json"}
"""The content type of each."""


def data_json(data: Message) -> dict[str, Any]:
    """An event's data as JSON: proto field names, each field there also where it is empty, int64 as text."""
    members: dict[str, Any] = MessageToDict(
        data, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return members


def _time(clock_us: int) -> str:
    """RFC 3339."""
    seconds, microseconds = divmod(clock_us, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class CloudEvents:
    """Translates the decisions of one deployment."""

    def __init__(self, deployment_id: str, data_format: Format = "protobuf") -> None:
        self._deployment_id = deployment_id
        self._format: Format = data_format
        self._constant = {milestone: self._constant_headers(milestone) for milestone in BY_TYPE.values()}

    def _constant_headers(self, milestone: Milestone) -> str:
        headers = {
            "ce-specversion": "1.0",
            "ce-type": milestone.type,
            "ce-source": f"urn:ordermesh:{self._deployment_id}:{milestone.service}",
            "ce-dataschema": f"type.googleapis.com/{milestone.data.DESCRIPTOR.full_name}",
            "content-type": CONTENT_TYPES[self._format],
        }
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def translate(self, partition: PartitionId, frame: log_pb2.DecisionFrame) -> list[IntegrationEvent]:
        """What the world is told of the frame; mostly little of each decision, or nothing."""
        prefix = f"{self._deployment_id}/{partition}/{frame.epoch}.{frame.number}"
        time = f"ce-time: {_time(frame.clock_us)}\r\n"
        found: list[IntegrationEvent] = []
        for index, decision in enumerate(frame.decisions):
            for n, event in enumerate(decision.events):
                milestone = BY_TYPE.get(event.type)
                if milestone is not None:
                    name = f"{prefix}.{index}.{n}"
                    found.append(self._tell(milestone, name, time, decision.traceparent, event))
        return found

    def _tell(
        self, milestone: Milestone, name: str, time: str, traceparent: str, event: log_pb2.Event
    ) -> IntegrationEvent:
        name_of_key = milestone.key(event)
        key = token = name_of_key
        if not _is_plain(key):
            key, token = quote(key, HEADER_SAFE), quote(key, "").replace(".", "%2E")
        tenant = event.tenant if _is_plain(event.tenant) else quote(event.tenant, HEADER_SAFE)
        headers = f"{self._constant[milestone]}{time}ce-id: {name}\r\nce-subject: {key}\r\nce-tenant: {tenant}\r\n"
        if traceparent:
            headers += f"ce-traceparent: {quote(traceparent, HEADER_SAFE)}\r\n"
        data = milestone.tell(event, milestone.payload.FromString(event.payload))
        subject = f"om.events.v1.{milestone.service}.{milestone.name}.{token}"
        return IntegrationEvent(name, name_of_key, subject, headers.encode("ascii"), self._written(data))

    def _written(self, data: Message) -> bytes:
        if self._format == "protobuf":
            return data.SerializeToString()
        return json.dumps(data_json(data), ensure_ascii=False, separators=(",", ":")).encode()
