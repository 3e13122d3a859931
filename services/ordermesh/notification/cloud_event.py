"""Integration events as CloudEvents in binary mode: attributes in headers, the protobuf message as data.

The NATS binding of CloudEvents 1.0.2 names headers `ce-<attribute>`. Text outside printable ASCII is percent-encoded in
headers as the HTTP binding does it; keys are percent-encoded in subjects, where NATS gives `.`, `*`, `>` and spaces a
meaning.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from oms.log.v1 import log_pb2
from ordermesh.notification.catalogue import BY_TYPE, Milestone
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.relay import IntegrationEvent

_HEADER_SAFE = "!#$&'()*+,-./:;<=>?@[]^_`{|}~"
_is_plain = re.compile(r"[A-Za-z0-9_-]+").fullmatch


def _time(clock_us: int) -> str:
    """RFC 3339."""
    seconds, microseconds = divmod(clock_us, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class CloudEvents:
    """Translates the decisions of one deployment."""

    def __init__(self, deployment_id: str) -> None:
        self._deployment_id = deployment_id
        self._constant = {milestone: self._constant_headers(milestone) for milestone in BY_TYPE.values()}

    def _constant_headers(self, milestone: Milestone) -> str:
        headers = {
            "ce-specversion": "1.0",
            "ce-type": f"oms.{milestone.service}.{milestone.name}.v1",
            "ce-source": f"urn:ordermesh:{self._deployment_id}:{milestone.service}",
            "ce-dataschema": f"type.googleapis.com/{milestone.data.DESCRIPTOR.full_name}",
            "content-type": "application/protobuf",
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
        key = token = event.key
        if not _is_plain(key):
            key, token = quote(key, _HEADER_SAFE), quote(key, "").replace(".", "%2E")
        tenant = event.tenant if _is_plain(event.tenant) else quote(event.tenant, _HEADER_SAFE)
        headers = f"{self._constant[milestone]}{time}ce-id: {name}\r\nce-subject: {key}\r\nce-tenant: {tenant}\r\n"
        if traceparent:
            headers += f"ce-traceparent: {quote(traceparent, _HEADER_SAFE)}\r\n"
        data = milestone.tell(event, milestone.payload.FromString(event.payload))
        subject = f"om.events.v1.{milestone.service}.{milestone.name}.{token}"
        return IntegrationEvent(name, event.key, subject, headers.encode("ascii"), data.SerializeToString())
