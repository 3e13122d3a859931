"""Who gets webhooks in the simulation: looks whether they are signed, and keeps what came, in its order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from ordermesh.adapters.http_post import Response
from ordermesh.core.targets import Target
from ordermesh.notification import signing
from ordermesh.testing.simulation.findings import Findings

TAKEN = Response(204, b"", None)


class Got(NamedTuple):
    """A webhook that came: what it is about, and its event's id."""

    subject: str
    event_id: str


class Receiver:
    """The shops' own servers, by host. `secrets` are what they were given when their endpoint was made."""

    def __init__(self, findings: Findings) -> None:
        self.secrets: dict[str, str] = {}
        self.got: dict[str, list[Got]] = defaultdict(list)
        self.is_down = False
        self._findings = findings

    def take(self, target: Target, headers: Mapping[str, str], body: bytes) -> Response:
        """Takes a webhook."""
        message_id, timestamp_s = headers["webhook-id"], int(headers["webhook-timestamp"])
        signed = signing.signature(self.secrets[target.host], message_id, timestamp_s, body)
        is_signed = signed in headers["webhook-signature"].split()
        document = json.loads(body)
        named = message_id == signing.message_id_of(document["id"])
        self._findings.require(is_signed and named, "I9", "{} got what is not signed: {}", target.host, headers)
        self.got[target.host].append(Got(document["subject"], document["id"]))
        return TAKEN
