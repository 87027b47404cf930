"""What the command palette finds by itself: the pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.team.models import Workspace
from perennial.ui import navigation
from perennial.ui.navigation import Entry, NavItem


def pages(request: HttpRequest, query: str) -> Iterator[Entry]:
    if query[:1] in {"@", "#"}:
        return
    shown = [i for i in navigation.items(request) if i.key != "settings"]
    profile = NavItem("profile", _("Profile"), icon="user", url="team:profile")
    for item in [*shown, *navigation.settings_pages(request), profile]:
        if navigation.matches(query.removeprefix(">"), item.label):
            yield Entry(_("Pages"), item.label, reverse(item.url), item.icon)


def sought(request: HttpRequest, query: str) -> tuple[Workspace, str] | None:
    """The workspace and the words of a question about things with a name; None where
    the question is another one."""
    wanted, workspace = query.strip(), getattr(request, "workspace", None)
    if not wanted or query[0] in ">@#" or not isinstance(workspace, Workspace):
        return None
    return workspace, wanted
