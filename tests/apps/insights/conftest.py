from __future__ import annotations

from tests.apps.team.cast import cast, client_of  # noqa: F401 - fixtures
from tests.insights.folder import known, workspace  # noqa: F401 - fixtures
