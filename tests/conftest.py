"""What all tests share: less work for the machine they run on."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection
from django.utils import translation
from hypothesis import settings

from perennial.lake.duck import connect
from tests.made import made_once

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


@pytest.fixture(scope="session")
def _migrates_once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first worker migrates, the others copy: it takes six seconds."""
    migrate = Migrate.handle

    def filled(command: Migrate, *args: Any, **options: Any) -> None:
        def make(folder: Path) -> None:
            migrate(command, *args, **options)
            with sqlite3.connect(folder / "database") as file:
                connection.connection.backup(file)
            file.close()

        made = made_once(tmp_path_factory, "made-database", make)
        with sqlite3.connect(made / "database") as file:
            connection.ensure_connection()
            file.backup(connection.connection)
        file.close()

    patched = mock.patch.object(Migrate, "handle", filled)
    if connection.vendor == "sqlite":
        patched.start()
    return patched


@pytest.fixture(scope="session")
def django_db_setup(_migrates_once: Any, django_db_setup: None) -> None:
    """The test database stands: from here on to migrate is to migrate."""
    _migrates_once.stop()


@pytest.fixture(autouse=True)
def _no_language() -> Iterator[None]:
    """A request leaves its language to the thread, and so to the next test."""
    yield
    translation.deactivate()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # or DuckDB says at the end that these were forgotten
