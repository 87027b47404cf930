"""Life in the example company: its people, playbooks that are on, what it wants to
reach, and a plan with a customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl
from django.db import transaction

from perennial.apps.team.actions import get_or_create_user
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.plans import actions as plans
from perennial.apps.work.playbooks import actions, library
from perennial.apps.work.strategy import actions as strategy
from perennial.core.windows import DAY

#: Ready-made ones that are on; the others stand there as drafts.
_ON: Final = ("usage_dip", "health_shift", "expansion", "reengagement", "low_adoption")


_VISION: Final = (
    "Whoever runs buildings with us has a quiet evening: every fault known, every crew "
    "on its way, nothing on paper."
)
#: Title, metric and target of what the company wants to reach in half a year.
_OBJECTIVES: Final = (
    ("Customers pay more each year", "net_revenue_retention", 1.05),
    ("They would tell others of us", "nps", 45.0),
    ("One answer is enough", "first_contact_resolution", 0.65),
)
_HALF_YEAR: Final = DAY * 182


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
    _aim(owner)
    _plan(owner)


def _aim(owner: Membership) -> None:
    due = lake_of(owner.workspace).today + _HALF_YEAR
    strategy.say_vision(owner, _VISION)
    for title, metric, target in _OBJECTIVES:
        strategy.add_objective(
            owner, title=title, metric=metric, target=target, due_on=due
        )


def _plan(owner: Membership) -> None:
    """With the owner's greatest customer, before its renewal."""
    lake = lake_of(owner.workspace)
    measures = lake.engine.run(lake.table("account_measures"))
    mine = measures.filter(
        (pl.col("owner_email") == owner.user.email) & (pl.col("mrr_e4") > 0)
    )
    if mine.is_empty():
        return
    account = mine.sort("mrr_e4", "account_id", descending=[True, False])
    plan = plans.add_plan(
        owner,
        account["account_id"][0],
        title="Every site without paper",
        template="renewal",
    )
    plans.change_plan(
        plan,
        owner,
        {
            "summary": "All crews work from the app, and faults are closed in a day.",
            "customer_owner": "Head of operations",
        },
    )
    for title, metric, baseline, target in (
        ("Seats in use", "license_utilization", 0.5, 0.9),
        ("Hours until a fault is closed", "", 48.0, 24.0),
    ):
        plans.add_goal(
            plan,
            owner,
            title=title,
            metric=metric,
            baseline=baseline,
            target=target,
            due_on=lake.today + _HALF_YEAR,
        )
