from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perennial.apps.guides import actions
from perennial.apps.guides.models import Guide
from perennial.apps.team.models import Membership, Workspace
from tests.apps.customers.folder import built  # noqa: F401 - a fixture
from tests.apps.health.conftest import lake, regional, workspace  # noqa: F401
from tests.apps.surveys.test_snippet_views import Snippet
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.apps.work.conftest import Clock, admin, member, moving  # noqa: F401

#: (template, changes of parts of the document) to a live guide.
Live = Callable[..., Guide]


@pytest.fixture
def snippet(workspace: Workspace) -> Snippet:  # noqa: F811
    return Snippet(workspace)


@pytest.fixture
def live(admin: Membership) -> Live:  # noqa: F811
    """A published guide made of a template; held out is nobody, unless said."""

    def living(template: str = "announcement", name: str = "", **parts: Any) -> Guide:
        guide = actions.add(admin, name or template, template)
        document = guide.document
        document["when"] = {**document.get("when", {}), "hold_out": 0}
        for step in document.get("steps", []):
            step["anchor"] = {"selectors": ["#export"], "text": "Export"}
        for key, value in parts.items():
            is_part = isinstance(value, dict) and isinstance(document.get(key), dict)
            document[key] = {**document[key], **value} if is_part else value
        assert actions.save(guide, admin, guide.name, document) == ""
        actions.publish(guide, admin)
        return guide

    return living
