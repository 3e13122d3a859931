"""Requests as Standard Webhooks says: secrets, signatures, and the body that is signed. PURE but for new secrets.

The body is a CloudEvent in its JSON form, which with its members `type`, `timestamp` and `data` is also a payload as
Standard Webhooks recommends it. See https://www.standardwebhooks.com and the JSON format of CloudEvents 1.0.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from ordermesh.notification.catalogue import BY_CLOUD_TYPE
from ordermesh.notification.cloud_event import CONTENT_TYPES, data_json

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
"""Of chance in a secret; the specification asks for 24 to 64."""
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""Of the body."""


def new_secret() -> str:
    """A secret nobody knows."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def message_id_of(event_id: str) -> str:
    """The header webhook-id of an event: without a full stop, which parts what is signed."""
    return f"msg_{hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()}"


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature, as `v1,<base64>`. Raises ValueError for what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is whsec_ and base64") from error
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp_s, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets_now: Sequence[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of a request: a signature by each secret, so that a receiver may know the old one or the new."""
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signature(each, message_id, timestamp_s, body) for each in secrets_now),
    }


def body_of(attributes: Mapping[str, str], data: bytes) -> bytes:
    """The body for an event: `attributes` are its headers, with `ce-` and in small letters, `data` is as they say.

    Raises LookupError for a type that this build does not know, ValueError or TypeError for data that is none.
    """
    if attributes["content-type"] == CONTENT_TYPES["json"]:
        members = json.loads(data)
    else:
        milestone = BY_CLOUD_TYPE[attributes["ce-type"]]
        members = data_json(milestone.data.FromString(data))
    document = {
        "specversion": "1.0",
        "id": attributes["ce-id"],
        "source": attributes["ce-source"],
        "type": attributes["ce-type"],
        "subject": unquote(attributes["ce-subject"]),
        "time": attributes["ce-time"],
        "timestamp": attributes["ce-time"],
        "datacontenttype": "application/json",
        "dataschema": attributes["ce-dataschema"],
        "tenant": unquote(attributes["ce-tenant"]),
        "data": members,
    }
    if "ce-traceparent" in attributes:
        document["traceparent"] = attributes["ce-traceparent"]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
