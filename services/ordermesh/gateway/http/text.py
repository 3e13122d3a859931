"""Messages as JSON text: protobuf's JSON form with the protos' field names and all fields, as the command line's."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def as_json(message: Message) -> str:
    """The message in one line."""
    told = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
