"""Calls a method by HTTP with a request message: the way of the transcoder backwards, from the same descriptors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import reduce
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from oms.admin.v1 import admin_service_pb2
from oms.inventory.v1 import inventory_service_pb2
from oms.notification.v1 import webhook_service_pb2
from oms.order.v1 import order_service_pb2
from oms.payment.v1 import payment_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from ordermesh.gateway.http.errors import STATUSES
from ordermesh.gateway.http.routes import Binding, Routes

_FILES: tuple[Any, ...] = (
    *(order_service_pb2, inventory_service_pb2, payment_service_pb2, shipping_service_pb2),
    *(webhook_service_pb2, admin_service_pb2),
)
SERVICES = [service for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]
METHODS: Mapping[str, MethodDescriptor] = {method.name: method for each in SERVICES for method in each.methods}
BINDINGS = Routes(SERVICES).bindings
JSON = {"content-type": "application/json"}
DETAILS = error_details_pb2.DESCRIPTOR
"""Has to be loaded for its messages to be known in JSON."""


def binding_of(method: str, verb: str = "") -> Binding:
    """The first binding of a method, or that with the verb."""
    return next(each for each in BINDINGS if each.method.name == method and verb in {"", each.verb})


async def call(http: httpx.AsyncClient, binding: Binding, request: Message) -> httpx.Response:
    """Calls the binding's method."""
    told: dict[str, Any] = MessageToDict(request, preserving_proto_field_name=True)
    path = re.sub(r"\{([\w.]+)[^}]*\}", lambda found: quote(_take(told, found[1]), safe=""), binding.template.text)
    body = told if binding.body == "*" else told.pop(binding.body, {}) if binding.body else None
    query = {} if binding.body == "*" else told
    content = None if body is None else json.dumps(body)
    headers = JSON if binding.body else {}
    return await http.request(binding.verb, path, params=query, content=content, headers=headers)


def _take(told: dict[str, Any], path: str) -> str:
    *parents, name = path.split(".")
    owner: dict[str, Any] = reduce(lambda each, parent: each[parent], parents, told)
    return str(owner.pop(name))


def result_of(binding: Binding, response: httpx.Response) -> Message:
    """The answer as a message."""
    assert response.status_code == 200, response.text
    return ParseDict(response.json(), GetMessageClass(binding.method.output_type)())


def status_of(response: httpx.Response) -> status_pb2.Status:
    """A failure as the status that gRPC would have."""
    error = response.json()["error"]
    assert error["code"] == response.status_code
    numbers = {code.name: code.value[0] for code in STATUSES}
    status = {"code": numbers[error["status"]], "message": error["message"], "details": error["details"]}
    return ParseDict(status, status_pb2.Status())
