"""The pages of Tasks in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from perennial.apps.team.roles import Role
from perennial.apps.work.tabs import shown
from perennial.ui.navigation import Entry, pages_of


def pages(request: HttpRequest, query: str) -> Iterator[Entry]:
    role = getattr(request, "role", None)
    pages = shown(role).items() if isinstance(role, Role) else ()
    named = [(f"work:{name}", title) for name, title in pages if name != "tasks"]
    return pages_of(_("Tasks"), "checkbox", named, query)
