"""The pages of Health in the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from perennial.apps.health.tabs import PAGES
from perennial.ui.navigation import Entry, pages_of


def pages(request: HttpRequest, query: str) -> Iterator[Entry]:
    named = [
        (f"health:{name}", title) for name, title in PAGES.items() if name != "health"
    ]
    return pages_of(_("Health"), "heartbeat", named, query)
