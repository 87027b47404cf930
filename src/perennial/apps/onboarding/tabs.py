"""Guides and onboarding are one area: its pages, as tabs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse


def tabs(on: str) -> list[dict[str, Any]]:
    """`settings.GUIDE_TABS`: key, label, and the name of the address."""
    return [
        {"label": label, "url": reverse(name), "on": key == on}
        for key, label, name in settings.GUIDE_TABS
    ]
