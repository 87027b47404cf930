"""Background work on customers."""

from __future__ import annotations

from perennial.apps.customers import stage_rules
from perennial.apps.jobs.registry import Report
from perennial.apps.team.models import Workspace


def follow_rules(workspace: str, report: Report) -> None:
    """Accounts get the stages whose rules they meet; done twice, it changes nothing."""
    stage_rules.follow(Workspace.objects.get(key=workspace))
