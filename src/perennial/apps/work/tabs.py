"""The pages of tasks, as tabs."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.apps.team.access import TeamRequest
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Alert, Message

PAGES: dict[str, str | Promise] = {
    "tasks": pgettext_lazy("tasks", "List"),
    "board": pgettext_lazy("tasks", "Board"),
    "calendar": pgettext_lazy("tasks", "Calendar"),
    "alerts": _("Alerts"),
    "plans": _("Success plans"),
    "outbox": _("Outbox"),
    "team": _("Team"),
    "strategy": _("Strategy"),
}


def shown(role: Role) -> dict[str, str | Promise]:
    """Viewers have no outbox: drafts are work."""
    is_work = role.covers(Role.MEMBER)
    return {k: title for k, title in PAGES.items() if k != "outbox" or is_work}


def tabs(on: str, request: TeamRequest) -> list[dict[str, object]]:
    counts = {"alerts": _alerts(request), "outbox": _drafts(request)}
    return [
        {
            "label": label,
            "url": reverse(f"work:{name}"),
            "on": name == on,
            "count": counts.get(name) or None,
        }
        for name, label in shown(request.role).items()
    ]


def _alerts(request: TeamRequest) -> int:
    """Open ones of the person's accounts."""
    mine = Q(owner_email=request.user.email.lower()) | Q(account_id="")
    found = request.workspace.alerts.filter(mine, state=Alert.State.OPEN)
    return found.filter(is_quiet=False).count()


def _drafts(request: TeamRequest) -> int:
    return request.workspace.messages.filter(state=Message.State.DRAFT).count()
