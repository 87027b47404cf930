"""The pages of Data and the sources in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.intake.models import Source
from perennial.apps.intake.tabs import PAGES
from perennial.apps.team.access import get_workspace_or_404
from perennial.ui.navigation import Entry, matches, pages_of


def data(request: HttpRequest, query: str) -> Iterator[Entry]:
    """What matches what was typed; nothing as long as that is nothing."""
    wanted = query.removeprefix(">").strip()
    if query[:1] in {"#", "@"} or not wanted:
        return
    named = [(f"intake:{name}", title) for name, title in PAGES[1:]]
    yield from pages_of(_("Data"), "database", named, query)  # the first is listed
    mine = Source.objects.filter(
        workspace=get_workspace_or_404(request), archived_at=None
    )
    for source in mine.order_by("name"):
        if matches(wanted, source.name):
            yield Entry(
                group=_("Data"),
                title=source.name,
                url=reverse("intake:source", args=[source.slug]),
                icon="activity",
                note=_("Source"),
            )
