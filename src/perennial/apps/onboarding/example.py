"""Onboarding of the example company: the flow whose steps its records tell of."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from perennial.apps.onboarding import actions
from perennial.apps.onboarding.models import Flow
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role


@transaction.atomic
def set_up(workspace: Workspace, name: str, steps: Sequence[str]) -> None:
    """The flow, in force since the records begin; again, it changes nothing."""
    owner = workspace.memberships.filter(role=Role.OWNER).order_by("pk").first()
    if owner is None or workspace.onboarding_flows.exists():
        return
    lake = lake_of(workspace)
    since = lake.first_day(["onboarding_steps"]) or lake.today
    told = [{"name": step, "by": "import"} for step in steps]
    training = {"name": "Training", "by": "hand", "optional": True}
    document = {
        "per": "user",
        "since": since.isoformat(),
        "value": steps[2],
        "steps": [*told, training],
    }
    flow = Flow.objects.create(
        workspace=workspace, name=name, document=document, by=owner.user
    )
    actions.publish(flow, owner)
