"""Page tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermesh.runtime.pages import PageTokens
from ordermesh.runtime.problems import Problem

TOKENS = PageTokens("deployment")


@given(st.text(max_size=40), st.binary(min_size=1, max_size=200))
def test_a_token_gives_its_position_back_to_its_own_list_only(bound_to: str, position: bytes) -> None:
    token = TOKENS.seal(bound_to, position)
    assert TOKENS.open(bound_to, token) == position
    for tokens, other in ((TOKENS, bound_to + "x"), (PageTokens("another"), bound_to)):
        with pytest.raises(Problem, match="page_token"):
            tokens.open(other, token)


@given(st.text(min_size=1, max_size=200))
def test_what_is_no_token_is_refused_and_not_read(token: str) -> None:
    with pytest.raises(Problem) as raised:
        TOKENS.open("list", token)
    assert raised.value.reason == "INVALID_PAGE_TOKEN"
    assert [violation.field for violation in raised.value.violations] == ["page_token"]


def test_no_token_is_the_first_page() -> None:
    assert TOKENS.open("list", "") == b""


def test_a_token_of_any_size_is_refused() -> None:
    with pytest.raises(Problem):
        TOKENS.open("list", "A" * 1_000_000)
