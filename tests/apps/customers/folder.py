"""The data folder with the company, as fixtures for pages and for the browser."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from pytest_django import Settings

from perennial.apps.team.lake import opened
from perennial.config.folder import DataFolder
from tests.apps.customers import company
from tests.builders import clock, instant
from tests.made import copied


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with the company; built once, and only read."""
    return copied(tmp_path_factory, "customers", _build)


def _build(path: Path) -> None:
    folder = DataFolder(path)
    folder.prepare()
    company.build(folder.lake)


@pytest.fixture
def data(built: Path, settings: Settings) -> Path:
    settings.DATA = DataFolder(built)
    return built


@pytest.fixture
def own(built: Path, tmp_path: Path, settings: Settings) -> Path:
    """The same in a folder of one test alone, which may write to it."""
    copytree(built, tmp_path / "data")
    settings.DATA = DataFolder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def then(own: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and it is the morning of the company's day."""
    lake = opened(own / "lake" / "default")
    monkeypatch.setattr(lake, "_clock", clock(instant(company.NOW)))
    return own
