"""Failures as HTTP says them (AIP-193): the status of the code, and the same details as by gRPC as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from starlette.responses import JSONResponse, Response

from ordermesh.runtime.problems import Problem, Violation, invalid

STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
}
"""The status of each code, as google.rpc.Code has it."""


class Refused(Exception):
    """A problem that only HTTP has: it has a status of its own, and headers that go with it."""

    def __init__(self, problem: Problem, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.status = status
        self.headers = headers or {}


def error_body(problem: Problem, status: int) -> dict[str, Any]:
    """The body of a failure; its field names are the protos', as everywhere."""
    details = [MessageToDict(detail, preserving_proto_field_name=True) for detail in problem.status().details]
    return {
        "error": {"code": status, "message": problem.message, "status": problem.code.name, "details": details},
    }


def answer_of(error: Problem | Refused) -> Response:
    """The answer to a call that failed."""
    problem = error.problem if isinstance(error, Refused) else error
    status = error.status if isinstance(error, Refused) else STATUSES[problem.code]
    headers = dict(error.headers) if isinstance(error, Refused) else {}
    if problem.code in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}:
        headers["retry-after"] = str(max(1, math.ceil(problem.retry_after_s)))
    return JSONResponse(error_body(problem, status), status_code=status, headers=headers)


def no_such_path(path: str) -> Refused:
    """A path that no method has."""
    return Refused(Problem("METHOD_NOT_FOUND", f"No method has the path {path}; /openapi.json has all."), 404)


def wrong_verb(verb: str, verbs: Sequence[str]) -> Refused:
    """A path that has other verbs."""
    allowed = ", ".join(verbs)
    message = f"The path has no {verb}; it has {allowed}."
    return Refused(Problem("METHOD_NOT_FOUND", message), 405, {"allow": allowed})


def wrong_media(description: str) -> Refused:
    """A body of another kind than is taken."""
    return Refused(invalid([Violation("", description)]), 415)


def too_large(what: str, bytes_max: int) -> Refused:
    """Something that is longer than a limit, of which no more is read."""
    message = f"{what} has more than {bytes_max} bytes; no more are taken."
    problem = Problem(
        "LIMIT_EXCEEDED", message, metadata={"limit": str(bytes_max)}, violations=[Violation("", message)]
    )
    return Refused(problem, 413, {"connection": "close"})


def too_slow(seconds: float) -> Refused:
    """A body that does not come."""
    problem = Problem("DEADLINE_EXCEEDED", f"The body did not come within {seconds:.0f} s; nothing was done.")
    return Refused(problem, 408, {"connection": "close"})
