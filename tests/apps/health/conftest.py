from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.formats import Regional
from tests.apps.customers import company
from tests.apps.customers.folder import built  # noqa: F401 - a fixture
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.builders import clock, instant


@pytest.fixture
def workspace(
    built: Path,  # noqa: F811
    cast: Cast,  # noqa: F811
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The small company in a folder of its own, that may be written to."""
    shutil.copytree(built, tmp_path / "data")
    settings.DATA = DataFolder(tmp_path / "data")
    lake = lake_of(cast.workspace)
    monkeypatch.setattr(lake, "_clock", clock(instant(company.NOW)))
    return cast.workspace


@pytest.fixture
def lake(workspace: Workspace) -> Lake:
    return lake_of(workspace)


@pytest.fixture
def regional() -> Regional:
    return Regional(locale="en", currency="EUR", timezone="Europe/Berlin")
