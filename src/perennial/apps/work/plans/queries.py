"""Success plans as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.models import Goal, Milestone, Plan
from perennial.metrics.outcomes import progress

#: Texts of plans, goals and milestones that may name a customer's people.
_WRITTEN = ("title", "summary", "customer_owner")


@dataclass(frozen=True)
class GoalLine:
    """A goal and how far it is: `share` of its way, 0 to 1; None: not measured."""

    goal: Goal
    share: float | None
    state: str


@dataclass(frozen=True)
class PlanLine:
    plan: Plan
    account: Account | None
    goals: Sequence[GoalLine]
    milestones: Sequence[Milestone]

    @property
    def done(self) -> int:
        return sum(m.done_on is not None for m in self.milestones)

    @property
    def reached(self) -> int:
        return sum(line.state == "reached" for line in self.goals)


def plans(workspace: Workspace) -> QuerySet[Plan]:
    found = workspace.plans.filter(archived_at=None).select_related("owner")
    return found.prefetch_related("goals", "milestones").order_by("-created_at")


def lines(
    workspace: Workspace, found: Sequence[Plan], *, mask: bool = False
) -> list[PlanLine]:
    """Plans of `plans` with their accounts; `mask`: without personal data."""
    if mask:
        hide(workspace, found)
    today = lake_of(workspace).today
    ids = tuple(sorted({plan.account_id for plan in found}))
    known = customers.some(workspace, ids)
    return [
        PlanLine(
            plan,
            known.get(plan.account_id),
            [goal_line(goal, today) for goal in plan.goals.all()],
            list(plan.milestones.all()),
        )
        for plan in found
    ]


def removed(plan: Plan) -> list[tuple[str, Goal | Milestone]]:
    """What was taken out and can be put back, by name, the newest first."""
    goals = Goal.every.filter(plan=plan).exclude(removed_at=None)
    stones = Milestone.every.filter(plan=plan).exclude(removed_at=None)
    found: list[Goal | Milestone] = [*goals, *stones]
    found.sort(key=lambda one: str(one.removed_at), reverse=True)
    return [(name(one), one) for one in found]


def name(one: Goal | Milestone) -> str:
    """What forms call it."""
    return f"{one._meta.model_name}-{one.pk}"


def hide(workspace: Workspace, found: Sequence[Plan]) -> None:
    """Hide personal data in what is written of plans: in place, not to be saved."""
    told = [
        (plan.account_id, vars(each))
        for plan in found
        for each in (plan, *plan.goals.all(), *plan.milestones.all())
    ]
    wording.hide_in(workspace, told, *_WRITTEN)


def goal_line(goal: Goal, today: date) -> GoalLine:
    """Clipped to 0 and 1 for the bar; reached, missed or under way (O01)."""
    share = progress(goal.baseline, goal.target, goal.value)
    shown = None if share is None else min(max(share, 0.0), 1.0)
    if share is not None and share >= 1:
        return GoalLine(goal, shown, "reached")
    return GoalLine(goal, shown, "missed" if goal.due_on < today else "open")
