"""Why a call fails, and how that is said: one table from reason to status code, one way to build the details.

A `Problem` is an expected failure, a value with a reason that programs may rely on. Anything else that is raised in a
call is a bug: the caller gets INTERNAL with an id that stands in the server's log too, and nothing of the exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from oms.log.v1 import log_pb2

DOMAIN = "oms"
"""The domain of every ErrorInfo."""

RETRY_AFTER_S = 0.5
"""What RetryInfo says where nothing better is known: about the time in which an owner is found again."""

MESSAGE_BYTES_MAX = 512
"""Size of a message. It travels in a header, percent-encoded, beside the details: together they have to stay below the
8 KiB of headers that every client takes, or the client's library drops the status and makes up its own."""

METADATA_BYTES_MAX = 256
"""Size of a value in an ErrorInfo's metadata."""

VIOLATIONS_BYTES_MAX = 2_048
"""Size of the violations that are told."""

VIOLATION_BYTES_MAX = 512
"""Size of one of them."""

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_NOT_FOUND = grpc.StatusCode.NOT_FOUND
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


CODES: Mapping[str, grpc.StatusCode] = {
    "INVALID_REQUEST": _INVALID,
    "LIMIT_EXCEEDED": _INVALID,
    "INVALID_PAGE_TOKEN": _INVALID,
    "LINE_NOT_FOUND": _INVALID,
    "REQUEST_ID_REUSED": _INVALID,
    "ORDER_ID_IN_FUTURE": _INVALID,
    "ORDER_NOT_FOUND": _NOT_FOUND,
    "STOCK_NOT_FOUND": _NOT_FOUND,
    "PAYMENT_NOT_FOUND": _NOT_FOUND,
    "SHIPMENT_NOT_FOUND": _NOT_FOUND,
    "DEAD_LETTER_NOT_FOUND": _NOT_FOUND,
    "PARTITION_NOT_FOUND": _NOT_FOUND,
    "METHOD_NOT_FOUND": _NOT_FOUND,
    "INSTANCE_NOT_FOUND": _NOT_FOUND,
    "ENDPOINT_NOT_FOUND": _NOT_FOUND,
    "DELIVERY_NOT_FOUND": _NOT_FOUND,
    "URL_NOT_ALLOWED": _INVALID,
    "HOLD_NOT_FOUND": _NOT_FOUND,
    "RETURN_NOT_FOUND": _NOT_FOUND,
    "ORDER_ALREADY_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    "ORDER_NOT_CANCELLABLE": _PRECONDITION,
    "ORDER_NOT_AMENDABLE": _PRECONDITION,
    "AMENDMENT_REFUSED": _PRECONDITION,
    "CANCEL_EXCEEDS_LEFT": _PRECONDITION,
    "ORDER_CHANGE_IN_PROGRESS": grpc.StatusCode.ABORTED,
    "ORDER_NOT_RETURNABLE": _PRECONDITION,
    "ORDER_NOT_REFUNDABLE": _PRECONDITION,
    "RETURN_EXCEEDS_SHIPPED": _PRECONDITION,
    "REFUND_EXCEEDS_CAPTURED": _PRECONDITION,
    "REFUND_DECLINED": _PRECONDITION,
    "STOCK_BELOW_RESERVED": _PRECONDITION,
    "SHIPMENT_NOT_DISPATCHABLE": _PRECONDITION,
    "SHIPMENT_NOT_DELIVERABLE": _PRECONDITION,
    "CAPTURE_EXCEEDS_AUTHORIZED": _PRECONDITION,
    "RESERVATION_NOT_OPEN": _PRECONDITION,
    "HOLD_NEEDED": _PRECONDITION,
    "DEAD_LETTER_RESOLVED": _PRECONDITION,
    "DEAD_LETTER_UNREADABLE": _PRECONDITION,
    "INSTANCE_NOT_DRAINABLE": _PRECONDITION,
    "ENDPOINT_LIMIT_REACHED": _PRECONDITION,
    "ENDPOINT_NOT_ACTIVE": _PRECONDITION,
    "REDELIVERY_LIMIT_REACHED": _PRECONDITION,
    "WEBHOOKS_NOT_PREPARED": _PRECONDITION,
    "ORDER_NOT_HOLDABLE": _PRECONDITION,
    "HOLD_LIMIT_REACHED": _PRECONDITION,
    "PAYMENT_NOT_UPDATABLE": _PRECONDITION,
    "RETURN_LIMIT_REACHED": _PRECONDITION,
    "RETURN_NOT_OPEN": _PRECONDITION,
    "RETURN_NOT_CANCELLABLE": _PRECONDITION,
    "RETURN_EXCEEDS_AUTHORIZED": _PRECONDITION,
    "RETURN_EXCEEDS_RECEIVED": _PRECONDITION,
    "ETAG_MISMATCH": grpc.StatusCode.ABORTED,
    "LOG_UNAVAILABLE": _UNAVAILABLE,
    "STATE_NOT_YET_KNOWN": _UNAVAILABLE,
    "STORE_UNAVAILABLE": _UNAVAILABLE,
    "PROVIDER_UNAVAILABLE": _UNAVAILABLE,
    "SHUTTING_DOWN": _UNAVAILABLE,
    "OVERLOADED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "DEADLINE_EXCEEDED": grpc.StatusCode.DEADLINE_EXCEEDED,
    "DEAD_LETTERED": grpc.StatusCode.INTERNAL,
    "INTERNAL": grpc.StatusCode.INTERNAL,
}
"""Reason to status code: every reason of the contract is here, and nothing else decides a code."""


