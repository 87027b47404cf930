from __future__ import annotations

from pathlib import Path

import pytest

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.formats import Regional
from tests.apps.customers.folder import built, data, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures


@pytest.fixture
def workspace(data: Path, cast: Cast) -> Workspace:  # noqa: F811
    return cast.workspace


@pytest.fixture
def lake(workspace: Workspace) -> Lake:
    return lake_of(workspace)


@pytest.fixture
def regional() -> Regional:
    return Regional(locale="en", currency="EUR", timezone="Europe/Berlin")
