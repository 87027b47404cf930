from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from perennial.lake.workspace import Workspace as Lake
from perennial.apps.team.lake import lake_of
from perennial.ui.formats import Regional
from tests.apps.customers import company
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with the company; built once, and only read."""
    folder = DataFolder(tmp_path_factory.mktemp("customers"))
    folder.prepare()
    company.build(folder.lake)
    return folder.path


@pytest.fixture
def data(built: Path, settings: Settings) -> Path:
    settings.DATA = DataFolder(built)
    return built


@pytest.fixture
def workspace(data: Path, cast: Cast) -> Workspace:  # noqa: F811
    return cast.workspace


@pytest.fixture
def lake(workspace: Workspace) -> Lake:
    return lake_of(workspace)


@pytest.fixture
def regional() -> Regional:
    return Regional(locale="en", currency="EUR", timezone="Europe/Berlin")
