"""Verbs of success plans. Goals flow into the lake in the same step, so that the
outcome metrics (O01 to O03) and the alert of an overdue goal know them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl
import pyarrow as pa
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import queries as customers
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Goal, Milestone, Plan
from perennial.core.errors import BadValue, PerennialError
from perennial.core.windows import add_months
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace as Lake

#: Plans to begin with: milestones by whose they are, and the months they are due in.
TEMPLATES: Mapping[str, tuple[tuple[Promise, Milestone.Side, int], ...]] = {
    "onboarding": (
        (gettext_lazy("Agree on the goals"), Milestone.Side.OURS, 0),
        (gettext_lazy("Bring in the data"), Milestone.Side.THEIRS, 1),
        (gettext_lazy("Train the team"), Milestone.Side.OURS, 1),
        (gettext_lazy("First result in use"), Milestone.Side.THEIRS, 2),
    ),
    "renewal": (
        (gettext_lazy("Review what was reached"), Milestone.Side.OURS, 0),
        (gettext_lazy("Agree on next year's goals"), Milestone.Side.OURS, 1),
        (gettext_lazy("Decide on the renewal"), Milestone.Side.THEIRS, 2),
    ),
}


@transaction.atomic
def add_plan(
    by: Membership, account_id: str, *, title: str, template: str = ""
) -> Plan:
    """A plan of an account, with the milestones of a template."""
    must_cover(by, Role.MEMBER)
    if not customers.some(by.workspace, (account_id,)):
        raise BadValue(_("There is no such account."))
    if not title.strip():
        raise BadValue(_("A plan needs a title."))
    plan = Plan.objects.create(
        workspace=by.workspace,
        account_id=account_id,
        title=title.strip()[:200],
        owner=by.user,
        by=by.user,
        token=secrets.token_urlsafe(32),
    )
    today = lake_of(by.workspace).today
    Milestone.objects.bulk_create(
        Milestone(
            plan=plan, title=str(said), side=side, due_on=add_months(today, months)
        )
        for said, side, months in TEMPLATES.get(template, ())
    )
    record(by.workspace, by.user, "plan.added", plan.title, plan=plan.pk)
    return plan


@transaction.atomic
def change_plan(plan: Plan, by: Membership, values: Mapping[str, Any]) -> None:
    must_cover(by, Role.MEMBER)
    for name in ("title", "summary", "customer_owner"):
        if name in values:
            setattr(plan, name, str(values[name]).strip())
    if not plan.title:
        raise BadValue(_("A plan needs a title."))
    if values.get("owner"):
        plan.owner = _member(by, str(values["owner"]))
    plan.save()
    record(by.workspace, by.user, "plan.changed", plan.title, plan=plan.pk)


def _member(by: Membership, email: str) -> User:
    people = by.workspace.memberships.exclude(role=Role.VIEWER).select_related("user")
    found = people.filter(user__email=email).first()
    if found is None:
        raise BadValue(_("Only people of this workspace can own a plan."))
    return found.user


@transaction.atomic
def share(plan: Plan, by: Membership, *, is_shared: bool) -> None:
    """Open the plan to whoever has its link, or end every link given so far."""
    must_cover(by, Role.MEMBER)
    plan.is_shared = is_shared
    if not is_shared:
        plan.token = secrets.token_urlsafe(32)
    plan.save(update_fields=["is_shared", "token"])
    verb = "plan.shared" if is_shared else "plan.unshared"
    record(by.workspace, by.user, verb, plan.title, plan=plan.pk)


@transaction.atomic
def archive(plan: Plan, by: Membership) -> None:
    """Out of the lists; its goals stay in the numbers of the past."""
    must_cover(by, Role.MEMBER)
    plan.archived_at, plan.is_shared = lake_of(by.workspace).now, False
    plan.save(update_fields=["archived_at", "is_shared"])
    record(by.workspace, by.user, "plan.archived", plan.title, plan=plan.pk)


# --- goals -------------------------------------------------------------------


@transaction.atomic
def add_goal(
    plan: Plan,
    by: Membership,
    *,
    title: str,
    baseline: float,
    target: float,
    due_on: date,
    metric: str = "",
) -> Goal:
    """What the customer wants to reach, by when."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    if not title.strip():
        raise BadValue(_("A goal needs a title."))
    if target == baseline:
        raise BadValue(_("The target has to differ from the beginning."))
    if due_on <= lake.today:
        raise BadValue(_("A goal is due in the future."))
    if metric and "account" not in lake.entry(metric).dimensions:
        raise BadValue(_("This metric is not known of single accounts."))
    goal = Goal.objects.create(
        plan=plan,
        title=title.strip()[:200],
        metric=metric,
        baseline=baseline,
        target=target,
        starts_on=lake.today,
        due_on=due_on,
    )
    _write(lake, "goals", [_row(goal)])
    record(by.workspace, by.user, "plan.goal_added", goal.title, plan=plan.pk)
    return goal


@transaction.atomic
def remove_goal(goal: Goal, by: Membership) -> None:
    """It was a mistake: it counts in no number any more, of the past either. Until it
    is put back."""
    must_cover(by, Role.MEMBER)
    workspace = lake_of(by.workspace)
    values = workspace.table("goal_values")
    told = workspace.engine.run(values.filter(values.goal_id == _id(goal)))
    goal.kept = [
        (at.isoformat(), value)
        for at, value in told.select("measured_at", "value").iter_rows()
    ]
    goal.removed_at = workspace.now
    goal.save(update_fields=["kept", "removed_at"])
    workspace.lake.delete("goal_values", f"goal_id = '{_id(goal)}'")
    workspace.lake.delete_keys("goals", [(_id(goal),)])
    record(by.workspace, by.user, "plan.goal_removed", goal.title, plan=goal.plan_id)


