"""Background work that acts on what the numbers say."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.jobs.registry import Report
from perennial.apps.team.models import Workspace
from perennial.apps.work.alerts import actions as alerts


def follow_up(workspace: str, report: Report) -> None:
    """Alerts as the newest numbers say. Run again, it changes nothing."""
    where = Workspace.objects.get(key=workspace)
    report(0.0, _("Looking at every account"))
    alerts.evaluate(where)
