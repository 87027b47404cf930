"""Guides in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.guides import queries
from perennial.apps.team.models import Workspace
from perennial.ui.navigation import Entry, matches


def guides(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Guides whose name begins with what was typed."""
    wanted = query.strip()
    workspace = getattr(request, "workspace", None)
    if query[:1] in {">", "@", "#"} or not wanted:
        return
    if not isinstance(workspace, Workspace):
        return
    for guide in queries.guides(workspace).order_by("name"):
        if matches(wanted, guide.name, guide.form):
            yield Entry(
                group=_("Guides"),
                title=guide.name,
                url=reverse("guides:guide", args=[guide.pk]),
                icon="map-2",
                note=guide.get_form_display(),
            )