class Violation(NamedTuple):
    """What is wrong with one field of a request; `field` is its path, as `order.lines[2].quantity`."""

    field: str
    description: str


class Problem(Exception):
    """An expected failure of a call. `reason` is a name of `oms.common.v1.ErrorReason` without its prefix."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = shortened(message, MESSAGE_BYTES_MAX)
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after_s = retry_after_s

    @property
    def code(self) -> grpc.StatusCode:
        """The status code of its reason; a reason that a newer decider gives is a transition that it refuses."""
        return CODES.get(self.reason, _PRECONDITION)

    def status(self) -> status_pb2.Status:
        """The failure as it goes over the wire, with its details."""
        code = self.code
        details: list[any_pb2.Any] = []
        metadata = {name: shortened(value, METADATA_BYTES_MAX) for name, value in self.metadata.items()}
        _pack(details, error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=metadata))
        if self.violations:
            _pack(details, _bad_request(self.violations))
        if code in {grpc.StatusCode.RESOURCE_EXHAUSTED, _UNAVAILABLE}:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(max(1, round(self.retry_after_s * 1000)))
            _pack(details, error_details_pb2.RetryInfo(retry_delay=delay))
        if code is _PRECONDITION:
            violation = error_details_pb2.PreconditionFailure.Violation(
                type=self.reason, subject=metadata.get("subject", ""), description=self.message
            )
            _pack(details, error_details_pb2.PreconditionFailure(violations=[violation]))
        return status_pb2.Status(code=code.value[0], message=self.message, details=details)


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    """The violations, as many as there is room for; the first always."""
    told = error_details_pb2.BadRequest()
    room = VIOLATIONS_BYTES_MAX
    for violation in violations:
        field, description = (shortened(text, VIOLATION_BYTES_MAX // 2) for text in violation)
        room -= len(field.encode()) + len(description.encode())
        if told.field_violations and room < 0:
            break
        told.field_violations.add(field=field, description=description)
    return told


def shortened(text: str, bytes_max: int) -> str:
    """The text, or its beginning where its UTF-8 is longer than that."""
    data = text.encode()
    if len(data) <= bytes_max:
        return text
    return data[: bytes_max - 3].decode(errors="ignore") + "..."


def _pack(details: list[any_pb2.Any], detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    details.append(packed)


def refused(refusal: log_pb2.Refusal, **metadata: str) -> Problem:
    """What a decider refused, as the caller hears it, with these values besides the refusal's own."""
    problem = Problem(refusal.reason, refusal.message, metadata={**refusal.metadata, **metadata})
    if problem.code is grpc.StatusCode.INVALID_ARGUMENT:
        problem.violations = [Violation(refusal.metadata.get("field", ""), refusal.message)]
    return problem


def not_yet_known(message: str, retry_after_s: float = RETRY_AFTER_S, **metadata: str) -> Problem:
    """What is asked cannot be said for now; asking again with the same request may succeed."""
    return Problem("STATE_NOT_YET_KNOWN", message, metadata=metadata, retry_after_s=retry_after_s)


def overloaded(cause: str, retry_after_s: float) -> Problem:
    """What admission refuses: nothing of it was done."""
    message = f"No new work is taken for now: {cause}. Nothing was done; try again."
    return Problem("OVERLOADED", message, metadata={"cause": cause}, retry_after_s=retry_after_s)


def invalid(violations: Sequence[Violation], reason: str = "INVALID_REQUEST") -> Problem:
    """A request that breaks its contract: nothing of it was done."""
    first = violations[0]
    where = f"{first.field}: " if first.field else ""
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return Problem(reason, f"{where}{first.description}{more}", violations=violations)
