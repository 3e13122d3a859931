"""What the log's refusals of an append mean."""

from __future__ import annotations

import pytest

from ordermesh.adapters.jetstream_api import append_error
from ordermesh.runtime.ports import Fenced, LogError, LogFull, LogUnavailable, OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "code", "description", "meaning"),
    [
        (400, 10071, "wrong last sequence: 7", Fenced),
        # The last append to the subject is acknowledged, and its leader has not put its things away yet.
        (400, 10164, "wrong last sequence", LogUnavailable),
        (503, 10077, "maximum bytes exceeded", LogFull),
        (503, 10077, "write failed", OutcomeUnknown),
        (409, 10158, "message id is being processed", OutcomeUnknown),
        (503, 10008, "JetStream system temporarily unavailable", LogUnavailable),
    ],
)
def test_a_refusal_is_read_as_what_it_says_of_the_append(
    status: int, code: int, description: str, meaning: type[LogError]
) -> None:
    failure = append_error({"code": status, "err_code": code, "description": description})

    assert type(failure) is meaning
