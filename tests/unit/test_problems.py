"""Failures as callers see them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from oms.common.v1 import errors_pb2
from oms.log.v1 import log_pb2
from ordermesh.runtime.problems import CODES, Problem, Violation, invalid, not_yet_known, refused

ERRORS_PROTO = Path(__file__).parents[2] / "protos/oms/common/v1/errors.proto"


def details_of(status: status_pb2.Status) -> dict[Any, Any]:
    """The details by type."""
    found: dict[Any, Any] = {}
    for packed in status.details:
        detail = _unpack(packed)
        found[type(detail)] = detail
    return found


def _unpack(packed: any_pb2.Any) -> Any:
    types = (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.RetryInfo,
        error_details_pb2.PreconditionFailure,
    )
    for kind in types:
        if packed.Is(kind.DESCRIPTOR):
            detail = kind()
            packed.Unpack(detail)
            return detail
    raise AssertionError(packed.type_url)


def test_every_reason_of_the_contract_has_the_code_that_its_comment_says() -> None:
    text = ERRORS_PROTO.read_text()
    entries = re.findall(r"// ([A-Z_]+): [^\n]*\n(?:\s*//[^\n]*\n)*\s*ERROR_REASON_(\w+) =", text)
    documented = {reason: code for code, reason in entries}
    assert documented == {reason: code.name for reason, code in CODES.items()}
    names = {name.removeprefix("ERROR_REASON_") for name in dict(errors_pb2.ErrorReason.items())}
    assert names - {"UNSPECIFIED"} == set(CODES)


@pytest.mark.parametrize("reason", sorted(CODES))
def test_every_failure_names_its_reason_and_domain(reason: str) -> None:
    status = Problem(reason, "words", metadata={"order_id": "o"}).status()
    info = details_of(status)[error_details_pb2.ErrorInfo]
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "oms", {"order_id": "o"})
    assert status.code == CODES[reason].value[0]
    assert status.message == "words"


def test_an_invalid_request_names_each_field() -> None:
    status = invalid([Violation("order.lines[2].quantity", "must be at least 1"), Violation("x", "y")]).status()
    bad = details_of(status)[error_details_pb2.BadRequest]
    assert [(v.field, v.description) for v in bad.field_violations] == [
        ("order.lines[2].quantity", "must be at least 1"),
        ("x", "y"),
    ]
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


@pytest.mark.parametrize("reason", ["OVERLOADED", "LOG_UNAVAILABLE", "STATE_NOT_YET_KNOWN", "SHUTTING_DOWN"])
def test_what_may_be_tried_again_says_when(reason: str) -> None:
    details = details_of(Problem(reason, "later", retry_after_s=1.5).status())
    assert details[error_details_pb2.RetryInfo].retry_delay.ToMilliseconds() == 1500


def test_a_retry_delay_is_never_zero() -> None:
    details = details_of(not_yet_known("later", retry_after_s=0.0).status())
    assert details[error_details_pb2.RetryInfo].retry_delay.ToMilliseconds() == 1


def test_what_must_not_be_tried_again_has_no_retry_delay() -> None:
    assert error_details_pb2.RetryInfo not in details_of(Problem("ORDER_NOT_FOUND", "no").status())


def test_a_refused_transition_says_what_it_needs() -> None:
    refusal = log_pb2.Refusal(reason="ORDER_NOT_CANCELLABLE", message="It is shipped.", metadata={"order_state": "X"})
    problem = refused(refusal, order_id="o")
    assert problem.metadata == {"order_state": "X", "order_id": "o"}
    failure = details_of(problem.status())[error_details_pb2.PreconditionFailure]
    assert [(v.type, v.description) for v in failure.violations] == [("ORDER_NOT_CANCELLABLE", "It is shipped.")]


def test_a_reason_of_a_newer_decider_is_a_refused_transition() -> None:
    assert Problem("SOMETHING_NEW", "no").code is grpc.StatusCode.FAILED_PRECONDITION
