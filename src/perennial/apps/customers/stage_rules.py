"""Lifecycle stages that accounts get by themselves."""

from __future__ import annotations

from perennial.apps.customers.attributes import STAGE
from perennial.apps.customers.edit_actions import apply_values
from perennial.apps.customers.models import Decision
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import matching
from perennial.metrics import conditions


def follow(workspace: Workspace) -> int:
    """Give accounts the first stage whose rule they meet; how many changed.

    Where a person decided, that holds. Whoever meets no rule keeps the stage it has.
    """
    lake = lake_of(workspace)
    rows = lake.table("account_measures").select("account_id", "lifecycle_stage")
    now = dict(lake.engine.run(rows).iter_rows())
    meant: dict[str, str] = {}
    for stage in workspace.stages.exclude(rule=None):
        for account in matching.matching(lake, conditions.read(stage.rule)):
            meant.setdefault(account, stage.name)
    settled = _decided_by_people(workspace)
    changed = {
        account: name
        for account, name in meant.items()
        if account not in settled and now.get(account) != name
    }
    if changed:
        apply_values(workspace, None, STAGE, changed)
    return len(changed)


def _decided_by_people(workspace: Workspace) -> set[str]:
    live = Decision.objects.filter(
        workspace=workspace, name=STAGE, ended_at=None
    ).exclude(edit__author="")
    return set(live.values_list("account_id", flat=True))
