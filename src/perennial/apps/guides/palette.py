"""Guides in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.guides import queries
from perennial.apps.team.palette import sought
from perennial.ui.navigation import Entry, matches


def guides(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Guides whose name begins with what was typed."""
    found = sought(request, query)
    if found is None:
        return
    workspace, wanted = found
    for guide in queries.guides(workspace).order_by("name"):
        if matches(wanted, guide.name, guide.form):
            yield Entry(
                group=_("Guides"),
                title=guide.name,
                url=reverse("guides:guide", args=[guide.pk]),
                icon="map-2",
                note=guide.get_form_display(),
            )
