"""Background work of onboarding. Run again, it changes nothing."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.registry import Report
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import onboarding


def derive_onboarding(workspace: str, report: Report) -> None:
    """Who is in the flows as they are published now, and how far they got."""
    report(0.0, _("Looking who got how far"))
    where = Workspace.objects.get(key=workspace)
    onboarding.catch_up(lake_of(where))
    jobs.soon("follow_up", where)
