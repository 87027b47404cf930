"""What every page needs for its frame."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from perennial.ui.formats import Regional

THEMES = ("system", "light", "dark")


def theme(request: HttpRequest) -> str:
    chosen = request.COOKIES.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def regional(request: HttpRequest) -> Regional:
    """Set by whoever knows the workspace; else the language and the defaults."""
    known = getattr(request, "regional", None)
    if isinstance(known, Regional):
        return known
    return Regional(locale=get_language() or "en", timezone=settings.TIME_ZONE)


def frame(request: HttpRequest) -> dict[str, object]:
    return {
        "theme": theme(request),
        "regional": regional(request),
        "languages": settings.LANGUAGES,
    }
