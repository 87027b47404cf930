"""Surveys in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.surveys import queries
from perennial.apps.team.palette import sought
from perennial.ui.navigation import Entry, matches


def surveys(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Surveys whose name begins with what was typed."""
    found = sought(request, query)
    if found is None:
        return
    workspace, wanted = found
    for survey in queries.surveys(workspace).order_by("name"):
        if matches(wanted, survey.name, survey.kind):
            yield Entry(
                group=_("Surveys"),
                title=survey.name,
                url=reverse("surveys:survey", args=[survey.pk]),
                icon="message-2",
                note=survey.get_kind_display(),
            )
