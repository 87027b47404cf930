"""What health adds where accounts are merged (`customers.hooks`)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from perennial.apps.customers.hooks import Belonging
from perennial.apps.health import actions
from perennial.apps.health.models import Override
from perennial.apps.team.models import Workspace


def belongings(workspace: Workspace) -> list[Belonging]:
    overrides = workspace.health_overrides.all()
    return [
        Belonging(gettext_lazy("Scores set by a person"), overrides, retell=_retell),
        Belonging(gettext_lazy("Pulses"), workspace.health_pulses.all()),
    ]


def _retell(overrides: QuerySet[Override], since: datetime) -> None:
    """Those that were ended meanwhile told the lake of the account they were at."""
    for override in overrides.filter(ends_on__gte=since.date()):
        actions.keep(override)
