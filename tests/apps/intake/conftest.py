from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures


@pytest.fixture
def workspace(
    tmp_path: Path,
    settings: Settings,
    cast: Cast,  # noqa: F811
) -> Workspace:
    """A workspace in a folder of its own, without data."""
    settings.DATA = DataFolder(tmp_path)
    settings.DATA.prepare()
    settings.MEDIA_ROOT = settings.DATA.media
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }
    return cast.workspace
