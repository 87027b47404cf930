"""The pages of work, as tabs."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.models import Workspace
from perennial.apps.work.models import Alert

PAGES: dict[str, str | Promise] = {
    "tasks": pgettext_lazy("tasks", "List"),
    "board": pgettext_lazy("tasks", "Board"),
    "calendar": pgettext_lazy("tasks", "Calendar"),
    "alerts": _("Alerts"),
}


def tabs(on: str, workspace: Workspace) -> list[dict[str, object]]:
    waiting = workspace.alerts.filter(state=Alert.State.OPEN, is_quiet=False).count()
    return [
        {
            "label": label,
            "url": reverse(f"work:{name}"),
            "on": name == on,
            "count": waiting or None if name == "alerts" else None,
        }
        for name, label in PAGES.items()
    ]
