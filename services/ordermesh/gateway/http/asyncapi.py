"""The catalogue of events as an AsyncAPI 3 document, made from descriptors and the protos' comments: what stands on the
stream of integration events, and what a webhook endpoint is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.descriptor import Descriptor

from ordermesh.gateway.http.schemas import Schema, Schemas, Use
from ordermesh.notification.catalogue import MILESTONES, TEST_TYPE, Milestone
from ordermesh.notification.cloud_event import CONTENT_TYPES
from ordermesh.notification.signing import CONTENT_TYPE

CATALOGUE_VERSION = "1.0.0"
"""Of the catalogue: an addition raises its second number; a change that a consumer could notice is a new type."""

_TEXT: Schema = {"type": "string"}
_ATTRIBUTES: Mapping[str, str] = {
    "ce-specversion": "Always 1.0.",
    "ce-type": "The type of the event.",
    "ce-source": "Which service of which deployment tells it.",
    "ce-id": "Names the event for ever: the same whenever it is published again.",
    "ce-time": "When it happened, by the log clock of its partition.",
    "ce-subject": "What it is about, percent-encoded: events of the same are in order.",
    "ce-tenant": "Whose it is.",
    "ce-dataschema": "The protobuf message that the data is.",
    "content-type": "How the data is written.",
}
_SIGNED: Mapping[str, str] = {
    "webhook-id": "Names the event: the same for all attempts.",
    "webhook-timestamp": "When the attempt was made, in seconds since 1970.",
    "webhook-signature": "One signature, or two while a secret is rotated: v1,<base64>, parted by spaces.",
}
_BODY: Mapping[str, str] = {
    "specversion": "Always 1.0.",
    "id": "As the header ce-id of the event.",
    "source": "Which service of which deployment tells it.",
    "subject": "What it is about: events of the same are in order.",
    "time": "When it happened.",
    "timestamp": "The same, by the name that Standard Webhooks has for it.",
    "datacontenttype": "Always application/json.",
    "dataschema": "The protobuf message that the data is.",
    "tenant": "Whose it is.",
}


def asyncapi(comments: Mapping[str, str]) -> dict[str, Any]:
    """The document. `comments` has what the protos say of a full name."""
    schemas = Schemas(comments)
    components: dict[str, Any] = {
        "messages": {
            **{milestone.type: _message(milestone, schemas) for milestone in MILESTONES},
            **{f"webhook.{milestone.type}": _webhook(milestone) for milestone in MILESTONES},
        },
        "schemas": {
            "headers": _object(_ATTRIBUTES, {"content-type": {"enum": sorted(CONTENT_TYPES.values())}}),
            "webhook-headers": _object(_SIGNED, {}),
        },
    }
    components["schemas"] |= {name: schemas.made[name] for name in sorted(schemas.made)}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:ordermesh:events",
        "info": {
            "title": "ordermesh: integration events and webhooks",
            "version": CATALOGUE_VERSION,
            "description": (
                "What the world is told: CloudEvents 1.0 in binary mode on the JetStream stream OM_EVENTS, and the same"
                " as signed requests to webhook endpoints. Each at least once, in order per order, SKU or endpoint."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPES["protobuf"],
        "channels": {**{_name(each): _channel(each) for each in MILESTONES}, "webhook": _webhook_channel()},
        "operations": {
            **{f"publish.{_name(each)}": _publish(each) for each in MILESTONES},
            "sendWebhook": _send_webhook(),
        },
        "components": components,
    }


def _name(milestone: Milestone) -> str:
    return f"{milestone.service}.{milestone.name}"


def _object(meanings: Mapping[str, str], more: Mapping[str, Schema]) -> Schema:
    """An object of texts, all of which are there."""
    properties = {name: {**_TEXT, "description": text, **more.get(name, {})} for name, text in meanings.items()}
    return {"type": "object", "properties": properties, "required": list(meanings)}


def _message(milestone: Milestone, schemas: Schemas) -> dict[str, Any]:
    data = milestone.data.DESCRIPTOR
    summary = schemas.comments.get(data.full_name, "").removeprefix(f"{data.name}: ")
    return {
        "name": milestone.type,
        "title": data.name,
        "summary": summary[:1].upper() + summary[1:],
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": schemas.message(cast(Descriptor, data), Use.ANSWERED),
        "x-protobuf-message": data.full_name,
    }


def _channel(milestone: Milestone) -> dict[str, Any]:
    """The subjects of a type on the stream."""
    return {
        "address": f"om.events.v1.{milestone.service}.{milestone.name}.{{key}}",
        "description": "On the JetStream stream OM_EVENTS.",
        "parameters": {"key": {"description": f"The {milestone.keyed_by}, percent-encoded where it has to be."}},
        "messages": {"event": {"$ref": f"#/components/messages/{milestone.type}"}},
    }


def _publish(milestone: Milestone) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_name(milestone)}"},
        "messages": [{"$ref": f"#/channels/{_name(milestone)}/messages/event"}],
    }


def _webhook(milestone: Milestone) -> dict[str, Any]:
    """A type as it is sent to an endpoint."""
    payload = _object(_BODY, {})
    payload["properties"] |= {
        "type": {"const": milestone.type},
        "data": {"$ref": f"#/components/schemas/{milestone.data.DESCRIPTOR.full_name}"},
    }
    payload["required"] += ["type", "data"]
    to = "the endpoint that it is for, whatever that asked for" if milestone.type == TEST_TYPE else "endpoints that ask"
    return {
        "name": milestone.type,
        "title": f"{milestone.data.DESCRIPTOR.name}, by webhook",
        "summary": f"As {milestone.type}, to {to}.",
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/webhook-headers"},
        "payload": payload,
    }


def _webhook_channel() -> dict[str, Any]:
    return {
        "address": None,
        "title": "A webhook endpoint",
        "description": "The URL that CreateEndpoint was given; signed as Standard Webhooks says.",
        "messages": {
            milestone.type: {"$ref": f"#/components/messages/webhook.{milestone.type}"} for milestone in MILESTONES
        },
        "bindings": {"http": {}},
    }


def _send_webhook() -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/webhook"},
        "summary": "A POST request, repeated until it is answered by 2xx, or given up after about three days.",
        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
    }
