"""The pages of Insights in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from perennial.apps.insights.tabs import PAGES
from perennial.ui.navigation import Entry, pages_of


def pages(request: HttpRequest, query: str) -> Iterator[Entry]:
    named = [(f"insights:{name}", title) for name, title in PAGES.items()]
    return pages_of(_("Insights"), "bulb", named, query)
