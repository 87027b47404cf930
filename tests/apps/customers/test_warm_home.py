"""Home is computed at night: in the morning it asks nothing that takes long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from perennial.apps.customers import home, jobs, today
from perennial.apps.team.models import User
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


@pytest.fixture
def data(own: Path) -> Path:
    return own


def test_home_is_there_before_anybody_comes(
    data: Path, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    jobs.warm_home(cast.workspace.key, lambda share, _said: told.append(share))
    assert told[-1] == 1.0

    def asked(*_args: object) -> None:
        raise AssertionError("asked again")

    for module, name in (
        (today, "_counts"),
        (today, "colored_before"),
        (home, "_sums"),
    ):
        monkeypatch.setattr(module, name, asked)
    for user in (cast.owner, cast.teammate, cast.viewer):
        assert client_of(user).get("/").status_code == 200
    with pytest.raises(AssertionError, match="asked again"):  # what nobody comes for
        client_of(cast.teammate).get("/?who=mine&all=1")
