"""From a path, a query and a JSON body to a request message, by protobuf's JSON rules. What is wrong is a Problem.

Field names are taken as in the protos and in lowerCamelCase; what is unknown is refused, so that a mistyped name is not
silently left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ordermesh.gateway.http.routes import WHOLE_BODY, Found
from ordermesh.runtime.problems import Problem, Violation, invalid

DEPTH_MAX = 16
"""Nesting of a body: the contract's messages have five levels."""
PARAMETERS_MAX = 2_000
"""Query parameters: a batch of a thousand SKUs, and what goes with it."""

_AS_TEXT = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "StringValue", "BytesValue", "BoolValue"),
        *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "FloatValue", "DoubleValue"),
    )
)
"""Messages whose JSON form is one value, so that they fit into a query."""
_BOOLEANS = {"true": True, "false": False}
_INTEGERS = frozenset(
    (
        *(FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64),
        *(FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64),
    )
)
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_WHERE = re.compile(r' at "?\w+\.?(?P<path>[\w.\[\]]*?)"?\.?$')
_STEP = re.compile(r"Failed to parse (?P<name>\w+) field: ")


def request_of(found: Found, query: Iterable[tuple[str, str]], body: bytes) -> Message:
    """The request that a call names."""
    binding = found.binding
    request = GetMessageClass(binding.method.input_type)()
    if binding.body == WHOLE_BODY:
        _parse(body, request, "")
    elif binding.body and body:
        _parse(body, getattr(request, binding.body), f"{binding.body}.")
        getattr(request, binding.body).SetInParent()
    _take_path(found.path, request)
    _take_query(query, request, () if not binding.body else (binding.body,), found.path)
    return request


def put(request: Message, path: str, value: str, source: str) -> None:
    """Sets a text field that the body may have too. Raises Problem where it has another value."""
    *parents, name = path.split(".")
    owner = request
    for parent in parents:
        owner = getattr(owner, parent)
    there = getattr(owner, name)
    if there and there != value:
        raise invalid([Violation(path, f"is {there[:64]!r} in the body and {value[:64]!r} in {source}")])
    merge(request, path, value)


def merge(request: Message, path: str, value: Any) -> None:
    """Sets a field, by its path with dots, to a value in its JSON form."""
    nested: Any = value
    for name in reversed(path.split(".")):
        nested = {name: nested}
    try:
        json_format.ParseDict(nested, request, max_recursion_depth=DEPTH_MAX)
    except (json_format.ParseError, ValueError, TypeError) as error:
        raise invalid([Violation(path, _said(error)[1])]) from None


def _take_path(path: Mapping[str, str], request: Message) -> None:
    for name, value in path.items():
        put(request, name, value, "the path")


class _Number(float):
    """A number with a fraction: protobuf's parser would cut the fraction off where an enum is wanted."""

    def __int__(self) -> int:
        if not self.is_integer():
            raise ValueError(f"{float(self)} is no integer")
        return super().__int__()


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that is there twice, readers take one or the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _check_booleans(value: Mapping[str, Any], message: Any) -> None:
    """Raises ValueError where an enum is a boolean, which the parser would take for the number 0 or 1."""
    for name, each in value.items():
        field = message.fields_by_name.get(name) or message.fields_by_camelcase_name.get(name)
        for item in each if isinstance(each, list) else [each]:
            if field is not None and field.enum_type is not None and isinstance(item, bool):
                raise ValueError(f"{name} is a boolean, and has to be a name or a number")
            if field is not None and field.message_type is not None and isinstance(item, dict):
                _check_booleans(item, field.message_type)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _parse(body: bytes, message: Message, prefix: str) -> None:
    """Reads a JSON body into a message; none leaves it as it is."""
    if not body:
        return
    field = ""
    try:
        found = json.loads(body.decode(), object_pairs_hook=_unique, parse_float=_Number, parse_constant=_no_number)
        if isinstance(found, dict):  # the parser would take an empty list for an empty object
            if b"true" in body or b"false" in body:
                _check_booleans(found, message.DESCRIPTOR)
            json_format.ParseDict(found, message, max_recursion_depth=DEPTH_MAX)
            return
        description = "has to be a JSON object"
    except (json_format.ParseError, ValueError, TypeError, RecursionError) as error:
        field, description = _said(error)
    raise invalid([Violation(f"{prefix}{field}".rstrip("."), description)])


def _said(error: Exception) -> tuple[str, str]:
    """Where the parser found what it says, as well as it tells, and what it says without the steps that led there."""
    text = str(error).partition("\n")[0]
    steps = [step["name"] for step in _STEP.finditer(text)]
    where = _WHERE.search(text)
    field = where["path"] if where is not None and where["path"] else ".".join(steps)
    return field, _STEP.sub("", _WHERE.sub("", text)).rstrip(".")


def _take_query(
    query: Iterable[tuple[str, str]], request: Message, taken: Sequence[str], path: Mapping[str, str]
) -> None:
    """Sets the fields that neither path nor body have. A repeated field is given by repeating the parameter."""
    values: dict[str, list[str]] = {}
    found_in: Any = request.DESCRIPTOR
    for number, (name, value) in enumerate(query):
        if number >= PARAMETERS_MAX:
            raise _refused("", f"The query has more than {PARAMETERS_MAX} parameters.")
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        field, proto_path = _field(found_in, name)
        if WHOLE_BODY in taken or proto_path.partition(".")[0] in taken or proto_path in path:
            raise _refused(name, "is given by the path or the body, not by the query")
        merge(request, proto_path, _json_value(field, name, given))


def _field(message: Descriptor, name: str) -> tuple[FieldDescriptor, str]:
    """The field that a parameter names, and its path as in the protos."""
    names = []
    owner: Descriptor | None = message
    field: FieldDescriptor | None = None
    for part in name.split("."):
        known = {} if owner is None else {**owner.fields_by_camelcase_name, **owner.fields_by_name}
        field = known.get(part)
        if field is None:
            raise _refused(name, f"is no parameter of {message.name}")
        names.append(field.name)
        owner = None if field.is_repeated else field.message_type
    if field is None or (owner is not None and owner.full_name not in _AS_TEXT) or _is_message_list(field):
        raise _refused(name, "has parts; name one of them, as in a.b, or give it in a body")
    return field, ".".join(names)


def _is_message_list(field: FieldDescriptor) -> bool:
    return field.is_repeated and field.message_type is not None and field.message_type.full_name not in _AS_TEXT


def _json_value(field: FieldDescriptor, name: str, given: Sequence[str]) -> Any:
    values = [_scalar(field, name, value) for value in given]
    if field.is_repeated:
        return values
    if len(values) > 1:
        raise _refused(name, "is given more than once")
    return values[0]


def _scalar(field: FieldDescriptor, name: str, value: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BOOL:
        if value not in _BOOLEANS:
            raise _refused(name, f"{value[:64]!r} is neither true nor false")
        return _BOOLEANS[value]
    if field.cpp_type in _INTEGERS and not _INTEGER.fullmatch(value):
        raise _refused(name, f"{value[:64]!r} is no integer")
    return value


def _refused(field: str, description: str) -> Problem:
    return invalid([Violation(field, description)])
