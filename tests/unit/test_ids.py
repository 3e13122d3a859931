"""Order ids."""

from __future__ import annotations

import pytest

from ordermesh.core.ids import InvalidIdentifier, canonical_order_id, order_id_of, time_ms_of


def test_an_id_made_of_a_time_tells_that_time() -> None:
    order_id = order_id_of(1_291_191_960_000, b"0123456789")

    assert canonical_order_id(order_id) == order_id
    assert time_ms_of(order_id) == 1_291_191_960_000
    assert order_id == order_id_of(1_291_191_960_000, b"0123456789")


def test_ids_sort_by_their_time() -> None:
    assert order_id_of(1_000, b"\xff" * 10) < order_id_of(1_001, b"\x00" * 10)


def test_capital_letters_name_the_same_order() -> None:
    assert canonical_order_id("0190A3C5-7E1B-7C3A-9D52-1F6B8A0C4E77") == "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no id",
        "0190a3c57e1b7c3a9d521f6b8a0c4e77",
        "0190a3c5-7e1b-4c3a-9d52-1f6b8a0c4e77",
        "0190a3c5-7e1b-7c3a-cd52-1f6b8a0c4e77",
        "{0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77}",
        "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77\n",
    ],
)
def test_what_is_no_uuid7_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        canonical_order_id(text)


@pytest.mark.parametrize(("time_ms", "chance"), [(-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9))])
def test_an_id_is_not_made_of_what_it_cannot_hold(time_ms: int, chance: bytes) -> None:
    with pytest.raises(ValueError, match=r"takes 10|UUIDv7"):
        order_id_of(time_ms, chance)
