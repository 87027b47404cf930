"""Life in the example company: its people, some tasks, playbooks that are on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction

from perennial.apps.team.actions import get_or_create_user
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.playbooks import actions, library

#: Ready-made ones that are on; the others stand there as drafts.
_ON: Final = ("usage_dip", "health_shift", "expansion", "reengagement", "low_adoption")


@transaction.atomic
def set_up(workspace: Workspace, people: Iterable[tuple[str, str]]) -> None:
    """People by address and name, and playbooks; again, it changes nothing."""
    for email, name in people:
        user = get_or_create_user(email, name)
        Membership.objects.get_or_create(
            user=user, workspace=workspace, defaults={"role": Role.MEMBER}
        )
    owner = workspace.memberships.filter(role=Role.OWNER).order_by("pk").first()
    if owner is None or workspace.playbooks.exists():
        return
    for key in library.READY:
        document = library.document(key)
        # A newcomer sees them work today, not after days in a row.
        document["limits"]["after_days"] = 1
        playbook = actions.add(owner, document)
        if key in _ON:
            actions.turn_on(playbook, owner)
