from __future__ import annotations

from perennial.apps.jobs.registry import Report
from perennial.apps.reports import actions
from perennial.apps.team.models import Workspace


def warm_metrics(workspace: str, report: Report) -> None:
    """The numbers of the board, computed before anybody asks for them."""
    actions.warm(Workspace.objects.get(key=workspace), report=report)
