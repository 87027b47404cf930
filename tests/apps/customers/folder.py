"""The data folder with the company, as fixtures for pages and for the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.config.folder import DataFolder
from tests.apps.customers import company


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
