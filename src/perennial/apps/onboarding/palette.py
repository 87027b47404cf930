"""Onboarding flows in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.onboarding import queries
from perennial.apps.team.palette import sought
from perennial.ui.navigation import Entry, matches


def flows(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Flows whose name begins with what was typed."""
    found = sought(request, query)
    if found is None:
        return
    workspace, wanted = found
    for flow in queries.flows(workspace):
        if matches(wanted, flow.name, "onboarding"):
            yield Entry(
                group=_("Onboarding"),
                title=flow.name,
                url=reverse("onboarding:flow", args=[flow.pk]),
                icon="checklist",
                note=flow.get_state_display(),
            )
