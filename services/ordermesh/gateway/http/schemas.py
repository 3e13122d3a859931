"""JSON schemas of messages, as protobuf's JSON form has them: what is answered exactly, what is taken as wide as it is.

A message that is both taken and answered has two schemas. The one of what is taken leaves out what only the server
says, and allows null, numbers as text and enums as numbers, because the parser does. An item of a batch has a third,
because what it lacks is told by its own result and not by a refusal of the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from ordermesh.gateway.http.headers import behaviours

Schema = dict[str, Any]

INTEGER_PATTERN = "^-?[0-9]{1,19}$"
"""Of an integer as text: JSON's own numbers lose digits beyond 2^53 in many readers, so 64 bits are text."""
INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
"""What 64 bits hold."""
INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1
"""What 32 bits hold."""

_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    },
}
_PLAIN: Mapping[int, Schema] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number"},
}
_RANGES: Mapping[int, tuple[str, int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: ("int32", INT32_MIN, INT32_MAX),
    FieldDescriptor.CPPTYPE_UINT32: ("uint32", 0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: ("int64", INT64_MIN, INT64_MAX),
    FieldDescriptor.CPPTYPE_UINT64: ("uint64", 0, 2**64 - 1),
}
_WIDE = {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}


class Use(StrEnum):
    """What a schema is for; the value is what its name ends with."""

    ANSWERED = ""
    TAKEN = ".Input"
    ITEM = ".Item"


class Schemas:
    """The schemas by name, made as they are asked for. `comments` has what the protos say of a full name."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self.comments = comments
        self.made: dict[str, Schema] = {}

    def message(self, message: Descriptor, use: Use) -> Schema:
        """A reference to the schema of a message that is taken or answered."""
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        name = f"{message.full_name}{use}"
        if name not in self.made:
            self.made[name] = {}  # messages may contain themselves
            self.made[name] = self._message(message, use)
        return {"$ref": f"#/components/schemas/{name}"}

    def taken_without(self, message: Descriptor, left_out: Collection[str]) -> Schema:
        """The schema of a body that has all but the fields that the path has."""
        return self._message(message, Use.TAKEN, left_out=left_out)

    def _message(self, message: Descriptor, use: Use, left_out: Collection[str] = ()) -> Schema:
        fields = [field for field in message.fields if field.name not in left_out]
        ignored = field_behavior_pb2.OUTPUT_ONLY if use else field_behavior_pb2.INPUT_ONLY
        fields = [field for field in fields if ignored not in behaviours(field)]
        schema: Schema = {
            "type": "object",
            "properties": {field.name: self.field(field, use) for field in fields},
            "additionalProperties": not use,
        }
        required = [field.name for field in fields if _is_there(field, use)]
        if required:
            schema["required"] = required
        if message.full_name in self.comments:
            schema["description"] = self.comments[message.full_name]
        return schema

    def field(self, field: FieldDescriptor, use: Use) -> Schema:
        """The schema of a field with its comment."""
        needed = not use or _is_there(field, use)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            schema: Schema = {"type": "object", "additionalProperties": self._one(value, use)}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._one(field, _use_of_items(field, use))}
            if use and needed:
                schema["minItems"] = 1
        else:
            schema = self._one(field, use)
        if not needed:
            schema = {"anyOf": [schema, {"type": "null"}]}
        if field.full_name in self.comments:
            schema = {**schema, "description": self.comments[field.full_name]}
        return schema

    def _one(self, field: FieldDescriptor, use: Use) -> Schema:
        if field.message_type is not None:
            return self.message(field.message_type, use)
        if field.enum_type is not None:
            return self._enum(field.enum_type, use)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        if field.cpp_type in _PLAIN:
            return dict(_PLAIN[field.cpp_type])
        return _integer(field, use)

    def _enum(self, enum: EnumDescriptor, use: Use) -> Schema:
        if enum.full_name not in self.made:
            names = [value.name for value in enum.values]
            said = [f"* {name}: {self.comments.get(f'{enum.full_name}.{name}', '')}" for name in names]
            description = "\n".join([self.comments.get(enum.full_name, ""), "", *said])
            self.made[enum.full_name] = {"type": "string", "enum": names, "description": description}
        reference: Schema = {"$ref": f"#/components/schemas/{enum.full_name}"}
        if not use:
            return reference
        numbers = {"type": "integer", "format": "int32", "minimum": INT32_MIN, "maximum": INT32_MAX}
        return {"anyOf": [reference, numbers]}


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request has to have the field."""
    return field_behavior_pb2.REQUIRED in behaviours(field)


def _is_there(field: FieldDescriptor, use: Use) -> bool:
    """Whether the field has to be there. Answers have it also with its default, where that is not the same as none."""
    if use is Use.ANSWERED:
        return not field.has_presence
    return use is Use.TAKEN and is_required(field)


def _use_of_items(field: FieldDescriptor, use: Use) -> Use:
    is_batch = field.containing_type is not None and field.containing_type.name.startswith("Batch")
    return Use.ITEM if is_batch and use is Use.TAKEN else use


def _integer(field: FieldDescriptor, use: Use) -> Schema:
    name, least, most = _RANGES[field.cpp_type]
    text = {"type": "string", "format": name, "pattern": INTEGER_PATTERN}
    number = {"type": "integer", "format": name, "minimum": least, "maximum": most}
    if use:
        return {"anyOf": [number, text]}
    return text if field.cpp_type in _WIDE else number
