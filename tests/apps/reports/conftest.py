from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from tests.apps.customers import company
from tests.apps.customers.folder import built, data, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.builders import clock, instant


@pytest.fixture
def workspace(
    data: Path,  # noqa: F811
    cast: Cast,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The small company, on the morning its numbers speak of."""
    lake = lake_of(cast.workspace)
    monkeypatch.setattr(lake, "_clock", clock(instant(company.NOW)))
    return cast.workspace


@pytest.fixture
def reader(
    workspace: Workspace,
    cast: Cast,  # noqa: F811
    client_of: Callable[[User], Client],  # noqa: F811
) -> Client:
    return client_of(cast.viewer)
