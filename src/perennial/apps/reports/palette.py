"""Metrics in the command palette; "#" asks for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.reports.board import THEMES
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.ui.navigation import Entry, matches


def metrics(request: HttpRequest, query: str) -> Iterator[Entry]:
    """The metrics whose title or key begins with what was typed."""
    wanted = query.removeprefix("#").strip()
    if query[:1] in {">", "@"} or not (wanted or query.startswith("#")):
        return
    workspace = getattr(request, "workspace", None)
    if not isinstance(workspace, Workspace):
        return
    for metric in lake_of(workspace).catalog.values():
        if matches(wanted, _(metric.title), metric.key):
            yield Entry(
                group=_("Metrics"),
                title=_(metric.title),
                url=reverse("reports:metric", args=[metric.key]),
                icon="chart-line",
                note=THEMES.get(metric.theme, ""),
            )
