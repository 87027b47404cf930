"""The pages of Health, as tabs."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PAGES: dict[str, str | Promise] = {
    "health": _("Overview"),
    "movers": _("Who moved"),
    "outreach": _("Whom to call"),
    "scorecards": _("Scorecards"),
}


def tabs(on: str) -> list[dict[str, object]]:
    return [
        {"label": label, "url": reverse(f"health:{name}"), "on": name == on}
        for name, label in PAGES.items()
    ]
