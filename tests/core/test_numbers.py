from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.numbers import whole


@given(st.integers(0, 10**18 - 1))
def test_what_is_a_whole_number_is_read(number: int) -> None:
    assert whole(str(number)) == number


@given(st.text())
def test_nothing_else_is_and_nothing_is_too_strange(text: str) -> None:
    number = whole(text)
    assert number is None or str(number) == text.lstrip("0") or number == 0


@pytest.mark.parametrize("text", ["", "²", "-1", "1.0", " 1", "٣", "9" * 5_000])
def test_what_only_looks_like_one(text: str) -> None:
    assert whole(text) is None