@transaction.atomic
def put_goal_back(goal: Goal, by: Membership) -> None:
    """As it was, with what had been measured."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    _write(lake, "goals", [_row(goal)])
    _write_values(
        lake, [(goal, datetime.fromisoformat(at), value) for at, value in goal.kept]
    )
    goal.kept, goal.removed_at = [], None
    goal.save(update_fields=["kept", "removed_at"])
    record(by.workspace, by.user, "plan.goal_put_back", goal.title, plan=goal.plan_id)


def retell(plans: QuerySet[Plan], since: datetime) -> None:
    """Goals that began since told the lake of another account: they tell it again."""
    for plan in plans.filter(goals__starts_on__gte=since.date()).distinct():
        goals = plan.goals.select_related("plan")
        _write(lake_of(plan.workspace), "goals", [_row(goal) for goal in goals])


@transaction.atomic
def say_value(goal: Goal, by: Membership, value: float) -> None:
    """How far a goal is, in the words of a person."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    _measured(lake, [(goal, value)])
    record(by.workspace, by.user, "plan.goal_measured", goal.title, value=str(value))


def measure(workspace: Workspace) -> int:
    """Follow the goals that have a metric: one question a metric for all accounts.

    A metric that can no longer be asked leaves its goals as they were.
    """
    lake = lake_of(workspace)
    goals = Goal.objects.select_related("plan").filter(
        plan__workspace=workspace,
        plan__archived_at=None,
        due_on__gte=lake.today,
    )
    by_metric: dict[str, list[Goal]] = {}
    for goal in goals.exclude(metric=""):
        by_metric.setdefault(goal.metric, []).append(goal)
    found = []
    for key, some in by_metric.items():
        try:
            rows = lake.metric(key, as_of=lake.today, by=["account"]).rows
        except PerennialError:
            continue
        values = dict(
            rows.select("account", pl.col("value").cast(pl.Float64)).iter_rows()
        )
        for goal in some:
            value = values.get(goal.plan.account_id)
            if value is not None and value != goal.value:
                found.append((goal, float(value)))
    _measured(lake, found)
    return len(found)


@transaction.atomic
def _measured(lake: Lake, found: list[tuple[Goal, float]]) -> None:
    if not found:
        return
    for goal, value in found:
        goal.value, goal.measured_at = value, lake.now
    Goal.objects.bulk_update([g for g, _v in found], ["value", "measured_at"])
    _write_values(lake, [(goal, lake.now, value) for goal, value in found])


def _write_values(lake: Lake, told: Iterable[tuple[Goal, datetime, float]]) -> None:
    rows = [{"goal_id": _id(g), "measured_at": at, "value": v} for g, at, v in told]
    _write(lake, "goal_values", rows)


def _id(goal: Goal) -> str:
    """Apart from the ids of goals that were imported."""
    return f"plan-{goal.pk}"


def _row(goal: Goal) -> dict[str, Any]:
    return {
        "goal_id": _id(goal),
        "account_id": goal.plan.account_id,
        "measure": goal.title,
        "baseline": goal.baseline,
        "target": goal.target,
        "starts_on": goal.starts_on,
        "due_on": goal.due_on,
    }


def _write(lake: Lake, name: str, rows: list[dict[str, Any]]) -> None:
    lake.lake.write(name, pa.Table.from_pylist(rows, schema=TABLES[name].schema()))


# --- milestones --------------------------------------------------------------


@transaction.atomic
def add_milestone(
    plan: Plan, by: Membership, *, title: str, side: str, due_on: date | None
) -> Milestone:
    must_cover(by, Role.MEMBER)
    if not title.strip() or side not in Milestone.Side.values:
        raise BadValue(_("A milestone needs a title."))
    made = Milestone.objects.create(
        plan=plan, title=title.strip()[:200], side=side, due_on=due_on
    )
    record(by.workspace, by.user, "plan.milestone_added", made.title, plan=plan.pk)
    return made


@transaction.atomic
def tick(milestone: Milestone, by: Membership) -> None:
    """Reached, or not after all."""
    must_cover(by, Role.MEMBER)
    today = lake_of(by.workspace).today
    milestone.done_on = None if milestone.done_on else today
    milestone.save(update_fields=["done_on"])
    record(by.workspace, by.user, "plan.milestone_ticked", milestone.title)


@transaction.atomic
def remove_milestone(milestone: Milestone, by: Membership) -> None:
    """Until it is put back."""
    must_cover(by, Role.MEMBER)
    milestone.removed_at = lake_of(by.workspace).now
    _move(milestone, by, "plan.milestone_removed")


@transaction.atomic
def put_milestone_back(milestone: Milestone, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    milestone.removed_at = None
    _move(milestone, by, "plan.milestone_put_back")


def _move(milestone: Milestone, by: Membership, verb: str) -> None:
    milestone.save(update_fields=["removed_at"])
    said = {"plan": milestone.plan_id}
    record(by.workspace, by.user, verb, milestone.title, **said)
