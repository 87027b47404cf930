"""What the team's screens read."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from perennial.apps.team.models import AuditEntry, Membership, User, Workspace
from perennial.apps.team.roles import Role


def current(mine: Sequence[Membership], wanted: str | None) -> Membership | None:
    """The membership of the wanted workspace, else the oldest one."""
    chosen = [m for m in mine if m.workspace.key == wanted]
    return next(iter(chosen or mine), None)


def memberships_of(user: User) -> QuerySet[Membership]:
    return user.memberships.select_related("workspace").order_by("pk")


def people(workspace: Workspace) -> QuerySet[Membership]:
    return workspace.memberships.select_related("user").order_by(
        "user__name", "user__email"
    )


def owners(workspace: Workspace) -> QuerySet[Membership]:
    return workspace.memberships.filter(role=Role.OWNER)


def audit(workspace: Workspace) -> QuerySet[AuditEntry]:
    return workspace.audit.order_by("-at", "-pk")
