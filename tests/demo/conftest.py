"""Two companies: a small one that is quick, and the one that newcomers get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pytest

from perennial.demo.generate import generate

END = date(2026, 5, 12)

Tables = Mapping[str, pa.Table]


@pytest.fixture(scope="session")
def end() -> date:
    """First day not covered, in both companies."""
    return END


@pytest.fixture(scope="session")
def small() -> Tables:
    """60 accounts and 14 months."""
    return generate(end=END, accounts=60, months=14, requests=500)


@pytest.fixture(scope="session")
def full() -> Tables:
    """The company as `perennial demo` makes it."""
    return generate(end=END)
