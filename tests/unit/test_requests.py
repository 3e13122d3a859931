"""Request ids, and the reasons of refusals."""

from __future__ import annotations

from oms.common.v1.errors_pb2 import ErrorReason
from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING, RequestRecord
from oms.inventory.v1.inventory_commands_pb2 import ReceiveStock
from ordermesh.core import errors
from ordermesh.core.decider import Decision
from ordermesh.core.limits import REQUESTS_REMEMBERED_MAX
from ordermesh.core.requests import etag_mismatch, find, record_of, remember, seen_before


def record(request_id: str, quantity: int = 1) -> RequestRecord:
    """The record of a receipt."""
    made = record_of(request_id, ReceiveStock(quantity=quantity, request_id=request_id))
    assert made is not None
    return made


def reason_of(decision: Decision | None) -> str | None:
    """Why it refuses; None where it does not."""
    return decision.refusal.reason if decision is not None and decision.refusal is not None else None


def test_every_reason_is_one_of_the_contract() -> None:
    given = {value for name, value in vars(errors).items() if name.isupper()}

    assert given <= {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 # not a mapping


def test_the_same_request_again_is_nothing_new() -> None:
    assert seen_before([record("r1")], record("r1")) == Decision()


def test_a_request_id_with_other_content_is_refused() -> None:
    decision = seen_before([record("r1")], record("r1", quantity=2))

    assert reason_of(decision) == "REQUEST_ID_REUSED"


def test_a_request_without_id_is_always_new() -> None:
    assert record_of("", ReceiveStock(quantity=1)) is None
    assert seen_before([record("r1")], None) is None
    assert find([record("r1")], "") is None


def test_the_oldest_request_is_forgotten_past_the_limit() -> None:
    records: list[RequestRecord] = []
    for number in range(REQUESTS_REMEMBERED_MAX + 1):
        remember(records, record(f"r{number}"))

    assert len(records) == REQUESTS_REMEMBERED_MAX
    assert find(records, "r0") is None
    assert find(records, "r1") is not None


def test_what_is_open_is_not_forgotten_for_what_is_decided() -> None:
    asked = record("open")
    asked.outcome = REQUEST_OUTCOME_PENDING
    records = [asked]
    for number in range(2 * REQUESTS_REMEMBERED_MAX):
        remember(records, record(f"r{number}"))

    assert len(records) == REQUESTS_REMEMBERED_MAX
    assert find(records, "open") is asked
    assert find(records, f"r{2 * REQUESTS_REMEMBERED_MAX - 1}") is not None


def test_of_requests_that_are_all_open_the_oldest_is_forgotten() -> None:
    records: list[RequestRecord] = []
    for number in range(REQUESTS_REMEMBERED_MAX + 1):
        asked = record(f"r{number}")
        asked.outcome = REQUEST_OUTCOME_PENDING
        remember(records, asked)

    assert len(records) == REQUESTS_REMEMBERED_MAX
    assert find(records, "r0") is None


def test_an_etag_has_to_be_the_current_version() -> None:
    assert etag_mismatch("", 3) is None
    assert etag_mismatch("3", 3) is None
    assert reason_of(etag_mismatch("2", 3)) == "ETAG_MISMATCH"
