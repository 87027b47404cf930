from __future__ import annotations

from tests.apps.customers.folder import built  # noqa: F401 - a fixture
from tests.apps.health.conftest import lake, regional, workspace  # noqa: F401
from tests.apps.team.cast import Cast, cast, client_of  # noqa: F401 - fixtures
from tests.apps.work.conftest import admin, member  # noqa: F401
