"""Failures as callers see them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from oms.common.v1 import errors_pb2
from oms.log.v1 import log_pb2
from ordermesh.core import errors
from ordermesh.runtime.problems import CODES, Problem, Violation, invalid, not_yet_known, refused

ROOT = Path(__file__).parents[2]
ERRORS_PROTO = ROOT / "protos/oms/common/v1/errors.proto"
REASON_ARGUMENT = {"Problem": 0, "Refusal": 0, "refuse": 0, "invalid": 1}
"""Where a reason stands in the calls that give one."""


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


def reasons_given() -> Iterator[tuple[str, str]]:
    """(place, reason) wherever the program writes a reason out; an audit's problems have invariants instead."""
    for path in sorted((ROOT / "services" / "ordermesh").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            at = REASON_ARGUMENT.get(ast.unparse(node.func).rpartition(".")[2]) if isinstance(node, ast.Call) else None
            if not isinstance(node, ast.Call) or at is None:
                continue
            for value in (*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "reason")):
                if isinstance(value, ast.Constant) and not re.fullmatch(r"I\d", str(value.value)):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", str(value.value)


def test_every_reason_that_the_code_gives_is_one_of_the_contract() -> None:
    given = list(reasons_given())
    given += [("core/errors.py", str(value)) for name, value in vars(errors).items() if name.isupper()]

    assert len({reason for _, reason in given}) > 30
    assert [(place, reason) for place, reason in given if reason not in CODES] == []


@pytest.mark.parametrize("reason", sorted(CODES))
def test_every_failure_names_its_reason_and_domain(reason: str) -> None:
    status = Problem(reason, "words", metadata={"order_id": "o"}).status()
    info = details_of(status)[error_details_pb2.ErrorInfo]
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "oms", {"order_id": "o"})
    assert status.code == CODES[reason].value[0]
    assert status.message == "words"


def test_what_is_wrong_with_no_single_field_is_said_without_one() -> None:
    assert invalid([Violation("", "The bytes are no order.")]).message == "The bytes are no order."
    assert invalid([Violation("order", "is missing")]).message == "order: is missing"


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
