"""What a call says in its headers: deadline and trace, the id that makes it repeatable, the version that it is for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from starlette.datastructures import Headers

from ordermesh.gateway.http.fields import put
from ordermesh.gateway.http.routes import Binding
from ordermesh.runtime.problems import Problem, Violation, invalid

TIMEOUT_S_MAX = 3600.0
"""A longer deadline counts as this: no call of one answer takes an hour."""

_TIMEOUT = re.compile(r"(?P<number>[0-9]{1,8})(?P<unit>[HMSmun])")
_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_STRONG_ETAG = re.compile(r'"(?P<version>[^"]*)"')


class HttpContext:
    """What a method may know of an HTTP call, in the form in which it knows it of a gRPC call."""

    __slots__ = ("_ends_at", "_headers", "_now")

    def __init__(self, headers: Headers, now: Callable[[], float] = time.monotonic) -> None:
        self._headers = headers
        self._now = now
        timeout_s = timeout_of(headers.get("grpc-timeout", ""))
        self._ends_at = None if timeout_s is None else now() + timeout_s

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None where that was not said."""
        return None if self._ends_at is None else self._ends_at - self._now()

    def invocation_metadata(self) -> Sequence[tuple[str, str]]:
        """The headers that are metadata too."""
        return [("traceparent", self._headers["traceparent"])] if "traceparent" in self._headers else []


def timeout_of(text: str) -> float | None:
    """Seconds of a `Grpc-Timeout` header, as `500m`; None where there is none. Raises Problem."""
    if not text:
        return None
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        description = "is no time-out: up to 8 digits and one of H M S m u n, as 2S or 500m"
        raise invalid([Violation("Grpc-Timeout", description)])
    return min(int(found["number"]) * _UNITS_S[found["unit"]], TIMEOUT_S_MAX)


def take_idempotency_key(binding: Binding, headers: Headers, request: Message) -> None:
    """Puts an `Idempotency-Key` where the method remembers it: its request_id, or the id of what is created. Raises
    Problem where there is no such place, because then a repetition would not be known as one."""
    if "idempotency-key" not in headers or binding.verb == "GET":
        return
    key = headers["idempotency-key"].strip().strip('"')
    if not key:
        raise _not_taken("Idempotency-Key", "it is empty")
    place = idempotency_field(binding)
    if place is None:
        raise _not_taken("Idempotency-Key", "the method remembers no id of a request")
    put(request, place, key, "Idempotency-Key")


def idempotency_field(binding: Binding) -> str | None:
    """The path of the field by which a method knows a repetition."""
    message = binding.method.input_type
    if "request_id" in message.fields_by_name:
        return "request_id"
    resource = message.fields_by_name.get(binding.body)
    return None if resource is None else next((f"{binding.body}.{name}" for name in _ids(resource.message_type)), None)


def _ids(message: Descriptor | None) -> list[str]:
    fields = [] if message is None else message.fields
    return [field.name for field in fields if field_behavior_pb2.IDENTIFIER in behaviours(field)]


def behaviours(field: FieldDescriptor) -> Sequence[int]:
    """What google.api.field_behavior says of a field."""
    values: Sequence[int] = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return values


def take_if_match(binding: Binding, headers: Headers, request: Message) -> None:
    """Puts the version of an `If-Match` into the request's etag. Raises Problem where the method cannot hold to it:
    doing it all the same could undo what somebody else did."""
    if "if-match" not in headers or binding.verb == "GET":
        return
    text = headers["if-match"].strip()
    if "etag" not in binding.method.input_type.fields_by_name:
        raise _not_taken("If-Match", "the method has no etag")
    if text == "*":
        return
    found = _STRONG_ETAG.fullmatch(text)
    if found is None:
        raise _not_taken("If-Match", 'give one etag of an answer, as "7"')
    put(request, "etag", found["version"], "If-Match")


def etag_of(response: Message) -> str:
    """The etag of the one resource in an answer, as a header has it; empty where there is none."""
    for field, value in response.ListFields():
        if field.message_type is not None and not field.is_repeated and (etag := getattr(value, "etag", "")):
            return f'"{etag}"'
    return ""


def _not_taken(header: str, why: str) -> Problem:
    return invalid([Violation(header, f"is not taken here: {why}")])
