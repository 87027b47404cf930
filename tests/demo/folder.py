"""A data folder with the example company, smaller than newcomers get it: 30 accounts,
a year, and nothing learned from its decisions yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import pytest
from pytest_django import Settings

from perennial.apps.team.lake import opened
from perennial.config.folder import DataFolder
from perennial.demo import load
from perennial.demo.generate import generate
from perennial.lake.workspace import Workspace
from tests.builders import clock, instant
from tests.made import copied

END: Final = date(2026, 6, 1)
NOW: Final = instant("2026-06-01T06:00")


def _build(path: Path) -> None:
    folder = DataFolder(path)
    folder.prepare()
    lake = Workspace(opened(folder.lake / "default").lake, clock=clock(NOW))
    tables = generate(end=END, accounts=30, months=12, requests=500)
    load.fill(lake, tables, end=END, progress=lambda _share, _what: None)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory, "demo", _build)


@pytest.fixture
def demo(
    company: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """Its lake, on the morning after its last day."""
    settings.DATA = DataFolder(company)
    lake = opened(company / "lake" / "default")
    monkeypatch.setattr(lake, "_clock", clock(NOW))
    return lake
