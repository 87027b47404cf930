"""What is wrong with intake, and that the page Data says so."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from perennial.apps.intake import state as states
from perennial.apps.intake.state import state
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User
from tests.apps.intake.stream.conftest import Intake, Track, intake, track  # noqa: F401
from tests.apps.team.cast import Cast

Usage = namedtuple("Usage", "total used free")


def codes(intake: Intake) -> list[str]:  # noqa: F811
    return [problem.code for problem in state(intake.workspace)]


@pytest.fixture(autouse=True)
def _roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    has_free(monkeypatch, 1 << 40)


def has_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 41, 0, free))


def test_all_is_well(intake: Intake, track: Track) -> None:  # noqa: F811
    assert codes(intake) == []
    intake.send(track(), at=datetime.now(UTC))
    assert codes(intake) == []
    intake.load()
    intake.roll_up()
    assert codes(intake) == []


@pytest.mark.parametrize(
    ("free", "code"), [(1 << 30, "disk_low"), (100 << 20, "disk_full")]
)
def test_the_disk_fills_up(
    intake: Intake,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    code: str,
) -> None:
    has_free(monkeypatch, free)
    assert codes(intake) == [code]


def test_nothing_takes_what_waits(intake: Intake, track: Track) -> None:  # noqa: F811
    intake.send(track(), track(), at=datetime.now(UTC) - timedelta(minutes=3))
    intake.send(track(), at=datetime.now(UTC))
    [problem] = state(intake.workspace)
    assert problem.code == "loader"
    assert problem.said.startswith("2 requests wait, the oldest for 3 min")
    intake.load()
    assert codes(intake) == []


def test_much_waits(
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(states, "MANY", 2)
    for _ in range(3):
        intake.send(track(), at=datetime.now(UTC))
    assert codes(intake) == ["backlog"]


def test_the_lake_cannot_be_written(
    intake: Intake,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_given: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    [problem] = state(intake.workspace)
    assert (problem.code, problem.is_severe) == ("lake", True)
    assert "Permission denied" in problem.said


def test_the_database_is_locked(
    intake: Intake,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a file of its own: that of the tests is in memory."""
    path = tmp_path / "own.sqlite3"
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    monkeypatch.setattr(states, "_PATIENCE_S", 0.01)
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (x)")
    assert codes(intake) == []
    other.execute("BEGIN IMMEDIATE")
    [problem] = state(intake.workspace)
    assert (problem.code, problem.is_severe) == ("database", True)
    assert "locked" in problem.said
    other.close()


def test_roll_ups_are_behind(intake: Intake, track: Track) -> None:  # noqa: F811
    now = datetime.now(UTC)
    intake.send(track(), at=now)
    intake.load()
    intake.roll_up()
    intake.send(track(), at=now)
    intake.load()
    assert codes(intake) == []
    lake = lake_of(intake.workspace).lake
    version = lake.snapshot("events").version
    commit = Path(lake.uri("events")) / "_delta_log" / f"{version:020d}.json"
    old = (now - timedelta(minutes=20)).timestamp()
    os.utime(commit, (old, old))
    [problem] = state(intake.workspace)
    assert problem.code == "roll_ups"
    assert problem.said == "Numbers are 20 min behind the events."
    intake.roll_up()
    assert codes(intake) == []


def test_the_worst_stands_first_on_the_page(
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
    cast: Cast,
    client_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intake.send(track(), at=datetime.now(UTC) - timedelta(minutes=3))
    has_free(monkeypatch, 0)
    page = client_of(cast.viewer).get("/data/").content.decode()
    assert page.index("The disk is full") < page.index("request has been waiting")
