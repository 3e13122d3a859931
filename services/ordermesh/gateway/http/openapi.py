"""/openapi.json: the HTTP API described by OpenAPI 3.1, made from descriptors, bindings and the protos' comments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from ordermesh.gateway.http.events import CONTENT_TYPE, PROBLEM_EVENT
from ordermesh.gateway.http.headers import idempotency_field
from ordermesh.gateway.http.routes import WHOLE_BODY, Binding
from ordermesh.gateway.http.schemas import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Schema, Schemas, Use, is_required

COMMENTS_FILE = "comments.json"
"""What the protos say, by full name: scripts/gen_docs.py takes it out of them, for descriptors in code have none."""
DESCRIPTION = """The methods of the gRPC API as HTTP and JSON. Fields have their names in the protos; lowerCamelCase \
is taken too. Integers of 64 bits are answered as text. `Grpc-Timeout: 500m` is the caller's deadline. Failures are \
google.rpc.Status as AIP-193 has it, by the `reason` in their ErrorInfo."""
UUID7_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""Of an order's id."""

_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string", "description": "For a person."},
                "status": {"type": "string", "description": "The name of the google.rpc.Code."},
                "details": {
                    "type": "array",
                    "description": "google.rpc.ErrorInfo always; BadRequest, PreconditionFailure, RetryInfo.",
                    "items": {
                        "type": "object",
                        "required": ["@type"],
                        "properties": {"@type": {"type": "string"}},
                        "additionalProperties": True,
                    },
                },
            },
        }
    },
}


def openapi(bindings: Sequence[Binding], build: str) -> dict[str, Any]:
    """The document."""
    comments = protos_comments()
    schemas = Schemas(comments)
    paths: dict[str, dict[str, Any]] = {}
    for binding in bindings:
        paths.setdefault(public_path(binding), {})[binding.verb.lower()] = _operation(binding, schemas)
    services = {binding.service.name: comments.get(binding.service.full_name, "") for binding in bindings}
    return {
        "openapi": "3.1.0",
        "info": {"title": "ordermesh", "version": build, "description": DESCRIPTION},
        "tags": [{"name": name, "description": comment} for name, comment in services.items()],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR, **schemas.made}},
    }


def protos_comments() -> Mapping[str, str]:
    """What the protos say, by full name."""
    comments: Mapping[str, str] = json.loads(resources.files(__package__).joinpath(COMMENTS_FILE).read_text())
    return comments


def public_path(binding: Binding) -> str:
    """The path with its variables by their last names: `/v1/orders/{order_id}`."""
    return re.sub(r"\{(?:\w+\.)*(\w+)(?:=[^}]*)?\}", r"{\1}", binding.template.text)


def _operation(binding: Binding, schemas: Schemas) -> dict[str, Any]:
    method = binding.method
    comment = schemas.comments.get(method.full_name, "")
    first = re.split(r"(?<=[.:]) ", comment, maxsplit=1)[0]
    operation: dict[str, Any] = {
        "operationId": f"{binding.service.name}_{method.name}" + ("_put" if binding.verb == "PUT" else ""),
        "tags": [binding.service.name],
        "summary": first.rstrip(".:"),
        "description": comment,
        "parameters": [*_path(binding, schemas), *_query(binding, schemas), *_headers(binding)],
        "responses": {"200": _answer(binding, schemas), "default": _failure()},
    }
    if binding.body:
        content = {"application/json": {"schema": _body(binding, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(binding: Binding, schemas: Schemas) -> dict[str, Any]:
    answered = schemas.message(binding.method.output_type, Use.ANSWERED)
    if not binding.method.server_streaming:
        return {"description": "What the method answers.", "content": {"application/json": {"schema": answered}}}
    description = f"Server-sent events; the data of each is one message. `{PROBLEM_EVENT}` ends a stream that failed."
    return {"description": description, "content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}


def _failure() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": "A failure (AIP-193).", "content": {"application/json": {"schema": schema}}}


def _field(message: Any, path: str) -> FieldDescriptor:
    *parents, name = path.split(".")
    for parent in parents:
        message = message.fields_by_name[parent].message_type
    field: FieldDescriptor = message.fields_by_name[name]
    return field


def _path(binding: Binding, schemas: Schemas) -> list[dict[str, Any]]:
    found = []
    for path in binding.template.variables:
        field = _field(binding.method.input_type, path)
        schema: Schema = {"type": "string", "minLength": 1}
        if field.name == "order_id":
            schema["pattern"] = UUID7_PATTERN
        comment = schemas.comments.get(field.full_name, "")
        found.append({"name": field.name, "in": "path", "required": True, "description": comment, "schema": schema})
    return found


def _query(binding: Binding, schemas: Schemas) -> list[dict[str, Any]]:
    if binding.body == WHOLE_BODY:
        return []
    found = []
    for field in binding.method.input_type.fields:
        if field.name == binding.body or field.name in binding.template.variables:
            continue
        parameter = {"name": field.name, "in": "query", "required": is_required(field)}
        parameter["description"] = schemas.comments.get(field.full_name, "")
        parameter["schema"] = _query_schema(field, schemas)
        found.append(parameter)
    return found


def _query_schema(field: FieldDescriptor, schemas: Schemas) -> Schema:
    schema = schemas.field(field, Use.ANSWERED)
    schema.pop("description", None)
    if field.enum_type is not None:
        return {"anyOf": [schema, {"type": "integer", "format": "int32", "minimum": INT32_MIN, "maximum": INT32_MAX}]}
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        return {"type": "integer", "format": "int32", "minimum": INT32_MIN, "maximum": INT32_MAX}
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT64:
        return {"type": "integer", "format": "int64", "minimum": INT64_MIN, "maximum": INT64_MAX}
    return schema


def _headers(binding: Binding) -> list[dict[str, Any]]:
    found = []
    if (place := idempotency_field(binding)) is not None and binding.verb != "GET":
        schema: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
        if place != "request_id":
            schema = {"type": "string", "pattern": UUID7_PATTERN}
        description = f"The same as `{place}` in the request: makes the call safe to repeat."
        found.append({"name": "Idempotency-Key", "in": "header", "description": description, "schema": schema})
    if binding.verb != "GET" and "etag" in binding.method.input_type.fields_by_name:
        schema = {"type": "string", "pattern": r'^(\*|"[0-9]{1,18}")$'}
        description = "Only if this is the current version: the `ETag` of an answer. Else the call fails by 409."
        found.append({"name": "If-Match", "in": "header", "description": description, "schema": schema})
    return found


def _body(binding: Binding, schemas: Schemas) -> Schema:
    message: Any = binding.method.input_type
    if binding.body != WHOLE_BODY:
        return schemas.message(message.fields_by_name[binding.body].message_type, Use.TAKEN)
    if binding.template.variables:
        return schemas.taken_without(message, binding.template.variables)
    return schemas.message(message, Use.TAKEN)
