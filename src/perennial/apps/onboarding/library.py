"""Flows to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.core.errors import BadValue

#: Templates by key: what each is called, and what it is for.
TITLES: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "account": (
        gettext_lazy("Launch of a new customer"),
        gettext_lazy("Per account: kick-off, first people, first value."),
    ),
    "user": (
        gettext_lazy("Getting started"),
        gettext_lazy("Per person: from the invitation to the first result."),
    ),
}


def document(template: str, today: date) -> dict[str, Any]:
    """The document of a template, for those who begin from today on."""
    if template not in TITLES:
        raise BadValue(f"there is no template {template!r}")
    seats = {"field": "assigned_users", "op": "at_least", "value": 3}
    steps: dict[str, list[dict[str, Any]]] = {
        "account": [
            {"name": _("Kick-off call"), "by": "hand"},
            {"name": _("Three people invited"), "condition": {"all": [seats]}},
            {"name": _("First value"), "event": ""},
            {"name": _("Handover to success"), "by": "hand", "optional": True},
        ],
        "user": [
            {"name": _("Invitation accepted"), "event": ""},
            {"name": _("First result"), "event": ""},
        ],
    }
    return {"per": template, "since": today.isoformat(), "steps": steps[template]}
