from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from perennial.apps.intake.http import keys
from perennial.config.database import sqlite
from tests.apps.intake.http.serving import Memory, Serving, serving

ALIAS = "intake_http"


@pytest.fixture
def store() -> Memory:
    return Memory()


@pytest.fixture
def app(store: Memory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(keys, "PAUSE_S", 0.02)
    with serving(store) as served:
        yield served


def _use(path: Path) -> None:
    """Makes the file the database `ALIAS`, for every thread."""
    like = copy.deepcopy(connections.databases["default"])
    connections.databases[ALIAS] = {**like, **sqlite(path)}


@pytest.fixture(scope="session")
def _template(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Path:
    path = tmp_path_factory.mktemp("intake") / "template.sqlite3"
    _use(path)
    with django_db_blocker.unblock():
        call_command("migrate", "intake", database=ALIAS, verbosity=0)
        connections[ALIAS].close()
    del connections[ALIAS]
    return path


@pytest.fixture
def database(
    _template: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """A real file of SQLite with all tables, as `ALIAS`."""
    path = tmp_path / "perennial.sqlite3"
    shutil.copy(_template, path)
    _use(path)
    with django_db_blocker.unblock():
        yield path
        connections[ALIAS].close()
    del connections.databases[ALIAS]
    del connections[ALIAS]
