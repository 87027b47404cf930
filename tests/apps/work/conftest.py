from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perennial.apps.team.models import Membership, Workspace
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.folder import built  # noqa: F401 - a fixture
from tests.apps.health.conftest import lake, regional, workspace  # noqa: F401
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.mailbox import post  # noqa: F401 - a fixture


@pytest.fixture
def member(workspace: Workspace, cast: Cast) -> Membership:  # noqa: F811
    return cast.membership(cast.teammate)


@pytest.fixture
def admin(workspace: Workspace, cast: Cast) -> Membership:  # noqa: F811
    return cast.membership(cast.admin)


class Clock:
    """The present of a lake, moved by tests."""

    def __init__(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
        self.at = lake.now
        monkeypatch.setattr(lake, "_clock", self)

    def now(self, zone: object = UTC) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def moving(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: F811
    return Clock(lake, monkeypatch)
