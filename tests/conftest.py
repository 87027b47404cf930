"""What all tests share: less work for the machine they run on."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import settings

from perennial.lake.duck import connect

pytest_plugins = ["tests.quick"]

# Nothing is timed here: what takes long is measured by benchmarks.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

#: Files that take long come first, or all else would be done before the last of them.
FIRST = (
    "tests/conformance/",
    "tests/e2e/",
    "tests/engines/",
    "tests/data/test_crm5.py",
    "tests/apps/intake/http/test_server.py",
    "tests/apps/reports/test_views.py",
    "tests/metrics/test_engagement_twice.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_collection_finish() -> None:
    """Modules stay: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests run side by side; threads of one would only wait for those of another."""
    connect().execute("SET GLOBAL threads = 1")


@pytest.fixture(autouse=True)
def _no_language() -> Iterator[None]:
    """A request leaves its language to the thread, and so to the next test."""
    yield
    translation.deactivate()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # or DuckDB says at the end that these were forgotten
