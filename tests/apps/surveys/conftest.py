from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from perennial.apps.surveys import actions, results
from perennial.apps.surveys.models import Survey
from perennial.apps.team.models import Membership
from tests.apps.customers.folder import built  # noqa: F401 - a fixture
from tests.apps.health.conftest import lake, regional, workspace  # noqa: F401
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.apps.work.conftest import Clock, admin, member, moving  # noqa: F401
from tests.mailbox import Post, post  # noqa: F401 - a fixture

#: (template, changes of `when`, changes of `who`) to a running survey.
Run = Callable[..., Survey]


@pytest.fixture(autouse=True)
def _reachable(settings: Settings) -> None:
    """A mail server, and an address of our own: what mails are written for."""
    settings.EMAIL_HOST = "mail.default.example"
    settings.PUBLIC_URL = "https://cs.default.example"


@pytest.fixture(autouse=True)
def _not_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs make pages ready that few tests open: seconds of questions."""
    monkeypatch.setattr(results, "warm", lambda *_: None)


@pytest.fixture
def run(admin: Membership) -> Run:  # noqa: F811
    """A running survey made of a template."""

    def running(
        template: str = "nps",
        name: str = "",
        who: dict[str, Any] | None = None,
        **when: Any,
    ) -> Survey:
        survey = actions.add(admin, name or template.upper(), template)
        document = survey.document
        document["when"] |= {"channels": ["product", "email", "link"], **when}
        document["who"] = who or {}
        assert actions.save(survey, admin, survey.name, document) == ""
        actions.start(survey, admin)
        return survey

    return running
