"""Where other applications join the pages of metrics, as `customers.hooks` does."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from perennial.apps.customers.hooks import Link
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.models import Board
from perennial.apps.team.access import TeamRequest
from perennial.metrics.registry import Metric


def links(
    request: TeamRequest,
    asked: Asked,
    *,
    metric: Metric | None = None,
    board: Board | None = None,
) -> list[Link]:
    """`settings.REPORT_LINKS`: functions of what a page shows that give a link."""
    finders = (import_string(path) for path in settings.REPORT_LINKS)
    found = (find(request, asked, metric=metric, board=board) for find in finders)
    return [link for link in found if link]
