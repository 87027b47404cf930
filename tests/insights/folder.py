"""The data folder of the company whose fate is known, for pages and for the browser."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.apps.insights.queries import NIGHTLY
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from perennial.lake import insights, models
from tests.apps.team.cast import Cast
from tests.builders import clock, instant
from tests.insights import company
from tests.made import copied

DAY = date(2026, 6, 1)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company with a version in force, its chances told; built once, only read."""
    return copied(tmp_path_factory, "insights", _build)


def _build(path: Path) -> None:
    folder = DataFolder(path)
    folder.prepare()
    ws = company.build(folder.lake / "default").workspace
    models.propose(ws, models.learn(ws))
    models.decide(ws, 1, approve=True, by="elena@default.example", note="as expected")
    ws.refresh(as_of=DAY)
    for name, asked in NIGHTLY.values():
        insights.keep(ws, name, DAY, **asked)


@pytest.fixture
def workspace(
    known: Path,
    cast: Cast,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The company in a folder of its own, that may be written to."""
    shutil.copytree(known, tmp_path / "data")
    settings.DATA = DataFolder(tmp_path / "data")
    monkeypatch.setattr(lake_of(cast.workspace), "_clock", clock(instant(company.NOW)))
    return cast.workspace
